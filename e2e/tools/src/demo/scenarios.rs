//! The available scenarios, each with its objects, clients and acts.
//!
//! The objects come from `deploy/examples`, with shorter windows where those are meant for production.

use serde_json::{Value, json};
use serin::api::Phase;

use super::beside::Kind;
use serin_bed::proxies::Door;

/// A release, and the expected end of its run. An act with another end has failed.
pub(super) struct Act {
    pub(super) title: &'static str,
    /// One sentence about what it shows.
    pub(super) about: &'static str,
    pub(super) version: &'static str,
    /// The share of requests that the new version answers with 500.
    pub(super) error_rate: f64,
    /// Whether clients send requests.
    pub(super) called: bool,
    /// How the run ends.
    pub(super) end: Phase,
}

/// A scenario.
pub struct Scenario {
    /// What it is called by.
    pub name: &'static str,
    /// Its characteristics, in one line.
    pub about: &'static str,
    /// The example with its Canary.
    pub(super) example: &'static str,
    /// Changes Deployment and Canary before they are applied.
    pub(super) edit: fn(&mut Value, &mut Value),
    /// The course of a release.
    pub(super) plan: &'static str,
    /// The header that the client sends with each request, if any.
    pub(super) header: Option<(&'static str, &'static str)>,
    /// The proxy for its requests, if it is not the mesh's ingress gateway.
    pub(super) door: Option<Door>,
    /// The additional clients.
    pub(super) beside: Kind,
    pub(super) acts: &'static [Act],
}

/// The Deployment for examples without one.
pub(super) const PLAIN: &str = include_str!("../../../../deploy/examples/canary-istio.yaml");
const INSIDER: (&str, &str) = ("x-canary", "insider");

const FIRST_FLIGHT: [Act; 3] = [
    Act {
        title: "a good release is promoted",
        about: "6.0.1 is as good as 6.0.0: it gets 10, 30 and 50 % of the traffic, then all of it.",
        version: "6.0.1",
        error_rate: 0.0,
        called: true,
        end: Phase::Succeeded,
    },
    Act {
        title: "a bad release is rolled back",
        about: "6.0.2 answers 500 to everything: after two failed checks it gets no more traffic.",
        version: "6.0.2",
        error_rate: 1.0,
        called: true,
        end: Phase::Failed,
    },
    Act {
        title: "a release without traffic is rolled back",
        about: "The client is silent: nothing is known about 6.0.3, so it is not promoted. Then callers come back.",
        version: "6.0.3",
        error_rate: 0.0,
        called: false,
        end: Phase::Failed,
    },
];

