//! The command line: names, short flags and precedence are the same as kubectl's.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};

use super::{
    asking::{Asking, FinishArgs, PauseArgs, SteerArgs, UndoArgs},
    backtest::BacktestArgs,
    convert::ConvertCommand,
    diff::DiffArgs,
    doctor::DoctorArgs,
    lint::LintArgs,
    migrate::MigrateCommand,
    probe::ProbeArgs,
    simulate::SimulateArgs,
    values::{Choice, For, Output, Shell, image, name, time},
};
use crate::cluster::Login;

/// Watch and steer releases.
#[derive(Parser, Debug)]
#[command(version, about = "Watch and steer the releases of Serin's Canaries", propagate_version = false)]
#[command(after_help = "Flags come after the command: kubectl canary get app -n shop")]
#[command(disable_help_subcommand = false, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags of every command.
#[derive(Args, Debug)]
#[command(next_help_heading = "Flags of every command")]
pub(crate) struct Global {
    /// Namespace; the context's own without it
    #[arg(short, long, global = true, value_name = "NAME")]
    namespace: Option<String>,
    /// Path of the kubeconfig
    #[arg(long, global = true, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig
    #[arg(long, global = true, value_name = "NAME")]
    context: Option<String>,
    /// Cluster of the kubeconfig
    #[arg(long, global = true, value_name = "NAME")]
    cluster: Option<String>,
    /// User of the kubeconfig
    #[arg(long, global = true, value_name = "NAME")]
    user: Option<String>,
    /// Act as this user
    #[arg(long = "as", global = true, value_name = "USER")]
    impersonate: Option<String>,
    /// Act as a member of this group; may be repeated
    #[arg(long = "as-group", global = true, value_name = "GROUP", requires = "impersonate")]
    groups: Vec<String>,
    /// Act as this uid
    #[arg(long = "as-uid", global = true, value_name = "UID", requires = "impersonate")]
    uid: Option<String>,
    /// Bearer token for the API server
    #[arg(long, global = true)]
    token: Option<String>,
    /// Address of the API server
    #[arg(short, long, global = true, value_name = "URL")]
    server: Option<String>,
    /// Do not check the API server's certificate
    #[arg(long, global = true)]
    insecure_skip_tls_verify: bool,
    /// How long a connection may take, as 10s or 10
    #[arg(long, global = true, value_name = "TIME", value_parser = time)]
    request_timeout: Option<Duration>,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value = "auto")]
    pub(crate) color: Choice,
    /// The same as --color=never
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
    /// Nothing but ASCII
    #[arg(long, global = true)]
    pub(crate) ascii: bool,
    /// Cells in a line; the terminal's own without it
    #[arg(long, global = true, value_name = "CELLS", value_parser = clap::value_parser!(u16).range(40..))]
    pub(crate) width: Option<u16>,
    /// Say nothing on standard error but errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

impl Global {
    pub(crate) fn login(&self) -> Login {
        Login {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
            cluster: self.cluster.clone(),
            user: self.user.clone(),
            namespace: self.namespace.clone().filter(|name| !name.is_empty()),
            impersonate: self.impersonate.clone(),
            groups: self.groups.clone(),
            uid: self.uid.clone(),
            token: self.token.clone(),
            server: self.server.clone(),
            skip_tls_verify: self.insecure_skip_tls_verify,
            timeout: self.request_timeout.filter(|time| !time.is_zero()),
        }
    }
}

