//! The result of a run's looks so far, and the update by one more. All growing numbers are kept as logarithms.

use super::{
    Counts, Look,
    numbers::{ln_add, ln_sum},
    settings::{Known, Settings, Wide},
};

/// How many times as often as tolerated: the alternatives that are bet on for `worse`.
pub(super) const WORSE: [f64; 6] = [2.0, 4.0, 8.0, 16.0, 64.0, 256.0];
/// The same for `no worse`.
pub(super) const BETTER: [f64; 4] = [0.75, 0.5, 0.25, 0.1];

/// The share that is bet at the beginning, and once more after the warm-up.
const FIRST: f64 = 0.5;
/// Seconds over which the rest is bet gradually, on a release that breaks later.
const SPREAD: f64 = 300.0;
/// The primary is in trouble at this multiple of its usual rate.
const TROUBLE: f64 = 3.0;
/// Trouble lasts for this long after the last such look, in seconds.
const CALMS: f64 = 60.0;
/// Fewer bad requests than these never make a release worse.
const LEAST_BAD: u64 = 3;

/// The result of a run's looks.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// Knowledge about the service before the run.
    pub known: Known,
    /// The rest that has not been bet yet.
    pub(super) cash: f64,
    /// Seconds covered.
    pub(super) time: f64,
    /// Seconds covered since the canary had requests.
    pub(super) seen: f64,
    /// Seconds since the primary was in trouble.
    pub(super) since: f64,
    /// Bets on the canary's share of the bad requests.
    pub(super) relative: [f64; 6],
    /// Bets on the canary's own rate.
    pub(super) absolute: [f64; 6],
    pub(super) ok_relative: [f64; 4],
    pub(super) ok_absolute: [f64; 4],
    /// Counts from all looks.
    pub(super) canary: Counts,
    pub(super) primary: Counts,
    /// From looks in which the primary was not in trouble.
    pub(super) calm_canary: Counts,
    pub(super) calm_primary: Counts,
    /// The most bad requests of a side in a look.
    pub(super) top: u64,
    /// The highest value that was ever reached for `worse`.
    pub(super) peak: f64,
}

/// The conclusion from a run's evidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finding {
    /// The canary is worse than tolerated.
    pub worse: bool,
    /// It is no worse. Never both.
    pub no_worse: bool,
    /// The primary itself is in trouble.
    pub trouble: bool,
    /// The canary is still warming up.
    pub warm: bool,
    /// For `worse`, the evidence from the share and from the rate, and the lesser of them. Logarithms.
    pub relative: f64,
    /// See `relative`.
    pub absolute: f64,
    /// The evidence for `worse`, as a logarithm.
    pub evidence: f64,
    /// The evidence for `no worse`, as a logarithm.
    pub evidence_ok: f64,
}

/// How bad requests that come together count in a look.
#[derive(Clone, Copy)]
struct Grouping {
    /// Their size.
    size: f64,
    /// The number of looks that they last.
    lasts: f64,
}

impl Evidence {
    /// Before the first look.
    pub fn new(known: Known) -> Self {
        Self {
            known,
            cash: 1.0,
            time: 0.0,
            seen: 0.0,
            since: f64::INFINITY,
            relative: [f64::NEG_INFINITY; 6],
            absolute: [f64::NEG_INFINITY; 6],
            ok_relative: [0.0; 4],
            ok_absolute: [0.0; 4],
            canary: Counts::default(),
            primary: Counts::default(),
            calm_canary: Counts::default(),
            calm_primary: Counts::default(),
            top: 0,
            peak: 0.0,
        }
    }

    /// Requests of the canary and of the primary in all looks.
    pub fn counted(&self) -> (Counts, Counts) {
        (self.canary, self.primary)
    }

    /// How many bad requests count as one, from the looks so far if nothing was known before.
    pub fn burst(&self) -> f64 {
        self.known.burst.unwrap_or(self.top.max(1) as f64)
    }

    /// The rest that can be bet.
    pub fn cash(&self) -> f64 {
        self.cash
    }

    /// One more look. An invalid one, or one without duration, changes nothing.
    pub fn look(&mut self, settings: &Settings, look: &Look) {
        if !(look.seconds > 0.0 && look.seconds.is_finite()) {
            return;
        }
        self.since = if self.is_trouble(settings, look) { 0.0 } else { self.since + look.seconds };
        let trouble = self.since < CALMS;
        let was = self.seen;
        if was > 0.0 || look.canary.all > 0 {
            self.seen += look.seconds;
        }
        let warm = self.seen <= settings.warmup;
        let times = match settings.wide {
            _ if !warm => Some(1.0),
            Wide::Times(times) => Some(times),
            Wide::NotJudged => None,
        };
        let both = look.canary.all > 0 && look.primary.all > 0;
        if let Some(times) = times.filter(|_| both) {
            let thawed = !warm && was <= settings.warmup && settings.warmup > 0.0;
            self.bet_on_worse(settings, look, times, trouble, self.cash >= 1.0 || thawed);
            if !trouble && !warm {
                self.bet_on_better(settings, look);
            }
        }
        self.add(look, trouble);
    }

