//! The tolerance of a comparison, and the knowledge about the service before it.

/// Margins during the warm-up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wide {
    /// Margins are this many times as wide.
    Times(f64),
    /// Nothing is judged.
    NotJudged,
}

/// The tolerance of a comparison. Rates are shares, not percent.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Probability that a tolerable release is called worse in a run, for all compared metrics together.
    pub alpha: f64,
    /// How many metrics share `alpha`.
    pub metrics: u32,
    /// Probability that an intolerable release is called no worse in a run.
    pub beta: f64,
    /// Worse is more than this multiple of the primary's rate ...
    pub ratio: f64,
    /// ... and more than this rate.
    pub floor: f64,
    /// No worse is less than this multiple of the primary's rate ...
    pub ratio_ok: f64,
    /// ... or less than this rate.
    pub floor_ok: f64,
    /// Seconds that one hiccup of a side lasts, which is never enough for a verdict.
    pub hiccup: f64,
    /// Seconds of requests for which the canary is cold.
    pub warmup: f64,
    /// The tolerance in this time.
    pub wide: Wide,
    /// How many bad requests come together at most, for `no worse` and where nothing is known of it. None: nothing is
    /// assumed, and looks without bad requests prove nothing.
    pub burst_ok: Option<f64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            alpha: 0.01,
            metrics: 1,
            beta: 0.05,
            ratio: 1.5,
            floor: 0.001,
            ratio_ok: 2.0,
            floor_ok: 0.005,
            hiccup: 15.0,
            warmup: 60.0,
            wide: Wide::Times(10.0),
            burst_ok: None,
        }
    }
}

impl Settings {
    /// The evidence required to call a release worse.
    pub fn wanted(&self) -> f64 {
        f64::from(self.metrics.max(1)) / self.alpha
    }

    /// The evidence required to call a release no worse.
    pub fn wanted_ok(&self) -> f64 {
        1.0 / self.beta
    }
}

/// Knowledge about the service before the run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Known {
    /// How many bad requests come together; none if unknown.
    pub burst: Option<f64>,
    /// The number of looks that such a burst lasts.
    pub lasts: f64,
    /// The usual rate of bad requests of the primary; none if unknown.
    pub usual: Option<f64>,
}

impl Known {
    /// Nothing.
    pub const NOTHING: Self = Self { burst: None, lasts: 1.0, usual: None };
}
