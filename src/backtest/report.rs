//! What a backtest found, as a table and as data.

use std::fmt::{self, Write as _};

use serde::Serialize;

/// What a backtest found. Durations are seconds, shares are percent.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Name of the Canary.
    pub canary: String,
    /// Its namespace.
    pub namespace: String,
    /// How much of the past was read.
    pub over: f64,
    /// What was there.
    pub past: Service,
    /// Releases that changed nothing, by the analysis as it is configured.
    pub as_configured: Rule,
    /// The same by the thresholds alone, where the analysis compares as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thresholds_alone: Option<Rule>,
    /// At most so many of these may be rolled back.
    pub stated: f64,
    /// Replays that tell something by themselves.
    pub independent: usize,
    /// Where the rate of false alarms is, with a confidence of 95 %.
    pub interval: (f64, f64),
    /// What is stated lies within that, or above it.
    pub within: bool,
    /// Releases that were worse.
    pub worse: Vec<Worse>,
    /// Metrics that were not played, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_played: Vec<String>,
    /// Changes that would have kept to what is stated.
    pub suggestions: Vec<Suggestion>,
    /// What the figures cannot show.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What was there.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// Pods at once; none where counters do not tell them, and requests were dealt out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pods: Option<usize>,
    /// Requests a second; none where they were not counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<f64>,
    /// Of which so many failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing: Option<f64>,
    /// Failures that came together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burst: Option<f64>,
    /// Most failures of a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub largest: Option<u64>,
}

/// What a rule did with releases that changed nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// Replays.
    pub replays: usize,
    /// Rolled back.
    pub rolled_back: f64,
    /// By which metric.
    pub by: Vec<(String, f64)>,
    /// Neither rolled back nor promoted in the time that was followed.
    pub undecided: f64,
    /// When half of those that were promoted were; none where none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promoted_after: Option<f64>,
}

/// What became of releases that were worse from their first request on.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Worse {
    /// So many times as many failures.
    pub times: f64,
    /// Which is this share of the requests.
    pub failing: f64,
    /// Replays.
    pub replays: usize,
    /// So many were rolled back.
    pub found: f64,
    /// When half of them were; none where fewer were found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<f64>,
}

/// A change, and what it would have come to.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Suggestion {
    /// What to write.
    pub change: String,
    /// What is there now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub present: Option<String>,
    /// Releases that changed nothing and were rolled back by it.
    pub rolled_back: f64,
}

/// With two digits that count.
fn share(percent: f64) -> String {
    let places = if percent <= 0.0 || percent >= 10.0 { 0 } else { (1.0 - percent.log10().floor()) as usize };
    let text = format!("{percent:.places$}");
    let text =
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text };
    format!("{text} %")
}

fn time(seconds: f64) -> String {
    let all = seconds.round() as u64;
    let parts = [(all / 86400, "d"), (all / 3600 % 24, "h"), (all / 60 % 60, "m"), (all % 60, "s")];
    let text: Vec<String> =
        parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    if text.is_empty() { "0s".into() } else { text.concat() }
}

fn or_dash(seconds: Option<f64>) -> String {
    seconds.map_or_else(|| "-".into(), time)
}

impl Report {
    /// What it comes to, as a sentence.
    pub fn verdict(&self) -> String {
        let stated = share(self.stated);
        if self.within {
            return format!("False alarms are within what is stated ({stated}).");
        }
        let by =
            self.as_configured.by.first().map(|(name, _)| format!(", most by {name}")).unwrap_or_default();
        format!(
            "False alarms are above what is stated ({stated}): at least {} of releases that change nothing are rolled back{by}.",
            share(self.interval.0)
        )
    }

    fn head(&self) -> String {
        let Service { pods, requests, failing, .. } = &self.past;
        let mut facts = Vec::new();
        facts.extend(pods.map(|pods| format!("{pods} pods")));
        facts.extend(requests.map(|requests| format!("{requests:.1} requests/s")));
        facts.extend(failing.map(|failing| format!("{} fail", share(failing))));
        let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join(", ")) };
        let (name, namespace) = (&self.canary, &self.namespace);
        format!(
            "{name} in {namespace}: {} replays on {} of its primary{facts}\n",
            self.as_configured.replays,
            time(self.over)
        )
    }

    fn rules(&self, f: &mut String) -> fmt::Result {
        writeln!(f, "\n{:<28}{:<14}{:<10}{:<12}promoted after", "", "rolled back", "stated", "undecided")?;
        let rules = [
            ("as configured", Some(&self.as_configured)),
            ("thresholds alone", self.thresholds_alone.as_ref()),
        ];
        for (name, rule) in rules.into_iter().filter_map(|(name, rule)| Some((name, rule?))) {
            let stated = if name == "as configured" { share(self.stated) } else { "-".into() };
            writeln!(
                f,
                "{name:<28}{:<14}{stated:<10}{:<12}{}",
                share(rule.rolled_back),
                share(rule.undecided),
                or_dash(rule.promoted_after)
            )?;
            for (metric, rate) in &rule.by {
                writeln!(f, "  by {metric:<23}{}", share(*rate))?;
            }
        }
        let (low, high) = self.interval;
        writeln!(
            f,
            "95 % interval of the first: {} to {} ({} independent replays)",
            share(low),
            share(high),
            self.independent
        )
    }

    fn releases(&self, f: &mut String) -> fmt::Result {
        if self.worse.is_empty() {
            return Ok(());
        }
        writeln!(f, "\n{:<28}{:<14}{:<10}found after", "a release fails", "of requests", "found")?;
        for worse in &self.worse {
            let times = format!("{} times as often", worse.times);
            writeln!(
                f,
                "{times:<28}{:<14}{:<10}{}",
                share(worse.failing),
                share(worse.found),
                or_dash(worse.after)
            )?;
        }
        Ok(())
    }

    fn said(&self, f: &mut String) -> fmt::Result {
        writeln!(f, "\n{}", self.verdict())?;
        if !self.suggestions.is_empty() {
            writeln!(f, "\nWithin what is stated would have been:")?;
        }
        for Suggestion { change, present, rolled_back } in &self.suggestions {
            let now = present.as_ref().map(|now| format!(", now {now}")).unwrap_or_default();
            writeln!(f, "  {change} ({} false alarms{now})", share(*rolled_back))?;
        }
        if let (Some(burst), Some(largest)) = (self.past.burst, self.past.largest) {
            writeln!(f, "Failures come {burst:.1} at a time; most in a minute: {largest}")?;
        }
        for text in self.not_played.iter().map(|why| format!("not played: {why}")).chain(self.notes.clone()) {
            writeln!(f, "Note: {text}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.head();
        self.rules(&mut text)?;
        self.releases(&mut text)?;
        self.said(&mut text)?;
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_times_are_written_as_people_do() {
        for (percent, text) in
            [(0.0, "0 %"), (0.0512, "0.051 %"), (0.5, "0.5 %"), (3.84, "3.8 %"), (99.6, "100 %")]
        {
            assert_eq!(share(percent), text);
        }
        for (seconds, text) in [(0.0, "0s"), (370.0, "6m10s"), (604_800.0, "7d"), (3_600.0, "1h")] {
            assert_eq!(time(seconds), text);
        }
    }
}
