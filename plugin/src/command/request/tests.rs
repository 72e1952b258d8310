use std::time::Duration;

use serde_json::json;
use serin::api::{Phase, request};

use super::{
    ask::{lost, unheard},
    *,
};
use crate::{cluster::answer, view::Facts};

fn facts(name: &str) -> Facts {
    crate::view::fixture(name)
}

fn decided(name: &str, verb: Verb, gate: Option<&str>) -> Decision {
    let facts = facts(name);
    let view = canary(&facts, crate::view::fixture_time());
    decide(&facts, &view, &wish(verb, gate))
}

fn wish(verb: Verb, gate: Option<&str>) -> Wish<'_> {
    Wish { verb, gate, lasts: None, reason: None, by: "ann" }
}

const ABORT: Verb = Verb::Abort { if_running: false };

/// A decision in short: the verb of the request, `-` for nothing to do, `!` and the code for a refusal.
fn short(decision: &Decision) -> String {
    match decision {
        Decision::Ask(request) => request.verb.clone(),
        Decision::Nothing(_) => "-".into(),
        Decision::Refuse(failure) => format!("!{}", failure.code),
    }
}

const VERBS: [Verb; 8] = [
    Verb::Approve,
    Verb::Promote,
    ABORT,
    Verb::Advance,
    Verb::Finish,
    Verb::Pause,
    Verb::Resume,
    Verb::Retry,
];

#[test]
fn each_verb_in_each_state() {
    let nothing = ["!1"; 8];
    let rows = [
        ("initializing", nothing),
        ("initialized", ["!1", "-", "!1", "!1", "-", "!1", "!1", "-"]),
        ("progressing", ["!1", "!1", "abort", "advance", "finish", "pause", "!1", "!1"]),
        ("halted", ["!1", "!1", "abort", "!1", "!1", "pause", "!1", "!1"]),
        ("paused", ["!1", "!1", "abort", "!1", "finish", "-", "resume", "!1"]),
        ("frozen", ["!1", "!1", "abort", "!1", "finish", "pause", "!1", "!1"]),
        ("start-gate", ["approve", "approve", "abort", "!1", "!1", "!1", "!1", "!1"]),
        ("gate", ["approve", "approve", "abort", "!1", "finish", "pause", "!1", "!1"]),
        ("promotion", ["approve", "promote", "abort", "!1", "finish", "pause", "!1", "!1"]),
        ("inconclusive", ["!1", "promote", "abort", "!1", "finish", "pause", "!1", "!1"]),
        ("webhook", ["!1", "!1", "abort", "!1", "finish", "pause", "!1", "!1"]),
        ("promoting", ["!1", "!1", "abort", "!1", "!1", "!1", "!1", "!1"]),
        ("rolling-back", nothing),
        ("succeeded", ["!1", "-", "!1", "!1", "-", "!1", "!1", "-"]),
        ("failed", ["!1", "!1", "!1", "!1", "!1", "!1", "!1", "retry"]),
        ("declined", ["!1", "!1", "!1", "!1", "!1", "!1", "!1", "retry"]),
        ("refused", nothing),
        ("suspended", nothing),
        ("deleting", nothing),
        ("unattended", nothing),
    ];
    for (state, wanted) in rows {
        let all = VERBS.map(|verb| short(&decided(state, verb, None)));
        assert_eq!(all, wanted, "{state}: {:?}", VERBS.map(Verb::word));
    }
    assert_eq!(rows.len(), crate::view::FIXTURES.len(), "every fixture");
    let known: Vec<_> = request::VERBS.iter().map(|(word, _)| *word).collect();
    assert!(VERBS.iter().all(|verb| known.contains(&verb.word())) && known.len() == VERBS.len(), "{known:?}");
}

