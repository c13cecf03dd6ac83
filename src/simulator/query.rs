//! Which records a request asks for: its query, read as the upstream documents it, or as it seems to behave.

use percent_encoding::percent_decode_str;

use super::manners::{Filter, Manners};
use super::refusal::Refusal;
use super::world::Selection;
use crate::model::time::{SECOND, Timestamp};

/// The documented default and maximum of `limit`.
const DEFAULT_LIMIT: usize = 10;
const LARGEST_LIMIT: usize = 1000;

/// Which records are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) offset: usize,
    pub(crate) limit: usize,
    pub(crate) selection: Selection,
}

impl Query {
    /// Reads a query. Unknown parameters are passed over, as the upstream does; of a repeated one the last counts, but of
    /// the two names of the lower bound the later bound. `now` is the moment that a cloud which hides old records counts
    /// from.
    pub(crate) fn read(query: &str, manners: &Manners, now: Timestamp) -> Result<Self, Refusal> {
        let (mut offset, mut limit) = (0, DEFAULT_LIMIT);
        let mut bounds = (i64::MIN, i64::MAX);
        for (name, value) in pairs(query) {
            match name.as_str() {
                "offset" => offset = number(&value).ok_or(Refusal::Offset)?,
                "limit" => {
                    limit = number(&value)
                        .filter(|limit| (1..=LARGEST_LIMIT).contains(limit))
                        .ok_or(Refusal::Limit)?;
                }
                "start_time" if manners.filter_name.heeds("start_time") => {
                    bounds.0 = bounds
                        .0
                        .max(bound(&value, "start_time", manners)?.unwrap_or(i64::MIN));
                }
                "begin_time" if manners.filter_name.heeds("begin_time") => {
                    bounds.0 = bounds
                        .0
                        .max(bound(&value, "begin_time", manners)?.unwrap_or(i64::MIN));
                }
                "end_time" => {
                    let end = bound(&value, "end_time", manners)?;
                    // A bound names a second, and the bounds are included: so is all of that second.
                    bounds.1 = end.map_or(i64::MAX, |end| end + SECOND - 1);
                }
                _ => {}
            }
        }
        Ok(Self {
            offset,
            limit,
            selection: select(bounds, manners, now),
        })
    }
}

/// Reads a bound of time; nothing if there is none, or none that counts.
fn bound(value: &str, name: &'static str, manners: &Manners) -> Result<Option<i64>, Refusal> {
    match manners.filter {
        Filter::Ignored => Ok(None),
        _ if value.is_empty() => Ok(None),
        Filter::Refused => Err(Refusal::Time(name)),
        Filter::Created | Filter::Updated => second(value).map(Some).ok_or(Refusal::Time(name)),
    }
}

/// Makes a selection of the bounds that count.
fn select(bounds: (i64, i64), manners: &Manners, now: Timestamp) -> Selection {
    let mut selection = match manners.filter {
        Filter::Updated => Selection {
            updated: bounds,
            ..Selection::ALL
        },
        Filter::Created | Filter::Ignored | Filter::Refused => Selection {
            created: bounds,
            ..Selection::ALL
        },
    };
    if let Some(window) = manners.window.filter(|_| bounds.0 == i64::MIN) {
        selection.created.0 = now.millis().saturating_sub(window);
    }
    selection
}

/// Cuts a query into decoded names and values.
pub(super) fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    let decode = |text: &str| {
        let spaced = text.replace('+', " ");
        percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
    };
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(move |pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
}

/// Reads a number written in plain digits.
fn number(text: &str) -> Option<usize> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}

