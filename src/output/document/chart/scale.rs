//! Round numbers, and how many labels there is room for.

/// Lines of a grid, at most: more of them are looked at instead of the columns.
const MOST_LINES: u128 = 4;

/// Returns the values of the lines of a grid, from the lowest above nothing to the highest, which no value exceeds: whole
/// multiples of 1, 2 or 5 times a power of ten.
pub(super) fn lines(most: u128) -> Vec<u128> {
    let mut power = 1;
    let step = loop {
        let round = [1, 2, 5].map(|digit| digit * power);
        if let Some(step) = round
            .into_iter()
            .find(|step| most.div_ceil(*step) <= MOST_LINES)
        {
            break step;
        }
        power *= 10;
    };
    (1..=most.div_ceil(step)).map(|line| line * step).collect()
}

/// Returns how many labels there are from one shown to the next, on a wide screen and on a narrow one, so that no more than
/// `wide` or `narrow` are shown; what the narrow one shows, the wide one does.
pub(super) fn thinned(count: usize, wide: usize, narrow: usize) -> (usize, usize) {
    let step = count.div_ceil(wide).max(1);
    let shown = count.div_ceil(step);
    (step, step * shown.div_ceil(narrow).max(1))
}
