//! The log file (`log_path`): what is printed, each line with its time and level, as Ansible's
//! log has them.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use chrono::Local;

use crate::event::Event;
use crate::report::{Page, Report};

/// A log that is written while a run goes on.
pub struct Log {
    file: File,
    report: Box<dyn Report>,
    /// Who writes: `p=PID u=USER n=rplay`.
    writer: String,
}

impl Log {
    /// Opens a log; what this report says of events goes to its end. Nothing when it cannot be opened.
    pub fn open(path: &Path, report: Box<dyn Report>) -> Option<Self> {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path).ok()?;
        let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME"));
        let user = user.unwrap_or_else(|_| rustix::process::getuid().as_raw().to_string());
        let writer = format!("p={} u={user} n=rplay", std::process::id());
        Some(Self { file, report, writer })
    }

    /// Takes an event, in which secrets are masked.
    pub fn event(&mut self, event: &Event) {
        let mut page = Page::default();
        // A log that cannot be written any more (a full disk) does not end a run that is under way.
        let _ = self.report.event(event, &mut page);
        let time = Local::now().format("%Y-%m-%d %H:%M:%S,%3f").to_string();
        let lines = lines(&String::from_utf8_lossy(&page.text()), &format!("{time} {}", self.writer));
        let _ = self.file.write_all(lines.as_bytes());
    }
}

/// The lines that are not empty, each with its level.
fn lines(text: &str, before: &str) -> String {
    let mut out = String::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let level = match line {
            _ if line.starts_with("[ERROR]") => "ERROR",
            _ if line.starts_with("[WARNING]") => "WARNING",
            _ => "INFO",
        };
        out.push_str(&format!("{before} {level}| {line}\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_has_its_level() {
        let text = "\nTASK [x] ***\n[WARNING]: careful\n[ERROR]: Task failed: no\nfatal: [a]: FAILED!\n\n";
        let expected = "T INFO| TASK [x] ***\nT WARNING| [WARNING]: careful\nT ERROR| [ERROR]: Task failed: no\n\
                        T INFO| fatal: [a]: FAILED!\n";
        assert_eq!(lines(text, "T"), expected);
    }
}
