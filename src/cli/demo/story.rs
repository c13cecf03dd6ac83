//! What the demo tells: a table of steps. The facts in its words are those of the seed's world; a test holds them to it.

/// One step of the story.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// The heading of a chapter.
    Title(&'static str),
    /// Words between two commands, in lines as they are printed.
    Say(&'static str),
    /// Shows the settings that every command takes from the environment.
    Settings,
    /// Moves the cloud's clock to a moment.
    Clock(&'static str),
    /// Somebody deletes the record of a task over there.
    Delete {
        instance: &'static str,
        task: &'static str,
    },
    /// A copy of the cloud's data stays as it is now.
    KeepCopy,
    /// That copy gives the next answer about an instance's tasks.
    LagOnce { instance: &'static str },
    /// A command line without the program's name, and the exit code that it ends with.
    Type { line: &'static str, exit: u8 },
    /// Where the archive is, and what to type next.
    Next,
}

/// A command that ends with 0.
const fn run(line: &'static str) -> Step {
    Step::Type { line, exit: 0 }
}

/// The instance that the story is about.
const SESSIONS: &str = "619275ab-fda0-444b-8b75-9067dbae57ac";

pub(super) const STEPS: &[Step] = &[
    Step::Title("1. Thursday, 1 October, 19:00: the first reading"),
    Step::Say(
        "\
A simulated cloud runs inside this command, on this machine alone, on a clock of
its own. Three Redis instances live in it, and people keep changing them. These
settings say where it answers, and where the archive is to be:",
    ),
    Step::Settings,
    Step::Clock("2026-10-01T19:00:00Z"),
    run("sync"),
    Step::Say("Proven means: every record that the cloud lists is in the archive now."),
    run("list -n 6"),
    Step::Title("2. An hour later: what was running has ended"),
    Step::Clock("2026-10-01T20:00:00Z"),
    run("sync"),
    run("show 8ab99edba451815b01a0f8cb882d0033"),
    Step::Title("3. The next day: somebody deletes a record"),
    Step::Delete {
        instance: SESSIONS,
        task: "8ab99edba451815b01a0f608135c002a",
    },
    Step::Clock("2026-10-02T19:00:00Z"),
    run("sync"),
    run("list --missing --columns name,user_name,created_at,missing_since,missing_confirmed_at"),
    Step::Title("4. Saturday: a copy that lags"),
    Step::Clock("2026-10-03T17:00:00Z"),
    Step::KeepCopy,
    Step::Clock("2026-10-03T17:30:00Z"),
    Step::LagOnce { instance: SESSIONS },
    run("sync"),
    run(
        "coverage --walks -n 4 --instance 619275ab --columns started_at,attempt,proven,server_total,received,reason",
    ),
    run("list --missing --columns name,user_name,created_at,missing_since,missing_confirmed_at"),
    Step::Title("5. Tuesday: three days without a reading"),
    Step::Clock("2026-10-06T18:00:00Z"),
    run("sync"),
    Step::Next,
];
