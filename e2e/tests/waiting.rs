//! How waiting tools interpret a Canary: reads every status of every scenario like kstatus, and compares the result
//! with the expected one for the state. `STATUSES=file` writes the statuses, one JSON object per line, for the real
//! libraries in `e2e/gitops`.
#![allow(missing_docs, reason = "a test target has no callers")]

use std::{fmt::Write as _, fs, path::Path, thread};

use anyhow::{Context as _, Result, anyhow, ensure};
use serde_json::{Value, json};

/// A tool's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Read {
    InProgress,
    Current,
    Failed,
    /// The object is being deleted.
    Terminating,
}

/// Reads a custom resource with conditions like kstatus.
fn read(canary: &Value) -> Read {
    let status = &canary["status"];
    if !canary["metadata"]["deletionTimestamp"].is_null() {
        return Read::Terminating;
    }
    if status["observedGeneration"].as_i64() != canary["metadata"]["generation"].as_i64() {
        return Read::InProgress;
    }
    for condition in status["conditions"].as_array().into_iter().flatten() {
        match (condition["type"].as_str(), condition["status"].as_str()) {
            (Some("Reconciling"), Some("True")) => return Read::InProgress,
            (Some("Stalled"), Some("True")) => return Read::Failed,
            _ => {}
        }
    }
    match condition(canary, "Ready")["status"].as_str() {
        Some("False" | "Unknown") => Read::InProgress,
        _ => Read::Current,
    }
}

/// The expected result, by phase and by the other conditions of Flagger and Serin.
fn wanted(canary: &Value) -> Read {
    let (status, meta) = (&canary["status"], &canary["metadata"]);
    if !meta["deletionTimestamp"].is_null() {
        return Read::Terminating;
    }
    if status["observedGeneration"] != meta["generation"] {
        return Read::InProgress;
    }
    let refused = condition(canary, "Accepted")["status"] == "False";
    let declined = condition(canary, "Promoted")["reason"] == "Declined";
    let promoted = status["lastAppliedSpec"] == status["lastPromotedSpec"];
    match status["phase"].as_str().unwrap_or_default() {
        "Failed" => Read::Failed,
        _ if refused || declined => Read::Failed,
        "Initialized" | "Succeeded" if promoted => Read::Current,
        "Initialized" | "Succeeded" => Read::Failed,
        _ => Read::InProgress,
    }
}

fn condition<'v>(canary: &'v Value, type_: &str) -> &'v Value {
    let mut all = canary["status"]["conditions"].as_array().into_iter().flatten();
    all.find(|c| c["type"] == type_).unwrap_or(&Value::Null)
}

/// Problems of a status for waiting tools.
fn wrong(canary: &Value) -> Option<String> {
    let (is, want) = (read(canary), wanted(canary));
    if is != want {
        return Some(format!("read as {is:?}, wanted {want:?}"));
    }
    let of = |type_| condition(canary, type_);
    if !of("Reconciling").is_null() && !of("Stalled").is_null() {
        return Some("Reconciling and Stalled together".into());
    }
    if canary["status"]["phase"].is_null() || canary["status"]["canaryWeight"].is_null() {
        return Some("a status without phase or weight".into());
    }
    if of("Ready")["observedGeneration"] != canary["status"]["observedGeneration"] {
        return Some("Ready is about another generation".into());
    }
    let mut all = canary["status"]["conditions"].as_array().into_iter().flatten();
    let silent = |c: &&Value| c["message"].as_str().is_none_or(str::is_empty);
    all.find(silent).map(|c| format!("condition {} has no message", c["type"]))
}

#[test]
fn r15_k4_a_status_that_breaks_a_script_is_found() -> Result<()> {
    let told = scenario("promoted")?;
    let last = told.last().context("a status")?;
    ensure!(wrong(last).is_none(), "{:?}", wrong(last));
    for lacks in ["/phase", "/canaryWeight", "/conditions/0/message"] {
        let mut canary = last.clone();
        *canary["status"].pointer_mut(lacks).with_context(|| lacks.to_owned())? = Value::Null;
        ensure!(wrong(&canary).is_some(), "a status without {lacks} is taken for right");
    }
    Ok(())
}

fn scenario(name: &str) -> Result<Vec<Value>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(format!("{name}.yaml"));
    serin_model::scenario::statuses(&fs::read_to_string(path)?).with_context(|| name.to_owned())
}

fn names() -> Result<Vec<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        names.extend(stem.filter(|_| path.extension().is_some_and(|e| e == "yaml")));
    }
    names.sort();
    Ok(names)
}

