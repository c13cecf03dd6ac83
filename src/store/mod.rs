//! The archive room: the one SQLite file, and every line of SQL that reads or writes it.
//!
//! [`open`] is its door. It promises that a file which is not an archive of this program is never changed by a byte, that
//! an archive is either absent or complete (however its birth ended), and that one program at a time writes.

pub(crate) mod backup;
mod birth;
pub(crate) mod chain;
mod compact;
mod dictionary;
pub(crate) mod error;
pub(crate) mod evidence;
pub(crate) mod export;
pub(crate) mod facts;
pub(crate) mod filter;
mod finals;
pub(crate) mod format;
#[cfg(test)]
pub(crate) mod golden;
mod header;
pub(crate) mod health;
pub(crate) mod held;
pub(crate) mod history;
pub(crate) mod instances;
pub(crate) mod ledger;
pub(crate) mod lock;
mod missing;
pub(crate) mod open;
mod place;
pub(crate) mod query;
pub(crate) mod read;
mod recover;
mod remote;
pub(crate) mod reprocess;
mod revisions;
mod scan;
mod seen;
pub(crate) mod syncs;
pub(crate) mod upstream;
pub(crate) mod verify;
pub(crate) mod walks;
pub(crate) mod write;

pub(crate) use error::Error;
