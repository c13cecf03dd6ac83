//! Made-up reports as people get them: a month with hostile names in it, and a thousand instances.

use super::sample::{HOSTILE, document, heading, section, table};
use crate::output::document::{
    Answer, Band, Block, Chart, Document, Drawing, Level, Mark, Place, Point, Section, Series,
    Shown, Stacks, Timeline, Tone, WHOLE,
};

const DAYS: usize = 31;

/// A report as people get it, with hostile names among the others.
pub(super) fn whole() -> Document {
    let mut sections = front();
    sections.extend(chapters());
    for (number, name) in HOSTILE.iter().enumerate() {
        sections.push(instance(&format!("instance-{number}"), name, 40, number));
    }
    let long = "long-name-".repeat(1_000);
    sections.push(instance("instance-long", &long, 5, 3));
    sections.push(instance(
        "instance-rtl",
        "خادم التخزين المؤقت (عكسي) 42",
        5,
        4,
    ));
    document("Changes of managed Redis instances, October 2026", sections)
}

/// A thousand instances with five rows each.
pub(super) fn large() -> Document {
    let mut sections = front();
    for number in 0..1_000 {
        let name = format!("cache-{number:04}");
        sections.push(instance(&name, &name, 5, number));
    }
    document("A thousand instances", sections)
}

fn answer(question: &str, answer: &str, tone: Tone, details: &[&str]) -> Answer {
    Answer {
        question: question.to_owned(),
        answer: answer.to_owned(),
        tone,
        details: details.iter().map(|detail| (*detail).to_owned()).collect(),
    }
}

fn front() -> Vec<Section> {
    let points = [
        (
            "cache-orders was open to the internet from 2026-10-04 to 2026-10-06, set by alice",
            Tone::Bad,
        ),
        ("12 tasks failed", Tone::Bad),
        (
            "3 tasks of cache-orders vanished from the cloud before it would forget them by itself",
            Tone::Doubtful,
        ),
        (
            "A gap in what is known of cache-orders, 4 days 6 hours",
            Tone::Unknown,
        ),
    ];
    let points = points.map(|(text, tone)| Point {
        text: text.to_owned(),
        tone,
        link: Some("changes".to_owned()),
    });
    vec![
        section(
            "answers",
            "In short",
            Level::Front,
            vec![Block::Answers(answers())],
        ),
        section(
            "attention",
            "What needs attention",
            Level::Front,
            vec![Block::Points(points.to_vec())],
        ),
        section(
            "activity",
            "The month",
            Level::Front,
            vec![Block::Figure(
                Chart {
                    title: "Tasks by day".to_owned(),
                    drawing: Drawing::Columns(days()),
                },
                table(
                    "days",
                    vec![heading("Day", "code"), heading("Tasks", "number")],
                    &["day", "tasks"],
                    days()
                        .labels
                        .into_iter()
                        .map(|day| vec![Shown::new(day), Shown::new("13")])
                        .collect(),
                ),
            )],
        ),
        section(
            "basis",
            "What this rests on",
            Level::Front,
            vec![Block::Fields(fields())],
        ),
    ]
}

fn days() -> Stacks {
    let values = |factor: usize, modulus: usize| {
        (0..DAYS)
            .map(|day| (day * factor % modulus) as u64)
            .collect()
    };
    Stacks {
        labels: (1..=DAYS).map(|day| format!("2026-10-{day:02}")).collect(),
        series: vec![
            Series {
                name: "succeeded",
                tone: Tone::Good,
                values: values(7, 23),
            },
            Series {
                name: "failed",
                tone: Tone::Bad,
                values: values(5, 4),
            },
            Series {
                name: "open",
                tone: Tone::Doubtful,
                values: values(1, 2),
            },
            Series {
                name: "unknown",
                tone: Tone::Unknown,
                values: values(2, 3),
            },
        ],
    }
}

fn chapters() -> Vec<Section> {
    let operations = Stacks {
        labels: [
            "BackupInstance",
            "ResizeInstance (capacity changed)",
            "BindEip (public access enabled)",
            HOSTILE[0],
        ]
        .map(str::to_owned)
        .to_vec(),
        series: vec![
            Series {
                name: "succeeded",
                tone: Tone::Good,
                values: vec![331, 40, 3, 1],
            },
            Series {
                name: "failed",
                tone: Tone::Bad,
                values: vec![0, 9, 0, 1],
            },
            Series {
                name: "open",
                tone: Tone::Doubtful,
                values: vec![1, 1, 0, 0],
            },
        ],
    };
    let users = table(
        "users",
        vec![
            heading("User", ""),
            heading("Tasks", "number"),
            heading("Failed", "number"),
            heading("Last", "code"),
        ],
        &["user_name", "tasks", "failed", "last"],
        HOSTILE
            .iter()
            .map(|name| {
                vec![
                    Shown::new(*name),
                    Shown::new("44"),
                    Shown::new("2").toned(Tone::Bad),
                    Shown::new("2026-10-28 04:11"),
                ]
            })
            .collect(),
    );
    let mut outcome = users.clone();
    outcome.name = "operations";
    vec![
        section(
            "operations",
            "By operation",
            Level::Chapter,
            vec![
                Block::Text("What was done, and how it ended. Operations bear the cloud's names, with plain ones beside them.".to_owned()),
                Block::Figure(Chart { title: "Outcome by operation".to_owned(), drawing: Drawing::Bars(operations) }, outcome),
            ],
        ),
        section("users", "By user", Level::Chapter, vec![Block::Table(users)]),
        section("changes", "Changes by instance", Level::Chapter, vec![Block::Text("Each with the value before and after, as the task told them.".to_owned())]),
    ]
}

