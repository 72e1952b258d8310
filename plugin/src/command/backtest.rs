//! `backtest`: how often the analysis of a Canary would have been wrong, by the past of its primary.

use std::time::Duration;

use clap::Args;
use serin::backtest::{self, Wanted};

use super::{
    context::Context,
    values::{Output, name},
};
use crate::{failure::Failure, text, view::rules};

#[derive(Args, Debug)]
pub(crate) struct BacktestArgs {
    /// The Canary
    #[arg(value_name = "NAME", value_parser = name)]
    name: String,
    /// How much of the past is read, as 36h or 7d
    #[arg(long, value_name = "TIME", value_parser = Wanted::time, default_value = Wanted::OVER)]
    over: Duration,
    /// How many releases are played
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=100_000), default_value = Wanted::REPLAYS)]
    replays: u32,
    /// Of the random numbers: the same seed plays the same times and pods
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Prometheus in place of the Canary's, such as one behind a port-forward
    #[arg(long, value_name = "URL")]
    prometheus: Option<String>,
    /// Form of output
    #[arg(short, long, value_enum)]
    pub(super) output: Option<Output>,
}

pub(super) async fn run(context: &Context, args: &BacktestArgs) -> Result<(), Failure> {
    let canary = context.canary(&args.name).await?;
    let (name, namespace) = (canary.metadata.name.as_deref(), canary.metadata.namespace.as_deref());
    let wanted = Wanted {
        over: args.over,
        replays: args.replays as usize,
        seed: args.seed,
        prometheus: args.prometheus.clone(),
    };
    let out = context.out;
    let tell = move |text: &str| out.say(text);
    let (client, rules) = (&context.cluster.client, rules(&canary));
    let (name, namespace) = (name.unwrap_or_default(), namespace.unwrap_or_default());
    let found = backtest::backtest(client, &rules, namespace, name, &wanted, &tell).await;
    let report = found.map_err(|error| {
        let failure = Failure::failed(format!("{error:#}"));
        if args.prometheus.is_some() {
            return failure;
        }
        failure.hint(
            "the Canary's Prometheus is asked from here; if it cannot be reached, forward its port \
             (\"kubectl port-forward\") and name it: --prometheus http://localhost:9090",
        )
    })?;
    match args.output {
        Some(form @ (Output::Json | Output::Yaml)) => out.data(&report, form)?,
        None | Some(Output::Wide | Output::Name) => {
            let lines: Vec<String> = report.to_string().lines().map(text::clean).collect();
            out.text(&(lines.join("\n") + "\n"))?;
        }
    }
    if report.within { Ok(()) } else { Err(Failure::failed(report.verdict())) }
}
