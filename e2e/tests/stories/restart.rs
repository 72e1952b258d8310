//! Kill -9 at every write: after a kill before or after any write, the restarted operator reaches the same state as an
//! undisturbed one, creates and deletes nothing twice, does not restart the primary again, and no client notices.
//!
//! Each case has its own namespace, operator and [`FaultProxy`]. `SERIN_CRASH=all` strikes at every write. Without it,
//! one point of each workload is drawn (the seed is printed, `SERIN_SEED` sets it). `SERIN_CRASH=after-object-07`
//! strikes only there.
#![allow(clippy::print_stdout, reason = "points and seed are for the reader of the test's output")]

use std::{
    collections::{BTreeMap, hash_map::RandomState},
    env, fmt,
    hash::{BuildHasher, Hasher},
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use futures::{StreamExt, stream};
use libtest_mimic::Arguments;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use serin_bed::{
    User,
    faultproxy::{FaultProxy, Sequence, Side, Strike},
    operator::Operator,
    story::{PATIENCE, Story},
    wait,
};
use tokio::sync::Semaphore;

use crate::{
    Family, Shared, crash_hooks, crash_trouble,
    crash_workload::{Load, Workload, act, ended, ended_after, prepare},
    end_state,
};

pub(crate) const STORIES: Family = &[
    crate::story!(initialised),
    crate::story!(promoted),
    crate::story!(rolled_back),
    crate::story!(deleted),
    crate::story!(configured),
    crate::story!(scaled),
    crate::story!(scaled_and_deleted),
    crate::story!(blue_green),
    crate::story!(blue_green_rolled_back),
    crate::story!(a_b),
    crate::story!(mirrored),
    crate::story!(hooked),
    crate::story!(edited),
    crate::story!(vanished),
    crate::story!(takeover_refused),
    crate::story!(both_deleted),
];

/// Selects the writes at which to strike.
const WHICH: &str = "SERIN_CRASH";
/// The seed for random points without it.
const SEED: &str = "SERIN_SEED";
/// Number of parallel cases.
static ROOM: Semaphore = Semaphore::const_new(5);
/// How long to wait for a write after the last phase.
const AFTERWARDS: Duration = Duration::from_secs(5);

async fn initialised(shared: &Shared) -> anyhow::Result<()> {
    matrix(shared, Workload::Initialised).await
}

async fn promoted(shared: &Shared) -> anyhow::Result<()> {
    matrix(shared, Workload::Promoted).await
}

async fn rolled_back(shared: &Shared) -> anyhow::Result<()> {
    matrix(shared, Workload::RolledBack).await
}

async fn deleted(shared: &Shared) -> anyhow::Result<()> {
    matrix(shared, Workload::Deleted).await
}

async fn configured(shared: &Shared) -> anyhow::Result<()> {
    matrix(shared, Workload::Configured).await
}

async fn scaled(shared: &Shared) -> anyhow::Result<()> {
    matrix(shared, Workload::Scaled).await
}

async fn scaled_and_deleted(shared: &Shared) -> anyhow::Result<()> {
    matrix(shared, Workload::ScaledDeleted).await
}

async fn blue_green(shared: &Shared) -> anyhow::Result<()> {
    matrix(shared, Workload::BlueGreen).await
}

async fn blue_green_rolled_back(shared: &Shared) -> anyhow::Result<()> {
    matrix(shared, Workload::BlueGreenRolledBack).await
}

async fn a_b(shared: &Shared) -> anyhow::Result<()> {
    matrix(shared, Workload::Ab).await
}

async fn mirrored(shared: &Shared) -> anyhow::Result<()> {
    matrix(shared, Workload::Mirrored).await
}

async fn hooked(shared: &Shared) -> anyhow::Result<()> {
    matrix(shared, Workload::Hooked).await
}

async fn edited(shared: &Shared) -> anyhow::Result<()> {
    in_turn(shared, Workload::Edited).await
}

async fn vanished(shared: &Shared) -> anyhow::Result<()> {
    in_turn(shared, Workload::Vanished).await
}

async fn takeover_refused(shared: &Shared) -> anyhow::Result<()> {
    in_turn(shared, Workload::TakeoverRefused).await
}

async fn both_deleted(shared: &Shared) -> anyhow::Result<()> {
    in_turn(shared, Workload::BothDeleted).await
}

/// Workloads of which a sample contains one.
const IN_TURN: [Workload; 4] =
    [Workload::Edited, Workload::Vanished, Workload::TakeoverRefused, Workload::BothDeleted];

/// Runs [`matrix`] if it is this workload's turn, or if the workload or points are named.
async fn in_turn(shared: &Shared, workload: Workload) -> anyhow::Result<()> {
    // a filter with more than the family's name
    let named = Arguments::from_args().filter.is_some_and(|filter| !"crash::".contains(filter.as_str()));
    if which().is_empty() && !named {
        let turn = IN_TURN[(seed()? % IN_TURN.len() as u64) as usize];
        if turn != workload {
            println!("crash::{}: it is the turn of {}; `make crash` plays all", workload.name(), turn.name());
            return Ok(());
        }
    }
    matrix(shared, workload).await
}

/// The writes at which to strike. Empty for a sample.
fn which() -> String {
    env::var(WHICH).unwrap_or_default()
}

/// The given seed, or a random one: one for all workloads, printed once.
fn seed() -> anyhow::Result<u64> {
    static ONE: OnceLock<u64> = OnceLock::new();
    let given = env::var(SEED).ok().map(|text| text.parse::<u64>()).transpose();
    let given = given.with_context(|| format!("{SEED} is a number"))?;
    Ok(*ONE.get_or_init(|| {
        let seed = given.unwrap_or_else(|| RandomState::new().build_hasher().finish());
        println!("crash: {SEED}={seed}");
        seed
    }))
}

/// The name of a strike: `after-object-07`.
struct Named(Strike);

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = if self.0.side == Side::Before { "before" } else { "after" };
        let sequence = if self.0.sequence == Sequence::Event { "event" } else { "object" };
        write!(f, "{side}-{sequence}-{:02}", self.0.number)
    }
}

