//! How pods are divided between primary and target to make a weight. Arithmetic only.

use crate::router;

/// Pods of primary and target that come nearest to a weight, each at least one; of two that are as near, the smaller share.
pub(crate) fn parts(whole: i64, weight: i32) -> (i64, i64) {
    let target = whole.saturating_mul(i64::from(weight.clamp(0, 100))).saturating_add(49) / 100;
    let target = target.clamp(1, (whole - 1).max(1));
    ((whole - target).max(1), target)
}

/// The weight that so many pods make, in percent; 0 stays 0.
pub(crate) fn possible(whole: i64, weight: i32) -> i32 {
    let (primary, target) = parts(whole, weight);
    if weight <= 0 { 0 } else { router::percent(target, primary + target) }
}
