use super::*;
use crate::model::time::SECOND;

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000 + second * SECOND).unwrap()
}

/// A task by the seconds of its creation and of its last update.
fn task(id: &str, created: i64, updated: i64) -> Times {
    Times {
        id: id.to_owned(),
        created: Some(at(created)),
        updated: Some(at(updated)),
    }
}

fn counted(count: u64, total: Option<u64>) -> Shown {
    Shown {
        total,
        form: CountForm::Number,
        count,
        tasks: Vec::new(),
    }
}

fn tasks(tasks: &[Times]) -> Shown {
    let count = tasks.len() as u64;
    Shown {
        tasks: tasks.to_vec(),
        ..counted(count, Some(count))
    }
}

fn failed() -> Reply {
    Err(Unanswered::Failed("status 500".to_owned()))
}

fn refused() -> Reply {
    Err(Unanswered::Refused("status 400".to_owned()))
}

/// The word of a finding, or what of the reason why there is none.
fn word_of(finding: &Finding) -> &str {
    match &finding.told {
        Told::Known { word, evidence } => {
            assert!(!evidence.is_empty(), "{finding:?}");
            word
        }
        Told::CannotBeTold { why } => {
            assert!(!why.is_empty(), "{finding:?}");
            "-"
        }
    }
}

#[test]
fn the_form_of_the_count_is_that_of_all_answers() {
    use CountForm::{Absent, Number, Text, Unreadable};
    let form = |form| Shown {
        form,
        ..counted(1, None)
    };
    let cases: [(&[CountForm], &str); 6] = [
        (&[], "-"),
        (&[Number], "number"),
        (&[Text, Text, Text], "text"),
        (&[Absent], "absent"),
        (&[Unreadable], "unreadable"),
        (&[Text, Number, Text], "mixed"),
    ];
    for (forms, expected) in cases {
        let shown: Vec<_> = forms.iter().map(|one| form(*one)).collect();
        let answers: Vec<_> = shown.iter().map(|shown| (0, shown)).collect();
        assert_eq!(word_of(&count_type(&answers)), expected, "{forms:?}");
    }
}

#[test]
fn what_the_count_counts_is_told_by_answers_of_several_sizes() {
    use TotalTrust::{Distrusted, Trusted, Unknown};
    type Answers<'a> = &'a [(u64, u64, Option<u64>)];
    let cases: [(&str, TotalTrust, Answers<'_>, &str); 9] = [
        (
            "the list",
            Unknown,
            &[(0, 2, Some(40)), (1, 1, Some(40)), (0, 40, Some(40))],
            "total",
        ),
        (
            "the page",
            Unknown,
            &[(0, 2, Some(2)), (1, 1, Some(1)), (0, 40, Some(40))],
            "page",
        ),
        (
            "what is left",
            Unknown,
            &[(0, 2, Some(2)), (1, 1, Some(1)), (0, 40, Some(39))],
            "no total",
        ),
        (
            "one task",
            Unknown,
            &[(0, 1, Some(1)), (1, 0, Some(1))],
            "-",
        ),
        ("an empty list", Unknown, &[(0, 0, Some(0))], "-"),
        ("no count", Unknown, &[(0, 2, None), (0, 40, None)], "-"),
        ("nothing new", Trusted, &[(0, 1, Some(1))], "total"),
        (
            "contradicted before: that is for a full walk to undo",
            Distrusted,
            &[(0, 2, Some(40))],
            "no total",
        ),
        (
            "contradicted now",
            Trusted,
            &[(0, 40, Some(10))],
            "no total",
        ),
    ];
    for (name, known, answers, expected) in cases {
        let shown: Vec<_> = answers
            .iter()
            .map(|(offset, count, total)| (*offset, counted(*count, *total)))
            .collect();
        let answers: Vec<_> = shown
            .iter()
            .map(|(offset, shown)| (*offset, shown))
            .collect();
        assert_eq!(word_of(&count(known, &answers)), expected, "{name}");
    }
}

#[test]
fn an_order_is_claimed_of_enough_records_only() {
    let page = |seconds: &[i64]| {
        let list: Vec<_> = seconds.iter().map(|at| task("t", *at, *at)).collect();
        tasks(&list)
    };
    let cases: [(&[i64], &str); 4] = [
        (&[4, 3, 2, 1], "newest first"),
        (&[1, 2, 3, 4], "oldest first"),
        (&[2, 4, 1, 3], "unordered"),
        (&[2, 1], "-"),
    ];
    for (seconds, expected) in cases {
        assert_eq!(word_of(&order(&page(seconds))), expected, "{seconds:?}");
    }
}

#[test]
fn the_real_limit_is_what_comes_of_a_thousand() {
    use TotalTrust::{Distrusted, Trusted};
    type Case<'a> = (&'a str, &'a [u32], u32, Reply, TotalTrust, &'a str);
    let page = |count, total| Ok(counted(count, total));
    let cases: [Case<'_>; 8] = [
        (
            "a full page",
            &[],
            1000,
            page(1000, Some(4000)),
            Trusted,
            "served",
        ),
        (
            "more than asked for",
            &[],
            1000,
            page(1200, None),
            Trusted,
            "served",
        ),
        (
            "fewer than there are",
            &[],
            1000,
            page(50, Some(812)),
            Trusted,
            "cut",
        ),
        (
            "all there are",
            &[],
            1000,
            page(40, Some(40)),
            Trusted,
            "accepted",
        ),
        (
            "fewer, by a count that nobody believes",
            &[],
            1000,
            page(50, Some(812)),
            Distrusted,
            "accepted",
        ),
        (
            "refused",
            &[1000],
            100,
            page(40, Some(40)),
            Trusted,
            "refused",
        ),
        ("all refused", &[1000, 100, 10], 10, refused(), Trusted, "-"),
        ("no answer", &[], 1000, failed(), Trusted, "-"),
    ];
    for (name, refused, limit, reply, trust, expected) in cases {
        let finding = page_limit(refused, limit, &reply, trust);
        assert_eq!(word_of(&finding), expected, "{name}");
    }
}

