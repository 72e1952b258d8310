//! Who is looked at beside the client whose share is shown: what makes a strategy a special one.

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

/// Requests a second of all others.
const OTHERS: f64 = 100.0;
/// How many people keep their cookies, and how long each waits between two requests.
const PEOPLE: usize = 20;
const PAUSE: Duration = Duration::from_millis(200);
/// Where the pods of the example say how many requests they answered.
const PORT: u16 = 9898;

/// Who is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Nothing,
    /// Those whose requests are not named.
    Others,
    /// Copies of so many percent of the requests.
    Copies {
        percent: u8,
    },
    /// People who keep cookies.
    People,
}

/// What was found.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    pub(super) about: &'static str,
    pub(super) text: String,
}

/// Those who are looked at during one run.
pub(super) enum Beside {
    Nothing,
    Others(LoadHandle),
    Copies { percent: u8, since: Option<Copied> },
    People(People),
}

/// Counts from which copies are counted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Copied {
    requests: u64,
    answered: f64,
}

impl Beside {
    /// `everyone` is a request without anything that names it.
    pub(super) fn start(kind: Kind, everyone: &Target, version: &str) -> Self {
        match kind {
            Kind::Nothing => Self::Nothing,
            Kind::Others => Self::Others(LoadHandle::start(everyone, OTHERS, 2)),
            Kind::Copies { percent } => Self::Copies { percent, since: None },
            Kind::People => Self::People(People::start(everyone, version)),
        }
    }

    /// The route copies requests from now on, or no longer. `requests` is how many the client has sent.
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

    /// How it stands, to be shown while the run goes on.
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

/// People with cookies.
pub(super) struct People {
    met: Arc<Mutex<Vec<Met>>>,
    /// They go home with us.
    _all: JoinSet<()>,
}

/// What one of them has met.
#[derive(Debug, Clone, Copy, Default)]
struct Met {
    requests: u64,
    /// Was answered by the new version.
    new: bool,
    /// How often they were answered by another one after that.
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

/// One person, again and again, with the cookies they were given.
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

/// Cookies: name, `name=value`, and until when they count.
#[derive(Debug, Default)]
struct Jar(Vec<(String, String, Instant)>);

impl Jar {
    /// A request with those that still count.
    fn on(&mut self, target: &Target) -> Target {
        self.0.retain(|(_, _, until)| *until > Instant::now());
        let all: Vec<&str> = self.0.iter().map(|(_, text, _)| text.as_str()).collect();
        if all.is_empty() { target.clone() } else { target.clone().header("cookie", &all.join("; ")) }
    }

    /// Takes in a `Set-Cookie`; one without an age counts for an hour.
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

/// A panic elsewhere leaves what was met as good as it was.
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
