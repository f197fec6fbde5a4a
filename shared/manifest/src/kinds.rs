//! One file a kind.

pub mod check;
pub mod connection;
pub mod health_rule;
pub mod notification;
pub mod playbook;
pub mod retention;
pub mod scraper;
pub mod silence;
