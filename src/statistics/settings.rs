//! What a comparison tolerates, and what is known of the service before it.

/// Margins that do for a minute of warm-up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wide {
    /// Margins are so many times as wide.
    Times(f64),
    /// Nothing is judged.
    NotJudged,
}

/// What a comparison tolerates. Rates are shares, not percent.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// How likely a tolerable release may be called worse in a run, all compared metrics together.
    pub alpha: f64,
    /// How many metrics share `alpha`.
    pub metrics: u32,
    /// How likely an intolerable release may be called no worse in a run.
    pub beta: f64,
    /// Worse is more than so many times the primary's rate ...
    pub ratio: f64,
    /// ... and more than this rate.
    pub floor: f64,
    /// No worse is less than so many times the primary's rate ...
    pub ratio_ok: f64,
    /// ... or less than this rate.
    pub floor_ok: f64,
    /// Seconds that one hiccup of a side lasts, which never suffices for a verdict.
    pub hiccup: f64,
    /// Seconds of requests of the canary for which it is cold.
    pub warmup: f64,
    /// What is tolerated in this time.
    pub wide: Wide,
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
        }
    }
}

impl Settings {
    /// The evidence that is asked for to call a release worse.
    pub fn wanted(&self) -> f64 {
        f64::from(self.metrics.max(1)) / self.alpha
    }

    /// The evidence that is asked for to call a release no worse.
    pub fn wanted_ok(&self) -> f64 {
        1.0 / self.beta
    }
}

/// What is known of the service before the run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Known {
    /// How many bad requests come together; none where it is not known.
    pub burst: Option<f64>,
    /// Over how many looks such a burst lasts.
    pub lasts: f64,
    /// The usual rate of bad requests of the primary; none where it is not known.
    pub usual: Option<f64>,
}

impl Known {
    /// Nothing.
    pub const NOTHING: Self = Self { burst: None, lasts: 1.0, usual: None };
}
