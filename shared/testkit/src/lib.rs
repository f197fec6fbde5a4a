//! What tests need: a database each, and fakes of the world.
//!
//! Everything here panics where it fails: a test has nothing better to do. Nothing here depends on `catalog`, whose
//! own tests use this crate.

mod clock;
mod data;
mod database;
mod moto;
mod objects;
mod server;

pub use clock::FakeClock;
pub use data::{skip, test_data};
pub use database::{TestDb, template_name};
pub use moto::Moto;
pub use objects::{Failure, FakeObjects};

#[cfg(test)]
mod tests;
