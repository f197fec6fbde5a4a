//! What tests need: a database each, and fakes of the world.
//!
//! Everything here panics where it fails: a test has nothing better to do. Nothing here depends on `catalog`, whose
//! own tests use this crate.

mod clock;
mod cut;
mod data;
mod database;
mod http;
mod kubernetes;
mod moto;
mod objects;
mod server;

pub use clock::FakeClock;
pub use cut::Cut;
pub use data::{skip, test_data};
pub use database::{TestDb, template_name};
pub use http::{FakeHttp, FakeSecrets, Reply};
pub use kubernetes::{KubernetesApi, ServedKind, Trouble};
pub use moto::Moto;
pub use objects::{Failure, FakeObjects};

#[cfg(test)]
mod tests;
