//! Reads the past in range queries: one at a time, each of an hour at most, and none with more values than one answer may hold.

use std::{collections::BTreeMap, ops::Range};

use anyhow::{Context as _, bail};
use futures::future::BoxFuture;

use super::{
    asked::Reads,
    past::{Cell, Past},
};
use crate::{
    analysis::{COUNT_LABEL, FAILED, Failure, Query, WHOLE},
    source::{Series, Stretch},
};

/// Most values of an answer: half of the bytes that are read of one.
pub(super) const MOST_VALUES: i64 = 20_000;
/// Moments of the first query, which shows how many series there are.
const FIRST: i64 = 20;
/// Longest time that one query is for, in milliseconds.
pub(super) const LONGEST: i64 = 3_600_000;
/// A query is tried so often.
const TRIES: u32 = 3;

/// Whoever is asked. None: that is more than an answer may hold.
pub(super) trait Server: Sync {
    fn past<'a>(
        &'a self,
        query: &'a Query,
        stretch: Stretch,
    ) -> BoxFuture<'a, Result<Option<Vec<Series>>, Failure>>;
}

/// Which hours are read, in milliseconds since the epoch, and who is told how far that is.
pub(super) struct Hours<'a> {
    pub(super) server: &'a dyn Server,
    pub(super) tell: &'a (dyn Fn(&str) + Sync),
    pub(super) from: i64,
    pub(super) to: i64,
}

/// Values of a series by their moments.
type Points = Vec<(i64, f64)>;

impl Hours<'_> {
    /// All that is wanted of them. `runs` are left out.
    pub(super) async fn past(&self, reads: &Reads, runs: &[Range<i64>]) -> anyhow::Result<Past> {
        let (every, step) = (ms(reads.every), ms(reads.step));
        let looks = usize::try_from((self.to - self.from) / every).unwrap_or_default();
        let look = |at: i64| usize::try_from((at - self.from).div_euclid(every)).unwrap_or_default();
        let mut past = Past { every: reads.every, step: reads.step, ..Past::default() };
        past.left_out = runs.iter().map(|run| look(run.start)..look(run.end) + 1).collect();
        if let Some(query) = &reads.counts {
            let read = self.read("requests", query, every, self.from + every).await?;
            past.pods = pods(&read, looks, |at| look(at).wrapping_sub(1));
        }
        for (at, query) in &reads.values {
            let read = self.read(&query.metric, query, step, self.from).await?;
            let count = usize::try_from((self.to - self.from) / step + 1).unwrap_or_default();
            let mut values = vec![vec![]; count];
            for (moment, value) in read.into_values().flatten() {
                let place = usize::try_from((moment - self.from) / step).unwrap_or(usize::MAX);
                if let Some(values) = values.get_mut(place) {
                    values.push(value);
                }
            }
            past.values.insert(*at, values);
        }
        Ok(past)
    }

    async fn read(
        &self,
        what: &str,
        query: &Query,
        step: i64,
        first: i64,
    ) -> anyhow::Result<BTreeMap<BTreeMap<String, String>, Points>> {
        let mut all: BTreeMap<_, Points> = BTreeMap::new();
        let (mut at, mut moments) = (first, FIRST);
        let mut said = 0;
        while at <= self.to {
            let to = self.to.min(at + (moments - 1) * step);
            let Some(series) = self.one(what, query, Stretch { from: at, to, step }).await? else {
                if moments == 1 {
                    bail!(
                        "read {what}: the server's answer for one moment is larger than 1 MiB: name fewer series"
                    );
                }
                moments = (moments / 2).max(1);
                continue;
            };
            let most = i64::try_from(series.len()).unwrap_or(i64::MAX).max(1);
            moments = (MOST_VALUES / most).clamp(1, (LONGEST / step).max(1));
            for Series { labels, points } in series {
                all.entry(labels).or_default().extend(points);
            }
            at = to + step;
            let done = 100 * (at - self.from).min(self.to - self.from) / (self.to - self.from).max(1);
            if done >= said + 5 {
                (self.tell)(&format!("read {done} % of {what}"));
                said = done;
            }
        }
        Ok(all)
    }

    async fn one(&self, what: &str, query: &Query, stretch: Stretch) -> anyhow::Result<Option<Vec<Series>>> {
        let mut tries = 1;
        loop {
            match self.server.past(query, stretch).await {
                Ok(found) => return Ok(found),
                Err(failure) if tries == TRIES => {
                    let said = failure.quote.unwrap_or(failure.why);
                    return Err(anyhow::anyhow!(said))
                        .with_context(|| format!("read {what} from {}", query.server));
                }
                Err(_) => tries += 1,
            }
        }
    }
}

/// A time in milliseconds.
pub(super) fn ms(seconds: f64) -> i64 {
    ((1000.0 * seconds).round() as i64).max(1)
}

/// Cells of each pod, look by look.
fn pods(
    read: &BTreeMap<BTreeMap<String, String>, Points>,
    looks: usize,
    look: impl Fn(i64) -> usize,
) -> Vec<Vec<Cell>> {
    let mut pods: BTreeMap<BTreeMap<String, String>, Vec<Cell>> = BTreeMap::new();
    let of = |kind: &'static str| {
        read.iter().filter(move |(labels, _)| labels.get(COUNT_LABEL).is_some_and(|word| word == kind))
    };
    let named = |labels: &BTreeMap<String, String>| {
        let mut labels = labels.clone();
        labels.remove(COUNT_LABEL);
        labels
    };
    for (labels, points) in of(WHOLE) {
        let cells = pods.entry(named(labels)).or_insert_with(|| vec![None; looks]);
        for (moment, value) in points {
            if let Some(cell) = cells.get_mut(look(*moment)) {
                *cell = Some((value.clamp(0.0, f64::from(u32::MAX)) as u32, 0));
            }
        }
    }
    for (labels, points) in of(FAILED) {
        let Some(cells) = pods.get_mut(&named(labels)) else { continue };
        for (moment, value) in points {
            if let Some(Some((all, bad))) = cells.get_mut(look(*moment)) {
                *bad = (value.clamp(0.0, f64::from(u32::MAX)) as u32).min(*all);
            }
        }
    }
    pods.into_values().collect()
}
