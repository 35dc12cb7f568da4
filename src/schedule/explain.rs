//! Findings in a result's or a warning's words, and what is wrong with a task that has failed.

use crate::compile::CompiledTask;
use crate::diag::Diagnostic;
use crate::model::{Outcome, Status};
use crate::module::Run;

/// What is wrong with a task that has failed: what rplay found, else what came back.
pub fn why(task: &CompiledTask, outcome: &Outcome, found: Option<Diagnostic>) -> Option<Diagnostic> {
    let failed = matches!(outcome.status, Status::Failed | Status::Unreachable);
    if let Some(found) = found {
        let origin = found.origin.clone().or_else(|| Some(task.origin.clone()));
        return Some(found.at(origin));
    }
    if !failed || outcome.result.contains("results") {
        return None;
    }
    let words = outcome.message().unwrap_or_default();
    let by_controller = matches!(task.action.module.run, Run::Controller(_));
    let words = match (&outcome.status, words) {
        (_, words) if words.starts_with("Task failed: ") => words.to_owned(),
        (Status::Unreachable, words) => format!("Task failed: {words}"),
        (_, "") => "Task failed: Action failed.".to_owned(),
        (_, words) if by_controller => format!("Task failed: Action failed: {words}"),
        (_, words) => format!("Task failed: Module failed: {words}"),
    };
    Some(Diagnostic::error(words).at(task.origin.clone()))
}

/// A finding in one line, for a warning.
pub fn explain(finding: &Diagnostic) -> String {
    let place = finding.origin.as_ref().map(|o| format!(" ({o})")).unwrap_or_default();
    format!("{}{place}", finding.message)
}

/// The same with its hints.
pub fn explain_all(finding: &Diagnostic) -> String {
    let hints = finding.hints.iter().map(|hint| format!("; {hint}"));
    explain(finding) + &hints.collect::<String>()
}
