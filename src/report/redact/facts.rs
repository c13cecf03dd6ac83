//! The facts of a report, redacted. Each is taken apart whole, so that what is added to one cannot be forgotten here.

use super::Redactor;
use crate::model::rows::Source;
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
            // A whitelist is sent as parameters, everything else of exposure is stated in the details.
            let source = if *kind == Kind::Whitelist {
                Source::Params
            } else {
                Source::Details
            };
            (*old, *new) = self.values(source, "", old.as_deref(), new.as_deref());
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
            tasks: _,
        } = gap;
        let (was, is) = self.values(*source, attribute, Some(left), Some(found));
        (*left, *found) = (was.unwrap_or_default(), is.unwrap_or_default());
        *attribute = self.name(attribute);
    }
}
