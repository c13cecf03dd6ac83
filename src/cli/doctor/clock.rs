//! This machine's clock against the server's: how far apart they are, and what that means. Pure.

use crate::model::time::{MINUTE, SECOND, Timestamp};
use crate::output::phrase;

/// A difference that is worth a word: well before signed requests are refused.
const APART: i64 = 5 * MINUTE;

/// Where the cloud refuses signed requests, by its documentation.
const REFUSED: i64 = 15 * MINUTE;

/// What a `Date` header cannot tell: it has whole seconds, and both ends of a second look the same.
const UNTOLD: i64 = 2 * SECOND;

/// Says how far the clocks differ, and what follows; `latency` is in milliseconds, and part of any difference.
pub(super) fn judge(
    ours: Timestamp,
    theirs: Option<Timestamp>,
    latency: i64,
) -> (String, &'static str) {
    let Some(theirs) = theirs else {
        return (
            "cannot be told".to_owned(),
            "the server sends no Date; its times are not checked against this clock",
        );
    };
    let distance = ours.distance(theirs);
    if distance <= UNTOLD.saturating_add(latency) {
        return ("none".to_owned(), "");
    }
    let way = if ours > theirs { "ahead" } else { "behind" };
    let difference = format!("this machine is {} {way}", phrase::duration(distance));
    let note = if distance >= REFUSED {
        "WRONG CLOCK: signed requests are refused from 15 minutes on; set this machine's clock"
    } else if distance > APART {
        "WRONG CLOCK: more than 5 minutes; from 15 minutes on signed requests are refused"
    } else {
        "no harm below 5 minutes"
    };
    (difference, note)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_told_with_what_follows_from_it() {
        let theirs = Timestamp::from_millis(1_790_000_000_000).unwrap();
        let cases = [
            (0, 0, "none", ""),
            (-2_000, 0, "none", ""),
            (4_000, 2_500, "none", ""),
            (4_000, 0, "this machine is 4.0s ahead", "no harm"),
            (-5 * MINUTE, 0, "this machine is 5m00s behind", "no harm"),
            (
                -5 * MINUTE - 1,
                0,
                "this machine is 5m00s behind",
                "more than 5 minutes",
            ),
            (
                15 * MINUTE,
                0,
                "this machine is 15m00s ahead",
                "set this machine's clock",
            ),
        ];
        for (ahead, latency, difference, said) in cases {
            let (told, note) = judge(theirs.plus(ahead), Some(theirs), latency);
            assert_eq!(told, difference, "{ahead}");
            assert!(note.contains(said), "{ahead}: {note}");
        }
        assert_eq!(judge(theirs, None, 0).0, "cannot be told");
    }
}
