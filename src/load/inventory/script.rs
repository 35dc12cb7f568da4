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
    let listed = run(builder, path, &["--list"], show_notes)?;
    for host in builder.script(&listed)? {
        let vars = run(builder, path, &["--host", &host], show_notes)?;
        builder.script_host(&host, &vars)?;
    }
    Ok(())
}

/// What a script prints for these arguments, as a source that messages can point into.
fn run(builder: &mut Builder, path: &Path, args: &[&str], show_notes: bool) -> Checked<Arc<Source>> {
    let shown = path.display().to_string();
    let whole = std::fs::read_to_string(path).unwrap_or_default();
    let here = Origin::new(&Source::new(shown.clone(), whole), 1, 1);
    let done = Command::new(path).args(args).stdin(Stdio::null()).output().map_err(|error| {
        vec![
            Diagnostic::error(format!("problem running {shown} {}: {error}", args.join(" ")))
                .at(here.clone())
                .hint("its first line names its interpreter; take the executable bit away if it is no script"),
        ]
    })?;
    let notes = String::from_utf8_lossy(&done.stderr);
    let notes = notes.trim();
    if !done.status.success() {
        let how = done.status.code().map_or_else(
            || "Inventory script was killed by a signal".to_owned(),
            |code| format!("Inventory script returned non-zero exit code {code}"),
        );
        let finding = Diagnostic::error(format!("{how} ({shown} {})", args.join(" "))).at(here);
        let finding = if notes.is_empty() {
            finding
        } else {
            finding.hint(format!("Standard error from inventory script:\n{notes}"))
        };
        return Err(finding.into());
    }
    if show_notes && !notes.is_empty() {
        builder.warn(Diagnostic::warning(format!("{shown} says: {notes}")));
    }
    let text = String::from_utf8(done.stdout)
        .map_err(|_| vec![Diagnostic::error("Inventory script's output is not UTF-8 text").at(here)])?;
    Ok(Source::new(format!("{shown} {}", args.join(" ")), text))
}