    fn add(&mut self, look: &Look, trouble: bool) {
        self.canary.add(look.canary);
        self.primary.add(look.primary);
        if !trouble {
            self.calm_canary.add(look.canary);
            self.calm_primary.add(look.primary);
        }
        self.top = self.top.max(look.canary.bad).max(look.primary.bad);
        self.time += look.seconds;
        let (relative, absolute) = self.for_worse();
        self.peak = self.peak.max(relative.min(absolute));
    }

    /// The primary fails far more often than usual in this look.
    fn is_trouble(&self, settings: &Settings, look: &Look) -> bool {
        let usual = self.known.usual.or_else(|| self.primary.rate()).unwrap_or(f64::INFINITY);
        let enough = 3.0 * self.known.burst.unwrap_or(1.0);
        let rate = look.primary.rate().unwrap_or_default();
        look.primary.bad as f64 >= enough && rate > (TROUBLE * usual).max(settings.floor_ok)
    }

    fn grouping(&self, trouble: bool) -> Grouping {
        let size = self.known.burst.filter(|_| !trouble).unwrap_or(f64::INFINITY);
        Grouping { size, lasts: self.known.lasts }
    }

    fn bet_on_worse(&mut self, settings: &Settings, look: &Look, times: f64, trouble: bool, first: bool) {
        let share = if first { FIRST } else { look.seconds / (SPREAD + self.time + look.seconds) };
        let bet = share * self.cash;
        self.cash -= bet;
        let most = (2.0 * settings.wanted().sqrt()).ln() * (look.seconds / settings.hiccup).min(1.0);
        let grouping = self.grouping(trouble);
        let bad = (look.canary.bad + look.primary.bad).max(1) as f64;
        let floor = (settings.floor * times).min(1.0);
        let (all, failed) = (look.canary.all as f64, look.canary.bad as f64);
        for ((relative, absolute), a) in self.relative.iter_mut().zip(&mut self.absolute).zip(WORSE) {
            let said = share_says(look, a, settings.ratio * times, grouping);
            *relative = ln_add(*relative, bet.ln()) + said.min(most);
            let said = (failed * a.ln() - all * floor * (a - 1.0)) / grouping.size.min(bad);
            *absolute = ln_add(*absolute, bet.ln()) + said.min(most);
        }
    }

    fn bet_on_better(&mut self, settings: &Settings, look: &Look) {
        let roof = (4.0 * settings.wanted_ok()).ln() + 1.0;
        let grouping = self.grouping(false);
        let (all, failed) = (look.canary.all as f64, look.canary.bad as f64);
        for ((relative, absolute), a) in self.ok_relative.iter_mut().zip(&mut self.ok_absolute).zip(BETTER) {
            *relative = roof.min(*relative + share_says(look, a, settings.ratio_ok, grouping));
            if let Some(size) = self.known.burst.or(settings.burst_ok) {
                *absolute =
                    roof.min(*absolute + (failed * a.ln() + all * settings.floor_ok * (1.0 - a)) / size);
            }
        }
    }

    /// The evidence for `worse`: from the share, and from the rate.
    fn for_worse(&self) -> (f64, f64) {
        let alternatives = (WORSE.len() as f64).ln();
        let of = |bets: &[f64; 6]| ln_add(ln_sum(bets) - alternatives, self.cash.ln());
        (of(&self.relative), of(&self.absolute))
    }

    /// The conclusion from all of it.
    pub fn finding(&self, settings: &Settings) -> Finding {
        let (relative, absolute) = self.for_worse();
        let evidence = relative.min(absolute);
        let both = 2.0 * BETTER.len() as f64;
        let evidence_ok = ln_add(ln_sum(&self.ok_relative), ln_sum(&self.ok_absolute)) - both.ln();
        let trouble = self.since < CALMS;
        let worse = evidence >= settings.wanted().ln() && self.canary.bad >= LEAST_BAD;
        Finding {
            worse,
            no_worse: evidence_ok >= settings.wanted_ok().ln() && !trouble && !worse,
            trouble,
            warm: self.time > 0.0 && self.seen <= settings.warmup,
            relative,
            absolute,
            evidence,
            evidence_ok,
        }
    }
}

/// What the canary's share of the bad requests of a look says about "`a` times as often as `ratio` times the
/// primary's": the logarithm of a likelihood ratio, or of a bet if all count as one.
fn share_says(look: &Look, a: f64, ratio: f64, grouping: Grouping) -> f64 {
    let (canary, primary) = (ratio * look.canary.all as f64, look.primary.all as f64);
    let more = ((a * canary + primary) / (canary + primary)).ln();
    let failed = look.canary.bad as f64;
    let bad = failed + look.primary.bad as f64;
    if bad > grouping.size {
        (failed * a.ln() - bad * more) / grouping.size
    } else if bad > 0.0 {
        ((failed / bad * (a - 1.0)).ln_1p() - more) / grouping.lasts
    } else {
        0.0
    }
}
