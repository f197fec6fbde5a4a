//! kubernetes: see the package description.
