//! Links and headings of Markdown pages, in the forms that this repository uses.

use std::collections::BTreeSet;

/// The parts of a line. Code is not changed.
enum Part<'a> {
    Text(&'a str),
    Code(&'a str),
}

/// The lines of a page with their line ends, each with a flag for fenced lines.
fn lines(page: &str) -> impl Iterator<Item = (bool, &str)> {
    let mut fence: Option<&str> = None;
    page.split_inclusive('\n').map(move |line| {
        let start = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| start.starts_with(mark));
        let inside = fence.is_some();
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            _ => {}
        }
        (inside || mark.is_some(), line)
    })
}

/// Splits a line at its code spans.
fn parts(line: &str) -> Vec<Part<'_>> {
    let (mut all, mut rest) = (Vec::new(), line);
    while let Some(start) = rest.find('`') {
        let ticks = rest[start..].len() - rest[start..].trim_start_matches('`').len();
        let after = start + ticks;
        // a backtick without a counterpart on the line is a normal character
        let end = rest[after..].find(&rest[start..after]).map_or(after, |at| after + at + ticks);
        all.extend([Part::Text(&rest[..start]), Part::Code(&rest[start..end])]);
        rest = &rest[end..];
    }
    all.push(Part::Text(rest));
    all
}

/// The page with each link target replaced.
pub fn replaced<E>(page: &str, mut by: impl FnMut(&str) -> Result<String, E>) -> Result<String, E> {
    let mut out = String::new();
    for (code, line) in lines(page) {
        for part in if code { vec![Part::Code(line)] } else { parts(line) } {
            let Part::Text(mut text) = part else {
                if let Part::Code(code) = part {
                    out += code;
                }
                continue;
            };
            while let Some((before, after)) = text.split_once("](") {
                let Some((target, rest)) = after.split_once(')') else { break };
                out += &format!("{before}]({})", by(target)?);
                text = rest;
            }
            out += text;
        }
    }
    Ok(out)
}

/// All link targets of a page.
pub fn targets(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    let kept: Result<String, std::convert::Infallible> = replaced(page, |target| {
        found.push(target.to_owned());
        Ok(String::new())
    });
    drop(kept);
    found
}

/// The anchors of a page's headings, as GitHub and mdBook make them.
pub fn anchors(page: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for (_, line) in lines(page).filter(|(code, _)| !code) {
        let level = line.len() - line.trim_start_matches('#').len();
        let Some(heading) = line[level..].strip_prefix(' ').filter(|_| (1..=6).contains(&level)) else {
            continue;
        };
        let anchor = anchor(heading.trim());
        let mut numbered = anchor.clone();
        let mut count = 0;
        while !all.insert(numbered) {
            count += 1;
            numbered = format!("{anchor}-{count}");
        }
    }
    all
}

fn anchor(heading: &str) -> String {
    let mut text = String::new();
    let mut rest = heading;
    // only the text of a link
    while let Some((before, after)) = rest.split_once("](") {
        text += before;
        rest = after.split_once(')').map_or("", |(_, rest)| rest);
    }
    text += rest;
    let kept = text.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        '-' | '_' => Some(c),
        _ => c.is_alphanumeric().then_some(c),
    });
    kept.collect::<String>().to_lowercase()
}

/// Whether a link points outside the site.
pub fn leaves(target: &str) -> bool {
    ["http://", "https://", "mailto:", "data:"].iter().any(|start| target.starts_with(start))
}

/// The target of a relative link in the file `from`, as a path from the same root. None if it is above the root.
pub fn resolved(from: &str, path: &str) -> Option<String> {
    let mut all: Vec<&str> = from.split('/').collect();
    all.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                all.pop()?;
            }
            _ => all.push(part),
        }
    }
    Some(all.join("/"))
}

/// The relative path from the file `from` to `to`.
pub fn relative(from: &str, to: &str) -> String {
    let from: Vec<&str> = from.split('/').collect();
    let to: Vec<&str> = to.split('/').collect();
    let folders = from.len() - 1;
    let same = from[..folders].iter().zip(&to[..to.len() - 1]).take_while(|(a, b)| a == b).count();
    format!("{}{}", "../".repeat(folders - same), to[same..].join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_in_code_are_none() {
        let page = "[a](b) `[c](d)` [`e`](f#g)\n```console\n[h](i)\n```\n[j\nk](l)\n";
        assert_eq!(targets(page), ["b", "f#g", "l"]);
    }

    #[test]
    fn a_tick_without_another_hides_nothing() {
        assert_eq!(targets("5` long [a](b)\n"), ["b"]);
    }

    #[test]
    fn headings_have_the_anchors_that_github_gives_them() {
        let page =
            "# Who reports\n## `a.b` and *c*\n## [Link](x): more\n## Who reports\n```\n# none\n```\n#no\n";
        let all: Vec<String> = anchors(page).into_iter().collect();
        assert_eq!(all, ["ab-and-c", "link-more", "who-reports", "who-reports-1"]);
    }

    #[test]
    fn paths_lead_there_and_back() {
        assert_eq!(resolved("docs/design/a.md", "../../crd").as_deref(), Some("crd"));
        assert_eq!(resolved("docs/a.md", "../../x"), None);
        assert_eq!(relative("design/a.md", "repository/x/y.yaml"), "../repository/x/y.yaml");
        assert_eq!(relative("repository/x/a.md", "repository/x/b.md"), "b.md");
        assert_eq!(relative("a.md", "b.md"), "b.md");
    }
}
