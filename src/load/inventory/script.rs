//! Running inventory scripts.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use crate::diag::{Checked, Diagnostic};
use crate::inventory::Builder;
use crate::model::{Origin, Source};

/// Runs a script and adds what it prints. Its notes on standard error are warnings when
/// `show_notes` is set.
///
/// # Errors
/// When it cannot be started, fails, or prints what is no inventory.
pub(super) fn parse(builder: &mut Builder, path: &Path, show_notes: bool) -> Checked<()> {
    let mut notes = String::new();
    let done = ask(builder, path, &mut notes);
    let notes = notes.trim();
    match done {
        Err(findings) if !notes.is_empty() => {
            let hint = format!("Standard error from inventory script:\n{notes}");
            Err(findings.into_iter().map(|finding| finding.hint(hint.as_str())).collect())
        }
        Ok(()) if show_notes && !notes.is_empty() => {
            builder.warn(Diagnostic::warning(format!("{} says: {notes}", path.display())));
            Ok(())
        }
        done => done,
    }
}

fn ask(builder: &mut Builder, path: &Path, notes: &mut String) -> Checked<()> {
    let listed = run(path, &["--list"], notes)?;
    for host in builder.script(&listed)? {
        let vars = run(path, &["--host", &host], notes)?;
        builder.script_host(&host, &vars)?;
    }
    Ok(())
}

/// What a script prints for these arguments, as a source that messages can point into.
fn run(path: &Path, args: &[&str], notes: &mut String) -> Checked<Arc<Source>> {
    let shown = path.display().to_string();
    let whole = std::fs::read_to_string(path).unwrap_or_default();
    let here = Origin::new(&Source::new(shown.clone(), whole), 1, 1);
    let done = Command::new(path).args(args).stdin(Stdio::null()).output().map_err(|error| {
        vec![
            Diagnostic::error(format!(
                "Failed to execute inventory script command `{shown} {}`: {error}",
                args.join(" ")
            ))
            .at(here.clone())
            .hint("its first line names its interpreter; take the executable bit away if it is no script"),
        ]
    })?;
    notes.push_str(&String::from_utf8_lossy(&done.stderr));
    if !done.status.success() {
        let how = done.status.code().map_or_else(
            || "Inventory script was killed by a signal".to_owned(),
            |code| format!("Inventory script returned non-zero exit code {code}"),
        );
        return Err(Diagnostic::error(format!("{how} ({shown} {})", args.join(" "))).at(here).into());
    }
    let text = String::from_utf8(done.stdout).map_err(|_| {
        vec![
            Diagnostic::error("Inventory script result contained characters that cannot be interpreted as UTF-8")
                .at(here),
        ]
    })?;
    Ok(Source::new(format!("{shown} {}", args.join(" ")), text))
}