/// What to do.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// List Canaries and how they stand
    #[command(visible_alias = "ls")]
    List(ListArgs),
    /// Show one release: weight, checks, pods and what it waits for
    Get(GetArgs),
    /// Wait for a release, for pipelines: exit code 0 if it was promoted
    Status(StatusArgs),
    /// Show the runs of a Canary, or one of them in full
    History(HistoryArgs),
    /// Say why a release stands where it does, and what comes next
    Explain(ExplainArgs),
    /// Show what was said about a Canary, its target and its primary
    Events(EventsArgs),
    /// Show what the target changes of the pods of the primary, or of a revision that was promoted: exit code 1 if anything
    Diff(DiffArgs),
    /// Open the gate at which a release waits
    Approve(RequestArgs),
    /// Let a release go on that waits for a person: at a gate, or before its promotion
    Promote(RequestArgs),
    /// End a run and go back to the primary
    Abort(AbortArgs),
    /// End the step now, if its checks pass
    Advance(SteerArgs),
    /// Promote now, without the rest of the analysis
    Finish(FinishArgs),
    /// Hold a run at its weight; what fails still ends it
    Pause(PauseArgs),
    /// Let a run go on that was paused
    Resume(SteerArgs),
    /// Analyse a revision again that was rolled back
    Retry(SteerArgs),
    /// Give the target the promoted template back that it had before
    #[command(visible_alias = "rollback")]
    Undo(UndoArgs),
    /// Change fields of a target
    #[command(subcommand)]
    Set(SetCommand),
    /// Say what is wrong with Canaries in files: the operator's own validation, without a cluster
    Lint(LintArgs),
    /// Say what a run will be like: its steps, the earliest promotion and rollback, what users meet until then
    #[command(visible_alias = "plan")]
    Simulate(SimulateArgs),
    /// Say how often the analysis would have rolled back a release that changed nothing, by the past of its primary
    Backtest(BacktestArgs),
    /// Turn objects of another tool into a Canary and what belongs to it, in files
    #[command(subcommand)]
    Convert(ConvertCommand),
    /// Say what changes for objects of another tool when Serin takes its place; writes nothing
    #[command(subcommand)]
    Migrate(MigrateCommand),
    /// Say whether everything is there that releases need: definitions, operator, routers, rights
    #[command(visible_alias = "check")]
    Doctor(DoctorArgs),
    /// Ask a URL many times, and count which version answers
    Probe(ProbeArgs),
    /// Serve a page to watch and steer releases, for the browser on this machine
    Dashboard(DashboardArgs),
    /// Print the versions of this program and of the definitions in the cluster
    Version(VersionArgs),
    /// Print a completion script
    Completion(CompletionArgs),
    #[command(name = "__complete", hide = true)]
    Complete(CompleteArgs),
}

#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// Canaries; all without one
    #[arg(value_name = "NAME", value_parser = name)]
    pub(crate) names: Vec<String>,
    /// Of all namespaces
    #[arg(short = 'A', long)]
    pub(crate) all_namespaces: bool,
    /// Only those with these labels
    #[arg(short = 'l', long, value_name = "LABELS")]
    pub(crate) selector: Option<String>,
    /// Go on showing what changes
    #[arg(short, long)]
    pub(crate) watch: bool,
    /// Only those that somebody has to look at
    #[arg(long)]
    pub(crate) needs_attention: bool,
    /// Without the line of titles
    #[arg(long)]
    pub(crate) no_headers: bool,
    /// Form of output
    #[arg(short, long, value_enum)]
    pub(crate) output: Option<Output>,
}

#[derive(Args, Debug)]
pub(crate) struct GetArgs {
    /// The Canary
    #[arg(value_name = "NAME", value_parser = name)]
    pub(crate) name: String,
    /// Go on showing what changes, until the run has ended
    #[arg(short, long)]
    pub(crate) watch: bool,
    /// With --watch: go on after the run has ended
    #[arg(long, requires = "watch")]
    pub(crate) keep: bool,
    /// Without target, primary, pods and routes
    #[arg(long)]
    pub(crate) no_tree: bool,
    /// All pods
    #[arg(long)]
    pub(crate) all_pods: bool,
    /// Form of output
    #[arg(short, long, value_enum)]
    pub(crate) output: Option<Output>,
}

