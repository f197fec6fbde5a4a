//! The function over a real database and a real channel.

mod copies;
mod invoked;
mod judged;
mod secrets;
mod sent;
mod world;
