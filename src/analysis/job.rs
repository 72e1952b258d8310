//! PURE. Metrics that are Jobs: how to recognise them, what their templates must and must not contain, and the rendered
//! Job.
//!
//! Creates no Job and does not check its end: `plan` does, with `manifest::job`.

use serde_json::Value;

use super::{
    access::Access,
    checks::Checks,
    metric::{range, template_of, window},
    query::{Metric, Query, Range},
    template,
};
use crate::{
    api::{CanaryMetric, JobTemplate, MetricTemplateSpec},
    manifest::json,
    spec::{Validated, metric_names::canonical},
};

/// The `spec.provider.type` of a metric that is a Job.
pub(crate) const KIND: &str = "job";

/// The reading of a Job that succeeds; one that fails reads as 0.
pub(crate) const SUCCESS: f64 = 1.0;

/// Minimum time that a Job is kept after its end, in seconds: the operator has to see the end, even after an absence.
const LEAST_KEPT: i64 = 60;

/// The MetricTemplate of a metric that is a Job, with its `namespace/name`.
pub(crate) fn of<'c>(
    c: &Validated,
    checks: &'c Checks,
    m: &CanaryMetric,
) -> Option<(String, &'c MetricTemplateSpec)> {
    let name = template_of(c, m)?;
    let found = checks.templates.get(&name).filter(|t| t.provider.type_ == KIND)?;
    Some((name, found))
}

/// The query is a Job, not a query to a server.
pub(crate) fn is_for_job(query: &Query) -> bool {
    query.access.kind == KIND
}

/// The entry for the Job among the queries of other metrics.
pub(super) fn query(c: &Validated, checks: &Checks, m: &CanaryMetric, name: &str) -> Result<Query, String> {
    rendered(c, checks, m)?;
    Ok(Query {
        metric: m.name.clone(),
        kind: Metric::Template,
        promql: format!("the Job of MetricTemplate {name}"),
        server: String::new(),
        access: Access { kind: KIND.into(), ..Access::default() },
        range: range(m, Metric::Template),
        window: window(m, KIND)?,
        counters: None,
        doubts: vec![],
        since: None,
    })
}

/// The Job of a metric, its texts filled in.
///
/// # Errors
/// What is wrong with it, and where.
pub(crate) fn rendered(c: &Validated, checks: &Checks, m: &CanaryMetric) -> Result<JobTemplate, String> {
    let (name, template) = of(c, checks, m).ok_or_else(|| format!("metric {} is no Job", m.name))?;
    let mut job = template.job.clone().ok_or_else(|| format!("MetricTemplate {name} has no spec.job"))?;
    let (model, _) = template::Model::of_metric(c, checks, m, &window(m, KIND)?);
    let fill = |text: &mut String, at: &str| -> Result<(), String> {
        if text.contains("{{") {
            *text =
                template::render(text, &model).map_err(|e| format!("MetricTemplate {name}, {at}: {e}"))?;
        }
        Ok(())
    };
    model.names()?;
    if let Some(metadata) = &mut job.metadata {
        for (field, map) in [("labels", &mut metadata.labels), ("annotations", &mut metadata.annotations)] {
            for (key, text) in map {
                fill(text, &format!("spec.job.metadata.{field}[{key}]"))?;
            }
        }
    }
    each_text(&mut job.spec, "spec.job.spec", &fill)?;
    Ok(job)
}

type Fill<'a> = dyn Fn(&mut String, &str) -> Result<(), String> + 'a;

fn each_text(value: &mut Value, at: &str, fill: &Fill<'_>) -> Result<(), String> {
    match value {
        Value::String(text) => fill(text, at),
        Value::Array(items) => {
            let mut all = items.iter_mut().enumerate();
            all.try_for_each(|(n, item)| each_text(item, &format!("{at}[{n}]"), fill))
        }
        Value::Object(map) => {
            map.iter_mut().try_for_each(|(key, item)| each_text(item, &format!("{at}.{key}"), fill))
        }
        _ => Ok(()),
    }
}

