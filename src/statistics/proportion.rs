//! How well a share is known by so many trials.

use super::numbers::ln_gamma;

/// Halvings until an end of the interval is known.
const HALVINGS: u32 = 60;

/// The interval of Clopper and Pearson: where the share may be of which `hits` of `trials` are a sample, and is not with a
/// probability of at most `wrong`.
pub fn share_interval(hits: u64, trials: u64, wrong: f64) -> (f64, f64) {
    if trials == 0 {
        return (0.0, 1.0);
    }
    let hits = hits.min(trials);
    let low = match hits {
        0 => 0.0,
        _ => place(|share| 1.0 - at_most(hits - 1, trials, share) >= wrong / 2.0),
    };
    let high = if hits == trials { 1.0 } else { place(|share| at_most(hits, trials, share) <= wrong / 2.0) };
    (low, high)
}

/// The least share of which this is true, where it is of all larger ones.
fn place(is: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if is(middle) { high = middle } else { low = middle }
    }
    high
}

/// How likely so many or fewer of `trials` are hits.
fn at_most(hits: u64, trials: u64, share: f64) -> f64 {
    if share <= 0.0 {
        return 1.0;
    }
    if share >= 1.0 {
        return if hits >= trials { 1.0 } else { 0.0 };
    }
    let n = trials as f64;
    let one = |k: u64| {
        let k = k as f64;
        let ways = ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0);
        (ways + k * share.ln() + (n - k) * (-share).ln_1p()).exp()
    };
    (0..=hits).map(one).sum::<f64>().min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of published tables.
    #[test]
    fn the_interval_is_that_of_tables() {
        for (hits, trials, low, high) in [
            (0, 10, 0.0, 0.308_5),
            (1, 10, 0.002_5, 0.445_0),
            (5, 10, 0.187_1, 0.812_9),
            (10, 10, 0.691_5, 1.0),
            (2, 338, 0.000_7, 0.021_2),
        ] {
            let found = share_interval(hits, trials, 0.05);
            assert!(
                (found.0 - low).abs() < 1e-4 && (found.1 - high).abs() < 1e-4,
                "{hits} of {trials}: {found:?}"
            );
        }
        assert_eq!(share_interval(0, 0, 0.05), (0.0, 1.0));
    }
}
