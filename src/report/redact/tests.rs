//! Who and what is replaced by which word, as a table.

use proptest::prelude::*;

use super::*;
use crate::model::time::HOUR;
use crate::report::audit::{Facts, Limits, Scope, Turn};
use crate::report::state::tests::{at, change, stated, timed};

fn redactor(words: &str) -> Redactor {
    let has = |word: &str| words.contains(word);
    let what = What {
        users: has("users"),
        params: has("params"),
        addresses: has("addresses"),
    };
    let ann = User {
        id: Some("u-1".to_owned()),
        name: Some("ann".to_owned()),
    };
    Redactor::new(what, &[ann])
}

#[test]
fn each_word_redacts_its_own_and_nothing_else() {
    const ROW: [(&str, &str); 7] = [
        ("user_id", "u-1"),
        ("user_name", "ann"),
        ("params", "{\"ip\":\"10.0.0.1\"}"),
        ("raw", "{\"user_name\":\"ann\"}"),
        ("error_code", "host 10.0.0.1"),
        ("account_name", "reader"),
        ("task_id", "task-1"),
    ];
    let cases = [
        ("", ROW.map(|(_, text)| text)),
        (
            "users",
            [
                "user-1",
                "user-1",
                "{\"ip\":\"10.0.0.1\"}",
                REDACTED,
                "host 10.0.0.1",
                "user-2",
                "task-1",
            ],
        ),
        (
            "params",
            [
                "u-1",
                "ann",
                REDACTED,
                REDACTED,
                "host 10.0.0.1",
                "reader",
                "task-1",
            ],
        ),
        (
            "addresses",
            [
                "u-1",
                "ann",
                "{\"ip\":\"address-1\"}",
                REDACTED,
                "host address-1",
                "reader",
                "task-1",
            ],
        ),
        (
            "users params addresses",
            [
                "user-1",
                "user-1",
                REDACTED,
                REDACTED,
                "host address-1",
                "user-2",
                "task-1",
            ],
        ),
    ];
    for (words, expected) in cases {
        let columns = ROW.map(|(column, _)| column);
        let row = redactor(words).row(&columns, |place| Some(ROW[place].1));
        let row: Vec<_> = row.into_iter().flatten().collect();
        assert_eq!(row, expected, "{words}");
    }
}

#[test]
fn a_pseudonym_holds() {
    let mut redactor = redactor("users addresses");
    let users: Vec<_> = ["ann", "bob", "ann"].map(|name| redactor.user(name)).into();
    assert_eq!(users, ["user-1", "user-2", "user-1"]);
    assert_eq!(
        redactor.text("10.0.0.1, 10.0.0.2, 010.0.0.1"),
        "address-1, address-2, address-1"
    );
    assert_eq!(
        redactor.value(Source::Details, "public_ip_address", "10.0.0.2"),
        "address-2"
    );
    assert_eq!(
        redactor.value(Source::Details, "new_account_name", "bob"),
        "user-2"
    );
}

