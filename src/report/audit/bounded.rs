//! A list that keeps its first so many entries, in order, and counts all of them. What comes in may come in any order: a
//! report over a million tasks holds no more of them than it shows.

use std::collections::BTreeMap;

/// The first entries by their keys, and how many there were.
#[derive(Clone, Debug)]
pub(crate) struct Bounded<K, T> {
    most: usize,
    kept: BTreeMap<K, T>,
    total: u64,
}

impl<K: Ord, T> Bounded<K, T> {
    /// A list that keeps at most so many.
    pub(crate) const fn new(most: usize) -> Self {
        Self {
            most,
            kept: BTreeMap::new(),
            total: 0,
        }
    }

    /// Takes an entry, which is made only if it is kept. Keys must differ: of two equal ones the first stays.
    pub(crate) fn add(&mut self, key: K, entry: impl FnOnce() -> T) {
        self.total += 1;
        let is_full = self.kept.len() >= self.most;
        let is_behind = self
            .kept
            .last_key_value()
            .is_none_or(|(last, _)| *last <= key);
        if is_full && is_behind {
            return;
        }
        self.kept.entry(key).or_insert_with(entry);
        if self.kept.len() > self.most {
            self.kept.pop_last();
        }
    }

    /// How many there were, kept or not.
    pub(crate) const fn total(&self) -> u64 {
        self.total
    }

    /// Those that were kept, in order.
    pub(crate) fn kept(&self) -> impl Iterator<Item = &T> {
        self.kept.values()
    }

    pub(crate) fn kept_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.kept.values_mut()
    }
}

/// Returns how many entries each of several lists may have, so that all together have at most `most` and short lists are
/// whole: what these leave is shared among the longer ones. Each may have one at least.
pub(crate) fn fair_share(lengths: &[u64], most: u64) -> u64 {
    let mut sorted = lengths.to_vec();
    sorted.sort_unstable();
    let mut left = most;
    for (place, length) in sorted.iter().enumerate() {
        let lists = (sorted.len() - place) as u64;
        let share = left / lists;
        if *length > share {
            return share.max(1);
        }
        left -= length;
    }
    u64::MAX
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn short_lists_are_whole_and_leave_their_rest_to_the_longer_ones() {
        let cases: [(&[u64], u64, u64); 8] = [
            (&[], 10, u64::MAX),
            (&[3, 4], 10, u64::MAX),
            (&[5, 5], 10, u64::MAX),
            (&[20], 10, 10),
            (&[20, 20], 10, 5),
            (&[20, 2], 10, 8),
            (&[2, 20, 4, 20], 20, 7),
            (&[5, 5, 5], 2, 1),
        ];
        for (lengths, most, expected) in cases {
            assert_eq!(fair_share(lengths, most), expected, "{lengths:?} {most}");
        }
    }

    proptest! {
        /// Against the obvious: all of them, sorted, cut.
        #[test]
        fn it_keeps_the_first_in_order(keys in prop::collection::btree_set(0_u32..1_000, 0..40), most in 0_usize..20, turn in 0_usize..40) {
            let mut given: Vec<_> = keys.iter().copied().collect();
            let turn = if given.is_empty() { 0 } else { turn % given.len() };
            given.rotate_left(turn);
            let mut bounded = Bounded::new(most);
            for key in &given {
                bounded.add(*key, || *key);
            }
            let expected: Vec<_> = keys.iter().copied().take(most).collect();
            prop_assert_eq!(bounded.kept().copied().collect::<Vec<_>>(), expected);
            prop_assert_eq!(bounded.total(), given.len() as u64);
        }

        #[test]
        fn shares_never_exceed_the_whole(lengths in prop::collection::vec(0_u64..100, 0..20), most in 20_u64..500) {
            let share = fair_share(&lengths, most);
            let sum: u64 = lengths.iter().map(|length| share.min(*length)).sum();
            prop_assert!(sum <= most);
            let is_all = lengths.iter().all(|length| *length <= share);
            prop_assert!(is_all || sum + (lengths.len() as u64) > most, "{} of {} for {}", sum, most, share);
        }
    }
}
