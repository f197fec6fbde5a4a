//! notify: see the package description.
