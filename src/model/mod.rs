//! The ground: what a task, a moment, an observation, a ledger line and a standing are.
//!
//! Everything here is plain data with the rules that hold for it alone: no I/O, no clock, no SQL. A rule that needs the
//! present moment takes it as a parameter.

pub(crate) mod absence;
pub(crate) mod coverage;
pub(crate) mod fact;
pub(crate) mod finding;
pub(crate) mod health;
pub(crate) mod json;
pub(crate) mod kind;
pub(crate) mod ledger;
pub(crate) mod naming;
pub(crate) mod operation;
pub(crate) mod record;
pub(crate) mod replay;
pub(crate) mod rows;
pub(crate) mod standing;
pub(crate) mod status;
pub(crate) mod task;
pub(crate) mod time;
pub(crate) mod upstream;

/// A SHA-256 digest.
pub(crate) type Digest = [u8; 32];
