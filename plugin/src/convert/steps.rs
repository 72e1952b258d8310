//! Converts the steps of a Rollout to steps of a Canary.

use std::time::Duration;

use serde_json::{Value, json};

use super::{draft::Draft, notes::Notes, times};

/// The path of the steps.
pub(super) const AT: &str = "spec.strategy.canary.steps";

/// Steps of a Canary.
#[derive(Default)]
pub(super) struct Steps {
    pub(super) all: Vec<Step>,
    /// For each step of the Rollout, the index of the Canary's step that contains it.
    starts: Vec<usize>,
    /// Requests that get the new version at any weight.
    pub(super) always: Vec<Value>,
    /// Percentage of mirrored requests.
    pub(super) mirror: Option<i64>,
    /// Number of pods of the new version.
    pub(super) replicas: Option<Value>,
    /// Analyses in steps, with the step from which they count.
    pub(super) analyses: Vec<(usize, usize)>,
}

/// One step.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Step {
    pub(super) weight: i64,
    pub(super) hold: Duration,
    pub(super) gate: bool,
}

impl Steps {
    /// The Canary's step that contains this step of the Rollout.
    pub(super) fn place(&self, step: usize) -> usize {
        let place = self.starts.get(step).or(self.starts.last()).copied().unwrap_or(0);
        place.min(self.all.len().saturating_sub(1))
    }

    /// The value of `analysis.steps`.
    pub(super) fn written(&self) -> Vec<Value> {
        let one = |step: &Step| {
            let mut value = json!({"weight": step.weight});
            if !step.hold.is_zero() {
                value["hold"] = json!(times::written(step.hold));
            }
            if step.gate {
                value["gate"] = json!({});
            }
            value
        };
        self.all.iter().map(one).collect()
    }
}

/// Reads the steps. `routed`: a router splits the requests. Otherwise weights are shares of pods.
pub(super) fn read(draft: &mut Draft<'_>, routed: bool, notes: &mut Notes) -> Steps {
    let canary = &draft.rollout["spec"]["strategy"]["canary"];
    let whole = canary["trafficRouting"]["maxTrafficWeight"].as_i64().filter(|most| *most > 0).unwrap_or(100);
    let mut steps = Steps::default();
    let mut current: Option<Step> = None;
    for (i, step) in canary["steps"].as_array().into_iter().flatten().enumerate() {
        let at = format!("{AT}[{i}]");
        if let Some(weight) = step["setWeight"].as_i64() {
            steps.all.extend(current.take());
            if weight * 100 % whole != 0 {
                notes.differs(
                    format!("{at}.setWeight"),
                    format!(
                        "{weight} of {whole} is {} percent: weights are whole percents",
                        weight * 100 / whole
                    ),
                );
            }
            current = Some(Step { weight: (weight * 100 / whole).clamp(0, 100), ..Step::default() });
        } else if step["pause"].is_object() {
            pause(&step["pause"], &at, &mut steps, &mut current, draft, notes);
        } else if step["setCanaryScale"].is_object() {
            scale(&step["setCanaryScale"], &at, routed, &mut steps, notes);
        } else if step["setHeaderRoute"].is_object() {
            header(&step["setHeaderRoute"], &at, current.is_some(), &mut steps, notes);
        } else if step["setMirrorRoute"].is_object() {
            mirror(&step["setMirrorRoute"], &at, current.is_some(), &mut steps, notes);
        } else if step["analysis"].is_object() {
            current.get_or_insert_default();
            steps.analyses.push((i, steps.all.len()));
        }
        steps.starts.push(steps.all.len());
    }
    steps.all.extend(current.take());
    if !routed {
        let before = steps.all.len();
        steps.all.retain(|step| step.weight < 100);
        if steps.all.len() < before {
            notes.differs(AT, "a step of 100 is left out: where weights are shares of pods the promotion gives the new version all of them");
        }
    }
    steps
}

fn pause(
    pause: &Value,
    at: &str,
    steps: &mut Steps,
    current: &mut Option<Step>,
    draft: &mut Draft<'_>,
    notes: &mut Notes,
) {
    let step = current.get_or_insert_default();
    // anything after a gate becomes a new step: a hold counts from the beginning of its step
    if step.gate {
        let next = Step { weight: step.weight, ..Step::default() };
        steps.all.push(std::mem::replace(step, next));
    }
    if pause["duration"].is_null() {
        step.gate = true;
        return;
    }
    match times::read(&pause["duration"]) {
        Some(time) => {
            step.hold += time;
            draft.times.push(time);
        }
        None => notes.refuse(
            format!("{at}.pause.duration"),
            format!("{} is no duration such as 10m", pause["duration"]),
        ),
    }
}

fn scale(scale: &Value, at: &str, routed: bool, steps: &mut Steps, notes: &mut Notes) {
    let at = format!("{at}.setCanaryScale");
    let wanted = if scale["matchTrafficWeight"] == true {
        json!("match")
    } else if let Some(replicas) = scale["replicas"].as_i64() {
        json!(replicas)
    } else if let Some(weight) = scale["weight"].as_i64() {
        json!(format!("{weight}%"))
    } else {
        return;
    };
    if !routed {
        notes.left_out(at, "the weight itself is a share of pods here");
    } else if wanted == 0 || wanted == "0%" {
        notes.left_out(at, "a run has at least one pod of the new version");
    } else if let Some(first) = steps.replicas.as_ref().filter(|first| **first != wanted) {
        notes.left_out(
            at,
            format!("spec.analysis.canaryReplicas is one for all steps: {first} of the first one"),
        );
    } else {
        steps.replicas = Some(wanted);
    }
}

fn header(route: &Value, at: &str, late: bool, steps: &mut Steps, notes: &mut Notes) {
    let at = format!("{at}.setHeaderRoute");
    let name = route["name"].as_str().unwrap_or_default();
    let matches: Vec<&Value> = route["match"].as_array().into_iter().flatten().collect();
    if matches.is_empty() {
        notes.differs(
            at,
            format!("route {name:?} does not end here: spec.analysis.always holds until the run ends"),
        );
        return;
    }
    if late {
        notes.differs(&at, format!("route {name:?} is there from the first step"));
    }
    // all headers of a route must match
    let mut headers = serde_json::Map::new();
    for one in matches {
        let header = one["headerName"].as_str().unwrap_or_default().to_lowercase();
        headers.insert(header, one["headerValue"].clone());
    }
    steps.always.push(json!({"headers": headers}));
}

fn mirror(route: &Value, at: &str, late: bool, steps: &mut Steps, notes: &mut Notes) {
    let at = format!("{at}.setMirrorRoute");
    let name = route["name"].as_str().unwrap_or_default();
    let percentage = route["percentage"].as_i64().unwrap_or(if route["match"].is_array() { 100 } else { 0 });
    if percentage == 0 {
        notes.differs(at, format!("copies for route {name:?} end with the first weight"));
        return;
    }
    if late {
        notes.differs(
            at,
            format!("copies for route {name:?} are made before the first weight, for one interval"),
        );
    }
    steps.mirror = Some(percentage.clamp(1, 100));
}
