//! Whole-system tests, and the rules of the house.

#[cfg(test)]
mod crash;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod lambda;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod once;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod process;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod tidy;
#[cfg(test)]
mod workspace;
