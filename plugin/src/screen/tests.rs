//! Snapshots of screens: every state at 80 and 200 columns, with colours, and in ASCII.

use insta::assert_snapshot;

use super::*;
use crate::{
    text::width,
    view::{FIXTURES, canary, fixture, fixture_time, run as run_view},
};

const VARIANTS: [(&str, Term); 4] = [
    ("80 columns", Term { width: 80, colour: false, ascii: false }),
    ("200 columns", Term { width: 200, colour: false, ascii: false }),
    ("80 columns, colours", Term { width: 80, colour: true, ascii: false }),
    ("80 columns, ASCII", Term { width: 80, colour: false, ascii: true }),
];

/// A screen in all variants. Checks that no line is too long.
fn all(screen: impl Fn(&Term) -> Vec<Line>) -> String {
    let variants = VARIANTS.map(|(name, term)| {
        let text = render(&screen(&term), &term);
        for line in text.lines() {
            let seen = without_colours(line);
            assert!(width(&seen) <= term.width, "{name}: {} cells: {line}", width(&seen));
            assert!(!term.ascii || seen.is_ascii(), "{name}: {line}");
            assert!(term.colour || seen == line, "{name}: {line}");
        }
        // shows escapes in readable form
        format!("--- {name}\n{}", text.replace("\u{1b}[", "^["))
    });
    variants.join("\n")
}

fn without_colours(line: &str) -> String {
    let mut parts = line.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').map_or("", |(_, rest)| rest))
}

