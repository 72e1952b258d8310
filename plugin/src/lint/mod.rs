//! PURE. Finds problems of Canaries in files before they are applied: with the operator's own validation, and by
//! comparing files. Needs no cluster. A question that needs a cluster becomes a note.

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

/// The objects of a file, with Lists unpacked.
///
/// # Errors
/// The file is not valid YAML. The text contains the position.
pub fn objects(source: &Source) -> Result<Vec<serde_json::Value>, String> {
    Ok(documents::read(source)?.into_iter().map(|document| document.object).collect())
}

/// Checks all files together, because one file may refer to another.
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
