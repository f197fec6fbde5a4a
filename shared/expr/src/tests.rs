mod attacks;
mod conformance;
mod faults;
mod templates;
mod values;
