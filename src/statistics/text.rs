//! Evidence as a text of numbers, for status.

use super::{Counts, Evidence, settings::Known};

/// The beginning of a text. Numbers of another version are not read.
const VERSION: &str = "v1";

/// Numbers one after the other; none if there are no more, or one is invalid.
struct Numbers<'a>(std::str::SplitAsciiWhitespace<'a>);

impl Numbers<'_> {
    fn float(&mut self) -> Option<f64> {
        match self.0.next()? {
            "-" => Some(f64::NEG_INFINITY),
            "+" => Some(f64::INFINITY),
            text => text.parse().ok().filter(|number: &f64| number.is_finite()),
        }
    }

    /// Reads a number; `?` means unknown.
    fn maybe(&mut self, place: &mut Option<f64>) -> Option<()> {
        if self.0.clone().next()? == "?" {
            return self.0.next().map(|_| ());
        }
        *place = Some(self.float()?);
        Some(())
    }

    fn floats<const N: usize>(&mut self) -> Option<[f64; N]> {
        let mut all = [0.0; N];
        for one in &mut all {
            *one = self.float()?;
        }
        Some(all)
    }

    fn count(&mut self) -> Option<u64> {
        self.0.next()?.parse().ok()
    }

    fn counts(&mut self) -> Option<Counts> {
        let (all, bad) = (self.count()?, self.count()?);
        (bad <= all).then_some(Counts { all, bad })
    }
}

impl Evidence {
    /// With nine digits of each number.
    pub fn to_text(&self) -> String {
        let maybe = |number: Option<f64>| number.map_or_else(|| "?".to_owned(), written);
        let before = [maybe(self.known.burst), written(self.known.lasts), maybe(self.known.usual)];
        let times = [self.cash, self.time, self.seen, self.since];
        let bets = [self.relative, self.absolute].concat();
        let ok = [self.ok_relative, self.ok_absolute].concat();
        let floats = times.into_iter().chain(bets).chain(ok).map(written);
        let counts = [self.canary, self.primary, self.calm_canary, self.calm_primary];
        let counts = counts.into_iter().flat_map(|side| [side.all, side.bad]);
        let counts = counts.chain([self.top]).map(|count| count.to_string());
        let all = before.into_iter().chain(floats).chain(counts).chain([written(self.peak)]);
        [VERSION.to_owned()].into_iter().chain(all).collect::<Vec<_>>().join(" ")
    }

    /// The content of a text; none if it does not have this form.
    pub fn of_text(text: &str) -> Option<Self> {
        let mut numbers = Numbers(text.split_ascii_whitespace());
        (numbers.0.next()? == VERSION).then_some(())?;
        let mut known = Known::NOTHING;
        numbers.maybe(&mut known.burst)?;
        known.lasts = numbers.float()?;
        numbers.maybe(&mut known.usual)?;
        let [cash, time, seen, since] = numbers.floats()?;
        let found = Self {
            known,
            cash,
            time,
            seen,
            since,
            relative: numbers.floats()?,
            absolute: numbers.floats()?,
            ok_relative: numbers.floats()?,
            ok_absolute: numbers.floats()?,
            canary: numbers.counts()?,
            primary: numbers.counts()?,
            calm_canary: numbers.counts()?,
            calm_primary: numbers.counts()?,
            top: numbers.count()?,
            peak: numbers.float()?,
        };
        let sound = found.known.burst.is_none_or(|burst| burst >= 1.0)
            && found.known.lasts >= 1.0
            && found.cash > 0.0
            && found.cash <= 1.0;
        (numbers.0.next().is_none() && sound).then_some(found)
    }
}

fn written(number: f64) -> String {
    if number == f64::NEG_INFINITY {
        return "-".to_owned();
    }
    if number == f64::INFINITY {
        return "+".to_owned();
    }
    let rounded: f64 = format!("{number:.8e}").parse().unwrap_or(number);
    format!("{rounded:e}")
}
