//! Writes the generated dashboards and rules to the repository. `monitoring queries` instead prints the queries of all
//! panels as recording rules, with their variables filled in, so that promtool can parse them. `monitoring rules SCALE`
//! prints the alert rules with all times divided by that number, for a bed that cannot wait for hours.
#![expect(clippy::print_stdout, reason = "a program for people at a terminal")]

use std::{fs, path::Path};

use anyhow::{Context as _, Result, bail};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
            for (path, text) in serin_monitoring::files() {
                let path = root.join(path);
                fs::create_dir_all(path.parent().context("a folder")?)?;
                fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
            }
        }
        ["queries"] => print!("{}", serin_monitoring::check::recording_rules()),
        ["rules", scale] => print!("{}", serin_monitoring::rules::file(scale.parse().context("SCALE")?)),
        _ => bail!("usage: monitoring [queries | rules SCALE]"),
    }
    Ok(())
}
