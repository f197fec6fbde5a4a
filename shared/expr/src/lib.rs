//! expr: see the package description.
