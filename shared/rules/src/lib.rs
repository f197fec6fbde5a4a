//! rules: see the package description.
