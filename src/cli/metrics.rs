//! The metrics file: what an archive says of itself, for Prometheus, written by `status` and at the end of `sync`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::error::{CliError, Exit};
use super::messages::{self, Level};
use super::status::checkup::Checkup;
use super::{Context, archive, paths, whole_file};
use crate::model::health::Runs;
use crate::model::time::Timestamp;
use crate::output::metrics::{Metric, Sample, render};
use crate::store::export;

/// What monitoring asks for.
#[derive(Debug, Args)]
#[command(next_help_heading = "Monitoring")]
pub(crate) struct WatchArgs {
    /// How old the last complete sync and the last proven walk of an instance may be before the archive is unhealthy.
    ///
    /// With `sync` only the metric `dcs_history_healthy` depends on it.
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "36h",
        value_parser = super::duration::positive,
        env = "DCS_HISTORY_MAX_AGE",
        hide_env_values = true
    )]
    max_age: Duration,
    /// Write metrics for Prometheus into this file, for `node_exporter`'s textfile collector (a name that ends in .prom).
    ///
    /// They are those of the whole archive. The file is replaced whole, readable by everybody; its folder must exist. What
    /// is no plain file, and what belongs to the archive, is never replaced.
    /// `sync` writes it at its end whatever came of it; that it cannot be written is a warning there.
    #[arg(
        long,
        value_name = "PATH",
        env = "DCS_HISTORY_METRICS_FILE",
        hide_env_values = true
    )]
    pub(crate) metrics_file: Option<PathBuf>,
}

impl WatchArgs {
    pub(crate) fn max_age(&self) -> i64 {
        i64::try_from(self.max_age.as_millis()).unwrap_or(i64::MAX)
    }

    /// Refuses a file that belongs to the archive: what is there is replaced without a question.
    pub(crate) fn judge(&self, archive: &Path) -> Result<(), CliError> {
        match &self.metrics_file {
            Some(path) if export::belongs(path, archive) => {
                let message = format!("{} belongs to the archive", path.display());
                Err(CliError::usage(message).hint("nothing was changed; name another file"))
            }
            _ => Ok(()),
        }
    }

    /// Writes the file, if one is wanted.
    pub(crate) fn write(&self, archive: &Path, metrics: &[Metric]) -> Result<(), CliError> {
        let Some(path) = &self.metrics_file else {
            return Ok(());
        };
        let failed = format!("cannot write the metrics file {}", path.display());
        self.judge(archive)?;
        whole_file::write(path, render(metrics).as_bytes(), true)
            .map_err(|error| CliError::new(Exit::Machine, failed).because(&error))
    }
}

/// Writes the metrics of an archive after syncs of these projects, as far as that is possible. Nothing that fails here
/// changes what they end with.
pub(crate) fn after_sync(
    watch: &WatchArgs,
    ended: &[(Option<String>, Exit)],
    context: &mut Context<'_>,
) {
    // Whoever holds the archive writes the file when it is done, and knows more.
    let is_busy = ended.iter().all(|(_, exit)| *exit == Exit::Busy);
    if watch.metrics_file.is_none() || is_busy {
        return;
    }
    let now = (context.now)();
    let checkup = look(watch, now, context);
    let mut metrics = checkup.map_or_else(|_| unusable(), |checkup| of(&checkup, now));
    // A run may have ended before it could write a line of its own; before it knew its project, only in the last metric.
    for (project_id, exit) in ended {
        if let Some(project_id) = project_id {
            let code = f64::from(exit.code());
            set(&mut metrics, &LAST_RUN, project_id, seconds(now));
            set(&mut metrics, &LAST_EXIT, project_id, code);
        }
    }
    if ended.iter().any(|(_, exit)| *exit != Exit::Done) {
        metrics.retain(|metric| metric.name != HEALTHY.0);
        metrics.push(metric(&HEALTHY, vec![plain(0.0)]));
    }
    let db = paths::db(context.global.db.as_deref());
    if let Err(error) = db.and_then(|db| watch.write(db.path(), &metrics)) {
        let told = [std::slice::from_ref(&error.message), &error.causes].concat();
        let message = told.join(": ");
        messages::write(context.err, context.global, Level::Warning, &message);
    }
}

fn look(watch: &WatchArgs, now: Timestamp, context: &Context<'_>) -> Result<Checkup, CliError> {
    let connection = archive::for_reading(context.global)?;
    let db = paths::db(context.global.db.as_deref())?;
    Checkup::of(&connection, db.path(), &[], watch.max_age(), now)
}

/// A name and what it means.
type About = (&'static str, &'static str);

const HEALTHY: About = (
    "healthy",
    "1 if the archive is fresh and healthy, 0 if dcs-history status names a reason why not.",
);
const LAST_RUN: About = (
    "last_run_timestamp_seconds",
    "When the last sync of the project ended, however it ended.",
);
const LAST_EXIT: About = (
    "last_exit_code",
    "The exit code of the last sync of the project; -1 if it was killed.",
);