/// Reads `yyyyMMddHHmmss` as a moment in UTC.
fn second(text: &str) -> Option<i64> {
    if text.len() != 14 || !text.bytes().all(|byte| byte.is_ascii_digit()) || text.ends_with("60") {
        return None;
    }
    let (date, time) = text.split_at(8);
    let iso = format!(
        "{}-{}-{}T{}:{}:{}Z",
        &date[..4],
        &date[4..6],
        &date[6..],
        &time[..2],
        &time[2..4],
        &time[4..]
    );
    Timestamp::parse_upstream(&iso).map(Timestamp::millis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::DAY;
    use crate::simulator::manners::FilterName;

    /// 2020-06-17T00:00:00Z.
    const NOW: i64 = 1_592_352_000_000;

    fn read(query: &str, manners: Manners) -> Result<Query, Refusal> {
        Query::read(query, &manners, Timestamp::from_millis(NOW).unwrap())
    }

    #[test]
    fn queries_are_read_as_documented() {
        let all = (i64::MIN, i64::MAX);
        // 2020-06-09T16:00:00Z and 2020-06-17T15:59:59Z, the documentation's own window.
        let (begin, end) = (1_591_718_400_000, 1_592_409_599_999);
        let cases = [
            ("", 0, 10, all),
            ("limit=1000&offset=0", 0, 1000, all),
            ("offset=3", 3, 10, all),
            ("offset=3&offset=4&surprise=1&&", 4, 10, all),
            ("start_time=20200609160000", 0, 10, (begin, i64::MAX)),
            ("begin_time=20200609160000", 0, 10, (begin, i64::MAX)),
            (
                "begin_time=20200609160000&start_time=20200101000000",
                0,
                10,
                (begin, i64::MAX),
            ),
            (
                "start_time=20200609160000&end_time=20200617155959",
                0,
                10,
                (begin, end),
            ),
            ("start_time=2020060916%30000", 0, 10, (begin, i64::MAX)),
            ("start_time=&begin_time&end_time=", 0, 10, all),
        ];
        for (query, offset, limit, created) in cases {
            let expected = Query {
                offset,
                limit,
                selection: Selection {
                    created,
                    ..Selection::ALL
                },
            };
            assert_eq!(read(query, Manners::default()), Ok(expected), "{query}");
        }
    }

    #[test]
    fn what_is_out_of_range_is_refused_by_name() {
        let cases = [
            ("offset=-1", Refusal::Offset),
            ("offset=", Refusal::Offset),
            ("offset=abc", Refusal::Offset),
            ("offset=1.5", Refusal::Offset),
            ("offset=%2B1", Refusal::Offset),
            ("offset=99999999999999999999999", Refusal::Offset),
            ("limit=0", Refusal::Limit),
            ("limit=-5", Refusal::Limit),
            ("limit=1001", Refusal::Limit),
            ("limit=ten", Refusal::Limit),
            ("limit", Refusal::Limit),
            ("start_time=2020-06-09", Refusal::Time("start_time")),
            ("begin_time=20200609", Refusal::Time("begin_time")),
            ("end_time=20201309160000", Refusal::Time("end_time")),
            ("end_time=20200609160060", Refusal::Time("end_time")),
        ];
        for (query, refusal) in cases {
            assert_eq!(read(query, Manners::default()), Err(refusal), "{query}");
        }
    }

    #[test]
    fn a_bound_counts_for_as_much_as_the_manners_say() {
        let all = (i64::MIN, i64::MAX);
        let begin = (1_591_718_400_000, i64::MAX);
        let window = Some(2 * DAY);
        let recent = (NOW - 2 * DAY, i64::MAX);
        let (start, other) = ("start_time=20200609160000", "begin_time=20200609160000");
        let (by, name) = (Filter::Created, FilterName::Both);
        let cases = [
            // filter, name, window, query, created, updated
            (by, FilterName::StartTime, None, start, begin, all),
            (by, FilterName::StartTime, None, other, all, all),
            (by, FilterName::BeginTime, None, start, all, all),
            (by, FilterName::BeginTime, None, other, begin, all),
            (Filter::Updated, name, None, start, all, begin),
            (Filter::Ignored, name, None, start, all, all),
            (Filter::Ignored, name, None, "end_time=nonsense", all, all),
            (
                by,
                FilterName::StartTime,
                None,
                "begin_time=nonsense",
                all,
                all,
            ),
            (Filter::Refused, name, None, "start_time=", all, all),
            (by, name, window, "", recent, all),
            (by, name, window, start, begin, all),
            (by, FilterName::StartTime, window, other, recent, all),
            (Filter::Ignored, name, window, start, recent, all),
            (Filter::Updated, name, window, "", recent, all),
            (Filter::Updated, name, window, start, all, begin),
        ];
        for (filter, filter_name, window, query, created, updated) in cases {
            let manners = Manners {
                filter,
                filter_name,
                window,
                ..Manners::default()
            };
            let selection = read(query, manners).unwrap().selection;
            let expected = Selection { created, updated };
            assert_eq!(selection, expected, "{filter:?} {filter_name:?} {query}");
        }
    }

    #[test]
    fn a_cloud_that_refuses_bounds_names_the_one_that_it_met() {
        let manners = Manners {
            filter: Filter::Refused,
            ..Manners::default()
        };
        for name in ["start_time", "begin_time", "end_time"] {
            let query = format!("limit=5&{name}=20200609160000");
            assert_eq!(read(&query, manners), Err(Refusal::Time(name)));
        }
    }
}
