//! The additional clients whose answers show the characteristics of a strategy.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use k8s_openapi::api::core::v1::Pod;
use kube::{Api, api::ListParams};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use super::numbers::{NAME, grouped, percent};
use serin_bed::{
    http,
    load::{LoadHandle, Target},
    story::Story,
};

/// Requests per second of all others.
const OTHERS: f64 = 100.0;
/// The number of clients that keep cookies, and the time between two requests of each.
const PEOPLE: usize = 20;
const PAUSE: Duration = Duration::from_millis(200);
/// The port at which the example's pods report the number of answered requests.
const PORT: u16 = 9898;

/// The kind of additional clients.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Nothing,
    /// Clients whose requests do not match.
    Others,
    /// Mirrored requests, with this percentage.
    Copies {
        percent: u8,
    },
    /// Clients that keep cookies.
    People,
}

/// A finding.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    pub(super) about: &'static str,
    pub(super) text: String,
}

/// The additional clients during one run.
pub(super) enum Beside {
    Nothing,
    Others(LoadHandle),
    Copies { percent: u8, since: Option<Copied> },
    People(People),
}

/// The initial counts for mirrored requests.
#[derive(Debug, Clone, Copy)]
pub(super) struct Copied {
    requests: u64,
    answered: f64,
}

impl Beside {
    /// `everyone` is a request without a match.
    pub(super) fn start(kind: Kind, everyone: &Target, version: &str) -> Self {
        match kind {
            Kind::Nothing => Self::Nothing,
            Kind::Others => Self::Others(LoadHandle::start(everyone, OTHERS, 2)),
            Kind::Copies { percent } => Self::Copies { percent, since: None },
            Kind::People => Self::People(People::start(everyone, version)),
        }
    }

    /// The route starts or stops to mirror requests. `requests` is the number that the client has sent.
    pub(super) async fn mirrored(
        &mut self,
        story: &Story<'_>,
        now: bool,
        requests: u64,
    ) -> anyhow::Result<Option<Finding>> {
        let Self::Copies { percent: meant, since } = self else { return Ok(None) };
        let counts = Copied { requests, answered: answered(story).await? };
        let before = if now { since.replace(counts) } else { since.take() };
        let Some(before) = before.filter(|_| !now) else { return Ok(None) };
        let (sent, copies) = (counts.requests - before.requests, counts.answered - before.answered);
        let share = copies / (sent.max(1) as f64);
        let text = format!(
            "{} of {} requests, {}; meant: {meant} %",
            grouped(copies as u64),
            grouped(sent),
            percent(share)
        );
        Ok(Some(Finding { about: "copies", text }))
    }

    /// The current finding, shown during the run.
    pub(super) fn now(&self) -> Option<Finding> {
        match self {
            Self::People(people) => Some(people.finding()),
            Self::Others(load) => Some(others(load)),
            Self::Nothing | Self::Copies { .. } => None,
        }
    }

    /// The end of the run: from now on the old version may be the new one.
    pub(super) fn end(&mut self) -> Option<Finding> {
        let last = self.now();
        if matches!(self, Self::Others(_) | Self::People(_)) {
            *self = Self::Nothing;
        }
        last
    }
}

fn others(load: &LoadHandle) -> Finding {
    let window = load.snapshot();
    let by: Vec<String> = window
        .versions
        .iter()
        .map(|(version, all)| format!("{} answers of {version}", grouped(all.total())))
        .collect();
    let text = format!("{}; {} lost", by.join(", "), window.lost());
    Finding { about: "all others", text }
}

/// Requests that the target's pods have answered, by their own count.
async fn answered(story: &Story<'_>) -> anyhow::Result<f64> {
    let pods: Api<Pod> = story.api();
    let mut sum = 0.0;
    for pod in pods.list(&ListParams::default().labels(&format!("app={NAME}"))).await? {
        let leaving = pod.metadata.deletion_timestamp.is_some();
        let Some(ip) = pod.status.and_then(|status| status.pod_ip).filter(|_| !leaving) else { continue };
        let text = http::get((ip.parse::<IpAddr>()?, PORT).into(), "/metrics").await?.text();
        let counts = text.lines().filter(|line| line.starts_with("http_request_duration_seconds_count"));
        sum += counts.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum::<f64>();
    }
    Ok(sum)
}

