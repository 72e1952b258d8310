//! Random numbers that can be repeated with their seed.

use std::f64::consts::TAU;

/// For larger means, the normal distribution is used.
const MANY: f64 = 60.0;

/// A stream of random numbers (splitmix64).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The stream of this seed, for one of many uses.
    pub fn new(seed: u64, of: u64) -> Self {
        let mut random = Self(seed ^ of.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        random.next();
        Self(random.next() ^ of)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Evenly in (0, 1).
    pub fn unit(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// True with this probability.
    pub fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// Of the standard normal distribution.
    pub fn normal(&mut self) -> f64 {
        (-2.0 * self.unit().ln()).sqrt() * (TAU * self.unit()).cos()
    }

    /// How many of something that happens `mean` times on average.
    pub fn poisson(&mut self, mean: f64) -> u64 {
        if mean > MANY {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0) as u64;
        }
        let (mut chance, mut left, mut count) = ((-mean).exp(), self.unit(), 0);
        while left > chance && count < 10_000 {
            left -= chance;
            count += 1;
            chance *= mean / count as f64;
        }
        count
    }

    /// How many of `n` that each come with this chance.
    pub fn binomial(&mut self, n: u64, p: f64) -> u64 {
        if p > 0.5 {
            return n - self.binomial(n, 1.0 - p);
        }
        let mean = n as f64 * p;
        if mean > MANY {
            let drawn = mean + (mean * (1.0 - p)).sqrt() * self.normal();
            return (drawn.round().max(0.0) as u64).min(n);
        }
        let odds = p / (1.0 - p);
        let (mut chance, mut left, mut count) = ((n as f64 * (-p).ln_1p()).exp(), self.unit(), 0);
        while left > chance && count < n {
            left -= chance;
            chance *= odds * (n - count) as f64 / (count + 1) as f64;
            count += 1;
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_means_and_spreads_that_are_asked_for() {
        let mut random = Random::new(1, 0);
        let mut of = |draw: &mut dyn FnMut(&mut Random) -> f64| {
            let drawn: Vec<f64> = (0..20_000).map(|_| draw(&mut random)).collect();
            let mean = drawn.iter().sum::<f64>() / 20_000.0;
            (mean, drawn.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 20_000.0)
        };
        for (mean, spread, found) in [
            (0.0, 1.0, of(&mut Random::normal)),
            (2.5, 2.5, of(&mut |r| r.poisson(2.5) as f64)),
            (400.0, 400.0, of(&mut |r| r.poisson(400.0) as f64)),
            (1.5, 1.4985, of(&mut |r| r.binomial(1500, 0.001) as f64)),
            (135.0, 121.5, of(&mut |r| r.binomial(1350, 0.1) as f64)),
            (90.0, 9.0, of(&mut |r| r.binomial(100, 0.9) as f64)),
        ] {
            assert!((found.0 - mean).abs() < 0.05 * mean.max(1.0), "mean {found:?}, not {mean}");
            assert!((found.1 - spread).abs() < 0.06 * spread.max(1.0), "spread {found:?}, not {spread}");
        }
    }
}
