//! What the environment asks for, processes that may die, and the files of inputs that fail.

use std::{
    cell::RefCell,
    env, fs,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Resource, Rlimit, setrlimit};
use serde_json::{Value, json};

use super::{Act, Fault, Input, SAMPLE, Target, minimise::smallest, search::Search};
use crate::names;

/// Longest time of the processor that one input may take, in seconds.
const LONGEST: u64 = 10;
/// Most memory of a process that searches.
const MEMORY: u64 = 2 << 30;
/// How a process that has searched begins the line about it.
const RESULT: &str = "fuzz-result ";
/// Attempts to make an input smaller, in one process and with a process for each.
const ATTEMPTS: (usize, usize) = (4000, 120);
/// Longest time in which an input is made smaller by processes.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is to be done, as the environment says.
pub(super) enum Mode {
    /// Nothing is said: a few hundred inputs, always the same.
    Sample,
    /// `FUZZ_SECONDS`: have another process search for so long.
    Parent { seconds: u64 },
    /// `FUZZ_CHILD`: be that process.
    Child { seconds: u64 },
    /// `FUZZ_INPUT`: try the input in this file.
    Again(Input),
}

fn set(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

impl Mode {
    /// None: something is asked of another target.
    pub(super) fn of(name: &str) -> Option<Self> {
        let seconds = set("FUZZ_SECONDS").map(|text| text.parse().expect("FUZZ_SECONDS is a number"));
        if let Some(file) = set("FUZZ_INPUT") {
            let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
            let found: Value = serde_json::from_str(&text).unwrap();
            let input = serde_json::from_value(found["input"].clone()).unwrap();
            return (found["target"] == name).then_some(Self::Again(input));
        }
        if let Some(child) = set("FUZZ_CHILD") {
            return (child == name).then_some(Self::Child { seconds: seconds.unwrap_or(1) });
        }
        if set("FUZZ_TARGET").is_some_and(|wanted| !name.contains(&wanted)) {
            return None;
        }
        Some(seconds.map_or(Self::Sample, |seconds| Self::Parent { seconds }))
    }

    /// What was found, in words.
    pub(super) fn carry_out(&self, name: &str, target: &Target, act: Act<'_>) -> Option<String> {
        match self {
            Self::Sample | Self::Parent { .. } => sample(name, target, act),
            Self::Child { seconds } => {
                child(name, target, act, Duration::from_secs(*seconds));
                None
            }
            Self::Again(input) => {
                limit();
                watch();
                let run = target.run(act, input);
                println!("{name}: {} bytes held, {} allocations: {:?}", run.held, run.made, run.outcome);
                run.outcome.err().map(|fault| fault.to_string())
            }
        }
    }
}

fn seed() -> u64 {
    set("FUZZ_SEED").map_or(1, |text| text.parse().expect("FUZZ_SEED is a number"))
}

fn folder() -> PathBuf {
    let folder = set("FUZZ_DIR").map_or_else(|| env::temp_dir().join("serin-fuzz"), PathBuf::from);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn text_of(name: &str, input: &[String], found: &str) -> String {
    json!({"target": name, "found": found, "input": input}).to_string()
}

/// Keeps an input that fails; what to tell people.
fn told(name: &str, input: &[String], executions: u64, fault: &Fault) -> String {
    let text = text_of(name, input, &fault.to_string());
    let file = folder().join(format!("{name}-{:016x}.json", names::checksum(&text)));
    fs::write(&file, text).unwrap();
    let shown: String = format!("{input:?}").chars().take(400).collect();
    let file = file.display();
    format!(
        "{name}, execution {executions}: {fault}\n  {shown}\n  kept in {file}; once more: make fuzz INPUT={file}"
    )
}

fn sample(name: &str, target: &Target, act: Act<'_>) -> Option<String> {
    let mut search = Search::new(target, act, seed());
    while search.seeds_left() > 0 || search.executions < SAMPLE + target.seeds.len() as u64 {
        if let Some((input, fault)) = search.step(&|_| {}) {
            let small = smaller(target, act, input, &fault);
            return Some(told(name, &small, search.executions, &fault));
        }
    }
    None
}

fn smaller(target: &Target, act: Act<'_>, input: Input, fault: &Fault) -> Input {
    smallest(input, ATTEMPTS.0, &|input| {
        target.run(act, input).outcome.is_err_and(|other| other.is_like(fault))
    })
}

/// Searches until the time is over or something is found, in a process that may die of it.
fn child(name: &str, target: &Target, act: Act<'_>, time: Duration) {
    std::panic::set_hook(Box::new(|_| {}));
    limit();
    let (began, current, watched) = (Instant::now(), current(name), watch());
    let mut search = Search::new(target, act, seed());
    let found = RefCell::new(None);
    while began.elapsed() < time {
        let step = search.step(&|input| {
            let number = watched.fetch_add(1, Ordering::Relaxed) + 1;
            fs::write(&current, text_of(name, input, &number.to_string())).unwrap();
        });
        if let Some((input, fault)) = step {
            let small = smaller(target, act, input, &fault);
            found.replace(Some(told(name, &small, search.executions, &fault)));
            break;
        }
    }
    let (executions, held, made) = (search.executions, search.held, search.made);
    let result = json!({
        "executions": executions, "held": held, "made": made, "kept": search.kept(), "found": found.into_inner(),
        "seconds": began.elapsed().as_secs(),
    });
    println!("{RESULT}{result}");
}

/// This process gets no more memory than that.
fn limit() {
    setrlimit(Resource::As, Rlimit { current: Some(MEMORY), maximum: Some(MEMORY) }).unwrap();
}

/// The file that holds the input which is being tried.
fn current(name: &str) -> PathBuf {
    folder().join(format!("{name}.current"))
}

/// Ends the process if one input, counted by what is returned, takes too much time of the processor.
fn watch() -> Arc<AtomicU64> {
    let (input, used) = (Arc::new(AtomicU64::new(0)), || {
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        let fields = stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect::<Vec<_>>());
        let ticks = |at: usize| fields.as_ref()?.get(at)?.parse::<u64>().ok();
        (ticks(11).unwrap_or(0) + ticks(12).unwrap_or(0)) / rustix::param::clock_ticks_per_second()
    });
    let watched = input.clone();
    thread::spawn(move || {
        let mut since = (watched.load(Ordering::Relaxed), used());
        loop {
            thread::sleep(Duration::from_millis(500));
            let now = watched.load(Ordering::Relaxed);
            if now != since.0 {
                since = (now, used());
            } else if used() > since.1 + LONGEST {
                eprintln!("one input takes more than {LONGEST} s");
                std::process::abort();
            }
        }
    });
    input
}

fn command() -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["fuzz_", "--nocapture", "--test-threads=1"]).stdin(Stdio::null());
    command
}

