//! The client: a question in, a read answer or a typed error out.
//!
//! One is made for a run and shared by everything in it that asks. It holds what a run may spend: its time, its retries
//! and its credential.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use reqwest::Url;

use crate::model::time::Timestamp;

use super::{
    auth::{self, Auth, KeyNumber, Keyring, NotApplied, Refusal},
    deadline::Deadline,
    endpoint::Endpoint,
    error::{ApiError, ErrorKind, Failure, Purpose, Request},
    gate::Gate,
    message::{Content, Outgoing, Reply},
    purse::{Again, Purse},
    retry::{Rules, Stop, Tally},
    tls::BuildError,
    transport::{Transport, Way},
};

pub(crate) use super::{
    purse::Retrying,
    query::{Filter, Query, StartParameter},
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

pub(crate) struct Client {
    transport: Transport,
    endpoint: Endpoint,
    settings: Settings,
    keyring: Keyring,
    purse: Purse,
    gate: Gate,
    requests: AtomicU64,
    retries: AtomicU64,
    /// Whether any request of this run has been answered, so that an open connection may be lying idle.
    warm: AtomicBool,
}

/// One question, and what is known of whom it goes to.
struct Question<'a> {
    request: Outgoing,
    transport: &'a Transport,
    gate: &'a Gate,
    /// The project that it is about, if it is about one.
    project: Option<&'a str>,
}

