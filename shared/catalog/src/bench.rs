//! For benchmarks: an estate of any size, made at once, and the rivals that it is measured beside.
//!
//! Start at [`Estate`].

mod copied;
mod estate;
mod kinds;
mod rival;
mod server;
#[cfg(test)]
mod tests;
mod watch;

pub use copied::Copied;
pub use estate::{Estate, Seed};
pub use kinds::{KINDS, Kind, Places, filled};
pub use rival::{Disk, Rival};
pub use server::ServerFacts;
