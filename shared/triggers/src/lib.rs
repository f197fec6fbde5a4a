//! triggers: see the package description.
