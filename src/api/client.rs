//! The client: a question in, a read answer or a typed error out.
//!
//! One is made for a run and shared by everything in it that asks. It holds what a run may spend: its time, its retries
//! and its credential.

use std::{
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use reqwest::{Url, header::HeaderMap};
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::model::time::Timestamp;

use super::{
    auth::{AlreadyRefused, Auth, KeyNumber, Keyring, Refusal},
    deadline::Deadline,
    endpoint::Endpoint,
    error::{ApiError, ErrorKind, Failure, Request},
    error_body,
    gate::Gate,
    retry::{self, Budget, Rules, Step, Stop, Tally},
    tls::BuildError,
    transport::{self, Transport},
};

/// How patient and how generous a run is. The defaults are the contract's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) connect_timeout: Duration,
    /// For a whole request, body included.
    pub(crate) timeout: Duration,
    /// After the first attempt.
    pub(crate) retries: u32,
    pub(crate) retry_base: Duration,
    /// Requests under way at once, at most.
    pub(crate) concurrency: u32,
    /// In bytes.
    pub(crate) max_body: u64,
    /// Certificates trusted besides the machine's own.
    pub(crate) ca_file: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_mins(1),
            retries: 3,
            retry_base: Duration::from_millis(500),
            concurrency: 8,
            max_body: 64 * 1024 * 1024,
            ca_file: None,
        }
    }
}

/// An answer of success, read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) body: Vec<u8>,
    /// The server's clock.
    pub(crate) date: Option<Timestamp>,
    pub(crate) request_id: Option<String>,
}

/// An answer that came whole and is not what was asked for; says what was found instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadAnswer {
    pub(crate) found: String,
}

impl BadAnswer {
    pub(crate) fn new(found: impl Into<String>) -> Self {
        Self {
            found: found.into(),
        }
    }
}

/// What was asked for, and what else the answer said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fetched<T> {
    pub(crate) value: T,
    /// The server's clock.
    pub(crate) date: Option<Timestamp>,
    /// Requests sent until it came.
    pub(crate) attempts: u32,
}

/// Which page of a task list is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) offset: u64,
    pub(crate) limit: u32,
    pub(crate) filter: Option<Filter>,
}

/// A filter by time; which of a task's times it bounds is the server's secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) parameter: StartParameter,
    pub(crate) start: Option<Timestamp>,
    pub(crate) end: Option<Timestamp>,
}

/// What the lower bound is called: the table of the documentation says one, its example the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum StartParameter {
    #[default]
    StartTime,
    BeginTime,
}

impl StartParameter {
    const fn as_str(self) -> &'static str {
        match self {
            Self::StartTime => "start_time",
            Self::BeginTime => "begin_time",
        }
    }
}

impl Filter {
    /// From before the service existed: the whole list, if the plain one is not.
    pub(crate) fn early() -> Self {
        Self {
            parameter: StartParameter::StartTime,
            start: Timestamp::from_millis(EARLY),
            end: None,
        }
    }

    fn parameters(self) -> impl Iterator<Item = (&'static str, String)> {
        let start = self
            .start
            .map(|start| (self.parameter.as_str(), second(start)));
        let end = self.end.map(|end| ("end_time", second(end)));
        start.into_iter().chain(end)
    }
}

/// The year 2000 in milliseconds.
const EARLY: i64 = 946_684_800_000;

/// Writes a time as the upstream reads it: `yyyyMMddHHmmss`, in UTC.
fn second(time: Timestamp) -> String {
    time.to_string()
        .chars()
        .filter(char::is_ascii_digit)
        .take(14)
        .collect()
}

/// A retry that is about to happen, for whoever shows what is going on.
#[derive(Debug)]
pub(crate) struct Retrying<'a> {
    pub(crate) url: &'a str,
    /// What happened, as it would read in an error; holds no secret.
    pub(crate) why: String,
    pub(crate) wait: Duration,
    /// How many requests were sent for this so far.
    pub(crate) attempts: u32,
}

type Observer = Box<dyn Fn(&Retrying<'_>) + Send + Sync>;

pub(crate) struct Client {
    transport: Transport,
    endpoint: Endpoint,
    keyring: Keyring,
    rules: Rules,
    deadline: Deadline,
    budget: Mutex<Budget>,
    gate: Gate,
    random: SystemRandom,
    requests: AtomicU64,
    retries: AtomicU64,
    /// Whether any request of this run has been answered, so that an open connection may be lying idle.
    warm: AtomicBool,
    observer: Observer,
    /// This machine's clock, for the date in a signature.
    clock: fn() -> Timestamp,
}

/// A project of an account, as IAM lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Project {
    pub(crate) id: String,
    pub(crate) name: String,
}

