//! `demo`: the main job on real parts, to be watched in the terminal. `KEEP=1` leaves everything running afterwards.

use std::process::ExitCode;

use clap::{Parser, builder::PossibleValuesParser};
use serin_e2e::demo;

#[derive(Parser)]
#[command(about = "Watch Serin release software on real parts")]
struct Cli {
    /// What to watch.
    #[arg(default_value = demo::SCENARIOS[0], value_parser = PossibleValuesParser::new(demo::SCENARIOS))]
    scenario: String,
}

fn main() -> anyhow::Result<ExitCode> {
    Cli::parse();
    serin_e2e::enter()?;
    let as_it_should = tokio::runtime::Runtime::new()?.block_on(demo::first_flight())?;
    Ok(if as_it_should { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
