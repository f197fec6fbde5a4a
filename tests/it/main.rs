//! Whole-system tests, and the rules of the house.

mod fixtures;
mod layers;
mod tidy;
mod workspace;
