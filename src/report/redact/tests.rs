//! Who and what is replaced by which word, as a table.

use super::*;

fn redactor(words: &str) -> Redactor {
    let has = |word: &str| words.contains(word);
    Redactor::new(What {
        users: has("users"),
        params: has("params"),
        addresses: has("addresses"),
    })
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
