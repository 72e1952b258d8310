//! `doctor`: checks that everything that releases need is there.

use clap::{Args, ValueEnum};
use serde_json::json;

use super::context::{Context, now};
use crate::{
    doctor::{Diagnosis, Outcome, diagnose},
    failure::{Failure, code},
    screen,
    view::API_VERSION,
};

#[derive(Args, Debug)]
pub(crate) struct DoctorArgs {
    /// Before Serin is installed
    #[arg(long)]
    pre: bool,
    /// Canaries of all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// Form of output
    #[arg(short, long, value_enum, default_value = "table")]
    output: Form,
}

/// Forms of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// All checks
    Table,
    /// Those that are not well
    Short,
    /// As JSON
    Json,
}

impl DoctorArgs {
    pub(super) fn json(&self) -> bool {
        self.output == Form::Json
    }
}

pub(super) async fn run(context: &Context, args: &DoctorArgs) -> Result<(), Failure> {
    let seen = context.cluster.examine(args.all_namespaces).await;
    let diagnosis = diagnose(&seen, args.pre, now());
    match args.output {
        Form::Json => context.out.json(&report(&diagnosis))?,
        form => context.out.lines(&screen::doctor(&diagnosis, form == Form::Short, &context.out.term))?,
    }
    context.out.say(&diagnosis.summary());
    verdict(&diagnosis)
}

fn report(diagnosis: &Diagnosis) -> serde_json::Value {
    json!({
        "apiVersion": API_VERSION, "kind": "DoctorReport", "success": verdict(diagnosis).is_ok(),
        "groups": diagnosis.groups,
    })
}

/// Warnings are not failures.
fn verdict(diagnosis: &Diagnosis) -> Result<(), Failure> {
    if diagnosis.count(Outcome::Error) > 0 { Err(Failure::new(code::FAILED, "")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{Look, Seen};

    #[test]
    fn exit_code_1_errors_only() {
        let of = |version: Look<String>| {
            let diagnosis =
                diagnose(&Seen { version, ..Seen::default() }, false, jiff::Timestamp::UNIX_EPOCH);
            assert_eq!(crate::schema::violations(&report(&diagnosis)), Vec::<String>::new());
            (
                verdict(&diagnosis).map_or_else(|failure| failure.code, |()| 0),
                report(&diagnosis)["success"] == true,
            )
        };
        assert_eq!(of(Look::Read("1.20.0".into())), (0, true), "a warning");
        assert_eq!(of(Look::Unread("refused".into())), (1, false));
    }
}
