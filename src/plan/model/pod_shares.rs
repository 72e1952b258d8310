//! How pods are divided between primary and target for a weight. Arithmetic only.

use crate::router;

/// Pods of the primary while it serves everyone. A run keeps the number that it began with (`kept`); otherwise the
/// current one (`live`) counts, unless the primary was scaled to 0.
pub(crate) fn whole(kept: Option<i64>, live: i64, in_run: bool) -> i64 {
    let live = Some(live).filter(|live| *live > 0);
    kept.filter(|_| in_run).or(live).or(kept).unwrap_or(1).max(1)
}

/// The numbers of pods of primary and target closest to a weight, each at least one; of two equally close ones, the
/// smaller share.
pub(crate) fn parts(whole: i64, weight: i32) -> (i64, i64) {
    let target = whole.saturating_mul(i64::from(weight.clamp(0, 100))).saturating_add(49) / 100;
    let target = target.clamp(1, (whole - 1).max(1));
    ((whole - target).max(1), target)
}

/// The weight of this many pods, in percent; 0 stays 0.
pub(crate) fn possible(whole: i64, weight: i32) -> i32 {
    let (primary, target) = parts(whole, weight);
    if weight <= 0 { 0 } else { router::percent(target, primary + target) }
}

/// A number for each side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Replicas {
    pub(crate) primary: i64,
    pub(crate) target: i64,
}

/// Ready pods. EndpointSlices and the status of a workload are two counts, and either may be late.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ready {
    /// By the lower count: these can serve users.
    pub(crate) least: Replicas,
    /// By the higher count: these may have users.
    pub(crate) most: Replicas,
}

/// The next replicas to set, one step from the current ones (`asked`) to the wanted ones: never more than `most` pods
/// in total, and never fewer than `least` ready ones. One side is scaled up first, and the other is scaled down after
/// that. Pods that are not ready are removed first, because they have no users.
pub(crate) fn next(asked: Replicas, ready: Ready, want: Replicas, most: i64, least: i64) -> Replicas {
    let room = (most - asked.primary - asked.target).max(0);
    let more_target = (want.target - asked.target).clamp(0, room);
    let more_primary = (want.primary - asked.primary).clamp(0, room - more_target);
    // terminating pods no longer count
    let wanted = |of: Replicas| Replicas {
        primary: of.primary.min(asked.primary),
        target: of.target.min(asked.target),
    };
    let (sure, most_ready) = (wanted(ready.least), wanted(ready.most));
    let unready =
        Replicas { primary: asked.primary - most_ready.primary, target: asked.target - most_ready.target };
    let spare = (sure.primary + sure.target - least).max(0);
    let less_primary = (asked.primary - want.primary).clamp(0, spare + unready.primary);
    let spent = (less_primary - unready.primary).max(0);
    let less_target = (asked.target - want.target).clamp(0, spare - spent + unready.target);
    Replicas {
        primary: asked.primary + more_primary - less_primary,
        target: asked.target + more_target - less_target,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_whole_pods() {
        for (whole, weight, want) in [
            (10, 20, (8, 2)),
            (10, 80, (2, 8)),
            (10, 1, (9, 1)),
            (10, 99, (1, 9)),
            (3, 10, (2, 1)),
            (3, 50, (2, 1)),
            (2, 90, (1, 1)),
            (1, 50, (1, 1)),
        ] {
            assert_eq!(parts(whole, weight), want, "{weight} % of {whole}");
        }
        assert_eq!((possible(10, 20), possible(3, 10), possible(1, 1), possible(10, 0)), (20, 33, 50, 0));
    }

    #[test]
    fn k3_a_primary_at_zero_has_its_former_number() {
        for (kept, live, in_run, expected) in [
            (Some(10), 4, true, 10),
            (Some(10), 4, false, 4),
            (Some(10), 0, false, 10),
            (None, 0, true, 1),
            (None, 6, true, 6),
            (Some(0), 0, true, 1),
        ] {
            assert_eq!(whole(kept, live, in_run), expected, "{kept:?}, {live} in a run: {in_run}");
        }
    }

    #[test]
    fn a_share_that_can_be_had_gives_the_same_pods_again() {
        for whole in 1..300 {
            for weight in 1..100 {
                let had = possible(whole, weight);
                let (primary, target) = parts(whole, had);
                assert_eq!(router::percent(target, primary + target), had, "{weight} % of {whole}");
                assert_eq!(possible(whole, had), had);
                assert!(primary + target == whole.max(2));
            }
        }
    }

    #[test]
    fn what_rises_goes_before_what_falls() {
        let replicas = |primary, target| Replicas { primary, target };
        // of 10 pods, at most 12 and at least 8 ready
        for (asked, ready, want, expected, what) in [
            (
                replicas(10, 1),
                replicas(10, 1),
                replicas(8, 2),
                replicas(8, 2),
                "a pod more and two fewer fit at once",
            ),
            (
                replicas(10, 2),
                replicas(10, 0),
                replicas(5, 5),
                replicas(8, 2),
                "no room above 12: only spare pods fall",
            ),
            (
                replicas(8, 2),
                replicas(8, 0),
                replicas(5, 5),
                replicas(8, 4),
                "unready pods of the target carry no user",
            ),
            (
                replicas(8, 4),
                replicas(8, 4),
                replicas(5, 5),
                replicas(5, 4),
                "the target has one to come, the primary falls first",
            ),
            (replicas(5, 5), replicas(5, 5), replicas(10, 1), replicas(7, 3), "back again"),
            (replicas(6, 6), replicas(3, 6), replicas(6, 2), replicas(6, 5), "eight ready ones stay"),
            (replicas(8, 2), replicas(8, 2), replicas(8, 2), replicas(8, 2), "as wanted"),
        ] {
            assert_eq!(next(asked, known(ready), want, 12, 8), expected, "{what}");
        }
    }

    #[test]
    fn a_pod_that_one_count_shows_is_neither_spare_nor_unused() {
        let replicas = |primary, target| Replicas { primary, target };
        let ready = Ready { least: replicas(1, 1), most: replicas(2, 1) };
        let then = next(replicas(2, 1), ready, replicas(1, 2), 4, 3);
        assert_eq!(then, replicas(2, 2));
    }

    fn known(both: Replicas) -> Ready {
        Ready { least: both, most: both }
    }

    #[test]
    fn replicas_come_to_what_is_wanted_within_the_limits() {
        for (from, to) in [(1, 99), (99, 1), (20, 50), (50, 20)] {
            let of = |weight| parts(10, weight);
            let (mut asked, want) = (of(from), of(to));
            let mut steps = 0;
            while asked != want {
                let now = Replicas { primary: asked.0, target: asked.1 };
                let then = next(now, known(now), Replicas { primary: want.0, target: want.1 }, 12, 8);
                assert!(then != now && then.primary + then.target <= 12 && then.primary + then.target >= 8);
                asked = (then.primary, then.target);
                steps += 1;
                assert!(steps < 20, "{from} to {to}");
            }
        }
    }
}
