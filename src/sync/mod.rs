//! The lift: walks the instances of a project, stores what they show, and proves what can be proven.
//!
//! What to ask for next and what was proven are pure decisions ([`walk`], [`proof`], [`total`], [`window`], [`outcome`]);
//! the rest fetches, hands pages to the one [`writer`], and tells what happens through a callback. Instances are
//! independent: one that fails does not stop the others, except where going on would be wrong for all of them.

mod ahead;
pub(crate) mod attempt;
mod catch_up;
pub(crate) mod clock;
mod discovery;
pub(crate) mod event;
mod filtered;
mod incremental;
mod instance;
pub(crate) mod list;
pub(crate) mod outcome;
mod pages;
pub(crate) mod plan;
mod proof;
pub(crate) mod selection;
mod total;
pub(crate) mod upstream;
mod walk;
mod window;
mod writer;

#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};

use futures_util::future::join_all;
use tokio::sync::watch;

use self::{
    attempt::ListReport,
    clock::ServerClock,
    event::Event,
    list::List,
    outcome::Outcome,
    selection::{Selection, Target},
    writer::Writer,
};
use crate::api::{
    client::{Answer, BadAnswer, Client, Filter, Query, StartParameter},
    decode,
    error::ApiError,
};
use crate::model::{
    Digest,
    json::sample,
    ledger::{Counts, Endpoint, ListKind, TotalTrust},
    record::Page,
    rows::{Drift, DriftKind, Normalized, Reading},
    time::Timestamp,
};
use crate::normalize;
use crate::store::{
    Error as StoreError,
    error::Kind,
    syncs::{InstanceState, SyncEnd},
    write::Archive,
};

/// How the archive reads the raw text of a record.
pub(crate) const READING: Reading = Reading {
    normalize: normalized,
    form: crate::api::canonical::form,
    instance: normalize::instance,
};

fn normalized(raw: &str, adopted: Option<&str>) -> Normalized {
    let mut rows = decode::task(raw, adopted)
        .map(|task| normalize::rows(&task))
        .unwrap_or_default();
    // Such a record says less of itself than the archive does; whoever compares the two has to find out why.
    if let Some(adopted) = adopted {
        rows.drift.push(Drift {
            kind: DriftKind::Upstream,
            what: "fields that a record lacks stand beside the list, and were adopted from there"
                .to_owned(),
            sample: sample(adopted).to_owned(),
        });
    }
    rows
}

/// What one run is to do.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) project_id: String,
    /// The host that the project is read from.
    pub(crate) host: String,
    pub(crate) instances: Selection,
    pub(crate) page_size: u32,
    /// Instances walked at once, and pages of one instance, at most.
    pub(crate) concurrency: u32,
    pub(crate) work: Work,
    /// Take this host for the project's, though it was first read from another.
    pub(crate) accept_endpoint: bool,
    /// Statuses that end a task besides those that are known to.
    pub(crate) final_statuses: Vec<String>,
    /// The upstream's counts are wrong for good: every proof is two equal walks.
    pub(crate) ignore_total: bool,
    pub(crate) version: &'static str,
}

/// Which walks are made.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    /// Those that the rules choose.
    Sync(plan::Rules),
    /// What this filter shows.
    Backfill(Filter),
}

/// A request to stop, from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    Interrupt,
    Terminate,
}

/// What ends a run before every instance was walked.
#[derive(Debug)]
pub(crate) enum Stopped {
    Store(StoreError),
    /// The credential is refused: sending it again could lock it.
    Refused(Box<ApiError>),
    /// The origin cannot be reached at all.
    DeadOrigin(Box<ApiError>),
    /// The time for the whole run is over.
    Deadline(Box<ApiError>),
    Signal(Signal),
    /// Something else in the run stopped it, and is the reason.
    Halted,
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) sync_id: i64,
    /// It read one period again, which vouches for nothing.
    pub(crate) is_backfill: bool,
    pub(crate) started: Timestamp,
    pub(crate) finished: Timestamp,
    pub(crate) requests: u64,
    pub(crate) retries: u64,
    /// The list of instances, where the run read it.
    pub(crate) list: Option<ListReport>,
    pub(crate) instances: Vec<ListReport>,
    pub(crate) outcome: Outcome,
    /// What ended the run early.
    pub(crate) stopped: Option<Stopped>,
    /// The failures of single lists that did not end the run.
    pub(crate) failures: Vec<(List, ApiError)>,
}