fn died(status: ExitStatus, said: &[u8]) -> Fault {
    let said = String::from_utf8_lossy(said);
    let last: Vec<&str> = said.lines().filter(|line| !line.is_empty()).collect();
    let last = last.iter().rev().take(3).rev().copied().collect::<Vec<_>>().join("; ");
    Fault::Dies(format!(
        "{}: {last}",
        status.signal().map_or("an error".into(), |signal| format!("signal {signal}"))
    ))
}

/// Has a process search, and tells what it found.
pub(super) fn search(name: &str, seconds: u64) {
    let current = current(name);
    fs::remove_file(&current).ok();
    let output = command().env("FUZZ_CHILD", name).env("FUZZ_SECONDS", seconds.to_string()).output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let result = stdout.lines().find_map(|line| line.split_once(RESULT));
    let Some((_, result)) = result else {
        let fault = died(output.status, &output.stderr);
        let Some((input, number)) = read(&current) else { panic!("{name}: {fault}\n{stdout}") };
        let small = smaller_by_processes(name, input);
        panic!("{}", told(name, &small, number, &fault));
    };
    let result: Value = serde_json::from_str(result).unwrap();
    let number = |key: &str| result[key].as_u64().unwrap_or(0);
    println!(
        "{name}: {} executions in {} s, {} inputs did something new, at most {} KiB held and {} allocations made",
        number("executions"),
        number("seconds"),
        number("kept"),
        number("held") / 1024,
        number("made"),
    );
    if let Some(found) = result["found"].as_str() {
        panic!("{found}");
    }
}

/// An input, and which one it was.
fn read(file: &Path) -> Option<(Input, u64)> {
    let whole: Value = serde_json::from_str(&fs::read_to_string(file).ok()?).ok()?;
    let number = whole["found"].as_str().and_then(|number| number.parse().ok());
    Some((serde_json::from_value(whole["input"].clone()).ok()?, number.unwrap_or(0)))
}

fn smaller_by_processes(name: &str, input: Input) -> Input {
    let (began, file) = (Instant::now(), folder().join(format!("{name}.smaller")));
    let small = smallest(input, ATTEMPTS.1, &|input| {
        if began.elapsed() > PATIENCE {
            return false;
        }
        fs::write(&file, text_of(name, input, "")).unwrap();
        let output = command().env_remove("FUZZ_SECONDS").env("FUZZ_INPUT", &file).output().unwrap();
        output.status.signal().is_some()
    });
    fs::remove_file(&file).ok();
    small
}
