//! PURE. What is wrong with Canaries in files, before they are applied: the operator's own validation, and what can be seen
//! across the files. No cluster; what cannot be known without one is a note.

mod canaries;
mod codes;
mod documents;
mod finding;
mod schema;
mod source;

pub use codes::{CODES, Code, Level};
pub use documents::title;
pub use finding::{Finding, Report};
pub use source::Source;

use documents::Document;

/// The objects of a file, Lists taken apart.
///
/// # Errors
/// It is no YAML; the text says where.
pub fn objects(source: &Source) -> Result<Vec<serde_json::Value>, String> {
    Ok(documents::read(source)?.into_iter().map(|document| document.object).collect())
}

/// Looks at all files together: what one of them refers to may be in another.
pub fn lint(sources: &[Source], ignored: &[String]) -> Report {
    let mut report = Report::default();
    let mut all: Vec<Document> = Vec::new();
    for source in sources {
        match documents::read(source) {
            Ok(documents) => all.extend(documents),
            Err(unreadable) => report.unreadable.push(unreadable),
        }
    }
    report.canaries = all.iter().filter(|document| canaries::is_canary(&document.object)).count();
    for document in &all {
        report.findings.extend(schema::check(document));
    }
    report.findings.extend(canaries::check(&all));
    report.findings.retain(|finding| !finding.is_ignored(ignored));
    report.findings.sort_by(|a, b| (&a.file, a.line, a.code).cmp(&(&b.file, b.line, b.code)));
    report.findings.dedup();
    report
}

#[cfg(test)]
mod tests;
