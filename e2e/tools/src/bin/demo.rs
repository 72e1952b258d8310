//! `demo`: releases on real parts, shown in the terminal. `KEEP=1` leaves everything running afterwards.

#![expect(clippy::print_stdout, reason = "a program for people at a terminal")]

use std::process::ExitCode;

use clap::Parser;
use serin_tools::demo::{self, SCENARIOS, Scenario};

#[derive(Parser)]
#[command(about = "Watch Serin release software on real parts")]
struct Cli {
    /// What to watch; `help` lists what there is.
    #[arg(default_value = SCENARIOS[0].name, value_parser = asked)]
    scenario: Asked,
    /// Only say whether it can be watched.
    #[arg(long)]
    check: bool,
}

#[derive(Clone, Copy)]
enum Asked {
    Help,
    For(&'static Scenario),
}

fn asked(name: &str) -> Result<Asked, String> {
    if name == "help" { Ok(Asked::Help) } else { demo::find(name).map(Asked::For) }
}

fn main() -> anyhow::Result<ExitCode> {
    let cli = Cli::parse();
    let Asked::For(scenario) = cli.scenario else {
        println!("make demo SCENARIO=name\n\n{}", demo::list());
        return Ok(ExitCode::SUCCESS);
    };
    if cli.check {
        return Ok(ExitCode::SUCCESS);
    }
    serin_bed::enter()?;
    let as_described = tokio::runtime::Runtime::new()?.block_on(demo::play(scenario))?;
    Ok(if as_described { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
