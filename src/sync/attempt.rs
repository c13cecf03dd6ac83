//! One walk of a list, from its first request to its ledger line: fetched, stored, judged.
//!
//! Every answer is stored, also of a walk that proves nothing; what the archive concludes from it (missing, the mark) waits
//! for a proof. The decisions are in [`super::walk`], [`super::proof`] and [`super::window`]; this is the doing.

use super::{
    Session, Stopped,
    event::Event,
    filtered::Tally,
    list::List,
    outcome::InstanceEnd,
    pages::Running,
    proof::{self, Doubt, Evidence},
    walk::{Finding, Walk},
    window::{self, Probe, Window},
};
use crate::api::error::ApiError;
use crate::model::{
    ledger::{Counts, TotalTrust, WalkEnd, WalkKind},
    rows::{Drift, DriftKind},
};
use crate::store::{instances::Lost, syncs::InstanceState};

/// Walks of one list in one sync, at most: a list that moves four times running is left to the next sync.
pub(super) const ATTEMPTS: u32 = 4;

/// What one list came to, for the summary.
#[derive(Clone, Debug)]
pub(crate) struct ListReport {
    pub(crate) list: List,
    pub(crate) end: InstanceEnd,
    /// Of all its walks in this sync.
    pub(crate) counts: Counts,
    pub(crate) walks: u32,
    /// What proves the last walk; of an unproven one, why it is not.
    pub(crate) reason: String,
    /// The count was above what the last walk showed.
    pub(crate) is_short_of_its_count: bool,
    /// Of a backfill: what the rows of its last walk tell of the filter.
    pub(super) filtered: Option<Tally>,
}

impl ListReport {
    /// A list that is about to be walked.
    pub(super) fn begun(list: List) -> Self {
        Self {
            end: InstanceEnd::Unproven,
            reason: String::new(),
            ..Self::untried(list)
        }
    }

    /// A list that the run did not come to the end of.
    pub(super) fn untried(list: List) -> Self {
        Self {
            list,
            end: InstanceEnd::NotRead,
            counts: Counts::default(),
            walks: 0,
            reason: "not read: the run ended before".to_owned(),
            is_short_of_its_count: false,
            filtered: None,
        }
    }
}

/// How one walk came out.
pub(super) enum Attempt {
    Proven,
    Doubtful {
        finding: Box<Finding>,
        doubt: Doubt,
        before: Option<Box<Finding>>,
    },
    /// The unfiltered list hides records; the next walk asks with an early start.
    HiddenWindow,
    /// The list of instances has lost all that are known, which one sync alone is not believed.
    NotBelieved,
    /// The count turned out to be that of the page; what it proved has to be proven otherwise.
    CountsThePage(Box<Finding>),
    Failed {
        error: Box<ApiError>,
        known: bool,
    },
}

