//! The study: facts worked out from rows.
//!
//! Everything here is pure: rows go in, facts come out, and neither the archive, the clock nor the terminal is known. What
//! depends on a place (where a day begins) is a function that is handed in. So each fact is tested as a table of cases, and
//! the same rows give the same facts for ever.

pub(crate) mod attribute;
pub(crate) mod audit;
pub(crate) mod continuity;
pub(crate) mod history;
pub(crate) mod redact;
pub(crate) mod state;
pub(crate) mod stats;
