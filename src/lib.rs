//! The library behind the `dcs-history` program. `ARCHITECTURE.md` is the map of the house; the modules stand in floor
//! order, from the ground up.

mod model;

mod api;
mod normalize;
mod store;

mod report;
mod sync;

mod output;

mod cli;

mod simulator;

#[cfg(test)]
mod fuzz;

pub use cli::main;