/// The result of a case.
#[derive(Default)]
struct Outcome {
    /// Everything in the namespace, without the parts that differ between runs.
    state: Value,
    /// Successful creations and deletions.
    made: BTreeMap<String, usize>,
    /// Writes per sequence.
    writes: BTreeMap<Sequence, usize>,
    /// Whether a strike happened.
    struck: bool,
    /// The strike left no record of the activity, so the end differs, and was checked.
    unrecorded: bool,
    /// All writes and all Events, for people.
    story: String,
}

/// An undisturbed case, then one for each point. For a sample, until one strike happened.
async fn matrix(shared: &Shared, workload: Workload) -> anyhow::Result<()> {
    shared.operator.lock().await.kill9().await?;
    let reference = case(shared, workload, None).await.context("undisturbed")?;
    let points = points(workload, &reference)?;
    if which().is_empty() {
        return sample(shared, workload, &reference, points).await;
    }
    let names: Vec<String> = points.iter().map(|p| Named(*p).to_string()).collect();
    println!("crash::{}: striking at {}", workload.name(), names.join(" "));
    let count = points.len();
    let cases = stream::iter(points).map(async |point| {
        let outcome = case(shared, workload, Some(point)).await;
        (Named(point), outcome.and_then(|o| compare(&reference, &o).map(|()| o.struck)))
    });
    let results: Vec<_> = cases.buffer_unordered(ROOM.available_permits().max(1)).collect().await;
    let failed: Vec<String> = results
        .iter()
        .filter_map(|(point, result)| {
            Some(format!("{}::{point}: {:#}", workload.name(), result.as_ref().err()?))
        })
        .collect();
    ensure!(failed.is_empty(), "{} of {count} points failed:\n{}", failed.len(), failed.join("\n"));
    let missed: Vec<String> =
        results.iter().filter(|(_, r)| matches!(r, Ok(false))).map(|(point, _)| point.to_string()).collect();
    // the last numbers are reached only if pods took as long as in the undisturbed run, and this is reported
    let few = missed.len() <= (count / 4 + 1).max(2) && missed.len() < count;
    ensure!(missed.is_empty() || few, "the operator never came to {}", missed.join(", "));
    Ok(())
}

