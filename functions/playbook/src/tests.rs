//! Runs on a real database, against a server that counts, and with real processes.

mod crash;
mod effects;
mod guards;
mod invoke;
mod world;
