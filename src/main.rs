//! `serin`: parse, set up logging, run, exit code.

fn main() -> std::process::ExitCode {
    serin::cli::main()
}
