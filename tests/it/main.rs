//! Whole-system tests, and the rules of the house.

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod lambda;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod tidy;
#[cfg(test)]
mod workspace;
