//! One page of a walk: fetched, judged, and stored while the next is on its way.

use super::{
    Session, Stopped,
    attempt::refuses_the_filter,
    clock::ServerClock,
    event::Event,
    filtered::{Period, Tally},
    list::List,
    total,
    walk::{Step, Walk},
    window::Probe,
    writer::Pending,
};
use tokio::time::Instant;

use crate::api::client::{Filter, StartParameter};
use crate::api::error::ApiError;
use crate::model::{
    ledger::{ListKind, WalkKind},
    record::{Page, Record},
    rows::{Drift, DriftKind},
    standing,
    time::Timestamp,
};
use crate::store::walks::WalkStart;

/// Page sizes that are tried in turn when the server refuses a `limit`.
const SMALLER_PAGES: [u32; 2] = [100, 10];

/// One walk under way.
pub(super) struct Running {
    pub(super) attempt: u32,
    pub(super) kind: WalkKind,
    /// The size of the next page, where it is not the usual one.
    pub(super) small: Option<u32>,
    pub(super) filter: Option<Filter>,
    /// What the rows tell of the filter.
    pub(super) tally: Tally,
    pub(super) walk: Walk,
    pub(super) walk_key: Option<i64>,
    pub(super) requests: u64,
    pub(super) started: Option<Timestamp>,
    /// When the first answer came, while none has told the time yet.
    untold: Option<Instant>,
    /// A page that waits for an answer that tells the time, with its offset.
    waiting: Option<(u64, Page)>,
    /// A page was judged by this machine's clock, so the whole walk goes by it.
    by_machine: bool,
    pub(super) mark: Option<Timestamp>,
    /// The page that is being stored while the next is fetched.
    pub(super) storing: Option<Pending<()>>,
    /// Positions read so far.
    pub(super) received: u64,
}

impl Running {
    pub(super) fn new(attempt: u32, kind: WalkKind, filter: Option<Filter>, walk: Walk) -> Self {
        Self {
            attempt,
            kind,
            small: None,
            filter,
            tally: Tally::default(),
            walk,
            walk_key: None,
            requests: 0,
            started: None,
            untold: None,
            waiting: None,
            by_machine: false,
            mark: None,
            storing: None,
            received: 0,
        }
    }

    /// Notes when the walk began: at its first answer, by the server's clock, which a later one may be the first to tell.
    fn begin(&mut self, clock: &ServerClock) {
        if self.started.is_none() {
            self.started = Some(clock.now());
            self.untold = (!clock.is_told()).then(Instant::now);
        } else if let Some(at) = self.untold.filter(|_| clock.is_told() && !self.by_machine) {
            self.started = Some(clock.at(at));
            self.untold = None;
        }
    }

    /// What the clock shows that this walk goes by. It is one from the first page to the last: what a page is worth is
    /// judged by it, and whoever judges it again later has only the times of the walk to do so by.
    pub(super) fn now(&self, clock: &ServerClock) -> Timestamp {
        if self.by_machine {
            clock.machine()
        } else {
            clock.now()
        }
    }
}

