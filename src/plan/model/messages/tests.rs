use super::*;

#[test]
fn alerts_have_the_words_and_the_severity_of_flagger() {
    use Urgency::{Error, Info, Warn};
    let words = Messages::new("podinfo", "podinfo", "podinfo-primary", "test");
    let gate = |kind| words.waiting_for_hook(kind, "gate", false);
    let all = [
        (words.initialized("Deployment"), Info, true, "New Deployment detected, initialization completed."),
        (words.new_revision(), Info, true, "New revision detected, progressing canary analysis."),
        (gate(HookKind::ConfirmRollout), Warn, false, "Canary is waiting for approval."),
        (gate(HookKind::ConfirmPromotion), Warn, false, "Canary promotion is waiting for approval."),
        (
            gate(HookKind::ConfirmTrafficIncrease),
            Warn,
            false,
            "Canary traffic increase is waiting for approval.",
        ),
        (words.manual_rollback(), Warn, false, "Rolling back manual webhook invoked"),
        (words.threshold_reached(5), Error, false, "Failed checks threshold reached 5"),
        (words.deadline_exceeded("x"), Error, false, "Progress deadline exceeded x"),
        (words.promotion_failed("x"), Error, false, "Promotion failed, primary not ready: x"),
        (words.promoted(false), Info, false, "Canary analysis completed successfully, promotion finished."),
        (words.promoted(true), Info, false, "Canary analysis was skipped, promotion finished."),
    ];
    for (note, urgency, details, text) in all {
        let told = note.alert.map(|a| (a.urgency, a.message, a.details));
        assert_eq!(told, Some((urgency, text.into(), details)), "{}", note.message);
    }
}

#[test]
fn what_happens_all_the_time_disturbs_nobody() {
    let words = Messages::new("podinfo", "podinfo", "podinfo-primary", "test");
    let muted = words.waiting_for_hook(HookKind::ConfirmRollout, "gate", true);
    let halted = Messages::halted("x", None);
    for note in [words.advanced(10), words.starting(), words.copying(), words.failed(), halted, muted] {
        assert_eq!(note.alert, None, "{}", note.message);
    }
}
