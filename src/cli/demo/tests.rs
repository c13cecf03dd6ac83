//! The stage with little stories of its own, and the story held to the world that it tells of.

use tokio::sync::watch;

use super::story::{STEPS, Step};
use super::*;
use crate::simulator::world::World;
use crate::sync::Signal;

/// Tells a story and returns what was printed, and how it ended.
fn told(steps: &[Step], signal: Option<Signal>) -> (String, Result<(), CliError>) {
    let folder = tempfile::tempdir().unwrap();
    let cloud = simulator::start(options()).unwrap();
    let files = Files::write(Some(folder.path()), &cloud).ok().unwrap();
    let (_tell, signals) = watch::channel(signal);
    let mut out = Vec::new();
    let mut stage = Stage::new(folder.path(), cloud, &files.token, signals, &mut out, false);
    let ended = stage.tell(steps);
    (String::from_utf8(out).unwrap(), ended)
}

#[test]
fn a_command_that_ends_as_told_goes_on_and_one_that_does_not_ends_the_story_with_its_code() {
    let list = |exit| Step::Type { line: "list", exit };
    let (out, ended) = told(&[list(6), Step::Say("And on.")], None);
    assert!(ended.is_ok());
    assert!(
        out.starts_with("$ dcs-history list\nerror: cannot use the archive"),
        "{out}"
    );
    assert!(out.ends_with("(exit code 6)\n\nAnd on.\n\n"), "{out}");

    let (out, ended) = told(&[list(0), Step::Say("And on.")], None);
    let error = ended.unwrap_err();
    assert_eq!(error.exit, Exit::Archive);
    assert!(error.message.contains("`dcs-history list`"));
    assert!(error.causes[0].contains("cannot use the archive"));
    assert!(!out.contains("And on."), "{out}");

    // A success that was to be a failure is no success of the demo's.
    let help = Step::Type {
        line: "list --help",
        exit: 11,
    };
    assert_eq!(told(&[help], None).1.unwrap_err().exit, Exit::Machine);
}

#[test]
fn a_line_with_a_backslash_is_one_command() {
    let line = "list \\\n    --help";
    let (out, ended) = told(&[Step::Type { line, exit: 0 }], None);
    assert!(ended.is_ok());
    assert!(
        out.starts_with("$ dcs-history list \\\n    --help\nList what"),
        "{out}"
    );
}

#[test]
fn what_the_cloud_does_not_have_ends_the_story() {
    for step in [
        Step::Delete {
            instance: "none",
            task: "none",
        },
        Step::LagOnce { instance: "none" },
        Step::Clock("2026-09-30T00:00:00Z"),
        Step::Clock("never"),
    ] {
        let error = told(&[step], None).1.unwrap_err();
        assert_eq!(error.exit, Exit::Machine, "{step:?}");
    }
}

#[test]
fn a_signal_ends_the_story_after_the_step_that_it_came_in() {
    let steps = [Step::Say("First."), Step::Say("Second.")];
    let (out, ended) = told(&steps, Some(Signal::Terminate));
    assert_eq!(out, "First.\n\n");
    assert_eq!(ended.unwrap_err().exit, Exit::Terminated);
}

#[test]
fn the_story_is_no_wider_than_a_small_window() {
    for step in STEPS {
        if let Step::Title(text) | Step::Say(text) | Step::Next(text) = step {
            for line in text.lines() {
                assert!(line.chars().count() <= stage::WIDTH, "{line}");
            }
        }
    }
}

/// The task of an instance, as the story calls it.
fn task(world: &World, instance: &str, id: &str) -> String {
    let mut tasks = world.tasks(instance);
    let found = tasks.find(|task| task.id == id).unwrap();
    let (name, user, status) = (found.name, found.user_name, found.status);
    format!("{name} {user} {} {status}", found.created_at)
}

#[test]
fn what_the_story_says_of_its_cloud_is_true() {
    let cloud = simulator::start(options()).unwrap();
    let mut world = cloud.world();
    let mut deleted = Vec::new();
    for step in STEPS {
        match *step {
            Step::Clock(moment) => {
                let moment = crate::cli::when::parse(moment, world.now()).unwrap();
                let forward = u64::try_from(moment.millis() - world.now().millis()).unwrap();
                world.advance(forward);
            }
            Step::Delete { instance, task: id } => {
                deleted.push(task(&world, instance, id));
                assert!(world.delete_task(instance, id));
            }
            _ => {}
        }
    }
    assert_eq!(
        deleted,
        [
            "BindEip priya.nair 2026-10-01T05:55:19.516Z SUCCESS",
            "BindEip jonas.weber 2026-10-05T11:30:15.769Z SUCCESS",
            "UnBindEip li.wei 2026-10-05T19:36:25.681Z SUCCESS",
        ]
    );
}