/// Why a question has no answer.
enum Unanswered {
    /// Because of what happened to it.
    Failed(Box<Failure>, Stop),
    /// Because another one, for a credential, has none.
    NoCredential(Box<ApiError>),
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
        let rules = Rules {
            retries: settings.retries,
            base: settings.retry_base,
        };
        Ok(Self {
            transport: Transport::new(&endpoint, settings, Way::ThroughProxy)?,
            endpoint,
            settings: settings.clone(),
            keyring: Keyring::new(auth, settings, clock)?,
            purse: Purse::new(rules, deadline),
            gate: Gate::new(settings.concurrency),
            requests: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            warm: AtomicBool::new(false),
        })
    }

    /// Tells a function about every retry before its wait.
    #[must_use]
    pub(crate) fn observed(
        mut self,
        observer: impl Fn(&Retrying<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.purse.observe(Box::new(observer));
        self
    }

    /// Returns how many requests were sent to the service so far. What it took to get a credential is not among them.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Returns how many of the requests were retries after a failure. Neither an idle connection that had been dropped
    /// nor a renewed token is one.
    pub(crate) fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// Asks IAM for the projects of this name; with a password, for the one that its token is for, whatever its name.
    ///
    /// `iam` is not asked then: the password goes to the address that it was given with.
    pub(crate) async fn projects(
        &self,
        iam: &Endpoint,
        name: &str,
    ) -> Result<Vec<Project>, ApiError> {
        let question = auth::projects_request(iam, name);
        let url = question.as_ref().map(|request| request.url.clone());
        let asked = self.asked(iam, url.as_ref(), Purpose::Lookup, "");
        let failed = |unanswered, attempts| match unanswered {
            Unanswered::Failed(failure, stop) => {
                ApiError::new(*failure, asked.clone(), attempts, stop)
            }
            Unanswered::NoCredential(error) => *error,
        };
        let logged_in = self
            .purse
            .deadline
            .guard(self.keyring.project_of_login(&self.purse));
        let logged_in = logged_in.await.map_err(|over| failed(over.into(), 0))?;
        if let Some(project) = logged_in {
            let project = project.map_err(|error| failed(error.into(), 0))?;
            return Ok(project.into_iter().collect());
        }
        let Some(request) = question else {
            return Err(failed(Failure::new(ErrorKind::UnusableId).into(), 0));
        };
        let transport =
            Transport::new(iam, &self.settings, Way::ThroughProxy).map_err(|error| {
                let check = "TLS cannot be set up";
                failed(Failure::because(ErrorKind::Tls { check }, error).into(), 0)
            })?;
        let question = Question {
            request,
            transport: &transport,
            gate: &Gate::new(1),
            project: None,
        };
        let mut attempts = 0;
        let parse = |answer: &Answer| auth::read_projects(&answer.body, name);
        let answered = self.ask(&question, &parse, &mut attempts).await;
        let (projects, _date) = answered.map_err(|unanswered| failed(unanswered, attempts))?;
        Ok(projects)
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
        let asked = self.asked(&self.endpoint, url.as_ref(), Purpose::Read, project);
        let mut attempts = 0;
        let outcome = match url {
            Some(url) => {
                let question = Question {
                    request: Outgoing::get(url),
                    transport: &self.transport,
                    gate: &self.gate,
                    project: Some(project),
                };
                self.ask(&question, &parse, &mut attempts).await
            }
            None => Err(Failure::new(ErrorKind::UnusableId).into()),
        };
        match outcome {
            Ok((value, date)) => Ok(Fetched {
                value,
                date,
                attempts,
            }),
            Err(Unanswered::Failed(failure, stop)) => {
                Err(ApiError::new(*failure, asked, attempts, stop))
            }
            Err(Unanswered::NoCredential(error)) => Err(*error),
        }
    }

    fn asked(
        &self,
        endpoint: &Endpoint,
        url: Option<&Url>,
        purpose: Purpose,
        project: &str,
    ) -> Request {
        Request {
            method: "GET",
            url: url.map_or(endpoint.as_str(), Url::as_str).to_owned(),
            endpoint: endpoint.as_str().to_owned(),
            project: project.to_owned(),
            purpose,
            proof: self.keyring.proof().clone(),
        }
    }

    /// The loop around one request: every way out of it is bounded by the rules, the budget and the deadline.
    async fn ask<T>(
        &self,
        question: &Question<'_>,
        parse: &impl Fn(&Answer) -> Result<T, BadAnswer>,
        attempts: &mut u32,
    ) -> Result<(T, Option<Timestamp>), Unanswered> {
        let deadline = self.purse.deadline;
        let mut tally = Tally::default();
        let mut held = None;
        loop {
            let pass = match held.take() {
                Some(pass) => pass,
                None => deadline.guard(question.gate.enter()).await?,
            };
            // What an earlier attempt in the run left behind decides whether this one can meet a stale connection.
            let warm = self.warm.load(Ordering::Relaxed);
            let mut request = question.request.clone();
            let applied = self
                .keyring
                .apply(&self.purse, &mut request, question.project);
            let key = deadline.guard(applied).await??;
            *attempts += 1;
            if question.project.is_some() {
                self.requests.fetch_add(1, Ordering::Relaxed);
            }
            let answered = deadline.guard(question.transport.send(request)).await?;
            let mut failure = match answered.and_then(|reply| read(&reply, parse)) {
                Ok(answer) => {
                    self.warm.store(true, Ordering::Relaxed);
                    pass.answered();
                    self.purse.earn();
                    return Ok(answer);
                }
                Err(failure) => failure,
            };
            if failure.status == Some(429) {
                pass.throttled();
            }
            // Held for one attempt and not while it waits for the next, except before the first answer of the run.
            held = pass.is_first().then_some(pass);
            failure.make_safe(|text| self.keyring.scrub(&question.transport.scrub(text)));
            if failure.status == Some(401) {
                deadline.guard(self.renew(key, failure)).await??;
                continue;
            }
            let again =
                self.purse
                    .before_next(&question.request.url, failure, warm, *attempts, &mut tally);
            let again = again
                .await
                .map_err(|(failure, stop)| Unanswered::Failed(failure, stop))?;
            if again == Again::Retry && question.project.is_some() {
                self.retries.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Gets another token after a refusal, if there is a way to.
    async fn renew(&self, key: KeyNumber, mut failure: Box<Failure>) -> Result<(), Box<Failure>> {
        match self.keyring.refused(&self.purse, key).await {
            Refusal::Renewed => Ok(()),
            Refusal::Final => Err(failure),
            Refusal::NotRenewed(error) => {
                failure.kind = ErrorKind::NotRenewed;
                failure.source = Some(error);
                Err(failure)
            }
        }
    }
}

impl From<Box<Failure>> for Unanswered {
    /// Takes a failure that asking again does not help against.
    fn from(failure: Box<Failure>) -> Self {
        Self::Failed(failure, Stop::Final)
    }
}

impl From<NotApplied> for Unanswered {
    fn from(error: NotApplied) -> Self {
        match error {
            NotApplied::AlreadyRefused => Failure::new(ErrorKind::AlreadyRefused).into(),
            NotApplied::UnusableId => Failure::new(ErrorKind::UnusableId).into(),
            NotApplied::NotObtained(error) => Self::NoCredential(error),
        }
    }
}

/// Lets the caller read an answer.
fn read<T>(
    reply: &Reply,
    parse: &impl Fn(&Answer) -> Result<T, BadAnswer>,
) -> Result<(T, Option<Timestamp>), Box<Failure>> {
    match parse(&reply.answer) {
        Ok(value) => Ok((value, reply.answer.date)),
        Err(bad) => Err(reply.is_not_what_was_asked(bad, Content::Open)),
    }
}