/// Why a metric cannot be a Job with this template. `selected`: the label by which the target selects its pods.
pub(crate) fn mistakes(
    c: &Validated,
    m: &CanaryMetric,
    (name, template): (&str, &MetricTemplateSpec),
    selected: &(String, String),
) -> Option<String> {
    let namespace = name.split_once('/').map_or("", |(namespace, _)| namespace);
    if namespace != c.namespace {
        return Some(format!(
            "MetricTemplate {name} is a Job in another namespace: one is made only from a MetricTemplate beside its Canary, so copy it to {}",
            c.namespace
        ));
    }
    let whose = format!("MetricTemplate {name}");
    let Some(job) = &template.job else {
        return Some(format!("{whose} has no spec.job: give it one with a spec"));
    };
    wrong_in_spec(job, c, selected).map(|why| format!("{whose}, {why}")).or_else(|| wrong_in_metric(m))
}

fn wrong_in_spec(job: &JobTemplate, c: &Validated, (key, value): &(String, String)) -> Option<String> {
    let spec = &job.spec;
    let pod = &spec["template"]["spec"];
    if json::list(&pod["containers"]).is_empty() {
        return Some(
            "spec.job.spec.template.spec.containers is empty: give it the container that checks".into(),
        );
    }
    if spec["suspend"] == true {
        return Some("spec.job.spec.suspend is true, so that it would never start: leave it out".into());
    }
    let restart = pod["restartPolicy"].as_str().unwrap_or("Never");
    if !["Never", "OnFailure"].contains(&restart) {
        return Some(format!(
            "spec.job.spec.template.spec.restartPolicy is {restart}: leave it out, or set it to Never or OnFailure"
        ));
    }
    let kept = &spec["ttlSecondsAfterFinished"];
    if !kept.is_null() && kept.as_i64().is_none_or(|kept| kept < LEAST_KEPT) {
        return Some(format!(
            "spec.job.spec.ttlSecondsAfterFinished is {kept}: it might be gone before its end is seen; give it at least {LEAST_KEPT}"
        ));
    }
    let deadline = &spec["activeDeadlineSeconds"];
    if !deadline.is_null() && deadline.as_i64().is_none_or(|seconds| seconds < 1) {
        return Some(format!(
            "spec.job.spec.activeDeadlineSeconds is {deadline}: give it a number of seconds"
        ));
    }
    let label = spec["template"]["metadata"]["labels"][key.as_str()].as_str()?;
    let serves = [value.clone(), crate::names::primary(value)].iter().any(|own| own == label);
    serves.then(|| {
        format!(
            "spec.job.spec.template.metadata.labels has {key}: {label}, by which the Services of {} select pods: its pods would get requests. Give them another",
            c.name
        )
    })
}

/// A Job passes or fails by itself.
fn wrong_in_metric(m: &CanaryMetric) -> Option<String> {
    if canonical(&m.name).is_some() {
        return Some(format!("{} is the name of a built-in metric: give the Job another", m.name));
    }
    let v = &m.verdict;
    // a range that separates 1 from 0 changes nothing
    let same = |r: Range| {
        r.min.is_some_and(|min| min > 0.0 && min <= SUCCESS) && r.max.is_none_or(|max| max >= SUCCESS)
    };
    let given = [
        ("query", m.query.as_ref().is_some_and(|q| !q.trim().is_empty())),
        ("threshold", m.threshold.is_some()),
        ("thresholdRange", m.threshold_range.is_some_and(|r| !same(Range { min: r.min, max: r.max }))),
        ("successCondition", v.success_condition.is_some()),
        ("failureCondition", v.failure_condition.is_some()),
        ("primaryQuery", v.primary_query.is_some()),
        ("samplesQuery", v.samples_query.is_some()),
        ("minSamples", v.min_samples.is_some()),
        ("noData", v.no_data.is_some()),
    ];
    if let Some((field, _)) = given.into_iter().find(|(_, given)| *given) {
        return Some(format!(
            "{field} has no meaning for a Job, which passes or fails by itself: leave it out"
        ));
    }
    let secret = |arg: &&crate::api::MetricArg| {
        arg.value_from.as_ref().is_some_and(|from| from.secret_key_ref.is_some())
    };
    let arg = m.args.iter().find(secret)?;
    Some(format!(
        "args[{}] comes from a Secret, which would be shown in the Job: let its container take it by env.valueFrom.secretKeyRef",
        arg.name
    ))
}
