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
    /// Words in which the places of the archive, of its folder and of the program are filled in.
    Next(&'static str),
}

/// A command that ends with 0.
const fn run(line: &'static str) -> Step {
    Step::Type { line, exit: 0 }
}

/// The instance that the story is about.
const SESSIONS: &str = "619275ab-fda0-444b-8b75-9067dbae57ac";

/// The record that somebody deletes on Friday: a public address was bound on Thursday.
const BOUND: &str = "8ab99edba451815b01a0f608135c002a";

/// What happens while nobody reads, and is deleted before anybody does: bound, and released eight hours later.
const BOUND_UNSEEN: &str = "8ab99edba451815b01a10bd42859005b";
const RELEASED_UNSEEN: &str = "8ab99edba451815b01a10d914151005e";

const MISSING: Step =
    run("list --missing --columns name,user_name,missing_since,missing_confirmed_at");

pub(super) const STEPS: &[Step] = &[
    Step::Say(
        "\
dcs-history keeps the change history of managed Redis instances: who resized
one, opened it to the internet or moved its port, and when. The cloud lists that
only for a while, and its records can be deleted. What follows is a story of six
days. Every command in it was run just now, and below it stands what it printed.",
    ),
    //
    Step::Title("1. Thursday, 1 October 2026, 19:00: the first reading"),
    Step::Say(
        "\
A simulated cloud runs inside this command, on this machine alone and on a clock
of its own. It has three instances, and people work on them. Where it answers,
and where the archive shall be, is said once in the environment:",
    ),
    Step::Settings,
    Step::Clock("2026-10-01T19:00:00Z"),
    run("sync"),
    Step::Say(
        "\
It found three instances and read the list of each. \"Proven\" means that nothing
was left out: the pages of each list joined, and the count that the cloud gives
was reached. The newest records:",
    ),
    run("list -n 5"),
    //
    Step::Title("2. An hour later: what was running has ended"),
    Step::Clock("2026-10-01T20:00:00Z"),
    run("sync"),
    Step::Say(
        "\
One record has changed: li.wei's resize was EXECUTING and has succeeded. The
cloud shows only how it ended; the archive keeps each state that it saw, and the
text.",
    ),
    run("show 8ab99edba451815b01a0f8cb882d0033"),
    //
    Step::Title("3. Friday: somebody deletes a record"),
    Step::Say(
        "\
On Thursday morning priya.nair had bound a public address to sessions-cache,
which opened it to the internet. On Friday somebody deletes the record of that
in the cloud.",
    ),
    Step::Delete {
        instance: SESSIONS,
        task: BOUND,
    },
    Step::Clock("2026-10-02T19:00:00Z"),
    run("sync"),
    Step::Say(
        "\
The record is still in the archive, and noted as missing. One reading that lacks
it is not enough to call it gone, so missing_confirmed_at is empty:",
    ),
    MISSING,
    //
    Step::Title("4. Saturday: an answer from a copy that lags"),
    Step::Say(
        "\
Clouds answer from several copies of their data, and these do not always agree.
This time one answer comes from a copy that is half an hour old, with a proper
date and nothing in it that looks wrong:",
    ),
    Step::Clock("2026-10-03T17:00:00Z"),
    Step::KeepCopy,
    Step::Clock("2026-10-03T17:30:00Z"),
    Step::LagOnce { instance: SESSIONS },
    run("sync"),
    Step::Say(
        "\
It was noticed. Each page is asked for so that it begins with the last record of
the one before; here it did not. That reading proves nothing, says the ledger,
and the list was read again in the same sync:",
    ),
    run("coverage --walks --instance sessions-cache -n 3 --columns started_at,proven,reason"),
    Step::Say(
        "\
This sync was also the second one to prove that Thursday's record is not listed
any more. Now that is confirmed:",
    ),
    MISSING,
    //
    Step::Title("5. Tuesday: nobody has read for three days"),
    Step::Say(
        "\
Then the job that runs the sync stops, and is started again on Tuesday evening:",
    ),
    Step::Clock("2026-10-06T09:00:00Z"),
    Step::Delete {
        instance: SESSIONS,
        task: BOUND_UNSEEN,
    },
    Step::Delete {
        instance: SESSIONS,
        task: RELEASED_UNSEEN,
    },
    Step::Clock("2026-10-06T18:00:00Z"),
    run("sync"),
    run("instances"),
    //
    Step::Title("6. What can be known"),
    Step::Say(
        "\
What changed in the capacity and the port of sessions-cache on Friday, by whom,
and from what to what:",
    ),
    run(
        "changes --instance sessions-cache --period 2026-10-02 --attribute capacity --attribute port",
    ),
    Step::Say(
        "\
An empty list proves nothing: perhaps nobody looked. So the archive says
for which time it can vouch:",
    ),
    run(
        "coverage --instance sessions-cache --since 2026-10-01 --until 2026-10-06T17:00:00Z --columns state,since,until,reason",
    ),
    Step::Say(
        "\
Was the instance opened to the internet on Friday? No record says so, and proven
readings before and after vouch for that day:",
    ),
    run("assert-none --instance sessions-cache --operation BindEip --period 2026-10-02"),
    Step::Say(
        "\
And on Monday? No record says so either, but nobody looked:",
    ),
    Step::Type {
        line: "assert-none --instance sessions-cache --operation BindEip --period 2026-10-05",
        exit: 11,
    },
    Step::Say(
        "\
That is the honest answer. The demo knows the truth, since the cloud is its own:
on Monday at 11:30 jonas.weber bound a public address, at 19:36 li.wei released
it, and on Tuesday morning both records were deleted. Nobody who read the list
could have known.",
    ),
    //
    Step::Title("7. What to type next"),
    Step::Next(
        "\
The simulated cloud is gone now, and the archive stays. It answers every command
above but sync, here or in another terminal:

{path}  export DCS_HISTORY_DB={archive}
  dcs-history list --since 2026-10-05 --operation EXTEND
  dcs-history report --since 2026-10-01 --until 2026-10-07 > report.html
  dcs-history --help

Remove it with  rm -r {folder}
A simulated cloud that goes on living, to sync with:  dcs-history simulate

For a real account nothing more is needed where Terraform, openstack, an SDK or
hcloud already works: the README says, under \"A real account\", whose
credentials are found. Your own archive is made by the first sync:

  unset DCS_HISTORY_DB
  dcs-history sync --region eu-de
  dcs-history list",
    ),
];
