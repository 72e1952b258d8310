//! One case, Serin's result, and the originals' result.

use std::{
    collections::BTreeMap,
    io::{ErrorKind, Write},
    path::{Path as File, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use anyhow::{Context, Result, anyhow, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serin::{
    analysis,
    api::{CanaryMetric, duration},
    expression::{
        Answer, Condition, Path, quantity,
        template::{self, Functions},
    },
};

#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Case {
    /// The finding of which this is the smallest case. Empty for other cases.
    #[serde(skip)]
    pub(crate) id: &'static str,
    pub(crate) engine: &'static str,
    pub(crate) text: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) variables: BTreeMap<String, String>,
    /// For a condition. NaN is sent as null.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) values: Vec<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) primary: Vec<f64>,
    /// The names in a condition are numbers instead of lists.
    pub(crate) scalar: bool,
    /// The series of the canary that a condition is asked about: `values` begin with it.
    #[serde(skip)]
    pub(crate) turn: usize,
    /// It is in a document, so it has to work.
    #[serde(skip)]
    pub(crate) works: bool,
    /// Not even an allowed difference is one here. Of a condition, one of the two originals has to agree.
    #[serde(skip)]
    pub(crate) strict: bool,
    /// For a path. For a window, the kind of server.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) document: String,
    /// The value in a Secret for the argument `id` of a template.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) secret: String,
}

/// The placeholder for the value of a Secret in a template.
const MARK: &str = "*****id*****";

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    Value(String),
    Refused(String),
    /// There is no answer in time.
    Late,
}

impl From<Result<String, String>> for Outcome {
    fn from(said: Result<String, String>) -> Self {
        said.map_or_else(Self::Refused, Self::Value)
    }
}

impl Case {
    /// Serin's result.
    pub(crate) fn ours(&self) -> Outcome {
        match self.engine {
            "template" => self.rendered(),
            "expr" | "cel" => self.asked(),
            "path" => self.followed(),
            "field" => self.read(),
            "promql" => Ok(analysis::as_written(&self.text).to_owned()),
            "window" => self.measured(),
            "duration" => {
                let why = if self.text.starts_with('-') { "below zero" } else { "no duration" };
                duration::parse(&self.text).map(|d| d.as_nanos().to_string()).ok_or_else(|| why.to_owned())
            }
            _ => {
                let digits = self.text.contains(|c: char| c.is_ascii_digit());
                let why = if digits { "no quantity" } else { "without a digit" };
                quantity::parse(&self.text).map(|n| n.to_string()).ok_or_else(|| why.to_owned())
            }
        }
        .into()
    }

    fn rendered(&self) -> Result<String, String> {
        let mut args = BTreeMap::from([("team".to_owned(), "blue".to_owned())]);
        if !self.secret.is_empty() {
            args.insert("id".to_owned(), MARK.to_owned());
        }
        let functions = Functions {
            texts: BTreeMap::from([
                ("name", "podinfo"),
                ("namespace", "prod"),
                ("target", "podinfo"),
                ("service", "podinfo-svc"),
                ("ingress", "podinfo"),
                ("route", "podinfo"),
                ("interval", "1m"),
            ]),
            maps: BTreeMap::from([("variables", &self.variables), ("args", &args)]),
            marks: vec![MARK],
        };
        let text = template::render(&self.text, &functions)?;
        Ok(if self.secret.is_empty() { text } else { analysis::placed(&text, MARK, &self.secret) })
    }

    fn asked(&self) -> Result<String, String> {
        let condition = Condition::parse(&self.text)?;
        let mut values = self.values.clone();
        values.rotate_right(self.turn);
        let answer = match condition.holds(&values, &self.primary)?.get(self.turn) {
            Some(answer) => answer.clone(),
            // it names a place, so it has one answer for all series
            None => condition.holds(&self.values, &self.primary)?.remove(0),
        };
        match answer {
            Answer::Yes => Ok("true".into()),
            Answer::No => Ok("false".into()),
            Answer::NotANumber(part) => Err(format!("undecided: {part}")),
        }
    }

    fn followed(&self) -> Result<String, String> {
        let document: Value = serde_json::from_str(&self.document).map_err(|e| e.to_string())?;
        let path = Path::parse(&self.text)?;
        let mut all: Vec<String> = path.find(&document)?.into_iter().map(ToString::to_string).collect();
        all.sort();
        Ok(format!("[{}]", all.join(",")))
    }

    fn read(&self) -> Result<String, String> {
        let document: Value = serde_json::from_str(&self.document).map_err(|e| e.to_string())?;
        let path = Path::field(&self.text)?;
        match path.find(&document)?.as_slice() {
            [Value::String(text)] => Ok(text.clone()),
            [value @ (Value::Number(_) | Value::Bool(_))] => Ok(value.to_string()),
            [_] => Err("neither text nor number".into()),
            found => Err(format!("leads to {} values", found.len())),
        }
    }

