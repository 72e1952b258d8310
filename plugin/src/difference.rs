//! PURE. Compares two texts line by line.

/// Maximum number of lines to compare. A longer text is shown as all new.
const LONGEST: usize = 3000;

/// A line of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// In both.
    Same(String),
    /// Only in the first.
    Gone(String),
    /// Only in the second.
    New(String),
    /// This many common lines are left out.
    Skipped(usize),
}

/// The differences, with this many lines of context. Empty if there are none.
pub fn changes(from: &str, to: &str, around: usize) -> Vec<Change> {
    let (from, to): (Vec<&str>, Vec<&str>) = (from.lines().collect(), to.lines().collect());
    if from == to {
        return vec![];
    }
    let all = if from.len().max(to.len()) > LONGEST { replaced(&from, &to) } else { compared(&from, &to) };
    shortened(all, around)
}

fn replaced(from: &[&str], to: &[&str]) -> Vec<Change> {
    let gone = from.iter().map(|line| Change::Gone((*line).to_owned()));
    gone.chain(to.iter().map(|line| Change::New((*line).to_owned()))).collect()
}

/// Compares by the longest common subsequence.
fn compared(from: &[&str], to: &[&str]) -> Vec<Change> {
    let width = to.len() + 1;
    // the number of common lines from here on
    let mut common = vec![0_u32; (from.len() + 1) * width];
    for i in (0..from.len()).rev() {
        for j in (0..to.len()).rev() {
            common[i * width + j] = if from[i] == to[j] {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j, mut all) = (0, 0, Vec::new());
    while i < from.len() || j < to.len() {
        if i < from.len() && j < to.len() && from[i] == to[j] {
            all.push(Change::Same(from[i].to_owned()));
            (i, j) = (i + 1, j + 1);
        } else if j == to.len() || i < from.len() && common[(i + 1) * width + j] >= common[i * width + j + 1]
        {
            all.push(Change::Gone(from[i].to_owned()));
            i += 1;
        } else {
            all.push(Change::New(to[j].to_owned()));
            j += 1;
        }
    }
    all
}

/// Leaves out common lines far from any change.
fn shortened(all: Vec<Change>, around: usize) -> Vec<Change> {
    let differs: Vec<usize> = (0..all.len()).filter(|i| !matches!(all[*i], Change::Same(_))).collect();
    let near = |i: usize| differs.iter().any(|at| at.abs_diff(i) <= around);
    let (mut shown, mut left) = (Vec::new(), 0);
    for (i, change) in all.into_iter().enumerate() {
        if near(i) {
            if left > 0 {
                shown.push(Change::Skipped(std::mem::take(&mut left)));
            }
            shown.push(change);
        } else {
            left += 1;
        }
    }
    if left > 0 {
        shown.push(Change::Skipped(left));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(from: &str, to: &str) -> Vec<String> {
        let line = |change: &Change| match change {
            Change::Same(text) => format!(" {text}"),
            Change::Gone(text) => format!("-{text}"),
            Change::New(text) => format!("+{text}"),
            Change::Skipped(count) => format!("~{count}"),
        };
        changes(from, to, 1).iter().map(line).collect()
    }

    #[test]
    fn what_differs_is_shown_with_its_surroundings() {
        assert_eq!(shown("a\nb\nc\nd\ne\nf\n", "a\nb\nc\nD\ne\nf\n"), ["~2", " c", "-d", "+D", " e", "~1"]);
        assert_eq!(shown("a\n", "a\nb\n"), [" a", "+b"]);
        assert_eq!(shown("a\nb\n", "b\n"), ["-a", " b"]);
        assert!(shown("a\n", "a\n").is_empty());
    }

    #[test]
    fn the_second_text_can_be_made_of_the_first() {
        let of = |seed: u32| {
            let mut n = seed;
            let lines = (0..60).map(|_| {
                n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                format!("{}\n", (n >> 24) % 7)
            });
            lines.collect::<String>()
        };
        for seed in 0..50 {
            let (from, to) = (of(seed), of(seed + 1000));
            let all = changes(&from, &to, 1000);
            let side = |gone: bool| -> String {
                let line = |change: &Change| match change {
                    Change::Same(text) => Some(format!("{text}\n")),
                    Change::Gone(text) => gone.then(|| format!("{text}\n")),
                    Change::New(text) => (!gone).then(|| format!("{text}\n")),
                    Change::Skipped(_) => None,
                };
                all.iter().filter_map(line).collect()
            };
            assert_eq!((side(true), side(false)), (from, to), "{seed}");
        }
    }
}
