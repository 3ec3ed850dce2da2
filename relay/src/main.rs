//! The relay's program: the library's command line and its exit code.

fn main() -> std::process::ExitCode {
    partyline_relay::cli::run()
}
