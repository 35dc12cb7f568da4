//! The `rplay` program.

fn main() -> std::process::ExitCode {
    let args = std::env::args_os().map(|a| a.to_string_lossy().into_owned()).collect();
    std::process::ExitCode::from(rplay::cli::main(args).code())
}
