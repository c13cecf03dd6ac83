//! A small repeatable source of chance: the same seed gives the same draws on every machine and in every version.
//!
//! A seed of the simulated cloud is something people put into a bug report, so its draws must not change when a
//! dependency does; that is why this is `SplitMix64` written out and no crate.

/// The state of one stream of draws.
#[derive(Clone, Debug)]
pub(crate) struct Rng(u64);

/// The step of `SplitMix64`: 2^64 divided by the golden ratio, as its authors publish it.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

impl Rng {
    /// Opens the stream of one purpose: streams of different labels or numbers have nothing to do with each other, so
    /// that drawing more in one place moves nothing anywhere else.
    pub(crate) fn new(seed: u64, label: &str, number: u64) -> Self {
        let mut state = Self(seed);
        for byte in label.bytes() {
            state.0 ^= state.draw() ^ u64::from(byte);
        }
        state.0 ^= state.draw() ^ number.wrapping_mul(STEP);
        state
    }

    /// Draws 64 bits.
    pub(crate) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Draws a number below `end`; 0 when there is none.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        // The bias of the remainder is far below anything that a simulation could show.
        self.draw().checked_rem(end).unwrap_or(0)
    }

    /// Draws from `first` to `last`, both included.
    pub(crate) fn between(&mut self, first: i64, last: i64) -> i64 {
        let width = u64::try_from(last.saturating_sub(first)).unwrap_or(0);
        let drawn = self.below(width.saturating_add(1));
        first.saturating_add(i64::try_from(drawn).unwrap_or(i64::MAX))
    }

    /// Draws one of a list.
    pub(crate) fn pick<T: Copy, const N: usize>(&mut self, from: [T; N]) -> T {
        from[self.index(N)]
    }

    /// Draws a position in a list of that length; 0 when it is empty.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        let drawn = self.below(u64::try_from(length).unwrap_or(u64::MAX));
        usize::try_from(drawn).unwrap_or(0)
    }

    /// Says yes once in so many times.
    pub(crate) fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// Draws 32 lower-case hexadecimal digits, the form of project and user ids.
    pub(crate) fn hex_id(&mut self) -> String {
        format!("{:016x}{:016x}", self.draw(), self.draw())
    }

    /// Draws a dashed UUID of version 4, the form of instance ids.
    pub(crate) fn uuid(&mut self) -> String {
        let (high, low) = (self.draw(), self.draw());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xFFFF,
            high & 0x0FFF,
            0x8000 | ((low >> 48) & 0x3FFF),
            low & 0xFFFF_FFFF_FFFF,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_means_the_same_draws_for_ever() {
        // The first output of SplitMix64 for the state 0, as published with the algorithm.
        assert_eq!(Rng(0).draw(), 0xE220_A839_7B1D_CDAF);
        let mut one = Rng::new(1, "life", 0);
        let mut again = Rng::new(1, "life", 0);
        assert!((0..100).all(|_| one.draw() == again.draw()));
    }

    #[test]
    fn seeds_labels_and_numbers_open_different_streams() {
        let mut firsts = [
            Rng::new(1, "life", 0),
            Rng::new(2, "life", 0),
            Rng::new(1, "life", 1),
            Rng::new(1, "user", 0),
            Rng::new(0, "life", 0),
            Rng::new(0, "", 0),
        ]
        .map(|mut rng| rng.draw())
        .to_vec();
        firsts.sort_unstable();
        firsts.dedup();
        assert_eq!(firsts.len(), 6);
    }

    #[test]
    fn draws_stay_within_their_bounds_and_reach_them() {
        let mut rng = Rng::new(1, "test", 0);
        let drawn: Vec<i64> = (0..1000).map(|_| rng.between(-2, 2)).collect();
        for value in -2..=2 {
            assert!(drawn.contains(&value), "{value}");
        }
        assert!(drawn.iter().all(|value| (-2..=2).contains(value)));
        assert_eq!(rng.below(0), 0);
        assert_eq!(rng.between(5, 5), 5);
        assert_eq!(rng.between(5, 1), 5);
    }

    #[test]
    fn ids_have_the_documented_forms() {
        let mut rng = Rng::new(1, "test", 0);
        for _ in 0..100 {
            let id = rng.hex_id();
            assert_eq!(id.len(), 32, "{id}");
            let uuid = rng.uuid();
            let lengths: Vec<usize> = uuid.split('-').map(str::len).collect();
            assert_eq!(lengths, [8, 4, 4, 4, 12], "{uuid}");
            assert!(
                uuid.bytes()
                    .all(|byte| byte == b'-'
                        || byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase())
            );
        }
    }
}
