//! The program that runs on managed hosts; started and fed by `rplay`.

fn main() -> std::process::ExitCode {
    match rplay::worker::serve() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(_) => std::process::ExitCode::FAILURE,
    }
}
