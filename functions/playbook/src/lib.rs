//! playbook: see the package description.