/// The first of these points that the operator reaches: a late write of the undisturbed run may not happen again.
async fn sample(
    shared: &Shared,
    workload: Workload,
    reference: &Outcome,
    points: Vec<Strike>,
) -> anyhow::Result<()> {
    let count = points.len();
    for point in points {
        let name = format!("{}::{}", workload.name(), Named(point));
        println!("crash::{name}: striking");
        let outcome = case(shared, workload, Some(point)).await.with_context(|| name.clone())?;
        compare(reference, &outcome).context(name)?;
        if outcome.struck {
            return Ok(());
        }
    }
    bail!("{}: the operator came to none of {count} points", workload.name())
}

/// All points of the undisturbed run, or the named ones. For a sample, in random order.
fn points(workload: Workload, reference: &Outcome) -> anyhow::Result<Vec<Strike>> {
    let count = |sequence| reference.writes.get(&sequence).copied().unwrap_or(0);
    let sequences =
        [(Sequence::Object, Side::After), (Sequence::Object, Side::Before), (Sequence::Event, Side::After)];
    let all: Vec<Strike> = sequences
        .into_iter()
        .flat_map(|(sequence, side)| {
            (1..=count(sequence)).map(move |number| Strike { sequence, side, number })
        })
        .collect();
    ensure!(count(Sequence::Object) > 3, "hardly a write was counted: {:?}", reference.writes);
    println!("crash::{}: {:?}", workload.name(), reference.writes);
    Ok(match which().as_str() {
        "all" => all,
        "" => draw(workload, all)?,
        names => all.into_iter().filter(|p| names.split(',').any(|n| n == Named(*p).to_string())).collect(),
    })
}

fn draw(workload: Workload, mut all: Vec<Strike>) -> anyhow::Result<Vec<Strike>> {
    let mut state = seed()? ^ (workload as u64);
    let mut drawn = Vec::new();
    while !all.is_empty() {
        // splitmix64
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        drawn.push(all.swap_remove(((z ^ (z >> 31)) % all.len() as u64) as usize));
    }
    Ok(drawn)
}

/// Checks that it ended like the undisturbed case.
fn compare(reference: &Outcome, other: &Outcome) -> anyhow::Result<()> {
    if other.unrecorded {
        return Ok(());
    }
    let differences = end_state::differences(&reference.state, &other.state);
    ensure!(
        differences.is_empty(),
        "another end state (undisturbed | this):\n  {}\n{}",
        differences.join("\n  "),
        other.story
    );
    ensure!(
        reference.made == other.made,
        "made or deleted other things than undisturbed: {:?}, not {:?}\n{}",
        other.made,
        reference.made,
        other.story
    );
    Ok(())
}

