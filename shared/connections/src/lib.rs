//! connections: see the package description.
