//! The facts of a report, redacted. Each is taken apart whole, so that what is added to one cannot be forgotten here.

use super::Redactor;
use crate::report::audit::{Entry, Exposure, Facts, Gap, InstanceFacts, Kind};

impl Redactor {
    pub(crate) fn facts(&mut self, facts: &mut Facts) {
        if self.is_idle() {
            return;
        }
        let Facts {
            scope: _,
            limits: _,
            counts: _,
            instances,
            finished,
            undated,
            failures,
            long,
            exposures,
            missing,
            breaks,
            turns: _,
            stuck: _,
            removed: _,
        } = facts;
        for InstanceFacts {
            counts: _,
            changes,
            marks: _,
        } in instances
        {
            changes.kept_mut().for_each(|entry| self.entry(entry));
        }
        for list in [finished, undated, failures, long, exposures, missing] {
            list.kept_mut().for_each(|entry| self.entry(entry));
        }
        breaks.kept_mut().for_each(|gap| self.gap(gap));
    }

    fn entry(&mut self, entry: &mut Entry) {
        let Entry {
            instance: _,
            change,
            exposures,
        } = entry;
        self.change(change);
        for Exposure {
            kind,
            turn: _,
            old,
            new,
        } in exposures
        {
            for value in [old, new].into_iter().flatten() {
                *value = if *kind == Kind::Whitelist {
                    self.parameters(value)
                } else {
                    self.text(value)
                };
            }
        }
    }

    fn gap(&mut self, gap: &mut Gap) {
        let Gap {
            instance: _,
            source,
            attribute,
            since: _,
            left,
            earlier: _,
            until: _,
            found,
            later: _,
        } = gap;
        for value in [left, found] {
            *value = self.value(*source, attribute, value);
        }
    }
}
