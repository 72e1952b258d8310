//! The notes of a release: its section of the changelog.

use anyhow::{Context as _, Result, ensure};

/// The section of `version`. `links`, if set, is the prefix of links into the repository, because the notes are read
/// elsewhere.
pub fn notes(changelog: &str, version: &str, links: Option<&str>) -> Result<String> {
    let heading = format!("\n## [{version}]");
    let rest = changelog.split_once(&heading).map(|(_, rest)| rest);
    let rest = rest.with_context(|| format!("CHANGELOG.md has no section ## [{version}]"))?;
    let body = rest.split_once('\n').map_or("", |(_, body)| body);
    let section = body.split("\n## [").next().unwrap_or_default().trim();
    ensure!(!section.is_empty(), "the section ## [{version}] of CHANGELOG.md is empty");
    let text = format!("# Serin {version}\n\n{section}\n");
    Ok(match links {
        Some(base) => text.replace("](docs/", &format!("]({}/docs/", base.trim_end_matches('/'))),
        None => text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGELOG: &str = "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-11-29\n\n### Added\n\n- One ([more](docs/a.md)).\n\n## [0.1.0]\n\n- Old.\n";

    #[test]
    fn a_section_ends_where_the_next_begins() {
        let text = notes(CHANGELOG, "0.2.0", Some("https://x.example/blob/v0.2.0/")).unwrap();
        let link = "https://x.example/blob/v0.2.0/docs/a.md";
        assert_eq!(text, format!("# Serin 0.2.0\n\n### Added\n\n- One ([more]({link})).\n"));
    }

    #[test]
    fn a_version_without_notes_is_not_released() {
        for (version, why) in [("0.3.0", "has no section"), ("Unreleased", "is empty")] {
            let error = notes(CHANGELOG, version, None).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
