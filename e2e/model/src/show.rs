//! The parts of a transcript that a scenario asks for: the lines about its topics, without texts, so that a new wording
//! changes few files.

use serde::Deserialize;

use crate::behaviour;

/// One thing to show.
#[derive(Deserialize, Debug)]
#[serde(untagged)]
pub(crate) enum Topic {
    /// `phase`, `step`, `weight`, `route`, `asks`, `counts`, `calls`, `autoscalers`, `events`; a kind of object, for
    /// its writes and its final state; or a condition type.
    Named(String),
    /// Events with these reasons, including their texts.
    Events {
        /// Their reasons.
        events: Vec<String>,
    },
}

/// The lines of a whole transcript about these topics. Events of the scenario and interruptions of the operator are
/// always shown. A moment without a line to show is left out.
pub(crate) fn about(transcript: &str, topics: &[Topic]) -> String {
    let (mut out, mut heading) = (String::new(), None);
    for (number, line) in transcript.lines().enumerate() {
        if number == 0 {
            out = format!("{line}\n");
        } else if line.starts_with("in the end") || line.starts_with('+') && line.contains(' ') {
            out += &format!("\n{line}\n");
            heading = None;
        } else if line.starts_with('+') {
            heading = Some(line);
        } else if let Some(shown) = topics.iter().find_map(|topic| topic.line(line)).or_else(|| always(line))
        {
            if let Some(moment) = heading.take() {
                out += &format!("\n{moment}\n");
            }
            out += &format!("{shown}\n");
        }
    }
    out
}

fn always(line: &str) -> Option<String> {
    let line_ends = ["refused, it has changed", "the operator dies"].iter().any(|text| line.contains(text));
    let end = line.starts_with("  phase ") || line.starts_with("  the Canary is gone");
    (line_ends || end).then(|| line.to_owned())
}

impl Topic {
    /// The line in its short form, if it is about this topic.
    fn line(&self, line: &str) -> Option<String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (verb, next) = (words.first().copied()?, words.get(1).copied().unwrap_or_default());
        let name = match self {
            Self::Events { events } => {
                let reason = words.get(2)?.trim_end_matches(':');
                return (verb == "say" && events.iter().any(|e| e == reason)).then(|| line.to_owned());
            }
            Self::Named(name) => name.as_str(),
        };
        let shown = match name {
            "phase" => verb == "status" && next == "phase:",
            "step" => verb == "status" && next == "step:",
            "weight" => verb == "status" && next == "canaryWeight:",
            "route" => verb == "route" || next == "VirtualService",
            "asks" => verb == "ask" || verb == "read",
            "counts" => verb == "count",
            "calls" => verb == "call",
            "autoscalers" => verb == "scaler",
            "events" => verb == "say",
            "metrics" => verb == "metric",
            "CanaryRun" => verb == "record",
            kind => {
                let condition =
                    |word: &str| word.strip_prefix(kind).is_some_and(|rest| rest.starts_with('='));
                let of_kind = verb == kind || next == kind || verb == "scale" && kind == "Deployment";
                of_kind || condition(verb) || condition(next)
            }
        };
        shown.then(|| behaviour::reduced(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_asked_for_is_shown_and_without_texts() {
        let whole = "\
a title

+30s the target gets podinfo:2
  status phase: Initialized → Progressing
  status Halted=True ThresholdReached: text
  say    Warning CanaryNotReady: text

+40s
  ask    errors: 1
  scale  podinfo to 0

+50s
  patch  VirtualService podinfo: podinfo-primary 100
  say    Normal Promoted: text

in the end
  phase Succeeded, weight 0
  Deployment podinfo: podinfo:2 0/0
  route 100 % to podinfo-primary
";
        let shown = |topics: &str| about(whole, &serde_saphyr::from_str::<Vec<Topic>>(topics).unwrap());
        let head = "a title\n\n+30s the target gets podinfo:2\n";
        let end = "\nin the end\n  phase Succeeded, weight 0\n";
        assert_eq!(shown("[weight]"), format!("{head}{end}"));
        let route = "\n+50s\n  patch  VirtualService podinfo: podinfo-primary 100\n";
        assert_eq!(shown("[route]"), format!("{head}{route}{end}  route 100 % to podinfo-primary\n"));
        let halted = "  status Halted=True ThresholdReached\n  say Warning CanaryNotReady\n";
        let promoted = "\n+50s\n  say Normal Promoted\n";
        assert_eq!(shown("[Halted, events]"), format!("{head}{halted}{promoted}{end}"));
        let promoted = "\n+50s\n  say    Normal Promoted: text\n";
        assert_eq!(shown("[{events: [Promoted]}]"), format!("{head}{promoted}{end}"));
        let scaled = "\n+40s\n  scale  podinfo to 0\n";
        assert_eq!(
            shown("[Deployment]"),
            format!("{head}{scaled}{end}  Deployment podinfo: podinfo:2 0/0\n")
        );
    }
}