/// The facts of a row of the table in docs/requests.md, by which the operator is tested as well.
fn standing(row: &str) -> Facts {
    if let Some(accepted) = row.strip_suffix(", not accepted") {
        let mut facts = standing(accepted);
        let accepted =
            facts.canary.status.as_mut().unwrap().conditions.iter_mut().find(|c| c.type_ == "Accepted");
        let accepted = accepted.unwrap();
        (accepted.status, accepted.message) =
            ("False".into(), "spec.analysis.promotion.mode is unknown".into());
        return facts;
    }
    match row {
        "initialising" => facts("initializing"),
        "initialised" => facts("initialized"),
        "waiting to begin" => facts("start-gate"),
        "in a run" => facts("progressing"),
        "in a run, a check fails" => facts("halted"),
        "in a run, frozen" => facts("frozen"),
        "at a gate" => facts("gate"),
        "waiting for the promotion" => facts("promotion"),
        "being promoted" => facts("promoting"),
        "finalising" => {
            let mut facts = facts("promoting");
            facts.canary.status.as_mut().unwrap().phase = Some(Phase::Finalising);
            facts
        }
        "going back" => facts("rolling-back"),
        "being deleted" => facts("deleting"),
        "paused" | "succeeded" | "failed" | "suspended" => facts(row),
        other => panic!("the page has a row {other}, which this test does not know"),
    }
}