/// A project that belongs to another host.
#[derive(Debug, thiserror::Error)]
#[error("project {project_id} was first read from {known}, and this is {asked}")]
pub(crate) struct OtherHost {
    pub(crate) project_id: String,
    pub(crate) known: String,
    pub(crate) asked: String,
}

/// Why a run could not begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    OtherHost(#[from] OtherHost),
}

/// One run under way.
struct Session<'a> {
    client: &'a Client,
    writer: &'a Writer,
    clock: ServerClock,
    job: &'a Job,
    sync_key: i64,
    project_key: Cell<Option<i64>>,
    tasks_endpoint: Cell<Endpoint>,
    instances_endpoint: Cell<Endpoint>,
    /// What an early start is called here.
    early_name: Cell<StartParameter>,
    signals: watch::Receiver<Option<Signal>>,
    /// Raised when the run stops: no instance sends another request.
    halt: watch::Sender<bool>,
    /// Instances being walked.
    active: Cell<usize>,
    /// What the answers show of the upstream's manners.
    seen: RefCell<upstream::Seen>,
    stopped: RefCell<Option<Stopped>>,
    failures: RefCell<Vec<(List, ApiError)>>,
    tell: RefCell<&'a mut dyn FnMut(Event)>,
}

/// Runs one sync. The archive comes back with the last word written, or with what kept it from being written.
pub(crate) async fn run(
    job: &Job,
    client: &Client,
    mut archive: Archive,
    wall: fn() -> Timestamp,
    signals: watch::Receiver<Option<Signal>>,
    tell: &mut dyn FnMut(Event),
) -> Result<(Archive, Summary), Refusal> {
    let clock = ServerClock::new(wall);
    archive.recover()?;
    let known = archive.project_host(&job.project_id)?;
    if let Some(known) = known
        .as_ref()
        .filter(|known| **known != job.host && !job.accept_endpoint)
    {
        let (project_id, known, asked) = (job.project_id.clone(), known.clone(), job.host.clone());
        return Err(OtherHost {
            project_id,
            known,
            asked,
        }
        .into());
    }
    let sync_key = archive.begin_sync(clock.now(), job.version)?;
    archive.end_tasks_at(&job.final_statuses)?;
    let project_key = match known {
        Some(_) => Some(archive.project(&job.project_id, &job.host)?),
        None => None,
    };
    let tasks_endpoint = believed(job, archive.endpoint(&job.host, ListKind::Tasks)?);
    let instances_endpoint = believed(job, archive.endpoint(&job.host, ListKind::Instances)?);
    let writer = Writer::start(archive);
    let session = Session {
        client,
        writer: &writer,
        clock,
        job,
        sync_key,
        project_key: Cell::new(project_key),
        tasks_endpoint: Cell::new(tasks_endpoint),
        // Both lists come through one gateway. The list of instances mostly fits one page, and without what the longer lists
        // show of the longest page it would need another request each time to prove that it ended.
        instances_endpoint: Cell::new(Endpoint {
            longest_page: instances_endpoint
                .longest_page
                .max(tasks_endpoint.longest_page),
            ..instances_endpoint
        }),
        early_name: Cell::new(StartParameter::Both),
        signals,
        halt: watch::Sender::new(false),
        active: Cell::new(0),
        seen: RefCell::default(),
        stopped: RefCell::new(None),
        failures: RefCell::default(),
        tell: RefCell::new(tell),
    };
    let Reports {
        list,
        instances,
        chose_none,
    } = Box::pin(session.all()).await;
    session.note_upstream().await;
    let Session {
        clock,
        failures,
        stopped,
        ..
    } = session;
    let archive = writer
        .close()
        .ok_or_else(|| StoreError::from(Kind::WriterGone))?;
    let summary = Summary {
        is_backfill: matches!(job.work, Work::Backfill(_)),
        sync_id: sync_key,
        started: clock.began(),
        finished: clock.now(),
        requests: client.requests(),
        retries: client.retries(),
        outcome: if chose_none {
            Outcome::NoneChosen
        } else {
            outcome::outcome(
                list.as_ref().map(|report| report.end),
                &instances
                    .iter()
                    .map(|report| report.end)
                    .collect::<Vec<_>>(),
            )
        },
        list,
        instances,
        stopped: stopped.into_inner(),
        failures: failures.into_inner(),
    };
    Ok((archive, summary))
}

