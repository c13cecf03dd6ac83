//! Which tasks a walk has seen: a set of integers that stays small when the integers lie together.
//!
//! The keys of an instance's tasks are handed out in runs, so a bit each in blocks of 65,536 costs a byte for eight tasks
//! where a hash set costs some sixteen for one.

use std::collections::HashMap;

const BLOCK_BITS: i64 = 65_536;

/// A set of task keys.
#[derive(Debug, Default)]
pub(crate) struct SeenTasks {
    blocks: HashMap<i64, Box<[u64]>>,
    count: u64,
}

impl SeenTasks {
    /// Adds a key and says whether it was new.
    pub(crate) fn insert(&mut self, key: i64) -> bool {
        let (block, word, bit) = place(key);
        let words = self.blocks.entry(block).or_insert_with(|| {
            vec![0; usize::try_from(BLOCK_BITS / 64).unwrap_or(0)].into_boxed_slice()
        });
        let new = words[word] & bit == 0;
        words[word] |= bit;
        self.count += u64::from(new);
        new
    }

    pub(crate) fn len(&self) -> u64 {
        self.count
    }

    pub(crate) fn contains(&self, key: i64) -> bool {
        let (block, word, bit) = place(key);
        self.blocks
            .get(&block)
            .is_some_and(|words| words[word] & bit != 0)
    }
}

fn place(key: i64) -> (i64, usize, u64) {
    let within = key.rem_euclid(BLOCK_BITS);
    (
        key.div_euclid(BLOCK_BITS),
        usize::try_from(within / 64).unwrap_or(0),
        1 << (within % 64),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn it_holds_what_a_hash_set_holds() {
        let mut seen = SeenTasks::default();
        let mut model = HashSet::new();
        for step in 0..5_000_i64 {
            let key = (step * 7_919) % 200_000 + if step % 3 == 0 { 1 << 40 } else { 0 };
            assert_eq!(seen.insert(key), model.insert(key));
        }
        for key in (0..200_000).chain([1 << 40, (1 << 40) + 1, i64::MAX]) {
            assert_eq!(seen.contains(key), model.contains(&key), "{key}");
        }
    }
}