/// What is known of an archive that cannot be read.
pub(crate) fn unusable() -> Vec<Metric> {
    vec![metric(&HEALTHY, vec![plain(0.0)])]
}

/// Makes metrics of what is known.
pub(crate) fn of(checkup: &Checkup, now: Timestamp) -> Vec<Metric> {
    let healthy = f64::from(u8::from(checkup.is_healthy()));
    let bytes = metric(
        &(
            "archive_bytes",
            "Size of the archive on the disk, its log included.",
        ),
        vec![plain(as_number(checkup.bytes))],
    );
    let mut metrics = vec![metric(&HEALTHY, vec![plain(healthy)]), bytes];
    metrics.extend(of_runs(&checkup.facts.runs, now));
    metrics.extend(of_projects(checkup));
    metrics
}

fn of_runs(all: &[Runs], now: Timestamp) -> Vec<Metric> {
    let per_run = |about: &About, value: &dyn Fn(&Runs) -> Option<f64>| {
        let samples = all.iter().filter_map(|runs| {
            let project = runs.project_id.as_deref()?;
            Some(of_project(project, value(runs)?))
        });
        metric(about, samples.collect())
    };
    vec![
        per_run(
            &(
                "last_success_timestamp_seconds",
                "When the last complete sync of the project ended.",
            ),
            &|runs| Some(seconds(runs.complete.as_ref()?.finished)),
        ),
        per_run(
            &(
                "last_success_age_seconds",
                "How long ago that was when this file was written.",
            ),
            &|runs| {
                let age = now.millis() - runs.complete.as_ref()?.finished.millis();
                Some(millis(age))
            },
        ),
        per_run(&LAST_RUN, &|runs| {
            Some(seconds(runs.last.as_ref()?.finished))
        }),
        per_run(&LAST_EXIT, &|runs| {
            Some(runs.last.as_ref()?.exit_code.map_or(-1.0, f64::from))
        }),
        per_run(
            &(
                "last_duration_seconds",
                "How long the last sync of the project took.",
            ),
            &|runs| {
                let last = runs.last.as_ref()?;
                Some(millis(last.finished.distance(last.started)))
            },
        ),
        per_run(
            &(
                "last_requests",
                "Requests that the last sync of the project sent.",
            ),
            &|runs| Some(f64::from(runs.last.as_ref()?.requests)),
        ),
        per_run(
            &(
                "last_retries",
                "Requests that the last sync of the project had to repeat.",
            ),
            &|runs| Some(f64::from(runs.last.as_ref()?.retries)),
        ),
    ]
}

fn of_projects(checkup: &Checkup) -> Vec<Metric> {
    let abouts: [About; 7] = [
        ("instances", "Instances that are known and not gone."),
        (
            "unproven_instances",
            "Of these, those without a proven walk within --max-age.",
        ),
        ("tasks", "Tasks in the archive."),
        ("revisions", "States of tasks in the archive."),
        ("open_tasks", "Tasks whose last known status is not final."),
        ("missing_tasks", "Tasks that the cloud no longer lists."),
        (
            "rejected_records",
            "Records that cannot be read and are still listed.",
        ),
    ];
    let samples = |number: usize| {
        let projects = checkup.projects.iter();
        let samples = projects.map(|(id, totals)| of_project(id, totals.numbers()[number]));
        samples.collect()
    };
    abouts
        .iter()
        .enumerate()
        .map(|(number, about)| metric(about, samples(number)))
        .collect()
}

fn metric((name, help): &About, samples: Vec<Sample>) -> Metric {
    Metric {
        name,
        help,
        samples,
    }
}

/// Sets the value for one project.
fn set(metrics: &mut Vec<Metric>, about: &About, project_id: &str, value: f64) {
    let sample = of_project(project_id, value);
    match metrics.iter_mut().find(|metric| metric.name == about.0) {
        Some(metric) => {
            metric.samples.retain(|other| other.labels != sample.labels);
            metric.samples.push(sample);
        }
        None => metrics.push(metric(about, vec![sample])),
    }
}

const fn plain(value: f64) -> Sample {
    Sample {
        labels: Vec::new(),
        value,
    }
}

fn of_project(project_id: &str, value: f64) -> Sample {
    Sample {
        labels: vec![("project_id", project_id.to_owned())],
        value,
    }
}

fn seconds(time: Timestamp) -> f64 {
    millis(time.millis())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds of ten thousand years are fewer than a double holds exactly"
)]
fn millis(millis: i64) -> f64 {
    millis as f64 / 1_000.0
}

#[expect(
    clippy::cast_precision_loss,
    reason = "eight petabytes are a double's last exact number of bytes"
)]
const fn as_number(bytes: u64) -> f64 {
    bytes as f64
}
