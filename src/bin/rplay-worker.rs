//! The program that runs on managed hosts; started and fed by `rplay`.

fn main() -> std::process::ExitCode {
    let detached = std::env::args().nth(1).is_some_and(|arg| arg == rplay::protocol::DETACHED);
    match if detached { rplay::worker::run_detached() } else { rplay::worker::serve() } {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(_) => std::process::ExitCode::FAILURE,
    }
}
