//! The street: HTTP in.
//!
//! This floor knows URLs, header names and what an answer may look like; it hands up values and typed errors and knows
//! nothing of what is done with them. What it promises, whatever the other end does: a request goes to one origin only,
//! ends in bounded time and memory, is repeated a bounded number of times, and no secret is in anything it says.

pub(crate) mod auth;
pub(crate) mod canonical;
pub(crate) mod client;
pub(crate) mod cloud;
pub(crate) mod cut;
pub(crate) mod deadline;
pub(crate) mod decode;
pub(crate) mod endpoint;
pub(crate) mod error;
mod error_body;
mod gate;
mod http_date;
mod message;
mod proxy;
mod purse;
mod query;
mod quote;
mod retry;
pub(crate) mod secret;
pub(crate) mod tls;
mod transport;

#[cfg(test)]
mod tests;
