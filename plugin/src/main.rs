//! `kubectl-canary`: parse, run, exit code.

fn main() -> std::process::ExitCode {
    serin_plugin::command::main()
}