    fn measured(&self) -> Result<String, String> {
        let metric = CanaryMetric { interval: Some(self.text.clone()), ..CanaryMetric::default() };
        analysis::window(&metric, &self.document).map(|_| "taken".to_owned())
    }

    /// Whether two values are equal.
    pub(crate) fn same(&self, ours: &str, theirs: &str) -> bool {
        if self.engine != "quantity" {
            return ours == theirs;
        }
        // a Quantity is rounded to billionths, away from zero
        match (ours.parse::<f64>(), theirs.parse::<f64>()) {
            (Ok(a), Ok(b)) => {
                a.is_infinite() && b.is_infinite() && a * b > 0.0 || (a - b).abs() <= 1e-9 + a.abs() * 1e-12
            }
            _ => false,
        }
    }
}

#[derive(Deserialize)]
struct Said {
    value: Option<String>,
    #[serde(default)]
    error: String,
    #[serde(default)]
    late: bool,
}

/// The exit status of a program that had no answer in time, and leaves the rest of the cases.
const LATE: i32 = 3;

/// The originals' results, in the order of the cases.
pub(crate) fn answers(cases: &[Case]) -> Result<Vec<Outcome>> {
    asked(program()?, None, cases)
}

/// As `answers`, with this time for each case.
pub(crate) fn answers_within(time: &str, cases: &[Case]) -> Result<Vec<Outcome>> {
    asked(program()?, Some(time), cases)
}

/// Serin's results. `SERIN_ENGINES_OURS` names a program that answers instead, in the format of `e2e/engines`, for
/// instance one built from an earlier revision.
pub(crate) fn ours(cases: &[Case]) -> Result<Vec<Outcome>> {
    let mut said = match std::env::var_os("SERIN_ENGINES_OURS") {
        Some(program) => asked(&PathBuf::from(program), None, cases)?,
        None => cases.iter().map(Case::ours).collect(),
    };
    // Prometheus parses the query that is sent
    let sent = |outcome: &Outcome, case: &Case| match outcome {
        Outcome::Value(text) if case.engine == "promql" => Some(Case { text: text.clone(), ..case.clone() }),
        _ => None,
    };
    let (places, cases): (Vec<usize>, Vec<Case>) =
        said.iter().zip(cases).enumerate().filter_map(|(at, (o, case))| Some((at, sent(o, case)?))).unzip();
    if !cases.is_empty() {
        for (at, outcome) in places.into_iter().zip(answers(&cases)?) {
            said[at] = outcome;
        }
    }
    Ok(said)
}

/// A program's results, in the order of the cases. After each case without an answer in time it is started again.
fn asked(program: &File, time: Option<&str>, cases: &[Case]) -> Result<Vec<Outcome>> {
    let (mut said, mut late, most) = (Vec::new(), 0, 3 + cases.len() / 500);
    loop {
        let (some, ended) = answered(program, time, &cases[said.len()..])?;
        said.extend(some);
        if said.len() >= cases.len() || ended != Some(LATE) {
            break;
        }
        late += 1;
        ensure!(late <= most, "more than {most} of {} cases have no answer in time", cases.len());
    }
    ensure!(said.len() == cases.len(), "{} answers to {} cases", said.len(), cases.len());
    Ok(said)
}

/// The results of one process, as far as it comes, and its exit status.
fn answered(program: &File, time: Option<&str>, cases: &[Case]) -> Result<(Vec<Outcome>, Option<i32>)> {
    let mut child = Command::new(program).args(time).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut stdin = child.stdin.take().context("no standard input")?;
    let lines: Vec<String> = cases.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
    let writer = std::thread::spawn(move || lines.iter().try_for_each(|line| writeln!(stdin, "{line}")));
    let output = child.wait_with_output()?;
    let written = writer.join().map_err(|_| anyhow!("the writer panicked"))?;
    if !written.as_ref().is_err_and(|error| error.kind() == ErrorKind::BrokenPipe) {
        written?;
    }
    let said = output
        .stdout
        .split(|b| *b == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| {
            let said: Said = serde_json::from_slice(line)?;
            Ok(match said.value {
                Some(value) => Outcome::Value(value),
                None if said.late => Outcome::Late,
                None => Outcome::Refused(said.error),
            })
        })
        .collect::<Result<_>>()?;
    Ok((said, output.status.code()))
}

/// The Go program, built once.
fn program() -> Result<&'static PathBuf> {
    static PROGRAM: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let built = PROGRAM.get_or_init(|| build().map_err(|e| format!("{e:#}")));
    built.as_ref().map_err(|why| anyhow!("{why}"))
}

fn build() -> Result<PathBuf> {
    let program = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("engines");
    let status = Command::new("go")
        .args(["build", "-o"])
        .arg(&program)
        .arg(".")
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/engines"))
        .status()
        .context("Go builds the program that these tests compare with: https://go.dev/dl")?;
    ensure!(status.success(), "e2e/engines does not build");
    Ok(program)
}