#[derive(Args, Debug)]
pub(crate) struct StatusArgs {
    /// The Canary
    #[arg(value_name = "NAME", value_parser = name)]
    pub(crate) name: String,
    /// Wait; false: say how it stands now
    #[arg(short, long, num_args = 0..=1, require_equals = true, default_value_t = true, default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) watch: bool,
    /// How long to wait, as 30m; for ever without it, and with 0
    #[arg(short, long, value_name = "TIME", value_parser = time)]
    pub(crate) timeout: Option<Duration>,
    /// What to wait for
    #[arg(long = "for", value_enum, default_value = "ended")]
    pub(crate) until: For,
    /// Exit code 4 as soon as a person is waited for
    #[arg(long)]
    pub(crate) fail_on_gate: bool,
    /// Exit code 1 when another revision than this one is analysed
    #[arg(long, value_name = "HASH")]
    pub(crate) revision: Option<String>,
    /// Form of what is printed at the end
    #[arg(short, long, value_enum)]
    pub(crate) output: Option<Output>,
}

#[derive(Args, Debug)]
pub(crate) struct HistoryArgs {
    /// The Canary
    #[arg(value_name = "NAME", value_parser = name)]
    pub(crate) name: String,
    /// One run in full
    #[arg(long, value_name = "NUMBER")]
    pub(crate) run: Option<i64>,
    /// How many runs at most
    #[arg(long, value_name = "COUNT")]
    pub(crate) limit: Option<usize>,
    /// Form of output
    #[arg(short, long, value_enum)]
    pub(crate) output: Option<Output>,
}

#[derive(Args, Debug)]
pub(crate) struct ExplainArgs {
    /// The Canary
    #[arg(value_name = "NAME", value_parser = name)]
    pub(crate) name: String,
    /// Form of output
    #[arg(short, long, value_enum)]
    pub(crate) output: Option<Output>,
}

#[derive(Args, Debug)]
pub(crate) struct EventsArgs {
    /// The Canary
    #[arg(value_name = "NAME", value_parser = name)]
    pub(crate) name: String,
    /// Form of output
    #[arg(short, long, value_enum)]
    pub(crate) output: Option<Output>,
}

#[derive(Args, Debug)]
pub(crate) struct RequestArgs {
    /// The Canaries
    #[arg(value_name = "NAME", required = true, value_parser = name)]
    pub(crate) names: Vec<String>,
    /// Only if it waits at the gate of this name
    #[arg(long, value_name = "NAME")]
    pub(crate) gate: Option<String>,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

#[derive(Args, Debug)]
pub(crate) struct AbortArgs {
    /// The Canaries
    #[arg(value_name = "NAME", required = true, value_parser = name)]
    pub(crate) names: Vec<String>,
    /// Exit code 0 where there is no run
    #[arg(long)]
    pub(crate) if_running: bool,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

#[derive(Subcommand, Debug)]
pub(crate) enum SetCommand {
    /// Set images of a Canary's target, which begins a release
    Image(ImageArgs),
}

#[derive(Args, Debug)]
pub(crate) struct ImageArgs {
    /// The Canary
    #[arg(value_name = "NAME", value_parser = name)]
    pub(crate) name: String,
    /// Containers with their new images; * is every container
    #[arg(value_name = "CONTAINER=IMAGE", required = true, value_parser = image)]
    pub(crate) images: Vec<(String, String)>,
    /// Say that it is right although a tool that applies the target will put it back
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Print what would be written, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Follow the release to its end, as status does
    #[arg(long)]
    pub(crate) wait: bool,
    /// With --wait: how long
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) timeout: Option<Duration>,
}

#[derive(Args, Debug)]
pub(crate) struct DashboardArgs {
    /// Port on this machine; a free one without it
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) port: u16,
    /// Print the address, and open no browser
    #[arg(long)]
    pub(crate) no_open: bool,
    /// Show, and ask for nothing
    #[arg(long)]
    pub(crate) read_only: bool,
}

#[derive(Args, Debug)]
pub(crate) struct VersionArgs {
    /// Of this program only
    #[arg(long)]
    pub(crate) client: bool,
    /// Form of output
    #[arg(short, long, value_enum)]
    pub(crate) output: Option<Output>,
}

#[derive(Args, Debug)]
pub(crate) struct CompletionArgs {
    /// For which shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

#[derive(Args, Debug)]
pub(crate) struct CompleteArgs {
    /// The words so far, the last one possibly empty
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) words: Vec<String>,
}