#[test]
fn what_fits_is_what_the_operator_answers_with_yes() {
    let page = include_str!("../../../../docs/requests.md");
    let from = page.lines().skip_while(|line| !line.starts_with("| the Canary is |"));
    let rows = from.take_while(|line| line.starts_with('|')).filter(|line| !line.starts_with("|---"));
    let mut rows = rows.map(|row| {
        let cells = row.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().trim_matches('`').to_owned()).collect::<Vec<_>>()
    });
    let head = rows.next().unwrap();
    assert_eq!(head.len(), VERBS.len() + 1, "{head:?}");
    let mut wrong = Vec::new();
    for row in rows {
        let facts = standing(&row[0]);
        let view = canary(&facts, crate::view::fixture_time());
        for (word, answer) in head[1..].iter().zip(&row[1..]) {
            let allowed = view.actions.iter().any(|action| action.verb == *word && action.allowed);
            let verb = Verb::named(word).unwrap();
            let decision = short(&decide(&facts, &view, &wish(verb, None)));
            let asked = decision == verb.word();
            if (allowed, asked) != (answer == "yes", answer == "yes") {
                wrong.push(format!(
                    "{word}, {}: {decision}, allowed: {allowed}; the page says {answer}",
                    row[0]
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_may_raise_a_weight_names_its_revision() {
    for (state, verb) in [
        ("progressing", Verb::Advance),
        ("progressing", Verb::Finish),
        ("progressing", Verb::Pause),
        ("paused", Verb::Resume),
        ("failed", Verb::Retry),
    ] {
        let Decision::Ask(request) = decided(state, verb, None) else { panic!("{state}") };
        assert_eq!(request.revision, facts(state).status().last_applied_spec, "{state}: {verb:?}");
        assert_eq!(request.step.is_some(), verb == Verb::Advance, "{verb:?}");
        let written = Written::of(&request);
        assert_eq!(request::Request::parse(&written.text), Ok(*request));
    }
    let wish =
        Wish { lasts: Some(Duration::from_secs(1800)), reason: Some("lunch"), ..wish(Verb::Pause, None) };
    let facts = facts("progressing");
    let Decision::Ask(pause) = decide(&facts, &canary(&facts, crate::view::fixture_time()), &wish) else {
        panic!()
    };
    assert_eq!((pause.lasts(), pause.reason.as_deref()), (wish.lasts, Some("lunch")));
}

#[test]
fn a_request_is_bound_to_what_is_shown_and_is_one_that_the_operator_reads() {
    let Decision::Ask(request) = decided("gate", Verb::Promote, Some("qa")) else { panic!("refused") };
    assert!(request.id.starts_with("approve-") && request.id.len() == 16, "{}", request.id);
    assert_eq!(
        (request.step, request.gate.as_deref(), request.by.as_deref()),
        (Some(2), Some("qa"), Some("ann"))
    );
    assert_eq!(request.revision, facts("gate").status().last_applied_spec);
    let written = Written::of(&request);
    assert_eq!(request::Request::parse(&written.text), Ok(*request));

    let Decision::Ask(abort) = decided("gate", ABORT, None) else { panic!("refused") };
    assert_eq!((abort.step, abort.gate.as_deref()), (None, None), "a run ends wherever it is");
}

#[test]
fn a_request_is_for_this_canary_and_for_no_other() {
    let Decision::Ask(request) = decided("gate", Verb::Approve, None) else { panic!("refused") };
    let patch = Written::of(&request).patch(&facts("gate").canary);
    assert_eq!(patch["metadata"]["uid"], "7f3c2f5e-0000-4000-8000-000000000001");
    assert_eq!(patch["metadata"]["resourceVersion"], "4711");
}

#[test]
fn exit_code_1_a_verb_that_does_not_fit_says_what_would() {
    let text = |name, verb, gate| match decided(name, verb, gate) {
        Decision::Refuse(failure) => failure.text(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        text("progressing", Verb::Approve, None),
        "error: app waits for nobody: it is Progressing at step 3 of 5\n  \
         it goes on by itself when its checks pass; \"advance\" ends its step now, \"finish\" promotes without the rest of the analysis"
    );
    assert!(text("failed", Verb::Promote, None).contains("has failed and is rolled back"));
    assert!(text("gate", Verb::Approve, Some("prod")).contains("does not wait at the gate \"prod\""));
    assert!(text("succeeded", ABORT, None).contains("--if-running"));
    assert!(text("suspended", ABORT, None).contains("suspended"));
    for row in ["succeeded", "initialising, not accepted", "succeeded, not accepted"] {
        let facts = standing(row);
        let view = canary(&facts, crate::view::fixture_time());
        let running = decide(&facts, &view, &wish(Verb::Abort { if_running: true }, None));
        assert_eq!(short(&running), "-", "{row}");
    }
}

#[test]
fn exit_code_1_there_may_be_something_to_promote() {
    for verb in [Verb::Promote, Verb::Finish, Verb::Retry] {
        let text = |facts: &Facts| {
            let view = canary(facts, crate::view::fixture_time());
            match decide(facts, &view, &wish(verb, None)) {
                Decision::Refuse(failure) => failure.text(),
                other => panic!("{verb:?}: {other:?}"),
            }
        };
        let mut edited = facts("succeeded");
        edited.objects[0]["metadata"]["generation"] = json!(13);
        let said = text(&edited);
        assert!(said.contains("the operator has not seen the target as it is now"), "{said}");
        let mut unread = facts("succeeded");
        unread.objects.clear();
        unread.unread = vec!["list deployments.apps in namespace shop".into()];
        let said = text(&unread);
        assert!(said.contains("missing right: list deployments.apps"), "{said}");
        if verb != Verb::Retry {
            let said = text(&facts("declined"));
            assert!(said.contains("did not start a run: asked for by ann"), "{said}");
            assert!(said.contains("\"retry\" analyses the revision"), "{said}");
        }
    }
}

#[test]
fn who_asks_and_why_come_through_whole() {
    let facts = facts("progressing");
    let view = canary(&facts, crate::view::fixture_time());
    let ask = |by: &str, reason: &str| {
        let wish = Wish { by, reason: Some(reason), ..wish(Verb::Finish, None) };
        decide(&facts, &view, &wish)
    };
    let (by, reason) = ("system:serviceaccount:continuous-delivery:release-bot-prod", "a".repeat(256));
    let Decision::Ask(request) = ask(by, &reason) else { panic!("refused") };
    assert_eq!((request.by.as_deref(), request.reason.as_deref()), (Some(by), Some(reason.as_str())));
    assert_eq!(request::Request::parse(&Written::of(&request).text), Ok(*request));
    // characters and not cells, and none is cut in two
    let Decision::Ask(request) = ask(&"ü".repeat(101), "日本") else { panic!("refused") };
    assert_eq!((request.by, request.reason), (Some("ü".repeat(100)), Some("日本".into())));
    for (by, reason) in [("ann", "a".repeat(257)), (&"\"".repeat(200), "\"".repeat(256))] {
        let Decision::Refuse(failure) = ask(by, &reason) else { panic!("asked") };
        assert!(failure.code == 2 && failure.text().contains("reason"), "{}", failure.text());
    }
}

#[test]
fn a_request_that_nobody_has_answered_is_not_lost() {
    let with = |annotation: &str, answered: Option<&str>| {
        let mut canary = facts("gate").canary;
        canary.metadata.annotations = Some([("serin.dev/request".to_owned(), annotation.to_owned())].into());
        if let (Some(id), Some(status)) = (answered, canary.status.as_mut()) {
            let answer = json!({"id": id, "verb": "abort", "answer": "Refused", "message": "no", "at": "2026-11-21T18:50:00.000000Z"});
            status.request = Some(serde_json::from_value(answer).unwrap());
        }
        unanswered(&canary)
    };
    let failure = with(r#"{"id":"1","verb":"abort","by":"ann"}"#, None).unwrap_err();
    assert_eq!(failure.message, "another request (abort, by ann) has not been answered yet");
    assert!(failure.hint.unwrap().contains("--replace"));
    assert!(with("abort/1", Some("1")).is_ok());
    assert!(with("abort/1", Some("2")).is_err());
    assert!(with("", None).is_ok());
}

#[test]
fn an_operator_that_cannot_read_a_request_answers_it_all_the_same() {
    let Decision::Ask(request) = decided("gate", Verb::Approve, None) else { panic!("refused") };
    let written = Written::of(&request);
    let mut canary = facts("gate").canary;
    assert!(answer(&canary, &written).is_none());
    for id in [written.id.clone(), Request::id_of_unreadable(&written.text)] {
        let said = json!({"id": id, "verb": "", "answer": "Refused", "message": "no", "at": "2026-11-21T18:50:00.000000Z"});
        canary.status.as_mut().unwrap().request = Some(serde_json::from_value(said).unwrap());
        assert!(answer(&canary, &written).is_some(), "{id}");
    }
}

#[test]
fn exit_code_3_an_answer_that_does_not_come_says_what_keeps_it() {
    let written = Written { id: "approve-1".into(), text: String::new() };
    let of = |name| unheard(&facts(name), &written, PATIENCE);
    assert_eq!(of("frozen").code, 3);
    assert!(of("suspended").message.contains("while the Canary is suspended"));
    assert!(of("refused").message.contains("not accepted"));
    let abort = Written { id: "1".into(), text: "abort/1".into() };
    let failure = unheard(&standing("in a run, not accepted"), &abort, PATIENCE);
    assert!(failure.message.contains("no operator has answered it for 30 s"), "{}", failure.message);
    assert!(of("gate").message.contains("no operator has answered it for 30 s"));
}

#[test]
fn a_request_that_has_lost_its_place_is_not_waited_for() {
    let written = Written { id: "approve-1".into(), text: "approve/approve-1".into() };
    let with = |annotation: &str, answered: &[&str]| {
        let mut canary = facts("gate").canary;
        canary.metadata.annotations = Some([("serin.dev/request".to_owned(), annotation.to_owned())].into());
        canary.status.as_mut().unwrap().answered_requests =
            answered.iter().map(|id| (*id).to_owned()).collect();
        lost(&canary, &written).map(|failure| failure.message)
    };
    assert_eq!(with("approve/approve-1", &["pause-1"]), None);
    assert_eq!(with("", &[]), None);
    assert!(with("approve/approve-1", &["approve-1", "pause-1"]).unwrap().contains("was answered"));
    let replaced = with(r#"{"id":"abort-1","verb":"abort","by":"bob"}"#, &[]).unwrap();
    assert!(replaced.contains("the request abort-1 by bob has taken its place"), "{replaced}");
}