/// The text is the same with and without colours.
#[test]
fn colours_carry_no_meaning_of_their_own() {
    for name in FIXTURES {
        let view = canary(&fixture(name), fixture_time());
        let [plain, colour] = [false, true].map(|colour| {
            let term = Term { width: 80, colour, ascii: false };
            render(&release(&view, Detail::default(), fixture_time(), &term), &term)
        });
        let seen: Vec<_> = colour.lines().map(without_colours).collect();
        assert_eq!(seen, plain.lines().collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn get_in_every_state() {
    for name in FIXTURES {
        let view = canary(&fixture(name), fixture_time());
        let screen = all(|term| release(&view, Detail::default(), fixture_time(), term));
        assert_snapshot!(format!("get-{name}"), screen);
    }
}

#[test]
fn get_watch_fits_the_height_and_never_loses_a_failing_check() {
    let view = canary(&fixture("halted"), fixture_time());
    let term = VARIANTS[0].1;
    for height in [12, 16, 20, 24, 30, 60] {
        let detail = Detail { height, clock: true, ..Detail::default() };
        let lines = render(&release(&view, detail, fixture_time(), &term), &term);
        assert!(lines.contains("request-duration") && lines.contains("✖ fail"), "{height}: {lines}");
        assert_snapshot!(format!("watch-{height}"), lines);
    }
}

#[test]
fn all_pods_are_shown_where_that_is_asked_for() {
    let view = canary(&fixture("progressing"), fixture_time());
    let of = |all_pods, no_tree| {
        let detail = Detail { no_tree, all_pods, ..Detail::default() };
        render(&release(&view, detail, fixture_time(), &VARIANTS[0].1), &VARIANTS[0].1)
    };
    let count = |text: &str| text.matches("app-primary-66946fbf74-").count();
    assert_eq!((count(&of(false, false)), count(&of(true, false)), count(&of(false, true))), (4, 6, 0));
    assert!(of(false, false).contains("… 2 more"), "{}", of(false, false));
}

#[test]
fn list_of_all_states() {
    let views: Vec<_> = FIXTURES
        .iter()
        .map(|name| {
            let mut view = canary(&fixture(name), fixture_time());
            view.name = (*name).to_owned();
            view
        })
        .collect();
    let columns = Columns { namespaces: true, wide: false };
    assert_snapshot!("list", all(|term| list(&views, columns, fixture_time(), term, true)));
    let columns = Columns { namespaces: false, wide: true };
    assert_snapshot!("list-wide", all(|term| list(&views, columns, fixture_time(), term, true)));
}

#[test]
fn status_of_all_states() {
    let views: Vec<_> = FIXTURES.iter().map(|name| canary(&fixture(name), fixture_time())).collect();
    assert_snapshot!("status", all(|term| views.iter().map(|view| status_line(view, term)).collect()));
}

#[test]
fn explain_in_every_state() {
    for name in FIXTURES {
        let view = canary(&fixture(name), fixture_time());
        assert_snapshot!(format!("explain-{name}"), all(|term| explain(&view, fixture_time(), term)));
    }
}

#[test]
fn history_and_one_run_in_full() {
    let facts = fixture("progressing");
    let runs: Vec<_> = facts.newest_first().into_iter().map(run_view).collect();
    assert_eq!(runs.iter().map(|run| run.number).collect::<Vec<_>>(), [7, 6, 4]);
    assert_snapshot!("history", all(|term| history(&runs, false, fixture_time(), term)));
    assert_snapshot!("history-wide", all(|term| history(&runs, true, fixture_time(), term)));
    for one in &runs {
        assert_snapshot!(format!("history-run-{}", one.number), all(|term| run(one, fixture_time(), term)));
    }
}

#[test]
fn events_oldest_first() {
    let seen = crate::view::events(&fixture("progressing").events);
    assert_snapshot!("events", all(|term| events(&seen, false, fixture_time(), term)));
    assert_snapshot!("events-wide", all(|term| events(&seen, true, fixture_time(), term)));
}

#[test]
fn doctor_of_two_clusters() {
    for (name, seen) in [("well", crate::doctor::well()), ("ill", crate::doctor::ill())] {
        let diagnosis = crate::doctor::diagnose(&seen, false, fixture_time());
        assert_snapshot!(format!("doctor-{name}"), all(|term| doctor(&diagnosis, false, term)));
        assert_snapshot!(format!("doctor-{name}-short"), all(|term| doctor(&diagnosis, true, term)));
    }
}

#[test]
fn migration_of_some_canaries() {
    let canary = |name: &str, rest: &str| {
        format!(
            "---\napiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata: {{name: {name}, namespace: shop}}\nspec:\n  targetRef: {{apiVersion: apps/v1, kind: Deployment, name: {name}}}\n  service: {{port: 80}}\n{rest}"
        )
    };
    let text = canary(
        "app",
        "  provider: istio\n  analysis: {interval: 5s, stepWeight: 20, maxWeight: 70, metrics: [{name: request-success-rate, thresholdRange: {min: 99}}]}\n",
    ) + &canary(
        "plain",
        "  provider: kubernetes\n  revertOnDeletion: true\n  analysis: {interval: 1m, stepWeight: 10}\n",
    ) + &canary(
        "same",
        "  provider: istio\n  revertOnDeletion: true\n  analysis: {interval: 1m, stepWeight: 10}\n",
    );
    let found = crate::migrate::flagger(&[crate::lint::Source { name: "a.yaml".into(), text }]);
    assert_snapshot!("migration", all(|term| migration(&found, term)));
}

#[test]
fn probe_of_two_versions() {
    let mut tally = crate::probe::Tally::default();
    for i in 0..1000 {
        tally.answer(if i % 4 == 0 { "app:2".into() } else { "app:1 → 漢字".into() }, i % 100 == 0);
    }
    tally.none("cannot connect");
    assert_snapshot!("probe", all(|term| probe(&tally, term)));
}

#[test]
fn diff_of_two_templates() {
    let of = |image: &str| {
        format!(
            "spec:\n  containers:\n  - name: app\n    image: {image}\n    args:\n    - a\n    - b\n    - c\n    - d\n"
        )
    };
    let found = crate::difference::changes(&of("app:1"), &of("app:2 → x"), 3);
    let titles = ["3fa4c1d2 (the primary)", "Deployment app (as it is)"];
    assert_snapshot!("diff", all(|term| diff(titles[0], titles[1], &found, term)));
}

#[test]
fn simulate_every_strategy() {
    for (name, analysis) in [
        (
            "weights",
            "{interval: 1m, threshold: 5, stepWeight: 10, maxWeight: 50, metrics: [{name: request-success-rate, thresholdRange: {min: 99}}, {name: request-duration, thresholdRange: {max: 500}}]}",
        ),
        (
            "gates",
            "{interval: 30s, threshold: 3, startGate: {deadline: 24h}, steps: [{weight: 5, hold: 10m, gate: {name: qa}}, {weight: 50, hold: 90s, gate: {deadline: 8h, onDeadline: proceed}}, {weight: 80}], promotion: {mode: manual}, metrics: [{name: request-success-rate, thresholdRange: {min: 99}, startAtStep: 1}, {name: conversion, templateRef: {name: conversion}, successCondition: 'result[0] > 0.02', period: 2m, count: 9, failureLimit: 1}]}",
        ),
        (
            "blue-green",
            "{interval: 10s, iterations: 3, mirror: true, promotion: {after: 5m}, metrics: [{name: request-success-rate, thresholdRange: {min: 99}, dryRun: true}]}",
        ),
        ("nothing", "{interval: 1m, stepWeight: 50}"),
    ] {
        let text = format!(
            "apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata: {{name: app, namespace: shop}}\nspec:\n  provider: istio\n  targetRef: {{apiVersion: apps/v1, kind: Deployment, name: app}}\n  service: {{port: 80}}\n  analysis: {analysis}\n"
        );
        let source = crate::lint::Source { name: name.into(), text };
        let object = crate::lint::objects(&source).unwrap().remove(0);
        let view = crate::simulate::plan(&serde_json::from_value(object).unwrap()).unwrap();
        assert_snapshot!(format!("simulate-{name}"), all(|term| plan(&view, term)));
    }
}

#[test]
fn notes_of_a_conversion() {
    for name in ["istio", "refused"] {
        let path = format!("{}/fixtures/argo/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
        let source = crate::lint::Source { name: name.into(), text: std::fs::read_to_string(path).unwrap() };
        let done = crate::convert::argo(&[source]);
        assert_snapshot!(format!("conversion-{name}"), all(|term| conversion(&done, term)));
    }
}

/// Names and messages from others may be long, wide and hostile.
#[test]
fn no_text_breaks_a_screen() {
    let mut facts = fixture("halted");
    let wild = "漢字\u{1b}[2J\u{7}\n\u{202e}é ".repeat(40) + &"x".repeat(300);
    facts.canary.metadata.name = Some("n".repeat(253));
    for condition in facts.canary.status.as_mut().into_iter().flat_map(|s| &mut s.conditions) {
        condition.message.clone_from(&wild);
    }
    for metric in facts.canary.status.as_mut().into_iter().flat_map(|s| &mut s.metrics) {
        metric.name.clone_from(&wild);
        metric.wanted.clone_from(&wild);
        metric.value = "NaN".into();
    }
    for event in &mut facts.events {
        event.message = Some(wild.clone());
    }
    let view = canary(&facts, fixture_time());
    let now = fixture_time();
    let columns = Columns { namespaces: true, wide: true };
    for screen in [
        all(|term| release(&view, Detail::default(), now, term)),
        all(|term| list(std::slice::from_ref(&view), columns, now, term, true)),
        all(|term| explain(&view, now, term)),
        all(|term| events(&view.events, true, now, term)),
        all(|term| vec![status_line(&view, term)]),
    ] {
        assert!(!screen.contains('\u{7}') && !screen.contains('\u{202e}'));
        assert!(!screen.contains("^[2J"), "an escape of somebody else's");
    }
}

#[test]
fn a_metric_that_tolerates_no_failure_is_named_before_it_fails() {
    let mut facts = fixture("progressing");
    let analysis = facts.canary.spec.analysis.as_mut().unwrap();
    analysis.metrics[1].verdict.failure_limit = Some(0);
    let view = canary(&facts, fixture_time());
    let term = Term { width: Term::ENDLESS, colour: false, ascii: true };
    let text = render(&explain(&view, fixture_time(), &term), &term);
    assert!(text.contains("if request-duration fails, it is rolled back"), "{text}");
}