#[test]
fn a_hidden_window_shows_in_the_count_and_a_list_that_moved_is_none() {
    use TotalTrust::{Distrusted, Trusted, Unknown};
    let plain = counted(2, Some(30));
    let of = |total| Ok(counted(2, Some(total)));
    let cases: [(&str, Reply, Option<Reply>, TotalTrust, &str); 9] = [
        ("the same", of(30), None, Trusted, "whole"),
        ("more", of(40), Some(of(30)), Trusted, "hides old records"),
        ("it has grown", of(31), Some(of(31)), Trusted, "whole"),
        ("fewer", of(29), Some(of(30)), Trusted, "-"),
        ("not asked again", of(40), Some(failed()), Trusted, "-"),
        ("refused", refused(), None, Trusted, "-"),
        ("no count", Ok(counted(2, None)), Some(of(30)), Trusted, "-"),
        ("a count of the page", of(2), None, Distrusted, "-"),
        ("an unknown count", of(30), None, Unknown, "-"),
    ];
    for (name, early, again, trust, expected) in cases {
        let finding = window(&plain, &early, again.as_ref(), trust);
        assert_eq!(word_of(&finding), expected, "{name}");
    }
}

#[test]
fn the_name_that_is_heard_is_the_one_that_shows_nothing_of_the_future() {
    let (empty, full) = (|| Ok(counted(0, Some(0))), || Ok(counted(2, Some(40))));
    let cases: [(Reply, Reply, &str); 8] = [
        (empty(), full(), "start_time"),
        (full(), empty(), "begin_time"),
        (empty(), empty(), "both"),
        (full(), full(), "neither"),
        (empty(), refused(), "start_time"),
        (refused(), full(), "neither"),
        (failed(), empty(), "-"),
        (empty(), failed(), "-"),
    ];
    let list = counted(2, Some(40));
    for (start_time, begin_time, expected) in cases {
        let finding = start_parameter(&list, &start_time, &begin_time);
        assert_eq!(word_of(&finding), expected, "{start_time:?} {begin_time:?}");
    }
    let nothing = counted(0, Some(0));
    let finding = start_parameter(&nothing, &empty(), &empty());
    assert_eq!(word_of(&finding), "-");
}

#[test]
fn the_task_to_try_the_filter_on_lies_near_the_top_and_changes_no_more() {
    let now = at(10_000);
    let chosen = |list: &[Times]| Subject::of(&tasks(list), now).map(|subject| subject.id);
    let cases: [(&str, Vec<Times>, Option<&str>); 6] = [
        ("none", vec![], None),
        ("at once", vec![task("a", 100, 109)], None),
        ("apart", vec![task("a", 100, 110)], Some("a")),
        ("too new", vec![task("a", 9_000, 9_401)], None),
        (
            "the first that fits",
            vec![task("a", 300, 301), task("b", 200, 260), task("c", 1, 90)],
            Some("b"),
        ),
        (
            "without a time",
            vec![
                Times {
                    updated: None,
                    ..task("a", 300, 0)
                },
                task("b", 200, 260),
            ],
            Some("b"),
        ),
    ];
    for (name, list, expected) in cases {
        assert_eq!(chosen(&list).as_deref(), expected, "{name}");
    }
    let mut deep: Vec<_> = (0..50).map(|_| task("x", 100, 100)).collect();
    deep.push(task("a", 1, 90));
    assert_eq!(chosen(&deep), None);
}

