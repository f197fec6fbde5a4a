//! scrape: see the package description.
