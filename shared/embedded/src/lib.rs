//! A private Postgres for development and tests.
