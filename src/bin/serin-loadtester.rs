//! `serin-loadtester`: parse, serve, exit code.

fn main() -> std::process::ExitCode {
    serin::loadtester::main()
}
