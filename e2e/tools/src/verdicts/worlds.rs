//! The worlds for simulated releases.

use super::{
    groups::Groups::{self, Fixed, Geometric, Heavy, Single},
    world::{
        Oddity::{self, Cold, HalfDead, Incident, Missing, None, StuckClient, Uneven, Wanders},
        World,
    },
};

const fn world(name: &'static str, requests: f64, rate: f64, groups: Groups, oddity: Oddity) -> World {
    World { name, requests, rate, groups, oddity, outside: false }
}

const fn outside(name: &'static str, requests: f64, rate: f64, oddity: Oddity) -> World {
    World { name, requests, rate, groups: Single, oddity, outside: true }
}

/// All worlds. By default, 0.1 % of 100 requests per second fail.
pub(super) const WORLDS: &[World] = &[
    world("independent, 0.1 %", 100.0, 0.001, Single, None),
    world("independent, 0.5 %", 100.0, 0.005, Single, None),
    world("independent, 2 %, 1000 rps", 1000.0, 0.02, Single, None),
    world("independent, 0.5 %, 2 rps", 2.0, 0.005, Single, None),
    world("independent, 1 %, 10 a minute", 1.0 / 6.0, 0.01, Single, None),
    world("bursts of 5", 100.0, 0.001, Fixed(5.0), None),
    world("bursts of 20", 100.0, 0.001, Fixed(20.0), None),
    world("bursts, geometric, mean 20", 100.0, 0.001, Geometric(20.0), None),
    world("bursts, heavy tail, mean 20", 100.0, 0.001, Heavy(20.0), None),
    world("the same, 0.5 %", 100.0, 0.005, Heavy(20.0), None),
    world("the same, 0.1 %, 1000 rps", 1000.0, 0.001, Heavy(20.0), None),
    world("each failure retried twice", 100.0, 0.003, Fixed(3.0), None),
    world(
        "a pod half dead for 30 s, every 36 min",
        100.0,
        0.001,
        Single,
        HalfDead { lasts: 30.0, every: 2160.0 },
    ),
    world("the same, every 6 min", 100.0, 0.001, Single, HalfDead { lasts: 30.0, every: 360.0 }),
    world(
        "a pod half dead for 2 min, every 36 min",
        100.0,
        0.001,
        Single,
        HalfDead { lasts: 120.0, every: 2160.0 },
    ),
    world(
        "a bad client stuck to one side, every 10 min",
        100.0,
        0.001,
        Single,
        StuckClient { requests: 200.0, every: 600.0 },
    ),
    world("rate wanders (sd 1), both sides", 100.0, 0.001, Single, Wanders { spread: 1.0, together: true }),
    world("rate wanders (sd 0.5), each side", 100.0, 0.001, Single, Wanders { spread: 0.5, together: false }),
    world("the same, 1000 rps", 1000.0, 0.001, Single, Wanders { spread: 0.5, together: false }),
    world("rate wanders (sd 1), each side", 100.0, 0.001, Single, Wanders { spread: 1.0, together: false }),
    world("shared incident, 5 %, 6 min", 100.0, 0.001, Single, Incident { rate: 0.05, groups: Single }),
    world("the same, clumped", 100.0, 0.001, Single, Incident { rate: 0.05, groups: Geometric(10.0) }),
    world(
        "shared incident, 30 %, clumped",
        100.0,
        0.001,
        Single,
        Incident { rate: 0.3, groups: Geometric(20.0) },
    ),
    world("cold canary: 5 times for a minute", 100.0, 0.001, Single, Cold(5.0)),
    world("uneven pods (sd 0.3), 1 %", 100.0, 0.01, Single, Uneven(0.3)),
    world("uneven pods (sd 0.3), 1 %, 1000 rps", 1000.0, 0.01, Single, Uneven(0.3)),
    world("one scrape in ten missing", 100.0, 0.001, Single, Missing),
    outside(
        "shared incident in groups of 50",
        100.0,
        0.001,
        Incident { rate: 0.05, groups: Geometric(50.0) },
    ),
    outside(
        "shared incident in groups of hundreds",
        100.0,
        0.001,
        Incident { rate: 0.05, groups: Heavy(60.0) },
    ),
    outside("uneven pods (sd 0.5), 1 %: one bad node", 100.0, 0.01, Uneven(0.5)),
    outside("uneven pods (sd 0.8), 1 %: one bad node", 100.0, 0.01, Uneven(0.8)),
];

/// A canary that harms its primary, by the fraction of its own rate at which the primary fails.
pub(super) const DRAGS: &[World] = &[
    world("primary untouched", 100.0, 0.001, Single, Oddity::Dragged(0.0)),
    world("primary at a tenth", 100.0, 0.001, Single, Oddity::Dragged(0.1)),
    world("primary at three tenths", 100.0, 0.001, Single, Oddity::Dragged(0.3)),
    world("primary at six tenths", 100.0, 0.001, Single, Oddity::Dragged(0.6)),
    world("primary fails as often", 100.0, 0.001, Single, Oddity::Dragged(1.0)),
];
