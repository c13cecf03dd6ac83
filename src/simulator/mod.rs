//! The simulated cloud: a small, lively copy of the service that the product reads, on this machine alone.
//!
//! `world` is what the cloud contains and how it changes with time, `account` is who may use it. `route`, `query` and
//! `gateway` read what is asked and by whom; `answer` (DCS), `iam` and `metadata` are what is said to that, as the
//! `manners` of the cloud have it, and `refusal` and `trouble` what is said instead. `server` says it over HTTP; `lagging`
//! lets some answers come from the world as it was. People try the product on it, and tests read its truth and compare:
//!
//! ```text
//! let cloud = simulator::start(simulator::Options::default())?;   // speed 0: the clock stands still
//! read_everything_from(&cloud.endpoint, &cloud.project_id, &cloud.token);
//! cloud.world().advance(3_600_000);                               // an hour over there
//! ```

pub(crate) mod account;
mod answer;
mod gateway;
mod iam;
mod lagging;
pub(crate) mod manners;
mod metadata;
mod query;
mod refusal;
mod reply;
pub(crate) mod rng;
mod route;
mod server;
mod signature;
mod trouble;
pub(crate) mod world;

pub(crate) use lagging::LaggingCopy;
pub(crate) use server::{Options, Running, start};