impl Client {
    pub(crate) fn new(
        endpoint: Endpoint,
        auth: Auth,
        settings: &Settings,
        deadline: Deadline,
        clock: fn() -> Timestamp,
    ) -> Result<Self, BuildError> {
        Ok(Self {
            clock,
            transport: Transport::new(&endpoint, settings)?,
            endpoint,
            keyring: Keyring::new(auth),
            rules: Rules {
                retries: settings.retries,
                base: settings.retry_base,
            },
            deadline,
            budget: Mutex::new(Budget::full()),
            gate: Gate::new(settings.concurrency),
            random: SystemRandom::new(),
            requests: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            warm: AtomicBool::new(false),
            observer: Box::new(|_| ()),
        })
    }

    /// Tells a function about every retry before its wait.
    #[must_use]
    pub(crate) fn observed(
        mut self,
        observer: impl Fn(&Retrying<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.observer = Box::new(observer);
        self
    }

    /// Returns how many requests were sent so far.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Returns how many of the requests were retries after a failure. Neither an idle connection that had been dropped
    /// nor a renewed token is one.
    pub(crate) fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// Asks IAM for the projects of this name; with a password, for the one that its token is for.
    pub(crate) async fn projects(
        &self,
        _iam: &Endpoint,
        _name: &str,
    ) -> Result<Vec<Project>, ApiError> {
        unimplemented!("finding projects")
    }

    /// Asks for one page of an instance's background tasks.
    pub(crate) async fn tasks<T>(
        &self,
        project: &str,
        instance: &str,
        query: &Query,
        parse: impl Fn(&Answer) -> Result<T, BadAnswer>,
    ) -> Result<Fetched<T>, ApiError> {
        let (offset, limit) = (query.offset.to_string(), query.limit.to_string());
        let mut parameters = vec![("offset", offset.as_str()), ("limit", limit.as_str())];
        let filter: Vec<_> = query
            .filter
            .into_iter()
            .flat_map(Filter::parameters)
            .collect();
        parameters.extend(filter.iter().map(|(name, time)| (*name, time.as_str())));
        let path = ["v2", project, "instances", instance, "tasks"];
        self.get(project, &path, &parameters, parse).await
    }

    /// Asks for one page of the list of a project's instances.
    pub(crate) async fn instances<T>(
        &self,
        project: &str,
        offset: u64,
        limit: u32,
        parse: impl Fn(&Answer) -> Result<T, BadAnswer>,
    ) -> Result<Fetched<T>, ApiError> {
        let (offset, limit) = (offset.to_string(), limit.to_string());
        let parameters = [("offset", offset.as_str()), ("limit", limit.as_str())];
        let path = ["v2", project, "instances"];
        self.get(project, &path, &parameters, parse).await
    }

    /// Sends a request until it is answered, or until asking again makes no sense.
    async fn get<T>(
        &self,
        project: &str,
        path: &[&str],
        parameters: &[(&str, &str)],
        parse: impl Fn(&Answer) -> Result<T, BadAnswer>,
    ) -> Result<Fetched<T>, ApiError> {
        let url = self.endpoint.url(path, parameters);
        let request = Request {
            url: url
                .as_ref()
                .map_or(self.endpoint.as_str(), Url::as_str)
                .to_owned(),
            endpoint: self.endpoint.as_str().to_owned(),
            project: project.to_owned(),
        };
        let mut attempts = 0;
        let outcome = match url {
            Some(url) => self.ask(url, &parse, &mut attempts).await,
            None => Err((Failure::new(ErrorKind::UnusableId), Stop::Final)),
        };
        match outcome {
            Ok((value, date)) => Ok(Fetched {
                value,
                date,
                attempts,
            }),
            Err((failure, stop)) => Err(ApiError::new(*failure, request, attempts, stop)),
        }
    }

    /// The loop around one request: every way out of it is bounded by the rules, the budget and the deadline.
    async fn ask<T>(
        &self,
        url: Url,
        parse: &impl Fn(&Answer) -> Result<T, BadAnswer>,
        attempts: &mut u32,
    ) -> Result<(T, Option<Timestamp>), (Box<Failure>, Stop)> {
        let over = |failure| (failure, Stop::Final);
        let mut tally = Tally::default();
        let mut held = None;
        loop {
            let pass = match held.take() {
                Some(pass) => pass,
                None => self.deadline.guard(self.gate.enter()).await.map_err(over)?,
            };
            // What an earlier attempt in the run left behind decides whether this one can meet a stale connection.
            let warm = self.warm.load(Ordering::Relaxed);
            let mut headers = HeaderMap::new();
            let applied = self.deadline.guard(self.keyring.apply(&mut headers)).await;
            let key = match applied.map_err(over)? {
                Ok(key) => key,
                Err(AlreadyRefused) => return Err(over(Failure::new(ErrorKind::AlreadyRefused))),
            };
            *attempts += 1;
            self.requests.fetch_add(1, Ordering::Relaxed);
            let sent = self
                .deadline
                .guard(self.transport.get(url.clone(), headers));
            let answered = sent.await.map_err(over)?;
            let mut failure = match answered.and_then(|answer| read(answer, parse)) {
                Ok(answer) => {
                    self.warm.store(true, Ordering::Relaxed);
                    pass.answered();
                    self.with_budget(Budget::earn);
                    return Ok(answer);
                }
                Err(failure) => failure,
            };
            if failure.status == Some(429) {
                pass.throttled();
            }
            // Held for one attempt and not while it waits for the next, except before the first answer of the run.
            held = pass.is_first().then_some(pass);
            failure.make_safe(|text| self.keyring.scrub(text));
            if failure.status == Some(401) {
                let renewed = self.deadline.guard(self.renew(key, failure)).await;
                renewed.and_then(|renewed| renewed).map_err(over)?;
                continue;
            }
            self.before_next(&url, failure, warm, *attempts, &mut tally)
                .await?;
        }
    }

    /// Does what the schedule says after a failure: gives up, or returns when the next attempt is due.
    async fn before_next(
        &self,
        url: &Url,
        failure: Box<Failure>,
        warm: bool,
        attempts: u32,
        tally: &mut Tally,
    ) -> Result<(), (Box<Failure>, Stop)> {
        let (class, asked, random) = (failure.class(), failure.asked, self.random());
        let step = self.with_budget(|budget| {
            retry::next(class, asked, warm, tally, self.rules, budget, random)
        });
        match step {
            Step::Repeat => Ok(()),
            Step::Stop(stop) => Err((failure, stop)),
            Step::Retry(wait) => {
                (self.observer)(&Retrying {
                    url: url.as_str(),
                    why: failure.to_string(),
                    wait,
                    attempts,
                });
                self.deadline.wait(wait).await.map_err(|mut passed| {
                    // What the run was waiting for says more than that its time is over.
                    passed.source = Some(failure.to_string().into());
                    (passed, Stop::Final)
                })?;
                self.retries.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
        }
    }

    /// Gets another token after a refusal, if there is a way to.
    async fn renew(&self, key: KeyNumber, mut failure: Box<Failure>) -> Result<(), Box<Failure>> {
        match self.keyring.refused(key).await {
            Refusal::Renewed => Ok(()),
            Refusal::Final => Err(failure),
            Refusal::NotRenewed(error) => {
                failure.kind = ErrorKind::NotRenewed;
                failure.source = Some(error);
                Err(failure)
            }
        }
    }

    fn with_budget<T>(&self, work: impl FnOnce(&mut Budget) -> T) -> T {
        // A number that is off by one retry is no reason to stop a run.
        let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut budget)
    }

    /// Returns a number from 0 to 1; without a source of chance, 1: everybody waits, the longest.
    fn random(&self) -> f64 {
        let mut bytes = [0; 4];
        match self.random.fill(&mut bytes) {
            Ok(()) => f64::from(u32::from_ne_bytes(bytes)) / f64::from(u32::MAX),
            Err(_) => 1.0,
        }
    }
}

/// Lets the caller read an answer, and turns what it could not read into a failure with the other end's own words.
fn read<T>(
    answer: Answer,
    parse: &impl Fn(&Answer) -> Result<T, BadAnswer>,
) -> Result<(T, Option<Timestamp>), Box<Failure>> {
    let bad = match parse(&answer) {
        Ok(value) => return Ok((value, answer.date)),
        Err(bad) => bad,
    };
    let mut failure = Failure::new(ErrorKind::BadAnswer {
        found: bad.found,
        begins: transport::begin(&answer.body),
    });
    let said = error_body::read_envelope(&answer.body);
    failure.status = Some(200);
    failure.date = answer.date;
    failure.said = error_body::ErrorBody {
        request_id: answer.request_id.or(said.request_id),
        ..said
    };
    Err(failure)
}
