//! Geometry as tables of cases.

use super::super::{Band, Drawing, Mark, Series, Stacks, Timeline, Tone, WHOLE};
use super::{Drawn, Percent, described, draw, scale};

fn stacks(labels: &[&str], series: &[(&'static str, Tone, &[u64])]) -> Stacks {
    let series = series.iter().map(|(name, tone, values)| Series {
        name,
        tone: *tone,
        values: values.to_vec(),
    });
    Stacks {
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
        series: series.collect(),
    }
}

fn outcome(labels: &[&str], good: &[u64], bad: &[u64]) -> Stacks {
    stacks(
        labels,
        &[("succeeded", Tone::Good, good), ("failed", Tone::Bad, bad)],
    )
}

#[test]
fn lines_of_a_grid_stand_at_round_numbers() {
    let cases: [(u128, &[u128]); 10] = [
        (0, &[]),
        (1, &[1]),
        (4, &[1, 2, 3, 4]),
        (5, &[2, 4, 6]),
        (9, &[5, 10]),
        (31, &[10, 20, 30, 40]),
        (100, &[50, 100]),
        (101, &[50, 100, 150]),
        (2_001, &[1_000, 2_000, 3_000]),
        (
            u128::from(u64::MAX),
            &[
                5_000_000_000_000_000_000,
                10_000_000_000_000_000_000,
                15_000_000_000_000_000_000,
                20_000_000_000_000_000_000,
            ],
        ),
    ];
    for (most, expected) in cases {
        assert_eq!(scale::lines(most), expected, "{most}");
    }
}

#[test]
fn labels_are_thinned_to_the_room_that_there_is() {
    let cases = [
        (0, (1, 1)),
        (1, (1, 1)),
        (3, (1, 1)),
        (9, (1, 3)),
        (10, (2, 4)),
        (31, (4, 12)),
        (400, (45, 135)),
    ];
    for (count, expected) in cases {
        let (wide, narrow) = scale::thinned(count, 9, 3);
        assert_eq!((wide, narrow), expected, "{count}");
        assert!(count.div_ceil(wide) <= 9 && count.div_ceil(narrow) <= 3);
        assert_eq!(
            narrow % wide,
            0,
            "a narrow screen shows what a wide one shows"
        );
    }
}

#[test]
fn percents_are_written_without_idle_digits() {
    let cases = [
        (0, "0%"),
        (5, "0.05%"),
        (50, "0.5%"),
        (1_234, "12.34%"),
        (9_990, "99.9%"),
        (10_000, "100%"),
    ];
    for (place, expected) in cases {
        assert_eq!(Percent(place).to_string(), expected);
    }
    assert_eq!(Percent::of(1, 3), Percent(3_333));
    assert_eq!(Percent::of(1, 0), Percent(0));
    assert_eq!(Percent::of(u128::from(u64::MAX) * 400, 1), Percent(10_000));
}

#[test]
fn series_stand_on_each_other_and_the_least_is_seen() {
    let cases: [(&[u64], &[u64], &[&str]); 4] = [
        (&[4, 2], &[0, 0], &["M1 0h8v1400h-8zM11 700h8v700h-8z"]),
        (&[3], &[1], &["M1 350h8v1050h-8z", "M1 0h8v350h-8z"]),
        (&[0], &[4], &["M1 0h8v1400h-8z"]),
        // One of a thousand is a pixel and a half high, and the stack stays in the plot.
        (&[999], &[1], &["M1 2h8v1398h-8z", "M1 0h8v2h-8z"]),
    ];
    for (good, bad, expected) in cases {
        let labels = ["one", "two"];
        let drawing = Drawing::Columns(outcome(&labels[..good.len()], good, bad));
        let Drawn::Columns(columns) = draw(&drawing) else {
            panic!("{good:?} is drawn");
        };
        let paths: Vec<&str> = columns
            .series
            .iter()
            .map(|(_, path)| path.as_str())
            .collect();
        assert_eq!(paths, expected, "{good:?} {bad:?}");
    }
}

#[test]
fn four_hundred_days_have_a_few_labels_and_no_gaps() {
    let labels: Vec<String> = (0..400).map(|day| format!("day {day}")).collect();
    let series = vec![Series {
        name: "tasks",
        tone: Tone::Plain,
        values: vec![1; 400],
    }];
    let Drawn::Columns(columns) = draw(&Drawing::Columns(Stacks { labels, series })) else {
        panic!("it is drawn");
    };
    assert_eq!(columns.units, 4_000);
    assert!(columns.series[0].1.starts_with("M0 0h10v1400h-10zM10 0h10"));
    let shown = |on_phone: bool| {
        let labels = columns.labels.iter();
        let labels = labels.filter(|label| !(on_phone && label.is_extra));
        labels.map(|label| label.text.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(shown(true), ["day 0", "day 135", "day 270"]);
    assert_eq!(shown(false).len(), 9);
}

#[test]
fn pieces_of_bars_stand_side_by_side_and_never_reach_out() {
    type Case = (&'static [u64], &'static [u64], &'static [(u32, u32)]);
    let cases: [Case; 4] = [
        (&[10], &[0], &[(0, 10_000)]),
        (&[6], &[4], &[(0, 6_000), (6_000, 4_000)]),
        (&[100_000], &[1], &[(0, 9_999), (9_960, 40)]),
        (&[u64::MAX], &[u64::MAX], &[(0, 5_000), (5_000, 5_000)]),
    ];
    for (good, bad, expected) in cases {
        let Drawn::Bars(bars) = draw(&Drawing::Bars(outcome(&["one"], good, bad))) else {
            panic!("{good:?} is drawn");
        };
        let pieces = bars.rows[0].pieces.iter();
        let pieces: Vec<_> = pieces.map(|piece| (piece.x.0, piece.width.0)).collect();
        assert_eq!(pieces, expected, "{good:?} {bad:?}");
    }
    let labels = ["x"; 30];
    let Drawn::Bars(bars) = draw(&Drawing::Bars(outcome(&labels, &[1; 30], &[0; 30]))) else {
        panic!("it is drawn");
    };
    assert_eq!((bars.rows.len(), bars.more), (24, 6));
}

fn band(from: u32, to: u32, tone: Tone) -> Band {
    Band {
        from,
        to,
        tone,
        word: "word",
    }
}

#[test]
fn bands_are_joined_and_a_short_gap_is_seen() {
    use Tone::{Good, Unknown};

    type Case = (Vec<Band>, &'static [(u32, u32, Tone)]);
    let cases: [Case; 4] = [
        (
            vec![band(0, 500_000, Good), band(500_000, WHOLE, Good)],
            &[(0, 10_000, Good)],
        ),
        (
            vec![
                band(0, 500_000, Good),
                band(500_000, 500_001, Unknown),
                band(500_001, WHOLE, Good),
            ],
            &[(0, 5_000, Good), (5_000, 4_999, Good), (5_000, 50, Unknown)],
        ),
        (
            vec![band(0, 999_999, Good), band(999_999, WHOLE, Unknown)],
            &[(0, 9_999, Good), (9_950, 50, Unknown)],
        ),
        (
            vec![band(7, 7, Unknown), band(0, u32::MAX, Good)],
            &[(0, 10_000, Good)],
        ),
    ];
    for (bands, expected) in cases {
        let timeline = Timeline {
            ticks: Vec::new(),
            bands: bands.clone(),
            marks: Vec::new(),
        };
        let Drawn::Timeline(lane) = draw(&Drawing::Timeline(timeline)) else {
            panic!("{bands:?} is drawn");
        };
        let found = lane.bands.iter();
        let found: Vec<_> = found
            .map(|band| (band.x.0, band.width.0, band.tone))
            .collect();
        assert_eq!(found, expected, "{bands:?}");
    }
}

#[test]
fn of_a_thousand_bands_the_worst_are_drawn() {
    let bands = (0..1_000).map(|at| {
        let tone = if at % 2 == 0 {
            Tone::Good
        } else {
            Tone::Unknown
        };
        band(at * 1_000, at * 1_000 + 1_000, tone)
    });
    let timeline = Timeline {
        ticks: Vec::new(),
        bands: bands.collect(),
        marks: Vec::new(),
    };
    let Drawn::Timeline(lane) = draw(&Drawing::Timeline(timeline)) else {
        panic!("it is drawn");
    };
    let found: Vec<_> = lane
        .bands
        .iter()
        .map(|band| (band.width.0, band.tone))
        .collect();
    assert_eq!(found, [(10_000, Tone::Unknown)]);
}

#[test]
fn a_column_of_ticks_is_as_bad_as_its_worst_task() {
    type Case = (Vec<Mark>, &'static [(Tone, &'static str)]);

    let mark = |at, tone| Mark {
        at,
        tone,
        word: "word",
    };
    let cases: [Case; 4] = [
        (vec![mark(0, Tone::Good)], &[(Tone::Good, "M1 36v-12")]),
        (
            vec![mark(0, Tone::Good), mark(1, Tone::Bad), mark(2, Tone::Good)],
            &[(Tone::Bad, "M1 36v-35")],
        ),
        (
            vec![
                mark(WHOLE, Tone::Good),
                mark(0, Tone::Good),
                mark(6_000, Tone::Bad),
            ],
            &[
                (Tone::Good, "M1 36v-12m358 12v-12"),
                (Tone::Bad, "M3 36v-35"),
            ],
        ),
        (
            vec![mark(9, Tone::Good); 100_000],
            &[(Tone::Good, "M1 36v-24")],
        ),
    ];
    for (marks, expected) in cases {
        let timeline = Timeline {
            ticks: Vec::new(),
            bands: Vec::new(),
            marks: marks.clone(),
        };
        let Drawn::Timeline(lane) = draw(&Drawing::Timeline(timeline)) else {
            panic!("it is drawn");
        };
        let ticks: Vec<_> = lane
            .ticks
            .iter()
            .map(|(tone, path)| (*tone, path.as_str()))
            .collect();
        assert_eq!(ticks, expected);
    }
}

#[test]
fn where_there_is_nothing_no_axes_are_drawn() {
    let nothing = Timeline {
        ticks: vec![(0, "1 Oct".to_owned())],
        bands: Vec::new(),
        marks: Vec::new(),
    };
    let drawings = [
        Drawing::Columns(outcome(&[], &[], &[])),
        Drawing::Columns(outcome(&["one"], &[0], &[0])),
        Drawing::Bars(outcome(&["one"], &[], &[])),
        Drawing::Timeline(nothing),
    ];
    for drawing in drawings {
        assert_eq!(draw(&drawing), Drawn::Nothing, "{drawing:?}");
    }
}

#[test]
fn a_sentence_says_what_a_drawing_shows() {
    let lane = |marks: &[(Tone, &'static str)], bands: &[(u32, &'static str)]| {
        let mut from = 0;
        Drawing::Timeline(Timeline {
            ticks: Vec::new(),
            bands: bands
                .iter()
                .map(|(to, word)| {
                    let band = Band {
                        from,
                        to: *to,
                        tone: Tone::Good,
                        word,
                    };
                    from = *to;
                    band
                })
                .collect(),
            marks: marks
                .iter()
                .map(|(tone, word)| Mark {
                    at: 0,
                    tone: *tone,
                    word,
                })
                .collect(),
        })
    };
    let cases = [
        (
            Drawing::Columns(outcome(
                &["1 Oct", "2 Oct", "3 Oct"],
                &[3, 5, 5],
                &[0, 1, 1],
            )),
            "1 Oct to 3 Oct: 13 succeeded, 2 failed; most in 2 Oct, with 6.",
        ),
        (
            Drawing::Bars(outcome(&["EXTEND"], &[3], &[0])),
            "3 succeeded; most in EXTEND, with 3.",
        ),
        (
            Drawing::Bars(outcome(&[], &[], &[])),
            "There is nothing to draw.",
        ),
        (lane(&[], &[]), "no task."),
        (
            lane(&[(Tone::Good, "succeeded")], &[(WHOLE, "vouched")]),
            "1 task, 1 succeeded; of the period: vouched 100 %.",
        ),
        (
            lane(
                &[(Tone::Bad, "failed"), (Tone::Good, "succeeded")],
                &[(999_000, "vouched"), (WHOLE, "gap")],
            ),
            "2 tasks, 1 succeeded, 1 failed; of the period: gap less than 1 %, vouched more than 99 %.",
        ),
    ];
    for (drawing, expected) in cases {
        assert_eq!(described(&drawing), expected);
    }
}