#[test]
fn periods_are_whole_seconds_that_hold_one_time_and_not_the_other() {
    let subject = Subject {
        id: "a".to_owned(),
        created: at(100).plus(999),
        updated: at(110).plus(1),
    };
    for (span, holds) in [
        (subject.around_update(), subject.updated),
        (subject.around_creation(), subject.created),
    ] {
        let inside = |time: Timestamp| span.start <= time && time <= span.end;
        assert!(inside(holds));
        assert_ne!(inside(subject.created), inside(subject.updated));
        for bound in [span.start, span.end] {
            assert_eq!(bound.millis() % SECOND, 0);
            // However a server reads its bounds, a second does not matter.
            assert!(bound.distance(subject.created) >= SECOND);
            assert!(bound.distance(subject.updated) >= SECOND);
        }
    }
    let span = subject.its_second(word::UPDATED);
    assert_eq!((span.start, span.end), (at(110), at(110)));
    assert_eq!(subject.its_second(word::CREATED).start, at(100));
}

fn subject() -> Subject {
    Subject {
        id: "a".to_owned(),
        created: at(100),
        updated: at(200),
    }
}

#[test]
fn the_filtered_time_is_told_by_the_period_that_shows_the_task() {
    let shows = || Ok(tasks(&[task("a", 100, 200)]));
    let empty = || Ok(tasks(&[]));
    let with_a_later = || Ok(tasks(&[task("b", 500, 600), task("a", 100, 200)]));
    let cut = || Ok(counted(100, Some(400)));
    let cases: [(&str, Reply, Reply, &str); 9] = [
        ("by creation", empty(), shows(), "created_at"),
        ("by update", shows(), empty(), "updated_at"),
        ("either", shows(), shows(), "either"),
        ("no upper bound", with_a_later(), with_a_later(), "-"),
        ("neither", empty(), empty(), "-"),
        ("cut off", cut(), shows(), "-"),
        ("cut off below", shows(), cut(), "-"),
        ("refused", refused(), shows(), "-"),
        ("no answer", shows(), failed(), "-"),
    ];
    for (name, by_update, by_creation, expected) in cases {
        let finding = filter_time(&subject(), &by_update, &by_creation, 100);
        assert_eq!(word_of(&finding), expected, "{name}");
    }
}

#[test]
fn bounds_are_told_by_a_period_of_one_second() {
    let span = subject().its_second(word::CREATED);
    let cases: [(&str, Reply, &str); 5] = [
        ("in", Ok(tasks(&[task("a", 100, 200)])), "included"),
        ("out", Ok(tasks(&[])), "excluded"),
        (
            "no upper bound",
            Ok(tasks(&[task("b", 500, 600), task("a", 100, 200)])),
            "-",
        ),
        ("cut off", Ok(counted(100, Some(400))), "-"),
        ("refused", refused(), "-"),
    ];
    for (name, reply, expected) in cases {
        let finding = bounds(&subject(), span, &reply, 100);
        assert_eq!(word_of(&finding), expected, "{name}");
    }
}

#[test]
fn the_oldest_record_is_looked_for_where_it_must_be() {
    use TotalTrust::{Distrusted, Trusted};
    let known = |word: &str| Finding::known(Aspect::Order, word, "seen");
    let untold = Finding::cannot_be_told(Aspect::Order, "too few");
    let page = counted(1000, Some(4000));
    let cases = [
        (
            "the end",
            Some(4000),
            known("newest first"),
            Trusted,
            Bottom::At(3999),
        ),
        (
            "the end",
            Some(4000),
            known("newest first by created_at"),
            Trusted,
            Bottom::At(3999),
        ),
        (
            "no order",
            Some(4000),
            known("unordered"),
            Trusted,
            Bottom::Unknown,
        ),
        (
            "too few",
            Some(4000),
            untold.clone(),
            Trusted,
            Bottom::Unknown,
        ),
        (
            "all",
            Some(1000),
            untold.clone(),
            Trusted,
            Bottom::OnThePage,
        ),
        (
            "no trust",
            Some(1000),
            known("newest first"),
            Distrusted,
            Bottom::Unknown,
        ),
        (
            "no count",
            None,
            known("newest first"),
            Trusted,
            Bottom::Unknown,
        ),
    ];
    for (name, total, order, trust, expected) in cases {
        assert_eq!(bottom(&page, total, &order, trust), expected, "{name}");
    }
    let list = tasks(&[task("b", 300, 300), task("a", 100, 400)]);
    assert_eq!(word_of(&oldest(&list, 2)), at(100).to_string());
    assert_eq!(word_of(&oldest(&tasks(&[]), 0)), "-");
}
