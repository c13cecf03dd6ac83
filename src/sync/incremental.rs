//! The everyday catch-up: from the top of the list down to below the mark, proven by the count.
//!
//! Which depth it needs is decided in [`super::plan`], whether it may stop in [`super::catch_up`]; this is the doing. Where
//! the proof fails, what was read is stored all the same, and the caller makes a full walk.

use super::{
    Session, Stopped, Work,
    attempt::ListReport,
    catch_up::{self, Fallback, Next},
    list::List,
    pages::Running,
    plan::{self, Depth, Plan, Rules},
    walk::{Step, Walk},
};
use crate::api::client::Filter;
use crate::api::error::ApiError;
use crate::model::ledger::{WalkEnd, WalkKind};

/// How an incremental walk came out.
pub(super) enum CaughtUp {
    Proven,
    NeedsFull,
    Failed(Box<ApiError>),
}

impl Session<'_> {
    /// Returns how deep an incremental walk of the instance goes and the size of its first page; nothing where it gets a
    /// full one.
    ///
    /// Whether a full walk is due is for the server's time to say, and before its first answer only this machine's is known:
    /// then it is asked after the incremental walk, which is cheap.
    pub(super) async fn depth(
        &self,
        id: &str,
        rules: Rules,
        is_told: bool,
    ) -> Result<Option<(Depth, u32)>, Stopped> {
        let rules = if is_told {
            rules
        } else {
            rules.whatever_the_age()
        };
        let Some(project_key) = self.project_key.get() else {
            return Ok(None);
        };
        let list = List::Tasks(id.to_owned());
        let (trust, now) = (self.endpoint(&list).get().trust, self.clock.now());
        let (id, limit) = (id.to_owned(), self.page_limit(&list));
        let planned = self.writer.call(move |archive| {
            let held = archive.held(project_key, &id, now)?;
            let Plan::Incremental(depth) = plan::plan(rules, &held, trust, now) else {
                return Ok(None);
            };
            let above = archive.created_since(project_key, &id, depth.reach)?;
            Ok(plan::first_page(rules, above, &held, limit).map(|first| (depth, first)))
        });
        Ok(planned.await?)
    }

    /// Says whether the instance needs a full walk although its incremental one, begun before the time was told, is proven.
    pub(super) async fn is_due(&self, id: &str, was_told: bool) -> Result<bool, Stopped> {
        match self.job.work {
            Work::Sync(rules) if !was_told => Ok(self.depth(id, rules, true).await?.is_none()),
            _ => Ok(false),
        }
    }

    pub(super) async fn incremental(
        &self,
        attempt: u32,
        filter: Option<Filter>,
        depth: Depth,
        first: u32,
        report: &mut ListReport,
    ) -> Result<CaughtUp, Stopped> {
        report.walks += 1;
        let list = report.list.clone();
        let walk = Walk::new(self.endpoint(&list).get(), first);
        let mut running = Running::new(attempt, WalkKind::Incremental, filter, walk);
        running.small = Some(first);
        let mut offset = 0;
        loop {
            let step = match self.page(&list, &mut running, offset).await? {
                Ok(step) => step,
                Err(error) => {
                    self.end_failed(&mut running, report, &error.in_one_line())
                        .await?;
                    return Ok(CaughtUp::Failed(Box::new(error)));
                }
            };
            running.small = None;
            running.walk.ask_for(self.page_limit(&list));
            match (self.caught_up(&list, &mut running, depth).await?, step) {
                (Next::Proven, _) => {
                    self.end_incremental(running, report, Ok(())).await?;
                    return Ok(CaughtUp::Proven);
                }
                (Next::Deeper, Step::Ask(next)) => offset = next,
                (Next::Full(fallback), _) => {
                    self.end_incremental(running, report, Err(fallback)).await?;
                    return Ok(CaughtUp::NeedsFull);
                }
                // The end of the list is deep enough for whatever reading on could mend.
                (Next::Deeper, Step::End) => {
                    self.end_incremental(running, report, Err(Fallback::Empty))
                        .await?;
                    return Ok(CaughtUp::NeedsFull);
                }
            }
        }
    }

    /// Judges the pages so far, once they are stored.
    async fn caught_up(
        &self,
        list: &List,
        running: &mut Running,
        depth: Depth,
    ) -> Result<Next, Stopped> {
        self.store_waiting(list, running).await?;
        self.settled(running).await?;
        let (walk_key, now) = (self.begin(list, running).await?, running.now(&self.clock));
        let merged = self
            .writer
            .call(move |archive| archive.merged(walk_key, now))
            .await?;
        let sight = running.walk.sight(now);
        Ok(catch_up::judge(
            &sight,
            depth,
            merged,
            self.endpoint(list).get().trust,
        ))
    }

    async fn end_incremental(
        &self,
        mut running: Running,
        report: &mut ListReport,
        proof: Result<(), Fallback>,
    ) -> Result<(), Stopped> {
        let now = running.now(&self.clock);
        let end = WalkEnd {
            proven: proof.is_ok(),
            reason: proof.map_or_else(
                |fallback| fallback.to_string(),
                |()| catch_up::EVIDENCE.to_owned(),
            ),
            error: None,
            started: running.started.unwrap_or(now),
            finished: now,
            requests: running.requests,
            server_total: running.walk.largest_total(),
            received: running.received,
            mark: running.mark,
            call_missing: false,
            regular: false,
        };
        self.write_end(&mut running, report, end).await
    }
}
