//! One sync for each of several profiles, one after the other, and the one exit code of all of them.

use super::{Ended, metrics, read, summary};
use crate::cli::error::{CliError, Exit};
use crate::cli::settings::Call;
use crate::cli::{Command, Context, signals};
use crate::sync::Work;

/// Runs one sync a call. One that fails does not keep the others from running, unless this machine failed or a signal
/// came; each says itself what became of it.
pub(crate) fn run(calls: &[Call], context: &mut Context<'_>) -> Result<Exit, CliError> {
    let told = match context.signals {
        Some(told) => told.clone(),
        None => signals::listen()?,
    };
    let mut all: Vec<Ended> = Vec::new();
    let mut format = None;
    for call in calls {
        let Command::Sync(args) = &call.cli.command else {
            continue;
        };
        format.get_or_insert(args.source.output);
        let mut own = Context {
            global: &call.cli.global,
            effective: &call.effective,
            around: context.around,
            now: context.now,
            out: &mut *context.out,
            err: &mut *context.err,
            out_is_terminal: context.out_is_terminal,
            err_is_terminal: context.err_is_terminal,
            signals: Some(&told),
        };
        let ended = read(&args.source, Work::Sync(args.choice.rules()), &mut own);
        if let Err(error) = &ended.result {
            let error = of_profile(error, call.effective.told_name());
            // Standard error may be gone; the exit code says it as well.
            let _unsaid = error.write(own.err, own.global.log_format, own.global.colored.err);
        }
        let is_over = ends_all(ended.exit());
        all.push(ended);
        let in_short: Vec<_> = same_archive(&all, calls, call);
        metrics::after_sync(&args.watch, &in_short, &mut own);
        if is_over {
            break;
        }
    }
    let told: Vec<_> = all.iter().filter_map(|ended| ended.told.as_ref()).collect();
    if let Some(format) = format {
        summary::write(format, &told, context)?;
    }
    let exits: Vec<_> = all.iter().map(Ended::exit).collect();
    Ok(worst(&exits))
}

/// The runs so far that wrote into the archive of this call.
fn same_archive(all: &[Ended], calls: &[Call], call: &Call) -> Vec<(Option<String>, Exit)> {
    let ended = all.iter().zip(calls);
    ended
        .filter(|(_, other)| other.cli.global.db == call.cli.global.db)
        .map(|(ended, _)| ended.in_short())
        .collect()
}

/// The error with the profile's name before it.
fn of_profile(error: &CliError, name: Option<&str>) -> CliError {
    let message = match name {
        Some(name) if error.exit != Exit::Done => format!("{name}: {}", error.message),
        _ => error.message.clone(),
    };
    CliError {
        exit: error.exit,
        message,
        causes: error.causes.clone(),
        hints: error.hints.clone(),
    }
}

/// Says whether the profiles that are left would meet the same end.
fn ends_all(exit: Exit) -> bool {
    matches!(exit, Exit::Machine | Exit::Interrupted | Exit::Terminated)
}

/// What one code says of several: a failure of this machine, a signal and a refusal win; else one that all have in common
/// is theirs; else it is partly done if any read something; else what is to be changed comes before what may pass.
fn worst(exits: &[Exit]) -> Exit {
    let has = |exit: Exit| exits.contains(&exit);
    let first = |wanted: &[Exit]| wanted.iter().copied().find(|exit| has(*exit));
    if let Some(exit) = first(&[
        Exit::Machine,
        Exit::Interrupted,
        Exit::Terminated,
        Exit::Refused,
    ]) {
        return exit;
    }
    match exits {
        [] => Exit::Done,
        [one, rest @ ..] if rest.iter().all(|exit| exit == one) => *one,
        _ if has(Exit::Done) || has(Exit::Partial) => Exit::Partial,
        _ => first(&[Exit::Usage, Exit::Archive, Exit::Unreachable, Exit::Busy])
            .unwrap_or(Exit::Unreachable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_code_says_what_became_of_all() {
        use Exit::{
            Archive, Busy, Done, Interrupted, Machine, Partial, Refused, Terminated, Unreachable,
            Usage,
        };
        let cases: [(&[Exit], Exit); 17] = [
            (&[Done, Done], Done),
            (&[Done, Partial], Partial),
            (&[Partial, Partial], Partial),
            (&[Done, Unreachable], Partial),
            (&[Partial, Unreachable], Partial),
            (&[Unreachable, Unreachable], Unreachable),
            (&[Done, Usage], Partial),
            (&[Usage, Usage], Usage),
            (&[Usage, Unreachable], Usage),
            (&[Done, Busy], Partial),
            (&[Busy, Busy], Busy),
            (&[Archive, Unreachable], Archive),
            (&[Done, Refused, Partial], Refused),
            (&[Refused, Unreachable, Machine], Machine),
            (&[Done, Interrupted], Interrupted),
            (&[Refused, Terminated], Terminated),
            (&[], Done),
        ];
        for (exits, expected) in cases {
            assert_eq!(worst(exits), expected, "{exits:?}");
            let back: Vec<_> = exits.iter().rev().copied().collect();
            assert_eq!(worst(&back), expected, "{back:?}");
        }
    }

    #[test]
    fn only_what_would_meet_the_next_one_as_well_ends_all() {
        let ends = [Exit::Machine, Exit::Interrupted, Exit::Terminated];
        assert!(ends.iter().all(|exit| ends_all(*exit)));
        for exit in [
            Exit::Done,
            Exit::Usage,
            Exit::Partial,
            Exit::Refused,
            Exit::Unreachable,
            Exit::Archive,
            Exit::Busy,
        ] {
            assert!(!ends_all(exit), "{exit:?}");
        }
    }
}
