//! `make bench`: the operator's cost and speed. Values are printed, but not judged: see `docs/benchmarks.md`.

#![expect(clippy::print_stdout, reason = "a program for people at a terminal")]

use clap::Parser;
use serin_tools::bench;
use tokio::time::Instant;

#[derive(Parser)]
#[command(about = "Measures Serin on the test bed")]
struct Cli {
    /// How many Canaries there are for the figures at rest and for releases at once.
    #[arg(long, default_value_t = 200)]
    canaries: usize,
    /// Only what evaluating templates, conditions and paths takes, which needs no bed.
    #[arg(long)]
    engines: bool,
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    if cli.engines {
        println!("{}", bench::print(&bench::engines()?));
        return Ok(());
    }
    serin_bed::enter()?;
    let began = Instant::now();
    let progress = |what: &str| println!("[{:>5.1} s] {what}", began.elapsed().as_secs_f64());
    let figures = tokio::runtime::Runtime::new()?.block_on(bench::run(cli.canaries, &progress))?;
    println!("\n{}", bench::print(&figures));
    println!("\nAll of it took {:.0} s.", began.elapsed().as_secs_f64());
    Ok(())
}