impl Session<'_> {
    /// Reads one page, and says which comes next.
    pub(super) async fn page(
        &self,
        list: &List,
        running: &mut Running,
        offset: u64,
    ) -> Result<Result<Step, ApiError>, Stopped> {
        let page = match self.fetch(list, running, offset, None).await? {
            Ok(page) => page,
            Err(error) => return Ok(Err(error)),
        };
        Ok(Ok(self.take(list, running, offset, page).await?))
    }

    /// Takes the page that was asked for, and says which comes next.
    pub(super) async fn take(
        &self,
        list: &List,
        running: &mut Running,
        offset: u64,
        page: Page,
    ) -> Result<Step, Stopped> {
        if let Some(filter) = running.filter {
            let (start, end) = (filter.start, filter.end);
            // The first record of any page but the first was on the one before.
            for record in page.records.iter().skip(usize::from(offset > 0)) {
                if let Record::Read(task) = record {
                    running.tally.note(Period { start, end }, task);
                }
            }
        }
        // What the other instances taught meanwhile counts here too, and nothing comes between this and what it teaches.
        running.walk.know(self.endpoint(list).get());
        let limit = running.walk.limit();
        let step = running.walk.page(offset, &page);
        running.received = running.walk.positions();
        self.endpoint(list).set(running.walk.endpoint());
        self.saw_page(list, offset, limit, &page);
        self.tell(Event::Page {
            list: list.clone(),
            received: running.received,
            total: running.walk.largest_total(),
        });
        self.store(list, running, offset, page).await?;
        Ok(step)
    }

    /// Fetches one page, with a smaller limit where the server refuses ours.
    pub(super) async fn fetch(
        &self,
        list: &List,
        running: &mut Running,
        offset: u64,
        probe: Option<u32>,
    ) -> Result<Result<Page, ApiError>, Stopped> {
        loop {
            let limit = probe
                .or(running.small)
                .unwrap_or_else(|| self.page_limit(list));
            let filter = if probe.is_some() {
                Some(Filter::early())
            } else {
                running.filter
            };
            let may_drop_a_name = list.kind() == ListKind::Tasks
                && filter.is_some_and(|filter| filter.parameter == StartParameter::Both)
                && self.early_name.get() == StartParameter::Both;
            let fetched = self.request(list, offset, limit, filter).await?;
            match fetched {
                Ok((mut page, attempts)) => {
                    running.requests += u64::from(attempts);
                    // That there must be records is said by a count of any kind: an empty answer is no easier believed.
                    if self.job.ignore_total && !page.records.is_empty() {
                        page.total = None;
                    }
                    running.begin(&self.clock);
                    return Ok(Ok(page));
                }
                Err(error)
                    if may_drop_a_name && refuses_the_filter(&error) && !error.blames_limit() =>
                {
                    // A strict server may refuse the name that it does not know; the documented one is left.
                    running.requests += u64::from(error.attempts());
                    self.early_name.set(StartParameter::StartTime);
                }
                Err(error) if probe.is_none() && error.blames_limit() => {
                    running.requests += u64::from(error.attempts());
                    let Some(smaller) = SMALLER_PAGES.into_iter().find(|smaller| *smaller < limit)
                    else {
                        return Ok(Err(error));
                    };
                    running.small = None;
                    self.limit_pages(list, smaller);
                    self.saw_refusal(list, limit);
                    running.walk.ask_for(smaller);
                    self.tell(Event::Note(format!(
                        "the server refuses limit={limit}; asking for pages of {smaller}"
                    )));
                }
                Err(error) => {
                    running.requests += u64::from(error.attempts());
                    return Ok(Err(error));
                }
            }
        }
    }

    /// Asks for two tasks with an early start, or for one instance: is the unfiltered list the whole one, and what does the
    /// count mean?
    pub(super) async fn probe(
        &self,
        list: &List,
        running: &mut Running,
    ) -> Result<Result<Probe, ApiError>, Stopped> {
        let limit = match list.kind() {
            ListKind::Tasks => 2,
            ListKind::Instances => 1,
        };
        let page = match self.fetch(list, running, 0, Some(limit)).await? {
            Ok(page) => page,
            Err(error) => return Ok(Err(error)),
        };
        let probe = Probe {
            count: page.records.len() as u64,
            total: page.total,
        };
        // The page is as long as it was asked to be, so it teaches nothing about the longest one.
        let learned = total::learn(self.endpoint(list).get(), 0, probe.count, probe.total);
        self.believe(list, learned.trust);
        self.store(list, running, 0, page).await?;
        Ok(Ok(probe))
    }

    /// Hands a page to the writer, while the next one is fetched.
    ///
    /// While no answer has told the time, the first page waits for the next one, which mostly does: this machine's clock may
    /// be years off, and would put the mark and the choice of a task's current state there.
    pub(super) async fn store(
        &self,
        list: &List,
        running: &mut Running,
        offset: u64,
        page: Page,
    ) -> Result<(), Stopped> {
        let is_timed = self.clock.is_told() || running.by_machine;
        if !is_timed && running.waiting.is_none() {
            running.waiting = Some((offset, page));
            return Ok(());
        }
        self.store_waiting(list, running).await?;
        self.store_now(list, running, offset, page).await
    }

    /// Stores the page that waits for the time, by this machine's clock if none was told.
    pub(super) async fn store_waiting(
        &self,
        list: &List,
        running: &mut Running,
    ) -> Result<(), Stopped> {
        match running.waiting.take() {
            Some((offset, page)) => self.store_now(list, running, offset, page).await,
            None => Ok(()),
        }
    }

    async fn store_now(
        &self,
        list: &List,
        running: &mut Running,
        offset: u64,
        page: Page,
    ) -> Result<(), Stopped> {
        running.by_machine |= !self.clock.is_told();
        running.begin(&self.clock);
        let now = running.now(&self.clock);
        for record in &page.records {
            if let Record::Read(task) = record {
                running.mark = running.mark.max(standing::credible(task.updated, now));
            }
        }
        let walk_key = self.begin(list, running).await?;
        let (requests, received) = (running.requests, running.received);
        let within = match list.kind() {
            ListKind::Tasks => "answer",
            ListKind::Instances => "instances",
        };
        self.settled(running).await?;
        let storing = self
            .writer
            .send(move |archive| {
                for (index, record) in page.records.iter().enumerate() {
                    match record {
                        Record::Read(task) => archive.observe(walk_key, task, now)?,
                        Record::Rejected(rejected) => {
                            archive.reject(walk_key, rejected, offset + index as u64)?;
                        }
                    }
                }
                for (name, sample) in page.unknown {
                    let what = format!("{within}.{name}");
                    archive.journal(
                        walk_key,
                        &Drift {
                            kind: DriftKind::Field,
                            what,
                            sample,
                        },
                    )?;
                }
                archive.end_page(walk_key, now, requests, received)
            })
            .await;
        running.storing = Some(storing);
        Ok(())
    }

    /// Waits for the page that is being stored.
    pub(super) async fn settled(&self, running: &mut Running) -> Result<(), Stopped> {
        match running.storing.take() {
            Some(storing) => Ok(storing.done().await?),
            None => Ok(()),
        }
    }

    /// Begins the walk in the archive, once there is something to write.
    pub(super) async fn begin(&self, list: &List, running: &mut Running) -> Result<i64, Stopped> {
        if let Some(walk_key) = running.walk_key {
            return Ok(walk_key);
        }
        let start = WalkStart {
            sync_key: self.sync_key,
            project_key: self.project().await?,
            instance_id: list.instance_id().map(str::to_owned),
            attempt: running.attempt,
            kind: running.kind,
            started: running.started.unwrap_or_else(|| running.now(&self.clock)),
            window_start: running.filter.and_then(|filter| filter.start),
            window_end: running.filter.and_then(|filter| filter.end),
        };
        let walk_key = self
            .writer
            .call(move |archive| archive.begin_walk(&start))
            .await?;
        running.walk_key = Some(walk_key);
        Ok(walk_key)
    }
}
