//! The simulated cloud: a small, lively copy of the service that the product reads, on this machine alone.
//!
//! `world` is what the cloud contains and how it changes with time; `request` reads what is asked, `answer` is what the
//! cloud says to it, and `server` says it over HTTP; `lagging` lets some answers come from the world as it was. People try the product on it, and tests read its truth and compare:
//!
//! ```text
//! let cloud = simulator::start(simulator::Options::default())?;   // speed 0: the clock stands still
//! read_everything_from(&cloud.endpoint, &cloud.project_id, &cloud.token);
//! cloud.world().advance(3_600_000);                               // an hour over there
//! ```

mod answer;
mod lagging;
mod request;
pub(crate) mod rng;
mod server;
pub(crate) mod world;

pub(crate) use lagging::LaggingCopy;
pub(crate) use server::{Options, Running, start};