pub(super) fn lane(seed: usize, count: usize) -> Timeline {
    let place =
        |part: usize| Place::try_from(part % WHOLE as usize).expect("it is below a million");
    let from = place(200_000 + seed * 37_000 % 500_000);
    let band = |from, to, tone, word| Band {
        from,
        to,
        tone,
        word,
    };
    Timeline {
        ticks: (0..DAYS)
            .step_by(3)
            .map(|day| {
                (
                    place(day * (WHOLE as usize / DAYS)),
                    format!("{} Oct", day + 1),
                )
            })
            .collect(),
        bands: vec![
            band(0, from, Tone::Good, "vouched"),
            band(from, from + 130_000, Tone::Unknown, "gap"),
            band(from + 130_000, 950_000, Tone::Good, "vouched"),
            band(950_000, WHOLE, Tone::Doubtful, "not settled yet"),
        ],
        marks: (0..count)
            .map(|number| {
                let (tone, word) = match number % 17 {
                    3 => (Tone::Bad, "failed"),
                    9 => (Tone::Doubtful, "open"),
                    _ => (Tone::Good, "succeeded"),
                };
                Mark {
                    at: place(number * 7_919 * (seed + 3) % 999_983),
                    tone,
                    word,
                }
            })
            .collect(),
    }
}

fn instance(id: &str, name: &str, rows: usize, seed: usize) -> Section {
    let rows = (0..rows).map(|row| {
        let (word, tone) = [
            ("SUCCESS", Tone::Plain),
            ("FAILED", Tone::Bad),
            ("EXECUTING", Tone::Doubtful),
            ("unknown", Tone::Unknown),
        ][row % 4];
        vec![
            Shown::new(format!("2026-10-{:02} 11:{:02}", row % 31 + 1, row % 60)),
            Shown::new("capacity changed"),
            Shown::new(word).toned(tone),
            Shown::new(HOSTILE[row % HOSTILE.len()]),
            Shown::new(if row == 0 {
                "none".to_owned()
            } else {
                format!("{row} GB")
            })
            .toned(if row == 0 { Tone::Faint } else { Tone::Plain }),
            Shown::new(if row == 1 {
                "10.0.0.0/8,".repeat(40)
            } else {
                format!("{} GB", row * 2)
            }),
            Shown::new(format!("{}", row * 1_234)),
        ]
    });
    let mut changes = table(
        "changes",
        vec![
            heading("Time", "code"),
            heading("Operation", ""),
            heading("Status", ""),
            heading("User", ""),
            heading("Old", "code"),
            heading("New", "code"),
            heading("Seconds", "number"),
        ],
        &[
            "created_at",
            "name",
            "status",
            "user_name",
            "old_value",
            "new_value",
            "seconds",
        ],
        rows.collect(),
    );
    changes.total += 3;
    format!("The rest: `dcs-history changes --instance {id}`.").clone_into(&mut changes.rest);
    section(
        id,
        name,
        Level::Part,
        vec![
            Block::Chart(Chart {
                title: format!("What happened to {name}"),
                drawing: Drawing::Timeline(lane(seed, 150)),
            }),
            Block::Table(changes),
        ],
    )
}

fn answers() -> Vec<Answer> {
    vec![
        answer(
            "Was there a change in the period?",
            "Yes: 412 tasks on 4 instances.",
            Tone::Plain,
            &[
                "Most of them are backups (331). 81 changed a configuration, 6 of them what can be reached from outside.",
            ],
        ),
        answer(
            "By whom?",
            "5 users, 2 of them automatic.",
            Tone::Plain,
            &["ops-bot 331 · alice 44 · bob 21 · scheduler 12 · carol 4"],
        ),
        answer(
            "Did it succeed?",
            "398 did, 12 failed, 2 are still open.",
            Tone::Bad,
            &[
                "9 of the failures are resizes of cache-orders; the last of them succeeded on 2026-10-28.",
            ],
        ),
        answer(
            "What can nobody know?",
            "4 days 6 hours of cache-orders are not covered.",
            Tone::Unknown,
            &[
                "Between 2026-10-11 and 2026-10-15 the archive was not fed for longer than the cloud keeps its tasks.",
            ],
        ),
    ]
}

fn fields() -> Vec<(String, Shown)> {
    vec![
        (
            "Period".to_owned(),
            Shown::new("2026-10-01 00:00 to 2026-11-01 00:00 UTC"),
        ),
        ("Instances".to_owned(), Shown::new("4, all of the project")),
        (
            "The archive vouches for".to_owned(),
            Shown::new("97 % of the period, over all instances"),
        ),
        (
            "Last proven reading".to_owned(),
            Shown::new("2026-11-02 03:10 UTC"),
        ),
        ("Chain ends in".to_owned(), Shown::new("4f1c2a77b0e93d58")),
    ]
}
