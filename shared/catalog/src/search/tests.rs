//! The two back ends say the same; what may be asked is what `selector` says; hostile text is refused in bounded time.

mod equal;
mod generate;
mod refused;
mod world;
