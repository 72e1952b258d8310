//! The command lines of the request commands and of `undo`.

use std::time::Duration;

use clap::Args;

use super::values::{Output, name, time};

/// How something is asked for.
#[derive(Args, Debug)]
pub(crate) struct Asking {
    /// Who asks, for the record; the API server's name for you without it
    #[arg(long, value_name = "TEXT")]
    pub(crate) by: Option<String>,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Print what would be written, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Leave without the operator's answer
    #[arg(long)]
    pub(crate) no_wait_answer: bool,
    /// Take the place of a request that has not been answered
    #[arg(long)]
    pub(crate) replace: bool,
    /// Follow the release to its end, as status does
    #[arg(long)]
    pub(crate) wait: bool,
    /// How long to wait for the answer, and with --wait for the end; for ever with 0
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) timeout: Option<Duration>,
    /// Form of output
    #[arg(short, long, value_enum)]
    pub(crate) output: Option<Output>,
}

/// A time that nobody waits for.
pub(crate) const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 3600);

impl Asking {
    /// How long the answer is waited for.
    pub(crate) fn patience(&self, usual: Duration) -> Duration {
        self.timeout.map_or(usual, |time| if time.is_zero() { FOR_EVER } else { time })
    }

    /// How long the end is waited for; None: for ever.
    pub(crate) fn limit(&self) -> Option<Duration> {
        self.timeout.filter(|time| !time.is_zero())
    }
}

#[derive(Args, Debug)]
pub(crate) struct SteerArgs {
    /// The Canaries
    #[arg(value_name = "NAME", required = true, value_parser = name)]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

#[derive(Args, Debug)]
pub(crate) struct PauseArgs {
    /// The Canaries
    #[arg(value_name = "NAME", required = true, value_parser = name)]
    pub(crate) names: Vec<String>,
    /// Go on by itself after this time, as 30m
    #[arg(long = "for", value_name = "TIME", value_parser = time)]
    pub(crate) lasts: Option<Duration>,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

#[derive(Args, Debug)]
pub(crate) struct FinishArgs {
    /// The Canaries
    #[arg(value_name = "NAME", required = true, value_parser = name)]
    pub(crate) names: Vec<String>,
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

#[derive(Args, Debug)]
pub(crate) struct UndoArgs {
    /// The Canary
    #[arg(value_name = "NAME", value_parser = name)]
    pub(crate) name: String,
    /// This promoted revision, by how its hash begins; without it the one before
    #[arg(long, value_name = "HASH")]
    pub(crate) to_revision: Option<String>,
    /// Say that it is right although a tool that applies the target will put it back
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Print what would be written, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Follow the release to its end, as status does
    #[arg(long)]
    pub(crate) wait: bool,
    /// With --wait: how long; for ever without it, and with 0
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) timeout: Option<Duration>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{
        args::{Cli, Command},
        parse,
    };

    #[test]
    fn no_time_is_for_ever() {
        let usual = Duration::from_secs(30);
        let of = |more: &[&str]| {
            let words = [&["kubectl-canary", "pause", "app"], more].concat();
            let Ok(Cli { command: Command::Pause(args), .. }) =
                parse(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
            else {
                panic!("{more:?}")
            };
            (args.asking.patience(usual), args.asking.limit())
        };
        assert_eq!(of(&[]), (usual, None));
        assert_eq!(of(&["--timeout", "5s"]), (Duration::from_secs(5), Some(Duration::from_secs(5))));
        assert_eq!(of(&["--timeout", "0"]), (FOR_EVER, None));
    }
}