/// All scenarios. The first one is the default.
pub static SCENARIOS: [Scenario; 7] = [
    Scenario {
        name: "first-flight",
        about: "weights: a good release is promoted, a bad one and one without traffic are rolled back",
        example: PLAIN,
        edit: |_, _| (),
        plan: "weights 10, 30, 50 %",
        header: None,
        door: None,
        beside: Kind::Nothing,
        acts: &FIRST_FLIGHT,
    },
    Scenario {
        name: "steps",
        about: "steps that last as long as each says, for named requests only; all others stay on the old version",
        example: include_str!("../../../../deploy/examples/canary-istio-steps.yaml"),
        edit: |_, canary| {
            quick(canary);
            canary["spec"]["analysis"]["steps"] = json!([{"weight": 5, "hold": "10s"}, {"weight": 20, "hold": "7s"}, {"weight": 50}, {"weight": 100}]);
        },
        plan: "5 % for 10 s, 20 % for 7 s, 50 %, 100 %, all of insiders",
        header: Some(INSIDER),
        door: None,
        beside: Kind::Others,
        acts: &[Act {
            title: "steps of unequal length",
            about: "Insiders get 6.0.1 little by little, the first steps being the longest. All others stay.",
            version: "6.0.1",
            error_rate: 0.0,
            called: true,
            end: Phase::Succeeded,
        }],
    },
    Scenario {
        name: "ab",
        about: "A/B: named requests get the new version, all of them and no others",
        example: include_str!("../../../../deploy/examples/canary-istio-ab.yaml"),
        edit: |_, canary| {
            quick(canary);
            canary["spec"]["analysis"]["iterations"] = json!(3);
        },
        plan: "3 windows in which insiders get the new version",
        header: Some(INSIDER),
        door: None,
        beside: Kind::Others,
        acts: &[
            Act {
                title: "insiders try a good release",
                about: "All requests with the header get 6.0.1, all others 6.0.0, until it is promoted for everybody.",
                version: "6.0.1",
                error_rate: 0.0,
                called: true,
                end: Phase::Succeeded,
            },
            Act {
                title: "insiders try a bad release",
                about: "6.0.2 answers one request in ten with 500: insiders are taken back; no one else ever saw it.",
                version: "6.0.2",
                error_rate: 0.1,
                called: true,
                end: Phase::Failed,
            },
        ],
    },
    Scenario {
        name: "bluegreen",
        about: "blue/green: tried on copies of all requests, then everybody is switched at once",
        example: include_str!("../../../../deploy/examples/canary-istio-bluegreen.yaml"),
        edit: |deployment, canary| {
            quick(canary);
            canary["spec"]["analysis"]["iterations"] = json!(3);
            counted_by_pods(deployment, canary);
        },
        plan: "3 windows on copies of requests, then everybody for one more",
        header: None,
        door: None,
        beside: Kind::Copies { percent: 100 },
        acts: &[
            Act {
                title: "a good release is switched to",
                about: "6.0.1 gets a copy of every request and its answers go nowhere; then, in one change, all the users.",
                version: "6.0.1",
                error_rate: 0.0,
                called: true,
                end: Phase::Succeeded,
            },
            Act {
                title: "a bad release never meets a user",
                about: "6.0.2 answers one request in ten with 500. Copies are enough to find out.",
                version: "6.0.2",
                error_rate: 0.1,
                called: true,
                end: Phase::Failed,
            },
        ],
    },
    Scenario {
        name: "mirror",
        about: "copies of a tenth of the requests first, then users by weight",
        example: include_str!("../../../../deploy/examples/canary-istio-mirror.yaml"),
        edit: |deployment, canary| {
            quick(canary);
            counted_by_pods(deployment, canary);
        },
        plan: "copies of 10 % for one window, then weights 20, 40, 60 %",
        header: None,
        door: None,
        beside: Kind::Copies { percent: 10 },
        acts: &[
            Act {
                title: "a good release, tried on copies first",
                about: "A tenth of the requests is copied to 6.0.1 before any user is answered by it.",
                version: "6.0.1",
                error_rate: 0.0,
                called: true,
                end: Phase::Succeeded,
            },
            Act {
                title: "a bad release never meets a user",
                about: "6.0.2 answers one request in ten with 500. Copies are enough to find out.",
                version: "6.0.2",
                error_rate: 0.1,
                called: true,
                end: Phase::Failed,
            },
        ],
    },
    Scenario {
        name: "affinity",
        about: "session affinity: whoever has met the new version stays there, whatever the weight",
        example: include_str!("../../../../deploy/examples/canary-istio-affinity.yaml"),
        edit: |_, canary| {
            quick(canary);
            canary["spec"]["analysis"]["stepWeight"] = json!(20);
        },
        plan: "weights 20, 40, 50 % of those who come for the first time",
        header: None,
        door: None,
        beside: Kind::People,
        acts: &[Act {
            title: "people stay where they are",
            about: "The client has no cookies: each request is a newcomer's. Beside it, 20 people keep theirs.",
            version: "6.0.1",
            error_rate: 0.0,
            called: true,
            end: Phase::Succeeded,
        }],
    },
    Scenario {
        name: "gatewayapi",
        about: "the first flight by the Gateway API: an HTTPRoute of a Gateway that Contour serves",
        example: include_str!("../../../../deploy/examples/canary-gatewayapi.yaml"),
        edit: |deployment, canary| {
            quick(canary);
            scraped(deployment, canary);
            // an HTTPRoute does not support them
            leave_out(&mut canary["spec"]["service"], &["retries"]);
            canary["spec"]["service"]["gatewayRefs"] = json!([Door::Contour.gateway()]);
            let analysis = &mut canary["spec"]["analysis"];
            leave_out(analysis, &["stepWeight", "maxWeight"]);
            analysis["stepWeights"] = json!([10, 30, 50]);
        },
        plan: "weights 10, 30, 50 %",
        header: None,
        door: Some(Door::Contour),
        beside: Kind::Nothing,
        acts: &FIRST_FLIGHT,
    },
];

