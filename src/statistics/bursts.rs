//! How many bad requests of a service come together, from its own past.

use super::{Counts, settings::Known};

/// With fewer pairs of windows the result is unknown.
const LEAST_PAIRS: usize = 30;
/// Number of windows that are also combined, for bursts that last.
const TOGETHER: usize = 4;
/// A burst is assumed to last for at most this many looks.
const LONGEST: f64 = 4.0;
/// Among this many windows the worst one does not count for the usual rate.
const OUTLIERS: usize = 50;

/// The past of a service before the run, in windows of one length, in order of time.
#[derive(Clone, Copy, Debug)]
pub enum History<'a> {
    /// Windows of all its pods together.
    Windows(&'a [Counts]),
    /// Of each of its pods, at the same place in every window.
    Pods(&'a [Vec<Counts>]),
}

/// The result of a history.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// The number of bad requests in a burst.
    pub burst: f64,
    /// The number of looks that a burst lasts.
    pub lasts: f64,
    /// The usual rate of bad requests.
    pub usual: f64,
    /// How many pairs of windows the result is based on.
    pub pairs: usize,
}

impl Measured {
    /// The knowledge from this: none, if the history is too short.
    pub fn known(&self) -> Known {
        if self.pairs < LEAST_PAIRS {
            return Known::NOTHING;
        }
        Known { burst: Some(self.burst), lasts: self.lasts, usual: Some(self.usual) }
    }
}

impl History<'_> {
    /// The result.
    pub fn measure(self) -> Measured {
        match self {
            Self::Windows(windows) => {
                let pairs = pairs(windows).count();
                let (once, together) = (successive(windows), successive(&merged(windows)));
                measured(once, together, usual(windows), pairs)
            }
            Self::Pods(pods) => {
                let whole: Vec<Counts> = pods.iter().map(|window| sum(window.iter())).collect();
                let (once, together) = (between(pods), between(&merged_pods(pods)));
                measured(once, together, usual(&whole), pairs(&whole).count())
            }
        }
    }
}

fn measured(once: f64, together: f64, usual: f64, pairs: usize) -> Measured {
    let lasts = (together / once).clamp(1.0, LONGEST);
    Measured { burst: once.max(together), lasts, usual, pairs }
}

fn sum<'a>(all: impl Iterator<Item = &'a Counts>) -> Counts {
    all.fold(Counts::default(), |mut sum, one| {
        sum.add(*one);
        sum
    })
}

fn merged(windows: &[Counts]) -> Vec<Counts> {
    windows.chunks_exact(TOGETHER).map(|some| sum(some.iter())).collect()
}

fn merged_pods(pods: &[Vec<Counts>]) -> Vec<Vec<Counts>> {
    let of = |some: &[Vec<Counts>]| {
        let most = some.iter().map(Vec::len).max().unwrap_or_default();
        (0..most).map(|pod| sum(some.iter().filter_map(|window| window.get(pod)))).collect()
    };
    pods.chunks_exact(TOGETHER).map(of).collect()
}

/// Adjacent windows that both have requests.
fn pairs(windows: &[Counts]) -> impl Iterator<Item = (f64, f64, f64, f64)> {
    windows.windows(2).filter_map(|two| {
        let (before, after) = (two.first()?, two.get(1)?);
        Some((before.rate()?, after.rate()?, before.all as f64, after.all as f64))
    })
}

/// By how much more than chance the rates of successive windows differ. A slow drift does not affect this.
fn successive(windows: &[Counts]) -> f64 {
    let (count, squares) = pairs(windows).fold((0_u32, 0.0), |(count, squares), (before, after, n, m)| {
        (count + 1, squares + (after - before).powi(2) * n * m / (n + m))
    });
    match sum(windows.iter()).rate() {
        Some(mean) if mean > 0.0 && count > 0 => (squares / f64::from(count) / mean).max(1.0),
        _ => 1.0,
    }
}

/// By how much more than chance the rates of pods differ within windows. Simultaneous changes of all pods do not affect
/// this.
fn between(pods: &[Vec<Counts>]) -> f64 {
    let (mut squares, mut expected) = (0.0, 0.0);
    for window in pods {
        let Some(mean) = sum(window.iter()).rate() else { continue };
        let served = window.iter().filter(|pod| pod.all > 0);
        let off = |pod: &Counts| (pod.bad as f64 - pod.all as f64 * mean).powi(2) / pod.all as f64;
        squares += served.clone().map(off).sum::<f64>();
        expected += (served.count() as f64 - 1.0) * mean;
    }
    if expected > 0.0 { (squares / expected).max(1.0) } else { 1.0 }
}

/// The mean of the rates without the worst windows.
fn usual(windows: &[Counts]) -> f64 {
    let mut rates: Vec<f64> = windows.iter().map(|window| window.rate().unwrap_or_default()).collect();
    rates.sort_by(f64::total_cmp);
    rates.truncate(rates.len() - rates.len().div_ceil(OUTLIERS));
    if rates.is_empty() { 0.0 } else { rates.iter().sum::<f64>() / rates.len() as f64 }
}