/// One life of a namespace, with a crash at `point`.
async fn case(shared: &Shared, workload: Workload, point: Option<Strike>) -> anyhow::Result<Outcome> {
    let _room = ROOM.acquire().await?;
    let suffix = point.map_or("undisturbed".to_owned(), |p| Named(p).to_string());
    let story = Story::new(&shared.bed, &format!("crash-{}-{suffix}", workload.name())).await?;
    let proxy = FaultProxy::start(&shared.bed).await?;
    let config = shared.bed.kubeconfig_to(User::Operator, &proxy.url(), &story.namespace)?;
    let args = [format!("--namespace={}", story.namespace), format!("--kubeconfig={}", config.display())];
    let mut operator = Operator::start(&shared.bed, &args.each_ref().map(String::as_str), &[])?;
    operator.ready(PATIENCE).await?;
    prepare(&story, workload).await?;
    settled(&operator, workload).await?;

    match point {
        None => proxy.count(),
        Some(strike) => {
            let pid =
                operator.pid().and_then(|pid| Pid::from_raw(pid.cast_signed())).context("no operator")?;
            proxy.lay(strike, move || {
                // if it died for another reason, the case fails by itself
                kill_process(pid, Signal::KILL).ok();
            });
        }
    }
    let load = Load::start(story.target("app"), workload);
    act(&story, workload).await?;
    tokio::select! {
        end = ended(&story, workload) => end?,
        () = proxy.struck() => {}
    }
    if point.is_some() {
        wait::until("the strike", AFTERWARDS, async || proxy.has_struck().then_some(())).await.ok();
    }
    let struck = proxy.has_struck();
    let unrecorded = struck && workload == Workload::BothDeleted && crash_trouble::unrecorded(&story).await?;
    if struck {
        proxy.heal();
        operator.restart().await?;
        operator.ready(PATIENCE).await?;
        let end = ended_after(&story, workload, unrecorded).await;
        end.with_context(|| format!("after the crash; {}", recent(&proxy)))?;
    }
    at_rest(&operator, &proxy, workload).await?;
    load.stop().await?;
    if workload == Workload::Hooked {
        crash_hooks::heard_rightly(&story).await.with_context(|| recent(&proxy))?;
    }
    let state = end_state::of(&story).await?;
    let events = story.events("app").await?.join("\n  ");
    let told = format!("{}\nits Events:\n  {events}", recent(&proxy));
    let outcome = Outcome { state, struck, unrecorded, story: told, ..Outcome::default() };
    operator.kill9().await?;
    Ok(counted(outcome, &proxy, &story.namespace))
}

/// Adds the writes that the proxy saw.
fn counted(mut outcome: Outcome, proxy: &FaultProxy, namespace: &str) -> Outcome {
    for write in proxy.writes() {
        *outcome.writes.entry(write.sequence).or_default() += 1;
        let lasting = write.what.starts_with("POST") || write.what.starts_with("DELETE");
        if write.sequence == Sequence::Object && lasting && write.status.is_some_and(|s| s < 300) {
            *outcome.made.entry(write.what.replace(namespace, "NS")).or_default() += 1;
        }
    }
    outcome
}

fn recent(proxy: &FaultProxy) -> String {
    let writes = proxy.writes();
    let lines = writes.iter().map(|w| format!("{} {:?}", w.what, w.status));
    format!("its writes:\n  {}", lines.collect::<Vec<_>>().join("\n  "))
}

/// The restarted operator has checked the Canary, and has nothing left to do.
async fn settled(operator: &Operator, workload: Workload) -> anyhow::Result<()> {
    if workload.makes_canary() {
        return Ok(());
    }
    let settled = async || {
        let metrics = operator.metrics().await.ok()?;
        metrics.lines().any(|l| l.contains("outcome=\"settled\"") && !l.ends_with(" 0")).then_some(())
    };
    wait::until("the operator to have nothing left to do", PATIENCE, settled).await
}

/// After the end: the operator's last check finds everything in order, and nothing more is written.
async fn at_rest(operator: &Operator, proxy: &FaultProxy, workload: Workload) -> anyhow::Result<()> {
    if !workload.deletes() {
        settled(operator, Workload::Promoted).await?;
    }
    let last = AtomicUsize::new(usize::MAX);
    let quiet = async || {
        let now = proxy.writes().len();
        (last.swap(now, Ordering::Relaxed) == now).then_some(())
    };
    wait::until("no more writes", PATIENCE, quiet).await
}
