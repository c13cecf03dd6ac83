//! A run under way: the client that it asks with, the runtime that this lives in, and what is shown meanwhile.

use super::place::Source;
use super::{SourceArgs, project, refusal, tell_event};
use crate::api::client::Client;
use crate::cli::error::{CliError, Exit};
use crate::cli::messages::{self, Level};
use crate::cli::target::Project;
use crate::cli::{Context, shows_progress, signals};
use crate::output::progress::Progress;
use crate::store::write::Archive;
use crate::sync::event::Event;
use crate::sync::list::List;
use crate::sync::{self, Job, Summary};

/// A run under way: its client, and the runtime that this lives in.
pub(crate) struct Run {
    runtime: tokio::runtime::Runtime,
    client: Client,
    pub(crate) source: Source,
    /// What is said of requests that are repeated.
    retries: std::sync::mpsc::Receiver<String>,
}

impl Run {
    pub(crate) fn start(
        args: &SourceArgs,
        mut source: Source,
        context: &Context<'_>,
    ) -> Result<Self, CliError> {
        let runtime = crate::cli::runtime()?;
        let (retry, retries) = std::sync::mpsc::channel::<String>();
        let settings = source.settings(args.network.settings());
        let auth = source.take_auth()?;
        let endpoint = source.endpoint.clone();
        let (deadline, wall) = (args.network.deadline(), context.now);
        let client = runtime
            .block_on(async { Client::new(endpoint, auth, &settings, deadline, wall) })
            .map_err(|error| CliError::usage("cannot set up the connection").because(&error))?
            .observed(move |retrying| {
                let wait = retrying.wait.as_secs_f64();
                let line = format!(
                    "{}: {}; attempt {} failed, asking again in {wait:.1} s",
                    retrying.url, retrying.why, retrying.attempts
                );
                // The receiver outlives the client; a line that nobody reads would be no loss.
                let _unread = retry.send(line);
            });
        Ok(Self {
            runtime,
            client,
            source,
            retries,
        })
    }

    /// Returns the project's id, asking IAM for it if only a name is known.
    pub(crate) fn project_id(
        &self,
        mut signals: signals::Told,
        context: &mut Context<'_>,
    ) -> Result<String, CliError> {
        let (name, iam) = match (&self.source.project, &self.source.iam) {
            (Project::Id(id), _) => return Ok(id.text.clone()),
            (Project::Named(name), Some((iam, _))) => (name, iam),
            (Project::Named(_), None) => {
                return Err(CliError::usage("the address of IAM is not known"));
            }
        };
        let now = context.now;
        let found = self.runtime.block_on(async {
            tokio::select! {
                found = project::id(&self.client, iam, name, now) => found,
                Ok(signal) = signals.wait_for(Option::is_some) => {
                    let exit = signal.map_or(Exit::Interrupted, signals::exit);
                    Err(CliError::new(exit, "stopped by a signal: nothing was read yet"))
                }
            }
        });
        self.tell_retries(context);
        let id = found?;
        let message = format!("the project {:?} has the id {id}", name.text);
        messages::write(context.err, context.global, Level::Detail, &message);
        Ok(id)
    }

    /// Asks something else than a sync would.
    pub(crate) fn ask<T>(
        self,
        ask: impl AsyncFnOnce(&Client) -> T,
        context: &mut Context<'_>,
    ) -> T {
        let answer = self.runtime.block_on(ask(&self.client));
        self.tell_retries(context);
        // A token command may still be running; it is not waited for.
        self.runtime.shutdown_background();
        answer
    }

    fn tell_retries(&self, context: &mut Context<'_>) {
        for line in self.retries.try_iter() {
            messages::write(context.err, context.global, Level::Note, &line);
        }
    }

    /// Runs the sync and shows what goes on.
    pub(super) fn walk(
        self,
        archive: Archive,
        job: &Job,
        signals: signals::Told,
        context: &mut Context<'_>,
    ) -> Result<(Archive, Summary), CliError> {
        let Self {
            runtime,
            client,
            retries,
            ..
        } = self;
        let progress = Progress::new(shows_progress(context));
        let wall = context.now;
        let (global, err) = (context.global, &mut *context.err);
        let mut tell = |event: Event| {
            progress.suspend(|| {
                for line in retries.try_iter() {
                    messages::write(err, global, Level::Note, &line);
                }
                tell_event(err, global, &event);
            });
            match event {
                Event::Instances(number) => progress.instances(number),
                Event::Page {
                    list,
                    received,
                    total,
                } => progress.page(&list.to_string(), received, total),
                Event::Walked { list, .. } if list != List::Instances => progress.instance_done(),
                _ => {}
            }
        };
        let result = runtime.block_on(async {
            sync::run(job, &client, archive, wall, signals, &mut tell)
                .await
                .map_err(refusal)
        });
        drop(client);
        // A token command may still be running; it is not waited for.
        runtime.shutdown_background();
        for line in retries.try_iter() {
            messages::write(context.err, context.global, Level::Note, &line);
        }
        progress.finish();
        result
    }
}