/// What is known of an endpoint, as far as this run goes by it. The distrust is kept, and goes when a count fits a whole list
/// in a run that heeds it.
fn believed(job: &Job, endpoint: Endpoint) -> Endpoint {
    let trust = if job.ignore_total {
        TotalTrust::Distrusted
    } else {
        endpoint.trust
    };
    Endpoint { trust, ..endpoint }
}

impl Summary {
    /// Writes the run's last word: the walk that was cut off as `interrupted`, the run's own row, and the link of the hash
    /// chain, whose head it returns.
    ///
    /// `outcome` and `exit_code` are those of the process, so whoever decides on them calls this.
    pub(crate) fn record(
        &self,
        archive: &mut Archive,
        outcome: &'static str,
        exit_code: u8,
    ) -> Result<Digest, StoreError> {
        if matches!(self.stopped, Some(Stopped::Store(_))) {
            archive.abandon();
        }
        archive.interrupt()?;
        archive.end_sync(
            self.sync_id,
            &SyncEnd {
                started: self.started,
                finished: self.finished,
                outcome,
                exit_code,
                instances: self.instances.len() as u64,
                requests: self.requests,
                retries: self.retries,
            },
        )
    }

    /// How many instances were proven.
    pub(crate) fn proven(&self) -> u64 {
        let proven = |report: &&ListReport| report.end.is_proven();
        self.instances.iter().filter(proven).count() as u64
    }

    /// The counts of all instances together, with the records of the list of instances that could not be read.
    pub(crate) fn counts(&self) -> Counts {
        let mut sum = Counts::default();
        for report in &self.instances {
            attempt::add(&mut sum, report.counts);
        }
        if let Some(list) = &self.list {
            sum.rejected += list.counts.rejected;
            sum.rejected_new += list.counts.rejected_new;
        }
        sum
    }
}

/// What the lists of a run came to.
#[derive(Default)]
struct Reports {
    list: Option<ListReport>,
    instances: Vec<ListReport>,
    /// There are instances, and the choice lets none of them through.
    chose_none: bool,
}

