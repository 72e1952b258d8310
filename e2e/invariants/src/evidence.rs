//! What a run may go on upon, worked out anew from what was asked and answered.

use serin::{
    analysis::Reading,
    api::MetricPolicy,
    plan::{Answers, Question},
    spec::Validated,
};

/// Plain metrics are all asked, and all of them pass. Of those that say more of how they are judged, none that counts is
/// without an answer, or outside its range unless it says what no data means.
pub(crate) fn enough(c: &Validated, asked: &[Question], answers: &Answers, all: bool) -> bool {
    let plain = |name: &str| {
        let mut named =
            c.metrics.iter().filter(|m| name == m.name || name.starts_with(&format!("{} (", m.name)));
        named.all(|m| m.verdict == MetricPolicy::default())
    };
    let timed = c.analysis.start_at_step.is_some();
    let wanted = if timed { 0 } else { c.metrics.iter().filter(|m| plain(&m.name)).count() };
    let of_plain =
        asked.iter().filter(|q| matches!(q, Question::Measure { query, .. } if plain(&query.metric)));
    if all && of_plain.count() < wanted {
        return false;
    }
    asked.iter().all(|question| match question {
        Question::Measure { query, .. } if !plain(&query.metric) => may_stand(c, question, answers),
        _ => passes(question, answers),
    })
}

fn may_stand(c: &Validated, question: &Question, answers: &Answers) -> bool {
    let Question::Measure { index, query } = question else { return true };
    let metric = c.metrics.iter().find(|m| m.name == query.metric);
    let own = c.metrics.iter().find(|m| query.metric.starts_with(&m.name));
    if own.is_some_and(|m| m.verdict.dry()) {
        return true;
    }
    match answers.readings.get(index) {
        None | Some(Reading::Failed(_)) => false,
        _ => {
            metric.is_none_or(|m| m.verdict.no_data.is_some() || m.verdict.has_condition())
                || passes(question, answers)
        }
    }
}

fn passes(question: &Question, answers: &Answers) -> bool {
    let Question::Measure { index, query } = question else { return true };
    let Some(Reading::Values(values)) = answers.readings.get(index) else { return false };
    let within = |v: &f64| {
        v.is_finite() && query.range.min.is_none_or(|m| *v >= m) && query.range.max.is_none_or(|m| *v <= m)
    };
    !values.is_empty() && values.iter().all(within)
}
