//! Upper bounds of the buckets of histograms, in seconds.

/// Upper bounds that Prometheus clients use unless told otherwise; Flagger's histogram has them.
pub(super) const DEFAULT: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// A reconcile at rest takes well under a millisecond, one that asks and writes up to some seconds.
pub(super) const RECONCILE: [f64; 10] = [0.0005, 0.001, 0.005, 0.02, 0.1, 0.25, 0.5, 1.0, 5.0, 20.0];
/// Lateness of a step: timers are exact to milliseconds; a minute late is an alarm.
pub(super) const LATENESS: [f64; 8] = [0.01, 0.05, 0.2, 1.0, 5.0, 15.0, 60.0, 300.0];

/// A run lasts from seconds, where steps are few and short, to days, where people are waited for.
pub(super) const RUN: [f64; 13] =
    [10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 14_400.0, 28_800.0, 86_400.0];
