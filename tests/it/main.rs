//! Tests of the program as its users meet it: the binary, started as a child process.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop, and helpers count as no test for the lint"
)]

mod accounts;
mod backfill;
mod backup;
mod changes;
mod continuity;
mod contrib;
mod credentials;
mod demo;
mod discovery;
mod doctor;
mod evidence;
mod export;
mod first_release;
mod house;
mod http;
mod large;
mod network;
mod paging;
mod past;
mod payload;
mod process;
mod readme;
mod shell;
mod simulate;
mod sql;
mod state;
mod stats;
mod status;
mod support;
mod support_pages;
mod terminal;
mod time;
mod verify;
