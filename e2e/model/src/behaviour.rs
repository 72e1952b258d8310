//! Reduces a transcript to behaviour: times of writes, queries and calls, phases, steps and weights, and the reasons of
//! Events and conditions. Leaves out texts, so that two transcripts that differ only in wording are equal.

/// Reduces a whole transcript.
pub fn of(transcript: &str) -> String {
    // the first line is the title
    transcript.lines().skip(1).filter(|line| !line.is_empty()).map(|line| reduced(line) + "\n").collect()
}

/// Reduces one line.
pub(crate) fn reduced(line: &str) -> String {
    if line.starts_with('+') {
        // the scenario describes the event
        return line.split(' ').next().unwrap_or_default().to_owned();
    }
    let line = line.trim_end();
    let (verb, rest) = line.trim_start().split_once(' ').unwrap_or((line.trim_start(), ""));
    let rest = rest.trim_start();
    match verb {
        "say" => format!("  say {}", until_text(rest)),
        "ask" => format!("  ask {}", until_text(rest)),
        "metric" => {
            let words: Vec<&str> = rest.split(' ').take(2).collect();
            let counts = rest.split_once(": ").map_or("", |(_, counts)| counts);
            format!("  metric {} {counts}", words.join(" "))
        }
        "status" => match rest.split_once(": ") {
            Some(("ending", change)) => format!("  status ending {}", sides(change, until_text)),
            Some(("request", change)) => format!("  status request {}", sides(change, three_words)),
            Some((head, _)) if head.contains('=') => format!("  status {head}"),
            _ => format!("  status {rest}"),
        },
        _ => line.to_owned(),
    }
}

/// `RollingBack (ThresholdReached: failed checks …)`: the part before the text.
fn until_text(words: &str) -> String {
    words.split(": ").next().unwrap_or_default().to_owned()
}

/// A request's id, verb and answer.
fn three_words(words: &str) -> String {
    words.split(' ').take(3).map(|word| word.trim_matches('"')).collect::<Vec<_>>().join(" ")
}

/// Both sides of a change, without their texts.
fn sides(change: &str, short: fn(&str) -> String) -> String {
    let (before, after) = change.split_once(" → ").unwrap_or((change, ""));
    format!("{} → {}", short(before), short(after))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRANSCRIPT: &str = "\
a bad release goes back

+30s the target gets podinfo:2
  status phase: Initialized → Progressing
  status Promoted=Unknown Progressing: New revision detected.
  patch  VirtualService podinfo: podinfo-primary 80, podinfo-canary 20
  say    Warning CanaryNotReady: podinfo.test: it has no pods
+40s
  ask    request-success-rate: 90
  status ending: none → RollingBack (ThresholdReached: failed checks 1/1: halted)
  status request: none → 1 \"promote\" Refused nothing waits: the phase is Initialized
  status times only
  metric errors Fail 5, wanted at most 1: passed 2, failed 4 (2 in a row)
  Promoted=False Failed
";

    #[test]
    fn behaviour_is_kept_and_texts_are_not() {
        let expected = "\
+30s
  status phase: Initialized → Progressing
  status Promoted=Unknown Progressing
  patch  VirtualService podinfo: podinfo-primary 80, podinfo-canary 20
  say Warning CanaryNotReady
+40s
  ask request-success-rate
  status ending none → RollingBack (ThresholdReached
  status request none → 1 promote Refused
  status times only
  metric errors Fail passed 2, failed 4 (2 in a row)
  Promoted=False Failed
";
        assert_eq!(of(TRANSCRIPT), expected);
    }

    #[test]
    fn other_words_are_the_same_and_another_weight_or_reason_is_not() {
        let same = TRANSCRIPT.replace("it has no pods", "no pods are ready").replace("halted", "stopped");
        assert_eq!(of(TRANSCRIPT), of(&same));
        for (from, to) in
            [("80", "70"), ("CanaryNotReady", "Stuck"), ("Refused", "Accepted"), ("+40s", "+41s")]
        {
            assert_ne!(of(TRANSCRIPT), of(&TRANSCRIPT.replace(from, to)), "{to}");
        }
    }
}
