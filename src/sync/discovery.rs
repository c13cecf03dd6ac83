//! The list of instances, read and proven like a list of tasks, and what follows from it for the run.
//!
//! A list that could not be read, or not be proven, hides nothing: what is known is read all the same, and only a proven
//! list says of an instance that it is not there.

use super::{
    Session, Stopped,
    attempt::{ATTEMPTS, Attempt, ListReport},
    event::Event,
    list::List,
    outcome::InstanceEnd,
    pages::Running,
    proof,
    selection::{self, Choice, Chosen, Sight, Target},
    walk::Walk,
};
use crate::model::ledger::WalkKind;
use crate::store::{instances::KnownInstance, syncs::InstanceState};

/// What the list of instances is to the walk that reads it: known, and with no past that asks for a probe.
const OF_A_LIST: InstanceState = InstanceState {
    known: true,
    has_proven_full: true,
    whole_list_needs_start: false,
};

impl Session<'_> {
    /// Reads the list of instances, and returns those that the run is to read.
    pub(super) async fn discover(&self, choice: &Choice) -> Result<(ListReport, Chosen), Stopped> {
        let report = self.list_of_instances().await?;
        // A record that could not be read may be any instance.
        let can_tell = report.end == InstanceEnd::Proven && report.counts.rejected == 0;
        let chosen = selection::choose(choice, &self.known().await?, can_tell);
        if let Some(project_key) = self.project_key.get() {
            let left_out = chosen.left_out.clone();
            self.writer
                .call(move |archive| archive.leave_out(project_key, &left_out))
                .await?;
        }
        for typed in &chosen.unmatched {
            self.tell(Event::Warning(format!(
                "--exclude {typed}: no instance, or more than one, has this id, name or beginning of an id"
            )));
        }
        if chosen.gone > 0 {
            let (number, are) = match chosen.gone {
                1 => ("1 instance".to_owned(), "is"),
                n => (format!("{n} instances"), "are"),
            };
            self.tell(Event::Note(format!("{number} of this project {are} gone")));
        }
        Ok((report, chosen))
    }

    /// Finds the instances that were named: what the archive does not know and what has not the form of an id may be the
    /// name of one that the list shows, or the beginning of its id. Returns the instances to read, and what nobody knows.
    pub(super) async fn look_up(
        &self,
        typed: &[String],
    ) -> Result<(Vec<Target>, Vec<ListReport>), Stopped> {
        let mut known = self.known().await?;
        let is_known = |known: &[KnownInstance], id: &str| {
            known.iter().any(|instance| instance.instance_id == id)
        };
        let is_clear = |id: &String| selection::is_id(id) || is_known(&known, id);
        let mut may_be_others = true;
        if !typed.iter().all(is_clear) {
            may_be_others = self.list_of_instances().await?.end != InstanceEnd::Proven;
            known = self.known().await?;
        }
        let (mut targets, mut unknown) = (Vec::new(), Vec::new());
        for typed in typed {
            let meant = selection::meant(typed, &known);
            let instance_id = match meant.as_slice() {
                [id] => (*id).to_owned(),
                [] if may_be_others || selection::is_id(typed) => typed.clone(),
                several => {
                    self.tell(Event::Warning(if several.is_empty() {
                        format!(
                            "no instance has the id or the name {typed}, or an id that begins so"
                        )
                    } else {
                        format!("{typed} may mean several instances: {}", several.join(", "))
                    }));
                    unknown.push(ListReport {
                        end: InstanceEnd::Unknown,
                        reason: "no single instance is called so".to_owned(),
                        ..ListReport::untried(List::Tasks(typed.clone()))
                    });
                    continue;
                }
            };
            let target = Target {
                instance_id,
                sight: Sight::Untold,
            };
            if !targets.contains(&target) {
                targets.push(target);
            }
        }
        Ok((targets, unknown))
    }

    async fn known(&self) -> Result<Vec<KnownInstance>, Stopped> {
        let Some(project_key) = self.project_key.get() else {
            return Ok(Vec::new());
        };
        Ok(self
            .writer
            .call(move |archive| archive.known_instances(project_key))
            .await?)
    }

    /// Walks the list of instances until it is proven, at most four times.
    async fn list_of_instances(&self) -> Result<ListReport, Stopped> {
        let list = List::Instances;
        let mut report = ListReport::begun(list.clone());
        let mut before = None;
        for attempt in 1..=ATTEMPTS {
            self.tell(Event::Walking {
                list: list.clone(),
                attempt,
            });
            let walk = Walk::new(self.endpoint(&list).get(), self.page_limit(&list));
            let running = Running::new(attempt, WalkKind::Instances, None, walk);
            match self
                .attempt(OF_A_LIST, running, before.take(), &mut report)
                .await?
            {
                Attempt::Proven => {
                    report.end = if report.counts.rejected_new > 0 {
                        InstanceEnd::ProvenWithNewRejects
                    } else {
                        InstanceEnd::Proven
                    };
                    break;
                }
                Attempt::Doubtful {
                    finding,
                    doubt,
                    before: last,
                } => {
                    if !proof::worth_another(&finding, &doubt, last.as_deref()) {
                        break;
                    }
                    before = Some(finding);
                }
                Attempt::Failed { error, .. } => {
                    report.end = self.unread(&list, *error)?;
                    break;
                }
                // The other ends are those of a list of tasks.
                Attempt::NotBelieved | Attempt::HiddenWindow | Attempt::CountsThePage(_) => break,
            }
        }
        if report.end == InstanceEnd::Unproven {
            self.tell(Event::Warning(format!(
                "{list} is not proven complete: {}; the known instances are read all the same",
                report.reason
            )));
        }
        Ok(report)
    }
}
