//! `make bench-verdicts`: how often comparisons with the primary are wrong, and how long they take. Values are printed,
//! but not judged: see `docs/benchmarks.md`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people at a terminal")]

use clap::Parser;
use serin_tools::verdicts::{self, Wanted};

#[derive(Parser)]
#[command(about = "Plays releases in made-up worlds through the code that judges them")]
struct Cli {
    /// How many good releases are played in each world.
    #[arg(long, default_value_t = 1000)]
    runs: u64,
    /// The same seed gives the same figures.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() {
    let cli = Cli::parse();
    let progress = |what: &str| eprintln!("{what}");
    println!("{}", verdicts::run(Wanted { runs: cli.runs, seed: cli.seed }, &progress));
}