impl Session<'_> {
    async fn all(&self) -> Reports {
        match &self.job.instances {
            Selection::Named(typed) => match self.look_up(typed).await {
                Ok((targets, unknown)) => {
                    let mut instances = self.instances(&targets).await;
                    instances.extend(unknown);
                    Reports {
                        instances,
                        ..Reports::default()
                    }
                }
                Err(stop) => {
                    self.halt(stop);
                    let untried = |id: &String| ListReport::untried(List::Tasks(id.clone()));
                    Reports {
                        instances: typed.iter().map(untried).collect(),
                        ..Reports::default()
                    }
                }
            },
            Selection::Discovered(choice) => match self.discover(choice).await {
                Ok((list, chosen)) => Reports {
                    list: Some(list),
                    chose_none: chosen.targets.is_empty() && !chosen.left_out.is_empty(),
                    instances: self.instances(&chosen.targets).await,
                },
                Err(stop) => {
                    self.halt(stop);
                    Reports {
                        list: Some(ListReport::untried(List::Instances)),
                        ..Reports::default()
                    }
                }
            },
        }
    }

    /// Walks the instances side by side. What stops one of them for good stops all: no further request is sent.
    async fn instances(&self, targets: &[Target]) -> Vec<ListReport> {
        self.tell(Event::Instances(targets.len() as u64));
        let mut reports: Vec<_> = targets
            .iter()
            .map(|target| ListReport::untried(List::Tasks(target.instance_id.clone())))
            .collect();
        let queue = RefCell::new(targets.iter().zip(&mut reports));
        let side_by_side = targets.len().min(self.job.concurrency.max(1) as usize);
        let workers = (0..side_by_side).map(async |_| {
            loop {
                let next = queue.borrow_mut().next();
                let Some((target, report)) = next else { return };
                if *self.halt.borrow() {
                    return;
                }
                self.active.set(self.active.get() + 1);
                let read = self.instance(target).await;
                self.active.set(self.active.get() - 1);
                match read {
                    Ok(read) => *report = read,
                    Err(stop) => self.halt(stop),
                }
            }
        });
        join_all(workers).await;
        reports
    }

    /// Stops the run; the first reason is the one that counts.
    fn halt(&self, stop: Stopped) {
        if !matches!(stop, Stopped::Halted) {
            self.stopped.borrow_mut().get_or_insert(stop);
        }
        self.halt.send_replace(true);
    }

    /// Returns how many pages one walk may have under way: its share of what the run may.
    fn share(&self) -> usize {
        self.job.concurrency as usize / self.active.get().max(1)
    }

    /// What was learned about lists of that kind.
    fn endpoint(&self, list: &List) -> &Cell<Endpoint> {
        match list.kind() {
            ListKind::Tasks => &self.tasks_endpoint,
            ListKind::Instances => &self.instances_endpoint,
        }
    }

    fn believe(&self, list: &List, trust: TotalTrust) {
        let endpoint = self.endpoint(list);
        endpoint.set(Endpoint {
            trust,
            ..endpoint.get()
        });
    }

    fn limit_pages(&self, list: &List, limit: u32) {
        let endpoint = self.endpoint(list);
        endpoint.set(Endpoint {
            page_limit: Some(limit),
            ..endpoint.get()
        });
    }

    fn tell(&self, event: Event) {
        (self.tell.borrow_mut())(event);
    }

    /// Notes a failure that is one list's own.
    fn failure(&self, list: &List, error: ApiError) {
        self.tell(Event::Warning(format!("{list} could not be read: {error}")));
        self.failures.borrow_mut().push((list.clone(), error));
    }

    async fn state(&self, instance_id: &str) -> Result<InstanceState, Stopped> {
        let Some(project_key) = self.project_key.get() else {
            return Ok(InstanceState::default());
        };
        let id = instance_id.to_owned();
        Ok(self
            .writer
            .call(move |archive| archive.instance_state(project_key, &id))
            .await?)
    }

    /// Returns the project's key; a project is noted only once there is something to note of it.
    async fn project(&self) -> Result<i64, Stopped> {
        if let Some(key) = self.project_key.get() {
            return Ok(key);
        }
        let (project_id, host) = (self.job.project_id.clone(), self.job.host.clone());
        let key = self
            .writer
            .call(move |archive| archive.project(&project_id, &host))
            .await?;
        self.project_key.set(Some(key));
        Ok(key)
    }

    fn page_limit(&self, list: &List) -> u32 {
        self.endpoint(list)
            .get()
            .page_limit
            .map_or(self.job.page_size, |limit| limit.min(self.job.page_size))
    }

    /// Sends one request, unless the run is told to stop.
    async fn request(
        &self,
        list: &List,
        offset: u64,
        limit: u32,
        filter: Option<Filter>,
    ) -> Result<Result<(Page, u32), ApiError>, Stopped> {
        let project_id = &self.job.project_id;
        let ask = async {
            match list {
                List::Instances => {
                    let parse = |answer: &Answer| read(decode::instances(&answer.body));
                    let ask = self.client.instances(project_id, offset, limit, parse);
                    ask.await
                }
                List::Tasks(id) => {
                    let parameter = |filter: Filter| match filter.parameter {
                        StartParameter::Both => self.early_name.get(),
                        named => named,
                    };
                    let query = Query {
                        offset,
                        limit,
                        filter: filter.map(|filter| Filter {
                            parameter: parameter(filter),
                            ..filter
                        }),
                    };
                    let parse = |answer: &Answer| read(decode::page(&answer.body, offset));
                    self.client.tasks(project_id, id, &query, parse).await
                }
            }
        };
        let (mut signals, mut halt) = (self.signals.clone(), self.halt.subscribe());
        let fetched = tokio::select! {
            // A stop counts before an answer that came at the same time: no new request follows it.
            biased;
            signal = stop(&mut signals) => return Err(Stopped::Signal(signal)),
            _ = halt.wait_for(|halt| *halt) => return Err(Stopped::Halted),
            fetched = ask => fetched,
        };
        Ok(match fetched {
            Ok(fetched) => {
                self.clock.learn(fetched.date);
                Ok((fetched.value, fetched.attempts))
            }
            Err(error) => {
                self.clock.learn(error.date());
                // At once, before anybody else asks: the one that met it says what it means.
                if error.origin_is_dead() || error.is_unauthorized() {
                    self.halt.send_replace(true);
                }
                Err(error)
            }
        })
    }
}

fn read(page: Result<Page, decode::BadPage>) -> Result<Page, BadAnswer> {
    page.map_err(|bad| BadAnswer::new(bad.to_string()))
}

/// Waits until the run is told to stop.
async fn stop(signals: &mut watch::Receiver<Option<Signal>>) -> Signal {
    match signals
        .wait_for(Option::is_some)
        .await
        .map(|signal| *signal)
    {
        Ok(Some(signal)) => signal,
        // Nobody is left who could tell.
        _ => std::future::pending().await,
    }
}
