//! PURE. How often each version answers: counts, shares, and confidence intervals of the true share.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use serin::expression::Path;

/// The z-value for 95 %: one of 20 intervals does not contain the true share.
const Z: f64 = 1.959_964;
/// Maximum length of a version name.
const LONGEST: usize = 60;
/// Maximum number of versions to distinguish.
const MOST: usize = 50;

/// How an answer tells of its version.
#[derive(Clone, Debug)]
pub enum By {
    /// By the first line of its body.
    Body,
    /// By a header.
    Header(String),
    /// By a value within a body of JSON.
    Json(String),
}

impl By {
    /// Parses `body`, `header:NAME` or `json:PATH`.
    ///
    /// # Errors
    /// It is none of these.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "body" => Ok(Self::Body),
            Some(("header", name)) if !name.is_empty() => Ok(Self::Header(name.to_owned())),
            Some(("json", path)) => match Path::parse(path) {
                Ok(_) => Ok(Self::Json(path.to_owned())),
                Err(why) => Err(format!("{path:?} cannot be followed: {why}")),
            },
            _ => Err(format!("{text:?} is none of body, header:NAME and json:PATH")),
        }
    }

    /// The version of an answer.
    pub fn version(&self, header: impl Fn(&str) -> Option<String>, body: &str) -> String {
        let found = match self {
            Self::Body => {
                body.lines().find(|line| !line.trim().is_empty()).map(|line| line.trim().to_owned())
            }
            Self::Header(name) => header(name),
            Self::Json(path) => serde_json::from_str::<Value>(body).ok().and_then(|value| {
                let found = Path::parse(path).ok()?.find(&value).ok()?;
                found.first().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            }),
        };
        let name = found.filter(|name| !name.is_empty()).unwrap_or_else(|| "(not said)".into());
        crate::text::cut(&crate::text::clean(&name), LONGEST, "…")
    }
}

/// Answers of one version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    all: u64,
    failed: u64,
}

/// All answers so far.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    versions: BTreeMap<String, Count>,
    unanswered: BTreeMap<String, u64>,
}

/// A version and its share.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Share {
    /// The version.
    pub version: String,
    /// Its answers.
    pub answers: u64,
    /// Those of them that were errors, by their status.
    pub failed: u64,
    /// Percent of all answers.
    pub percent: f64,
    /// The true share is at least this, with 95 %.
    pub low: f64,
    /// And at most this.
    pub high: f64,
}

impl Tally {
    /// Counts an answer.
    pub fn answer(&mut self, version: String, failed: bool) {
        let full = self.versions.len() >= MOST && !self.versions.contains_key(&version);
        let count = self.versions.entry(if full { "(others)".into() } else { version }).or_default();
        count.all += 1;
        count.failed += u64::from(failed);
    }

    /// Counts a request without an answer.
    pub fn none(&mut self, why: &str) {
        *self.unanswered.entry(why.to_owned()).or_default() += 1;
    }

    /// Requests without an answer, by reason.
    pub fn unanswered(&self) -> &BTreeMap<String, u64> {
        &self.unanswered
    }

    /// Shares, the largest first.
    pub fn shares(&self) -> Vec<Share> {
        let all: u64 = self.versions.values().map(|count| count.all).sum();
        let one = |(version, count): (&String, &Count)| {
            let (low, high) = interval(count.all, all);
            Share {
                version: version.clone(),
                answers: count.all,
                failed: count.failed,
                percent: 100.0 * count.all as f64 / all.max(1) as f64,
                low,
                high,
            }
        };
        let mut shares: Vec<Share> = self.versions.iter().map(one).collect();
        shares.sort_by(|a, b| b.answers.cmp(&a.answers).then_with(|| a.version.cmp(&b.version)));
        shares
    }

    /// The share of a version. Zero if the version has not answered.
    pub fn share(&self, version: &str) -> Share {
        let all: u64 = self.versions.values().map(|count| count.all).sum();
        let (low, high) = interval(0, all);
        let none = Share { version: version.to_owned(), answers: 0, failed: 0, percent: 0.0, low, high };
        self.shares().into_iter().find(|share| share.version == version).unwrap_or(none)
    }
}

/// Wilson's interval for a share, in percent.
fn interval(count: u64, all: u64) -> (f64, f64) {
    if all == 0 {
        return (0.0, 100.0);
    }
    let (n, p) = (all as f64, count as f64 / all as f64);
    let middle = p + Z * Z / (2.0 * n);
    let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    let whole = 1.0 + Z * Z / n;
    let percent = |share: f64| 100.0 * share.clamp(0.0, 1.0);
    (percent((middle - half) / whole), percent((middle + half) / whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_wilsons() {
        // computed with R: binom::binom.wilson(c(0, 50, 250, 1000), c(1000, 1000, 1000, 1000))
        for (count, low, high) in
            [(0, 0.0, 0.3827), (50, 3.8132, 6.5309), (250, 22.4165, 27.7760), (1000, 99.6173, 100.0)]
        {
            let found = interval(count, 1000);
            assert!((found.0 - low).abs() < 2e-3 && (found.1 - high).abs() < 2e-3, "{count}: {found:?}");
        }
        assert_eq!(interval(0, 0), (0.0, 100.0));
    }

    #[test]
    fn answers_are_counted_by_version() {
        let mut tally = Tally::default();
        for i in 0..100 {
            tally.answer(if i % 4 == 0 { "v2".into() } else { "v1".into() }, i % 8 == 0);
        }
        tally.none("connection refused");
        let shares = tally.shares();
        assert_eq!(
            shares.iter().map(|s| (s.version.as_str(), s.answers, s.failed)).collect::<Vec<_>>(),
            [("v1", 75, 0), ("v2", 25, 13)]
        );
        assert!(tally.share("v2").low < 25.0 && tally.share("v2").high > 25.0);
        assert_eq!(tally.share("v3").answers, 0);
        assert_eq!(tally.unanswered().get("connection refused"), Some(&1));
        for i in 0..500 {
            tally.answer(format!("pod-{i}"), false);
        }
        assert!(tally.shares().len() <= MOST + 1);
    }

    #[test]
    fn the_version_is_where_it_is_said_to_be() {
        let header = |name: &str| (name == "x-version").then(|| "v2".to_owned());
        let version = |by: &str, body: &str| By::parse(by).unwrap().version(header, body);
        assert_eq!(version("body", "\n  v1 \nmore"), "v1");
        assert_eq!(version("header:x-version", ""), "v2");
        assert_eq!(version("json:$.app.version", r#"{"app": {"version": 3}}"#), "3");
        assert_eq!(version("json:{.role}", r#"{"role": "canary"}"#), "canary");
        assert_eq!(
            (version("header:other", "x"), version("body", "")),
            ("(not said)".into(), "(not said)".into())
        );
        for wrong in ["header:", "cookie:x", "json:$[", "head"] {
            By::parse(wrong).unwrap_err();
        }
    }
}