/// The scenario with this name.
///
/// # Errors
/// There is no such scenario. The text lists the existing ones.
pub fn find(name: &str) -> Result<&'static Scenario, String> {
    let found = SCENARIOS.iter().find(|scenario| scenario.name == name);
    found.ok_or_else(|| format!("there is no scenario {name:?}; these can be watched:\n{}", list()))
}

/// The names and characteristics of all scenarios.
pub fn list() -> String {
    let lines = SCENARIOS.iter().map(|scenario| format!("  {:<13} {}", scenario.name, scenario.about));
    lines.collect::<Vec<_>>().join("\n")
}

fn leave_out(object: &mut Value, fields: &[&str]) {
    if let Some(object) = object.as_object_mut() {
        object.retain(|field, _| !fields.contains(&field.as_str()));
    }
}

/// Windows for watching: 4 s each, of which two may fail.
fn quick(canary: &mut Value) {
    let spec = &mut canary["spec"];
    spec["progressDeadlineSeconds"] = json!(60);
    spec["service"]["retries"] = json!({"attempts": 0});
    let analysis = &mut spec["analysis"];
    analysis["threshold"] = json!(2);
    windows(canary, "4s");
}

fn windows(canary: &mut Value, length: &str) {
    let analysis = &mut canary["spec"]["analysis"];
    analysis["interval"] = json!(length);
    for metric in analysis["metrics"].as_array_mut().into_iter().flatten() {
        metric["interval"] = json!(length);
    }
}

/// Makes Prometheus scrape the pods, with windows of 6 s: Prometheus finds a pod a few seconds after it is ready, and a
/// rate needs two scrapes.
fn scraped(deployment: &mut Value, canary: &mut Value) {
    deployment["spec"]["template"]["metadata"]["annotations"] =
        json!({"prometheus.io/scrape": "true", "prometheus.io/port": "9898"});
    windows(canary, "6s");
}

/// Lets the check read the pods' own metrics: the proxy that mirrors requests does not count the copies, and there are
/// no sidecars that would.
fn counted_by_pods(deployment: &mut Value, canary: &mut Value) {
    scraped(deployment, canary);
    let rate = |status: &str| {
        format!(
            r#"sum(rate(http_request_duration_seconds_count{{kubernetes_namespace="{{{{ namespace }}}}",kubernetes_pod_name=~"{{{{ target }}}}-[0-9a-zA-Z]+-[0-9a-zA-Z]+"{status}}}[{{{{ interval }}}}]))"#
        )
    };
    let query = format!("100 * ({} or vector(0)) / {}", rate(r#",status!~"5..""#), rate(""));
    let analysis = &mut canary["spec"]["analysis"];
    analysis["metrics"] = json!([
        {"name": "success-rate-in-pods", "interval": analysis["interval"], "thresholdRange": {"min": 99}, "query": query},
    ]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_found_by_its_name_and_an_unknown_one_is_answered_with_the_list() {
        assert_eq!(find("ab").map(|scenario| scenario.name), Ok("ab"));
        let error = find("bleugreen").map(|scenario| scenario.name).unwrap_err();
        assert!(error.contains("\"bleugreen\"") && SCENARIOS.iter().all(|one| error.contains(one.name)));
    }
}