#[test]
fn r15_k4_k6_every_status_of_every_scenario_tells_tools_what_to_wait_for() -> Result<()> {
    let names = names()?;
    let share = names.len().div_ceil(thread::available_parallelism().map_or(1, usize::from));
    let play = |some: &[String]| -> Result<Vec<(String, Value)>> {
        let mut all = vec![];
        for name in some {
            all.extend(scenario(name)?.into_iter().map(|canary| (name.clone(), canary)));
        }
        Ok(all)
    };
    let told: Vec<(String, Value)> = thread::scope(|scope| {
        let parts: Vec<_> = names.chunks(share).map(|some| scope.spawn(|| play(some))).collect();
        let ended =
            parts.into_iter().map(|part| part.join().map_err(|_| anyhow!("a scenario ended early"))?);
        ended.collect::<Result<Vec<_>>>()
    })?
    .into_iter()
    .flatten()
    .collect();
    if let Some(path) = std::env::var_os("STATUSES") {
        let mut lines = String::new();
        for (name, canary) in &told {
            let want = format!("{:?}", wanted(canary));
            writeln!(lines, "{}", json!({"scenario": name, "want": want, "canary": canary}))?;
        }
        for canary in unseen()? {
            writeln!(lines, "{}", json!({"scenario": "unseen", "want": "InProgress", "canary": canary}))?;
        }
        fs::write(path, lines)?;
    }
    ensure!(told.len() > 1000, "only {} statuses", told.len());
    let mut faults: Vec<String> = told
        .iter()
        // a status from before, written by Flagger or by an earlier version
        .filter(|(_, canary)| !canary["status"]["conditions"].is_null())
        .filter_map(|(name, canary)| Some(format!("{name}: {}: {}", wrong(canary)?, canary["status"])))
        .collect();
    faults.dedup_by_key(|fault| fault.split(':').next().unwrap_or_default().to_owned());
    ensure!(faults.is_empty(), "{} scenarios:\n{}", faults.len(), faults.join("\n"));
    Ok(())
}

/// A Canary from the API server before an operator has written its status, in each version.
fn unseen() -> Result<Vec<Value>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crd/canaries.yaml");
    let crd: Value = serde_saphyr::from_str(&fs::read_to_string(path)?)?;
    let versions = crd["spec"]["versions"].as_array().context("no versions")?;
    let status =
        |version: &Value| version["schema"]["openAPIV3Schema"]["properties"]["status"]["default"].clone();
    let canary = |version| json!({"metadata": {"name": "podinfo", "generation": 1}, "spec": {}, "status": status(version)});
    Ok(versions.iter().map(canary).collect())
}

#[test]
fn k6_a_canary_that_no_operator_has_looked_at_is_waited_for() -> Result<()> {
    for canary in unseen()? {
        // kstatus stops if the generation is missing, and Argo CD's script fails without the other fields
        let status = &canary["status"];
        ensure!(status["observedGeneration"] == -1 && status["canaryWeight"] == 0, "{status}");
        ensure!(status["phase"] == "" && status["conditions"] == json!([]), "{status}");
        assert_eq!(read(&canary), Read::InProgress);
    }
    Ok(())
}

/// The results of a scenario in their order, each with the reason of `Ready`.
fn course(name: &str) -> Result<Vec<String>> {
    let verdict = |canary: &Value| {
        format!("{:?} {}", read(canary), condition(canary, "Ready")["reason"].as_str().unwrap_or_default())
    };
    let mut course: Vec<String> = scenario(name)?.iter().map(verdict).collect();
    course.dedup();
    Ok(course)
}

#[test]
fn k6_waiting_ends_with_the_release_and_not_before() -> Result<()> {
    let begins = ["InProgress Initializing", "Current Promoted"];
    let after = |rest: &[&str]| begins.iter().chain(rest).map(|s| (*s).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        course("promoted")?,
        after(&["InProgress Progressing", "InProgress Promoting", "Current Promoted"])
    );
    assert_eq!(
        course("bad-metrics")?,
        after(&["InProgress Progressing", "InProgress Ending", "Failed ThresholdReached"])
    );
    assert_eq!(
        course("prometheus-down")?,
        after(&[
            "InProgress Progressing",
            "InProgress Frozen",
            "InProgress Progressing",
            "InProgress Promoting",
            "Current Promoted"
        ])
    );
    let suspended = ["InProgress Progressing", "InProgress Suspended", "InProgress Progressing"];
    let promoted = ["InProgress Promoting", "Current Promoted"];
    assert_eq!(course("suspended")?, after(&[&suspended[..], &promoted].concat()));
    let gated = ["InProgress Progressing", "InProgress WaitingForApproval", "InProgress Progressing"];
    assert_eq!(course("gate-steps")?, after(&[&gated[..], &promoted].concat()));
    assert_eq!(course("target-missing")?, [&["Failed TargetMissing"], &begins[..]].concat());
    Ok(())
}

#[test]
fn ch24_stalled_goes_when_the_target_is_set_back() -> Result<()> {
    let course = course("set-back-after-failure")?;
    let (failed, rest) =
        course.split_at(course.iter().position(|v| v.starts_with("Failed")).context("Failed")?);
    ensure!(failed.last().is_some_and(|v| v.starts_with("InProgress")), "{course:?}");
    assert_eq!(rest.last().map(String::as_str), Some("Current Promoted"), "{course:?}");
    Ok(())
}
