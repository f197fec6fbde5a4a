//! health: see the package description.
