//! Runs commands: limited in time and in the output that is kept. Processes that a command started do not outlive it.
//!
//! Owns processes, but does not decide whether they may run.
#![allow(clippy::disallowed_methods, reason = "commands are processes with a time limit")]

use std::{
    io::{self, pipe},
    os::fd::OwnedFd,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::AsyncReadExt as _,
    net::unix::pipe::Receiver,
    process::{Child, Command},
    time::timeout,
};

use super::command::Work;

/// Most bytes of output that are kept of one command; the rest is read and dropped.
const KEPT: usize = 64 * 1024;

/// How a command ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// Why it did not succeed, in the words of Go programs.
    pub(super) failure: Option<String>,
    /// Its standard output and standard error, as far as they are kept.
    pub(super) output: String,
}

/// Runs it to its end, at most for `limit`. Dropping the future ends it.
pub(super) async fn run(work: &Work, limit: Duration) -> Ended {
    let mut output = Vec::new();
    let failure = match start(work) {
        Ok((mut running, mut reader)) => {
            let ending = async {
                let status = running.end().await;
                // remaining processes hold the pipe open
                drop(running);
                status
            };
            let both = async { tokio::join!(ending, read(&mut reader, &mut output)).0 };
            match timeout(limit, both).await {
                Ok(Ok(status)) => failure(status),
                Ok(Err(error)) => Some(error.to_string()),
                Err(_) => Some(format!("ended because it took longer than {} s", limit.as_secs_f64())),
            }
        }
        Err(error) => Some(error),
    };
    Ended { failure, output: String::from_utf8_lossy(&output).into_owned() }
}

/// The processes of a command, all in one group.
struct Running {
    group: Option<Pid>,
    children: Vec<Child>,
}

impl Running {
    /// The status of the last one, as in a shell.
    async fn end(&mut self) -> io::Result<ExitStatus> {
        let mut last = Ok(ExitStatus::default());
        for child in &mut self.children {
            last = child.wait().await;
        }
        last
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(group) = self.group {
            // no process is left, which is fine
            kill_process_group(group, Signal::KILL).ok();
        }
    }
}

fn start(work: &Work) -> Result<(Running, Receiver), String> {
    let said = |what: &str| {
        let what = what.to_owned();
        move |error: io::Error| format!("{what}: {error}")
    };
    let (reader, writer) = pipe().map_err(said("no pipe for the output"))?;
    let reader = Receiver::from_owned_fd(OwnedFd::from(reader)).map_err(said("no pipe for the output"))?;
    let shell;
    let stages = match work {
        Work::Pipe(stages) => stages.as_slice(),
        Work::Shell { shell: name, text } => {
            shell = [vec![(*name).to_owned(), "-c".to_owned(), text.clone()]];
            &shell
        }
    };
    let mut running = Running { group: None, children: vec![] };
    let mut input = Stdio::null();
    for (i, words) in stages.iter().enumerate() {
        let [program, arguments @ ..] = words.as_slice() else { continue };
        let mut command = Command::new(program);
        command.args(arguments).stdin(input).kill_on_drop(true);
        command.process_group(running.group.map_or(0, |group| group.as_raw_nonzero().get()));
        command.stderr(writer.try_clone().map_err(said("no pipe for the output"))?);
        let last = i + 1 == stages.len();
        if last {
            command.stdout(writer.try_clone().map_err(said("no pipe for the output"))?);
        } else {
            command.stdout(Stdio::piped());
        }
        let mut child = command.spawn().map_err(said(program))?;
        if running.group.is_none() {
            running.group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        }
        input = match child.stdout.take() {
            Some(stdout) => stdout.try_into().map_err(said("no pipe between commands"))?,
            None => Stdio::null(),
        };
        running.children.push(child);
    }
    Ok((running, reader))
}

/// Keeps the beginning, reads everything: a full pipe would block the command.
async fn read(reader: &mut Receiver, kept: &mut Vec<u8>) {
    let mut chunk = [0; 8192];
    while let Ok(n @ 1..) = reader.read(&mut chunk).await {
        let room = KEPT.saturating_sub(kept.len());
        kept.extend_from_slice(&chunk[..n.min(room)]);
    }
}

fn failure(status: ExitStatus) -> Option<String> {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.success(), status.code(), status.signal()) {
        (true, ..) => None,
        (_, Some(code), _) => Some(format!("exit status {code}")),
        (.., Some(signal)) => Some(format!("signal: {signal}")),
        _ => Some("it ended without a status".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn shell(text: &str) -> Work {
        Work::Shell { shell: "sh", text: text.to_owned() }
    }

    fn pipe_of(stages: &[&[&str]]) -> Work {
        Work::Pipe(stages.iter().map(|s| s.iter().map(|w| (*w).to_owned()).collect()).collect())
    }

    #[tokio::test]
    async fn a_pipe_hands_on_and_ends_as_its_last_command() {
        let ended = run(&pipe_of(&[&["echo", "a $b"], &["grep", "-o", "$b"]]), LONG).await;
        assert_eq!((ended.failure, ended.output.as_str()), (None, "$b\n"));
        let ended = run(&pipe_of(&[&["echo", "a"], &["grep", "b"]]), LONG).await;
        assert_eq!(ended.failure.as_deref(), Some("exit status 1"));
        let ended = run(&pipe_of(&[&["no-such-program"]]), LONG).await;
        assert!(ended.failure.unwrap().starts_with("no-such-program: "), "the program is named");
    }

    #[tokio::test]
    async fn output_is_kept_in_order_and_bounded() {
        let ended = run(&shell("echo one; echo two >&2; echo three"), LONG).await;
        assert_eq!(ended.output, "one\ntwo\nthree\n");
        let ended = run(&shell("head -c 1000000 /dev/zero"), LONG).await;
        assert_eq!((ended.failure, ended.output.len()), (None, KEPT));
    }

    #[tokio::test]
    async fn nothing_outlives_a_command() {
        let began = Instant::now();
        // the remaining process holds the output open for longer than the test may take
        let ended = run(&shell("sleep 1000 & echo $!"), LONG).await;
        assert_eq!(ended.failure, None);
        let straggler = ended.output.trim().to_owned();
        gone(&straggler).await;

        let ended = run(&shell("echo $$; sleep 1000; true"), Duration::from_millis(300)).await;
        assert!(ended.failure.unwrap().contains("0.3 s"));
        gone(ended.output.trim()).await;
        assert!(began.elapsed() < LONG);
    }

    /// Waits until a process is gone: a killed process may still exist.
    async fn gone(pid: &str) {
        assert!(!pid.is_empty());
        let dead = || match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
            Ok(stat) => stat.contains(") Z "),
            Err(_) => true,
        };
        while !dead() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