#[test]
fn a_text_is_hidden_whole_where_escapes_hide_something_in_it() {
    let cases = [
        (r#"{"ip":"10.0.0.1\/8"}"#, r#"{"ip":"address-1\/8"}"#),
        (r#"{"ip":"10\u002e0.0.1"}"#, REDACTED),
        (r#"{"by":"\u0061nn"}"#, REDACTED),
        (r#"{"by":"\\u0061nn"}"#, REDACTED),
        (r#"{"by":"\u005cu0061nn"}"#, REDACTED),
        (r#"{"note":"\u00fc\u"}"#, r#"{"note":"\u00fc\u"}"#),
        (r"\u", r"\u"),
        (r"\ud83d\ude42", r"\ud83d\ude42"),
    ];
    for (text, expected) in cases {
        assert_eq!(
            redactor("users params addresses").text(text),
            expected,
            "{text}"
        );
    }
}

#[test]
fn that_values_differed_stays_visible() {
    let cases = [
        (None, None, (None, None)),
        (None, Some("a"), (None, Some(REDACTED))),
        (Some("a"), None, (Some(REDACTED), None)),
        (Some("a"), Some("b"), (Some(REDACTED), Some(ANOTHER))),
        (Some("8"), Some("8.0"), (Some(REDACTED), Some(REDACTED))),
    ];
    for (old, new, expected) in cases {
        let (was, is) = redactor("params").values(Source::Params, "x", old, new);
        assert_eq!((was.as_deref(), is.as_deref()), expected, "{old:?} {new:?}");
    }
}

const ALL: What = What {
    users: true,
    params: true,
    addresses: true,
};

fn scope() -> Scope {
    Scope {
        since: at(0),
        until: at(1_000),
        server_now: at(10_000),
        long: HOUR,
    }
}

const LIMITS: Limits = Limits {
    list: 100,
    changes: 100,
};

#[test]
fn exposure_and_breaks_are_those_of_the_real_values() {
    let list = |key, new: &str, began| {
        let mut list = stated("whitelist", None, Some(new));
        list.source = Source::Params;
        timed(change(key, "AddWhitelist", vec![list]), began, began + 1)
    };
    let address = |key, old: &str, new: &str, began| {
        let stated = vec![stated("port", Some(old), Some(new))];
        timed(change(key, "UpdatePort", stated), began, began + 1)
    };
    let mut facts = Facts::new(scope(), LIMITS);
    facts.add(&[
        list(1, "10.0.0.0/8,0.0.0.0/0", 10),
        list(2, "10.0.0.0/8", 20),
        address(3, "10.0.0.1", "10.0.0.2", 30),
        address(4, "10.0.0.3", "10.0.0.1", 40),
    ]);
    redactor("users params addresses").facts(&mut facts);
    let told: Vec<_> = facts
        .exposures
        .kept()
        .flat_map(|entry| &entry.exposures)
        .map(|one| (one.turn, one.old.as_deref(), one.new.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            (Turn::Opened, None, Some(REDACTED)),
            (Turn::Changed, None, Some(REDACTED)),
            (Turn::Changed, Some("address-1"), Some("address-2")),
            (Turn::Changed, Some("address-3"), Some("address-1")),
        ]
    );
    let breaks: Vec<_> = facts.breaks.kept().collect();
    let told: Vec<_> = breaks
        .iter()
        .map(|one| (one.left.as_str(), one.found.as_str()))
        .collect();
    assert_eq!(told, [("address-2", "address-3")]);
}

/// A text with secrets in it, in manners in which people and programs write them.
fn hostile() -> impl Strategy<Value = String> {
    let secret = prop::sample::select(vec![
        "zoë-quist",
        "0123abcd",
        "192.0.2.77",
        "2001:db8::beef",
        "198.51.100.0/24",
    ]);
    let around = prop::sample::select(vec![
        "", " ", ",", "/", "\"", "(", "é", "\n", "=", "\u{202e}",
    ]);
    (around.clone(), secret, around, "[ -~]{0,6}")
        .prop_map(|(before, secret, after, rest)| format!("{rest} {before}{secret}{after}"))
}

proptest! {
    #[test]
    fn nothing_that_was_to_be_hidden_is_left(
        texts in prop::collection::vec(hostile(), 9),
        param in "[a-z]{12}",
        open in any::<bool>(),
    ) {
        let mut task = change(1, "UpdatePort", Vec::new());
        let mut of_params = stated(&texts[0], Some(&param), Some(&texts[1]));
        of_params.source = Source::Params;
        task.stated = vec![
            of_params,
            stated("port", Some(&texts[2]), Some(&texts[3])),
            stated("public_ip_address", None, Some(&texts[4])),
        ];
        task.user_name = Some("zoë-quist".to_owned());
        task.error_code = Some(texts[5].clone());
        task = timed(task, 5, 500);
        let mut next = timed(change(2, "UpdatePort", vec![stated("port", Some(&texts[6]), Some(&texts[7]))]), 600, 601);
        next.user_name = Some("0123abcd".to_owned());
        if open {
            next.outcome = crate::model::fact::Outcome::Failed;
        }
        let mut facts = Facts::new(scope(), LIMITS);
        facts.add(&[task, next]);
        let users = [User { id: Some("0123abcd".to_owned()), name: Some("zoë-quist".to_owned()) }];
        let mut redactor = Redactor::new(ALL, &users);
        redactor.facts(&mut facts);
        let told = format!("{facts:?} {}", redactor.text(&texts[8]));
        // The names of attributes are searched for addresses alone: a user's name there was nobody's.
        let told = told.replace(&format!("attribute: {:?}", redactor.name(&texts[0])), "");
        for secret in ["zoë-quist", "0123abcd", "192.0.2.77", "db8", "198.51.100.0", param.as_str()] {
            prop_assert!(!told.contains(secret), "{} in {}", secret, told);
        }
    }
}
