//! Values as SQL text, for queries that leave the program: whatever an instance is called, it stays one value.
//!
//! A shell reads such queries line by line, and lines that begin with a point are its own commands; so a text with any
//! character but printable ASCII is written by its bytes, and nothing that came from a cloud ever stands in a comment.

use crate::model::time::Timestamp;
use crate::store::chain::hex;
use crate::store::filter::InstanceKey;

/// Writes a text as a literal.
pub(super) fn text(value: &str) -> String {
    if value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        format!("'{}'", value.replace('\'', "''"))
    } else {
        format!("CAST(x'{}' AS TEXT)", hex(value.as_bytes()))
    }
}

/// Writes a moment as the views have it.
pub(super) fn time(value: Timestamp) -> String {
    text(&value.to_string())
}

/// Returns the condition that a row is of one of these instances; true if none is named.
pub(super) fn among(instances: &[InstanceKey]) -> String {
    if instances.is_empty() {
        return "1".to_owned();
    }
    let pairs = instances.iter().map(|key| {
        let (project, instance) = (text(&key.project_id), text(&key.instance_id));
        format!("({project}, {instance})")
    });
    let pairs: Vec<_> = pairs.collect();
    format!(
        "(project_id, instance_id) IN (VALUES\n  {})",
        pairs.join(",\n  ")
    )
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    const HOSTILE: [&str; 12] = [
        "",
        "orders",
        "it's",
        "''",
        "' OR 1=1 --",
        "x\n.shell rm -rf /\n",
        "a\0b",
        "/* */ -- ;",
        "\u{1b}[2J",
        "订单'\"",
        "\u{202e}x",
        "a\\'b;",
    ];

    #[test]
    fn whatever_a_text_is_its_literal_means_it_and_is_one_line_of_plain_characters() {
        let archive = Connection::open_in_memory().unwrap();
        for value in HOSTILE {
            let literal = text(value);
            assert!(
                literal.bytes().all(|byte| matches!(byte, b' '..=b'~')),
                "{literal}"
            );
            let (bytes, kind): (Vec<u8>, String) = archive
                .query_row(
                    &format!("SELECT CAST({literal} AS BLOB), typeof({literal})"),
                    [],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .unwrap();
            assert_eq!(
                (bytes.as_slice(), kind.as_str()),
                (value.as_bytes(), "text")
            );
        }
    }

    #[test]
    fn a_row_is_among_the_instances_if_both_of_its_ids_are() {
        let archive = Connection::open_in_memory().unwrap();
        let key = |project: &str, instance: &str| InstanceKey {
            project_id: project.to_owned(),
            instance_id: instance.to_owned(),
        };
        let is = |condition: &str, project: &str, instance: &str| -> bool {
            let sql =
                format!("SELECT {condition} FROM (SELECT ?1 AS project_id, ?2 AS instance_id)");
            archive
                .query_row(&sql, [project, instance], |row| row.get(0))
                .unwrap()
        };
        assert!(is(&among(&[]), "p", "i"));
        for hostile in HOSTILE {
            let condition = among(&[key("p", hostile), key("q", "i")]);
            assert!(is(&condition, "p", hostile), "{condition}");
            assert!(is(&condition, "q", "i"), "{condition}");
            assert!(!is(&condition, "p", "other"), "{condition}");
        }
    }
}
