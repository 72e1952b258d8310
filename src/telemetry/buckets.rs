//! Upper bounds of the buckets of histograms, in seconds.

/// Default upper bounds of Prometheus clients; Flagger's histogram has them.
pub(super) const DEFAULT: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// A reconcile without changes takes well under a millisecond, one that queries and writes up to some seconds.
pub(super) const RECONCILE: [f64; 10] = [0.0005, 0.001, 0.005, 0.02, 0.1, 0.25, 0.5, 1.0, 5.0, 20.0];
/// Lateness of a step: timers are exact to milliseconds; a minute late is an alarm.
pub(super) const LATENESS: [f64; 8] = [0.01, 0.05, 0.2, 1.0, 5.0, 15.0, 60.0, 300.0];

/// A run lasts from seconds, with few and short steps, to days, if it waits for people.
pub(super) const RUN: [f64; 13] =
    [10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 14_400.0, 28_800.0, 86_400.0];
