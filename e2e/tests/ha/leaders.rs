//! The two operators, and what happens to the one that leads.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use serin_bed::{Operator, User, relay::Relay, wait};

use crate::{READY, Shared};

/// Between two leaders that fail.
const PAUSE: Duration = Duration::from_secs(30);

/// One of the two, and its line to the API server.
struct Member {
    operator: Operator,
    line: Relay,
}

impl Member {
    async fn start(shared: &Shared, name: &str) -> anyhow::Result<Self> {
        let line = Relay::start().await?;
        let config = shared.bed.kubeconfig_to(User::Operator, &line.url(), name)?;
        let config = format!("--kubeconfig={}", config.display());
        let lease =
            ["--enable-leader-election", "--leader-election-namespace=serin-system", "--lease-duration=10s"];
        let flags = [&lease[..], &[config.as_str()]].concat();
        let mut operator = Operator::start(&shared.bed, &flags, &[])?;
        operator.ready(READY).await?;
        Ok(Self { operator, line })
    }

    /// As its metrics say.
    async fn leads(&self) -> bool {
        self.operator.metrics().await.is_ok_and(|text| text.lines().any(|line| line == "serin_leader 1"))
    }
}

/// How a leader fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Failure {
    Killed,
    Frozen,
    CutOff,
}

/// Both of them, and how long it took until the other led.
pub(crate) struct Pair {
    members: [Member; 2],
    takeovers: BTreeMap<Failure, Vec<Duration>>,
}

impl Pair {
    pub(crate) async fn start(shared: &Shared) -> anyhow::Result<Self> {
        let members = [Member::start(shared, "ha-a").await?, Member::start(shared, "ha-b").await?];
        Ok(Self { members, takeovers: BTreeMap::new() })
    }

    /// One leader after the other fails, for as long as this is polled.
    pub(crate) async fn fail(&mut self) -> anyhow::Result<Infallible> {
        for failure in [Failure::Killed, Failure::Frozen, Failure::CutOff].into_iter().cycle() {
            let next = tokio::time::Instant::now() + PAUSE;
            self.fails(failure).await.with_context(|| format!("a leader that is {failure:?}"))?;
            tokio::time::sleep_until(next).await;
        }
        unreachable!("there is always another")
    }

    async fn fails(&mut self, failure: Failure) -> anyhow::Result<()> {
        let [first, second] = &mut self.members;
        let leading = wait::until("one of two to lead", READY, async || {
            let both = (first.leads().await, second.leads().await);
            (both.0 != both.1).then_some(both.0)
        });
        let (leader, other) = if leading.await? { (first, second) } else { (second, first) };
        let since = Instant::now();
        match failure {
            Failure::Killed => leader.operator.kill9().await?,
            Failure::Frozen => leader.operator.pause()?,
            Failure::CutOff => leader.line.cut(),
        }
        wait::until("the other to lead", READY, async || other.leads().await.then_some(())).await?;
        self.takeovers.entry(failure).or_default().push(since.elapsed());
        if failure == Failure::Frozen {
            leader.operator.resume()?;
        }
        if failure != Failure::Killed {
            let ended = leader.operator.wait_exit(READY).await?;
            ensure!(ended.code() == Some(1), "it ended with {ended}");
        }
        // what it had sent reaches the API server now
        leader.line.mend();
        leader.operator.restart().await?;
        leader.operator.ready(READY).await
    }

    /// Of each failure, how many there were, and how long it took until the other led: the median and the longest.
    pub(crate) fn takeovers(&self) -> Vec<String> {
        let told = |(failure, took): (&Failure, &Vec<Duration>)| {
            let mut took = took.clone();
            took.sort_unstable();
            let (median, longest) = (took.get(took.len() / 2)?, took.last()?);
            Some(format!("{failure:?} {} times: {median:.2?}, at most {longest:.2?}", took.len()))
        };
        self.takeovers.iter().filter_map(told).collect()
    }
}
