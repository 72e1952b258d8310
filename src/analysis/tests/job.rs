use serde_json::{Value, json};

use crate::analysis::Checks;
use crate::{
    analysis::job::{SUCCESS, is_for_job, mistakes, of, rendered},
    api::CanaryMetric,
    manifest::{fixture, json},
    router,
    spec::Validated,
};

fn spec() -> Value {
    json!({"template": {"spec": {"containers": [
        {"name": "load", "image": "load:1", "args": ["http://{{ service }}-canary.{{ namespace }}/", "plain"]},
    ]}}})
}

fn set(value: &mut Value, at: &str, to: Value) {
    let path: Vec<&str> = at.split('.').collect();
    json::set(value, &path, to);
}

fn canary() -> Validated {
    fixture::canary(&json!({}))
}

fn checks(job: &Value) -> Checks {
    let template = json!({"provider": {"type": "job"}, "job": job});
    let template = serde_json::from_value(template).unwrap();
    Checks { templates: [("test/warm-up".to_owned(), template)].into(), ..Checks::default() }
}

fn metric(more: &Value) -> CanaryMetric {
    let mut metric = json!({"name": "warm-up", "templateRef": {"name": "warm-up"}});
    for (key, value) in more.as_object().unwrap() {
        metric[key] = value.clone();
    }
    serde_json::from_value(metric).unwrap()
}

fn wrong(spec: &Value, more: &Value) -> Option<String> {
    let (c, checks, m) = (canary(), checks(&json!({"spec": spec})), metric(more));
    let (name, template) = of(&c, &checks, &m).unwrap();
    mistakes(&c, &m, (&name, template), &("app".into(), "podinfo".into()))
}

#[test]
fn texts_of_a_job_are_filled_in() {
    let job = json!({"metadata": {"labels": {"of": "{{ target }}"}}, "spec": spec()});
    let job = rendered(&canary(), &checks(&job), &metric(&json!({}))).unwrap();
    let args = &job.spec["template"]["spec"]["containers"][0]["args"];
    assert_eq!(args, &json!(["http://podinfo-canary.test/", "plain"]));
    assert_eq!(job.metadata.unwrap().labels["of"], "podinfo");
    let mut bad = spec();
    bad["template"]["spec"]["containers"][0]["args"][1] = json!("{{ nope }}");
    let error = rendered(&canary(), &checks(&json!({"spec": bad})), &metric(&json!({}))).unwrap_err();
    let place = "MetricTemplate test/warm-up, spec.job.spec.template.spec.containers[0].args[1]: ";
    assert!(error.starts_with(place), "{error}");
}

#[test]
fn a_job_asks_no_server_and_passes_by_its_end() {
    let c = canary();
    let metrics = vec![metric(&json!({"thresholdRange": {"min": 1}}))];
    let checks = Checks { metrics, ..checks(&json!({"spec": spec()})) };
    let asks = super::super::asks(&c, &checks, router::by_name("istio").unwrap().queries());
    let query = asks[0].query.as_ref().unwrap();
    assert!(is_for_job(query) && query.promql == "the Job of MetricTemplate test/warm-up", "{query:?}");
    let read = |reading: super::super::Reading| {
        super::super::assess(&c, &checks, 0, &asks, &[(0, reading)].into()).unwrap()
    };
    let passed = read(super::super::Reading::Values(vec![SUCCESS]));
    assert_eq!((passed.outcome, passed.value.as_str()), (crate::api::MetricOutcome::Pass, "1"));
    let failed = read(crate::analysis::Reading::Bad("Job a-1 failed".into()));
    assert_eq!((failed.outcome, failed.value.as_str()), (crate::api::MetricOutcome::Fail, "0"));
    assert_eq!(failed.text, "Halt podinfo.test advancement warm-up: Job a-1 failed");
}

#[test]
fn what_cannot_be_meant_is_said_with_its_place() {
    assert_eq!(wrong(&spec(), &json!({})), None);
    assert_eq!(wrong(&spec(), &json!({"thresholdRange": {"min": 1}, "count": 1, "failureLimit": 0})), None);
    for (at, to, words) in [
        ("template.spec.containers", json!([]), "spec.job.spec.template.spec.containers is empty"),
        ("suspend", json!(true), "spec.job.spec.suspend is true"),
        ("template.spec.restartPolicy", json!("Always"), "restartPolicy is Always"),
        ("ttlSecondsAfterFinished", json!(5), "ttlSecondsAfterFinished is 5"),
        ("activeDeadlineSeconds", json!(0), "activeDeadlineSeconds is 0"),
        ("activeDeadlineSeconds", json!("5m"), "activeDeadlineSeconds is \"5m\""),
        ("template.metadata.labels.app", json!("podinfo"), "has app: podinfo"),
        ("template.metadata.labels.app", json!("podinfo-primary"), "its pods would get requests"),
    ] {
        let mut spec = spec();
        set(&mut spec, at, to);
        let said = wrong(&spec, &json!({})).unwrap();
        assert!(said.starts_with("MetricTemplate test/warm-up, ") && said.contains(words), "{said}");
    }
    let mut other = spec();
    set(&mut other, "template.metadata.labels.app", json!("load"));
    assert_eq!(wrong(&other, &json!({})), None);
    for (more, words) in [
        (json!({"name": "request-duration"}), "built-in"),
        (json!({"threshold": 5}), "threshold has no meaning"),
        (json!({"thresholdRange": {"max": 5}}), "thresholdRange has no meaning"),
        (json!({"successCondition": "result[0] > 0"}), "successCondition has no meaning"),
        (
            json!({"args": [{"name": "id", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}]}),
            "secretKeyRef",
        ),
    ] {
        let said = wrong(&spec(), &more).unwrap();
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn a_job_is_made_beside_its_canary_only() {
    let (mut c, checks, m) = (canary(), checks(&json!({"spec": spec()})), metric(&json!({})));
    let (name, template) = of(&c, &checks, &m).unwrap();
    c.namespace = "elsewhere".into();
    let said = mistakes(&c, &m, (&name, template), &("app".into(), "podinfo".into())).unwrap();
    assert!(said.contains("MetricTemplate test/warm-up is a Job in another namespace"), "{said}");
}
