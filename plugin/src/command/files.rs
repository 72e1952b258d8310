//! Reads files, folders and standard input as manifests.

use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use crate::{failure::Failure, lint::Source};

/// File endings to search for in folders.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];
/// Maximum depth of folders.
const DEEPEST: usize = 32;

/// Reads all manifests.
pub(super) fn read(paths: &[PathBuf], more: &[PathBuf]) -> Result<Vec<Source>, Failure> {
    let mut paths: Vec<&PathBuf> = paths.iter().chain(more).collect();
    if paths.is_empty() {
        return Err(Failure::usage("there is nothing to look at")
            .hint("name files or folders, or - for standard input"));
    }
    paths.dedup();
    let mut sources = Vec::new();
    for path in paths {
        if path == Path::new("-") {
            let mut text = String::new();
            let read = io::stdin().lock().read_to_string(&mut text);
            read.map_err(|error| Failure::usage(format!("cannot read standard input: {error}")))?;
            sources.push(Source { name: "-".into(), text });
            continue;
        }
        let mut files = Vec::new();
        if path.is_dir() {
            below(path, DEEPEST, &mut files)?;
        } else {
            files.push(path.clone());
        }
        for file in files {
            let text = fs::read_to_string(&file)
                .map_err(|error| Failure::usage(format!("cannot read {}: {error}", file.display())))?;
            sources.push(Source { name: file.display().to_string(), text });
        }
    }
    Ok(sources)
}

/// All manifests below a folder, sorted by name, without hidden files.
fn below(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let failed =
        |error: io::Error| Failure::usage(format!("cannot read the folder {}: {error}", folder.display()));
    let mut entries: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        entries.push(entry.map_err(failed)?.path());
    }
    entries.sort();
    for path in entries {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let manifest = path.extension().is_some_and(|end| ENDINGS.iter().any(|known| end == *known));
        if hidden {
            continue;
        }
        // a link to a parent folder would never end
        if path.is_dir() && !path.is_symlink() && depth > 0 {
            below(&path, depth - 1, files)?;
        } else if path.is_file() && manifest {
            files.push(path);
        }
    }
    Ok(())
}
