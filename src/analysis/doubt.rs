//! Reasons not to trust an answer, in words. `doubting` queries them.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

/// The least time that a server may be behind although it has values.
const LEAST_BEHIND: Duration = Duration::from_secs(60);

/// A reason not to trust the values of a check. Bad values still count as bad, unless the variant says otherwise. The
/// first variant weighs most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Doubt {
    /// Its histogram is stored only in the native form, which the check does not read.
    Native,
    /// The server is behind: its data of the primary is this old. So nothing can be concluded about the canary either.
    Behind {
        /// Age of the newest sample in seconds.
        seconds: u64,
    },
    /// There are no samples of either side any more, although there were values before: the server has lost them.
    Emptied,
    /// The newest sample of the canary is this old.
    Late {
        /// Age of the newest sample in seconds.
        seconds: u64,
    },
    /// All values are from before the run: bad ones say nothing about the revision either.
    Former,
    /// All samples are from before the step.
    Early,
    /// A counter was reset within the window.
    Reset,
}

impl Doubt {
    /// The label of a series that reports a doubt, in addition to the series with the values.
    pub const LABEL: &'static str = "serin_doubt";

    /// The doubt for this value of the label, read at `now` for a metric with this window. If the doubt has an age, its
    /// sample `value` is the time of the newest sample, in seconds since 1970; None if the sample is younger than half
    /// of the window.
    pub fn of(word: &str, value: f64, now: Timestamp, window: Duration) -> Option<Self> {
        let age = now.as_millisecond() as f64 / 1000.0 - value;
        // whole seconds are enough for people; an invalid time becomes 0
        let seconds = age as u64;
        let all = [
            Self::Native,
            Self::Behind { seconds },
            Self::Emptied,
            Self::Late { seconds },
            Self::Former,
            Self::Early,
            Self::Reset,
        ];
        let aged = |doubt: &Self| matches!(doubt, Self::Late { .. } | Self::Behind { .. });
        let found = all.into_iter().find(|doubt| doubt.word() == word);
        found.filter(|doubt| !aged(doubt) || age * 2.0 > window.as_secs_f64())
    }

    /// A server whose newest sample of the primary is older than this may have got no requests of it: it counts as behind only
    /// if there is no value either.
    pub fn longest_behind(window: Duration) -> Duration {
        LEAST_BEHIND.max(window.saturating_mul(4))
    }

    /// A series with this value of the label contains the time of the newest sample of the canary.
    pub fn is_age(word: &str) -> bool {
        word == Self::Late { seconds: 0 }.word()
    }

    fn word(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Behind { .. } => "behind",
            Self::Emptied => "emptied",
            Self::Late { .. } => "late",
            Self::Former => "former",
            Self::Early => "early",
            Self::Reset => "reset",
        }
    }

    /// In words, with the remedy where there is one.
    pub fn why(self) -> String {
        match self {
            Self::Native => {
                "its histogram is stored as a native histogram only, which the built-in check does not \
                             read: set always_scrape_classic_histograms in the scrape configuration"
                    .into()
            }
            Self::Behind { seconds } => format!(
                "the server is behind: its newest sample of the primary is {seconds} s old, more than half of the \
                 metric's interval"
            ),
            Self::Emptied => "the server has had no sample of the canary or of the primary for an hour, although there were \
                              values in this run before"
                .into(),
            Self::Late { seconds } => {
                format!("the newest sample is {seconds} s old, more than half of the metric's interval")
            }
            Self::Former => "there is no value of the run yet".into(),
            Self::Early => "there is no sample of the step yet".into(),
            Self::Reset => "a counter was reset within its window".into(),
        }
    }

    /// What to check if it has lasted for longer than the window.
    fn remedy(self) -> &'static str {
        match self {
            Self::Reset => {
                ". If no pod was restarted, two agents may write this series: deduplicate them \
                 (VictoriaMetrics: -dedup.minScrapeInterval)"
            }
            Self::Behind { .. } | Self::Late { .. } => {
                ". Give the metric a longer interval, or mend what makes samples late"
            }
            Self::Emptied => ". Look whether it still gets samples, and whether it lost its data",
            Self::Former | Self::Early => ". Let steps last longer, or mend what makes samples late",
            Self::Native => "",
        }
    }

    /// Newer samples may resolve it: it is waited for, and not reported.
    pub(crate) fn passes_by(self) -> bool {
        matches!(self, Self::Behind { .. } | Self::Emptied | Self::Late { .. } | Self::Former | Self::Early)
    }

    /// PromQL that returns a series for this doubt if `condition` returns one without labels.
    pub(super) fn asked(self, condition: &str) -> String {
        format!(r#"label_replace({condition}, "{}", "{}", "", "")"#, Self::LABEL, self.word())
    }
}

/// The text for a doubt that has lasted for longer than a window after the check was due.
pub(crate) fn lasting(doubt: Doubt) -> String {
    format!("{}{}", doubt.why(), doubt.remedy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v12_a_reset_that_lasts_names_two_agents() {
        assert!(lasting(Doubt::Reset).contains("-dedup.minScrapeInterval"));
        assert!(!Doubt::Reset.why().contains("dedup"));
        assert!(lasting(Doubt::Late { seconds: 31 }).contains("31 s old"));
    }
}
