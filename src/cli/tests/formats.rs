//! Every command in every format, on one archive: what changes here changes for somebody's script.

use super::*;

#[test]
fn every_command_has_every_format() {
    let archive = Archive::new();
    let commands = [
        ("list", "list"),
        ("show", "show 0011223344556677ffffffffffffffff"),
        ("changes", "changes"),
        ("instances", "instances"),
        ("coverage", "coverage --until 2026-10-03"),
        ("walks", "coverage --walks"),
        ("drift", "coverage --drift"),
        ("stats", "stats --by operation,status"),
        ("state", "state --instance 1f4c2a90-b --at 2026-10-02"),
        ("breaks", "state --breaks"),
        (
            "assert-none",
            "assert-none --instance 1f4c2a90-b --operation EXTEND --since 2026-09-30T03:00:00Z --until 2026-10-02",
        ),
    ];
    for (name, line) in commands {
        let mut told = String::new();
        for format in ["table", "markdown", "csv", "json", "jsonl"] {
            let outcome = archive.run(&format!("{line} -o {format}"), None);
            let code = outcome.exit.code();
            told.extend([format!("== {format} ({code})\n"), outcome.out, outcome.err]);
        }
        insta::assert_snapshot!(name, told);
    }
    let sql = ["dcs-history", "--db"].map(OsString::from);
    let mut told = String::new();
    for format in ["table", "markdown", "csv", "json", "jsonl"] {
        let query = "SELECT kind, count(*) AS walks, max(error) AS error FROM walks GROUP BY kind";
        let mut args = sql.to_vec();
        args.extend([
            archive.path().into(),
            "sql".into(),
            query.into(),
            "-o".into(),
            format.into(),
        ]);
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let exit = run(args, &mut out, &mut err, (false, false));
        let code = exit.code();
        told.extend([
            format!("== {format} ({code})\n"),
            String::from_utf8(out).unwrap(),
        ]);
    }
    insta::assert_snapshot!("sql", told);
}