/// Clients with cookies.
pub(super) struct People {
    met: Arc<Mutex<Vec<Met>>>,
    /// They stop with this struct.
    _all: JoinSet<()>,
}

/// The answers to one of them.
#[derive(Debug, Clone, Copy, Default)]
struct Met {
    requests: u64,
    /// It has got an answer from the new version.
    new: bool,
    /// How often it got an answer from another version after that.
    sent_back: u64,
    failed: u64,
}

impl People {
    fn start(target: &Target, version: &str) -> Self {
        let met = Arc::new(Mutex::new(vec![Met::default(); PEOPLE]));
        let mut all = JoinSet::new();
        for one in 0..PEOPLE {
            all.spawn(visit(target.clone(), version.to_owned(), one, met.clone()));
        }
        Self { met, _all: all }
    }

    fn finding(&self) -> Finding {
        let met = lock(&self.met);
        let new = met.iter().filter(|one| one.new).count();
        let sum = |of: fn(&Met) -> u64| met.iter().map(of).sum::<u64>();
        let (requests, back, failed) = (sum(|m| m.requests), sum(|m| m.sent_back), sum(|m| m.failed));
        let text = format!(
            "{new} of {PEOPLE} have met the new version; {back} of {} answers sent one of them back, {failed} failed",
            grouped(requests)
        );
        Finding { about: "people", text }
    }
}

/// One client that sends requests repeatedly, with its cookies.
async fn visit(target: Target, version: String, one: usize, met: Arc<Mutex<Vec<Met>>>) {
    let mut jar = Jar::default();
    loop {
        let answer = jar.on(&target).once().await;
        if let Some(met) = lock(&met).get_mut(one) {
            met.requests += 1;
            match &answer {
                Ok(answer) if answer.status == 200 => {
                    let new = answer.version.as_deref() == Some(&version);
                    met.sent_back += u64::from(met.new && !new);
                    met.new |= new;
                }
                _ => met.failed += 1,
            }
        }
        answer.iter().flat_map(|answer| &answer.cookies).for_each(|cookie| jar.take(cookie));
        sleep(PAUSE).await;
    }
}

/// Cookies: name, `name=value`, and expiry.
#[derive(Debug, Default)]
struct Jar(Vec<(String, String, Instant)>);

impl Jar {
    /// A request with the valid cookies.
    fn on(&mut self, target: &Target) -> Target {
        self.0.retain(|(_, _, until)| *until > Instant::now());
        let all: Vec<&str> = self.0.iter().map(|(_, text, _)| text.as_str()).collect();
        if all.is_empty() { target.clone() } else { target.clone().header("cookie", &all.join("; ")) }
    }

    /// Stores a `Set-Cookie`. A cookie without an age is valid for an hour.
    fn take(&mut self, given: &str) {
        let mut parts = given.split(';').map(str::trim);
        let Some((text, (name, _))) = parts.next().and_then(|text| Some((text, text.split_once('=')?)))
        else {
            return;
        };
        let age = parts.find_map(|part| part.strip_prefix("Max-Age=")?.parse::<i64>().ok()).unwrap_or(3600);
        self.0.retain(|(known, _, _)| known != name);
        self.0.push((
            name.to_owned(),
            text.to_owned(),
            Instant::now() + Duration::from_secs(age.max(0).unsigned_abs()),
        ));
    }
}

/// A panic elsewhere does not make the counts invalid.
fn lock(met: &Mutex<Vec<Met>>) -> MutexGuard<'_, Vec<Met>> {
    met.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jar_holds_one_cookie_of_a_name_for_as_long_as_it_counts() {
        let mut jar = Jar::default();
        let target = Target::gateway("a");
        assert!(jar.on(&target).headers.is_empty());
        jar.take("a=1; Max-Age=60; Path=/");
        jar.take("b=2");
        jar.take("b=2; Max-Age=-1");
        jar.take("c=3");
        jar.take("a=4");
        assert_eq!(jar.on(&target).headers, [("cookie".to_owned(), "c=3; a=4".to_owned())]);
    }
}
