//! The whole sync against a server in this process and a real archive.

mod borders;
mod clock;
mod discovery;
mod fake;
mod incremental;
mod profile;
mod rules;
mod simulation;
mod support;
mod upstream;
mod world;