impl Session<'_> {
    pub(super) async fn attempt(
        &self,
        state: InstanceState,
        mut running: Running,
        before: Option<Box<Finding>>,
        report: &mut ListReport,
    ) -> Result<Attempt, Stopped> {
        report.walks += 1;
        let list = report.list.clone();
        let wants_probe = match running.kind {
            WalkKind::Full => !state.has_proven_full && running.filter.is_none(),
            // What the count means is told by a page that is shorter than the list, and this one mostly fits one page.
            WalkKind::Instances => self.endpoint(&list).get().trust == TotalTrust::Unknown,
            WalkKind::Incremental | WalkKind::Backfill => false,
        };
        let probe = if wants_probe && running.attempt == 1 {
            self.probe(&list, &mut running).await?.map(Some)
        } else {
            Ok(None)
        };
        let walked = match probe {
            Err(error) if !refuses_the_filter(&error) => Err(error),
            probe => self
                .pages(&list, &mut running)
                .await?
                .map(|()| probe.ok().flatten()),
        };
        let probe = match walked {
            Ok(probe) => probe,
            Err(error) => {
                let known = state.known || running.walk_key.is_some();
                // An instance that nobody knows leaves no trace.
                if known || !error.instance_absent() {
                    self.end_failed(&mut running, report, &error.in_one_line())
                        .await?;
                }
                return Ok(Attempt::Failed {
                    error: Box::new(error),
                    known,
                });
            }
        };
        self.judge(running, probe, before, report).await
    }

    /// Says what a walk that reached its end proves, and writes its ledger line.
    async fn judge(
        &self,
        mut running: Running,
        probe: Option<Probe>,
        before: Option<Box<Finding>>,
        report: &mut ListReport,
    ) -> Result<Attempt, Stopped> {
        let list = report.list.clone();
        if running.kind == WalkKind::Backfill {
            report.filtered = running.filter.map(|_| running.tally);
        }
        let ended = std::mem::replace(&mut running.walk, Walk::new(self.endpoint(&list).get(), 2))
            .finding();
        let mut finding =
            Box::new(ended.expect("pages are read until the walk says that it ended"));
        let verdict = proof::judge(
            &finding,
            self.endpoint(&list).get().trust,
            before.as_deref(),
        );
        let evidence = match verdict {
            Ok(evidence) => evidence,
            Err(doubt) => {
                let reason = doubt.to_string();
                report.is_short_of_its_count = matches!(doubt, Doubt::CountAbove { .. });
                self.end_unproven(&mut running, report, &finding, reason)
                    .await?;
                return Ok(Attempt::Doubtful {
                    finding,
                    doubt,
                    before,
                });
            }
        };
        if let Some(reason) = self.lost(&mut running).await? {
            self.end_unproven(&mut running, report, &finding, reason)
                .await?;
            return Ok(Attempt::NotBelieved);
        }
        match self.window(&list, &mut running, probe, &finding).await? {
            Err(error) => {
                self.end_failed(&mut running, report, &error.in_one_line())
                    .await?;
                Ok(Attempt::Failed {
                    error: Box::new(error),
                    known: true,
                })
            }
            Ok(Window::Hidden) => {
                let what = format!("the unfiltered task list of {list} hides old records");
                let walk_key = self.begin(&list, &mut running).await?;
                let drift = Drift {
                    kind: DriftKind::Upstream,
                    what: what.clone(),
                    sample: String::new(),
                };
                self.writer
                    .call(move |archive| {
                        archive.needs_start(walk_key)?;
                        archive.journal(walk_key, &drift)
                    })
                    .await?;
                self.end_unproven(&mut running, report, &finding, what)
                    .await?;
                Ok(Attempt::HiddenWindow)
            }
            Ok(Window::CountsThePage) => {
                self.believe(&list, TotalTrust::Distrusted);
                self.end_unproven(
                    &mut running,
                    report,
                    &finding,
                    Doubt::NeedsEqualWalk.to_string(),
                )
                .await?;
                Ok(Attempt::CountsThePage(finding))
            }
            Ok(Window::Doubted) => {
                let reason = "an early start showed another count than the list, and could not be asked again";
                self.end_unproven(&mut running, report, &finding, reason.to_owned())
                    .await?;
                Ok(Attempt::NotBelieved)
            }
            Ok(window) => {
                let call_missing = window == Window::Whole && running.kind == WalkKind::Full;
                if call_missing {
                    finding.slipped = self.slipped(&mut running, &finding).await?;
                }
                if let Err(doubt) = proof::absences(&finding, before.as_deref()) {
                    self.end_unproven(&mut running, report, &finding, doubt.to_string())
                        .await?;
                    return Ok(Attempt::Doubtful {
                        finding,
                        doubt,
                        before,
                    });
                }
                self.end_proven(&mut running, report, &finding, call_missing, evidence)
                    .await?;
                Ok(Attempt::Proven)
            }
        }
    }

    async fn end_proven(
        &self,
        running: &mut Running,
        report: &mut ListReport,
        finding: &Finding,
        call_missing: bool,
        evidence: Evidence,
    ) -> Result<(), Stopped> {
        let list = report.list.clone();
        let trust = proof::trust_after(finding, self.endpoint(&list).get().trust);
        self.believe(&list, trust);
        self.saw_proof(&list, finding);
        let reason = evidence.as_str().to_owned();
        self.end_walk(running, report, finding, true, call_missing, reason)
            .await
    }

    /// Returns what is about to be called missing and may have slipped through between two pages.
    async fn slipped(&self, running: &mut Running, finding: &Finding) -> Result<Vec<i64>, Stopped> {
        let Some(walk_key) = running.walk_key.filter(|_| !finding.borders.is_empty()) else {
            return Ok(Vec::new());
        };
        self.settled(running).await?;
        let started = running.started.unwrap_or_else(|| running.now(&self.clock));
        let borders = finding.borders.clone();
        Ok(self
            .writer
            .call(move |archive| archive.slipped(walk_key, started, &borders))
            .await?)
    }

    /// Says why a list of instances is not believed although its walk is proven.
    async fn lost(&self, running: &mut Running) -> Result<Option<String>, Stopped> {
        if running.kind != WalkKind::Instances {
            return Ok(None);
        }
        self.settled(running).await?;
        let walk_key = self.begin(&List::Instances, running).await?;
        let lost = self
            .writer
            .call(move |archive| archive.lost_all(walk_key))
            .await?;
        Ok(match lost {
            Lost::FirstTime(known) => Some(format!(
                "the list has lost every known instance, {known} in all; believed if the next sync sees the same"
            )),
            Lost::No | Lost::Again => None,
        })
    }

    /// Says whether the unfiltered list is the whole one, asking again where that matters.
    ///
    /// `Whole` is also the answer where nothing hangs on it: no first walk, and nothing to call missing.
    async fn window(
        &self,
        list: &List,
        running: &mut Running,
        probe: Option<Probe>,
        finding: &Finding,
    ) -> Result<Result<Window, ApiError>, Stopped> {
        if running.filter.is_some() || running.kind != WalkKind::Full {
            return Ok(Ok(Window::Whole));
        }
        let before = probe.map(|probe| {
            window::compare(probe, finding.positions, self.endpoint(list).get().trust)
        });
        if before == Some(Window::Whole) && self.endpoint(list).get().trust == TotalTrust::Trusted {
            self.saw_window(list, Window::Whole);
        }
        let suspicious = matches!(before, Some(Window::Hidden | Window::CountsThePage));
        self.settled(running).await?;
        let started = running.started.unwrap_or_else(|| running.now(&self.clock));
        let would_call = match running.walk_key {
            Some(walk_key) => {
                self.writer
                    .call(move |archive| archive.would_call_missing(walk_key, started))
                    .await?
            }
            None => false,
        };
        if !suspicious && !would_call {
            return Ok(Ok(Window::Whole));
        }
        // The list may have moved between a probe and the walk, so only a fresh answer counts.
        match self.probe(list, running).await? {
            Ok(probe) => {
                let trust = self.endpoint(list).get().trust;
                let window = window::compare(probe, finding.positions, trust);
                if window == Window::Hidden {
                    self.saw_window(list, window);
                }
                Ok(Ok(window))
            }
            Err(error) if ends_the_walk(&error) => Ok(Err(error)),
            Err(error) => {
                self.tell(Event::Note(format!(
                    "{list}: nothing is called missing in this sync: {error}"
                )));
                Ok(Ok(if suspicious {
                    Window::Doubted
                } else {
                    Window::Untold
                }))
            }
        }
    }

    /// Ends a walk that proves nothing.
    async fn end_unproven(
        &self,
        running: &mut Running,
        report: &mut ListReport,
        finding: &Finding,
        reason: String,
    ) -> Result<(), Stopped> {
        self.end_walk(running, report, finding, false, false, reason)
            .await
    }

    async fn end_walk(
        &self,
        running: &mut Running,
        report: &mut ListReport,
        finding: &Finding,
        proven: bool,
        call_missing: bool,
        reason: String,
    ) -> Result<(), Stopped> {
        let end = WalkEnd {
            proven,
            reason,
            error: None,
            started: running.started.unwrap_or_else(|| running.now(&self.clock)),
            finished: running.now(&self.clock),
            requests: running.requests,
            server_total: finding.largest_total,
            received: finding.positions,
            mark: running.mark,
            call_missing,
            regular: finding.regular,
        };
        self.write_end(running, report, end).await
    }

    pub(super) async fn end_failed(
        &self,
        running: &mut Running,
        report: &mut ListReport,
        error: &str,
    ) -> Result<(), Stopped> {
        let now = running.now(&self.clock);
        let end = WalkEnd {
            proven: false,
            reason: "the list could not be read to its end".to_owned(),
            error: Some(error.to_owned()),
            started: running.started.unwrap_or(now),
            finished: now,
            requests: running.requests,
            server_total: running.walk.largest_total(),
            received: running.received,
            mark: None,
            call_missing: false,
            regular: false,
        };
        self.write_end(running, report, end).await
    }

    pub(super) async fn write_end(
        &self,
        running: &mut Running,
        report: &mut ListReport,
        end: WalkEnd,
    ) -> Result<(), Stopped> {
        let list = report.list.clone();
        let walk_key = self.begin(&list, running).await?;
        self.settled(running).await?;
        report.reason.clone_from(&end.reason);
        let (proven, reason) = (end.proven, end.reason.clone());
        let (host, endpoint) = (self.job.host.clone(), self.endpoint(&list).get());
        let kind = list.kind();
        let counts = self
            .writer
            .call(move |archive| {
                archive.save_endpoint(&host, kind, endpoint)?;
                archive.end_walk(walk_key, &end)
            })
            .await?;
        add(&mut report.counts, counts);
        self.tell(Event::Walked {
            list,
            proven,
            reason,
            counts,
        });
        Ok(())
    }
}

/// A server may refuse the early start of a probe; that says nothing about the list, which is then walked without it.
pub(super) fn refuses_the_filter(error: &ApiError) -> bool {
    error.status() == Some(400) && !error.no_background_tasks()
}

/// Refused access and a dead origin end the walk of an instance; any other failure of a late probe only keeps it from
/// calling something missing.
fn ends_the_walk(error: &ApiError) -> bool {
    error.is_unauthorized() || error.is_forbidden() || error.origin_is_dead()
}

pub(super) fn add(sum: &mut Counts, more: Counts) {
    sum.received += more.received;
    sum.new += more.new;
    sum.changed += more.changed;
    sum.same += more.same;
    sum.older += more.older;
    sum.rejected += more.rejected;
    sum.rejected_new += more.rejected_new;
    sum.missing += more.missing;
    sum.reappeared += more.reappeared;
}
