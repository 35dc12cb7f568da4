//! Names of plays, tasks and handlers, as they are printed.

use super::view::View;
use crate::compile::{CompiledPlay, CompiledTask};
use crate::diag::Diagnostic;
use crate::model::{Text, Value};

/// A name as Ansible prints it: what cannot be rendered in it is said where it stands.
pub fn rendered_or_raw(view: &View, text: &Text) -> String {
    let whole = |t: Text| if t.is_secret() { crate::model::MASK.to_owned() } else { t.as_str().to_owned() };
    view.text(text).map_or_else(|_| in_parts(view, text), whole)
}

/// A task's name with its role's before it, as its headline shows it.
pub fn of_task(play: &CompiledPlay, task: &CompiledTask, view: &View) -> String {
    let mut name = rendered_or_raw(view, &task.title());
    if task.name.is_none()
        && task.action.module.name == "include_role"
        && let Some(Value::Str(role)) = task.action.args.get("name")
    {
        // A name that reads the loop's variable cannot be known here: it is shown as it is written.
        let role = view.text(role).unwrap_or_else(|_| role.clone());
        name = format!("{name} : {}", if role.is_secret() { crate::model::MASK } else { role.as_str() });
    }
    match task.role.filter(|_| task.action.module.name != "include_role").and_then(|r| play.roles.get(r)) {
        Some(role) => format!("{} : {name}", role.name),
        None => name,
    }
}

/// Each `{{ … }}` of a text rendered by itself.
fn in_parts(view: &View, text: &Text) -> String {
    let mut out = String::new();
    let (mut rest, mut errors) = (text.as_str(), 0);
    if rest.contains("{%") {
        return rest.to_owned();
    }
    while let Some((before, inner, after)) =
        rest.split_once("{{").and_then(|(before, tail)| tail.split_once("}}").map(|(i, a)| (before, i, a)))
    {
        out.push_str(before);
        match view.text(&Text::template(format!("{{{{{inner}}}}}"), None)) {
            Ok(t) if t.is_secret() => out.push_str(crate::model::MASK),
            Ok(t) => out.push_str(t.as_str()),
            Err(e) => {
                errors += 1;
                out.push_str(&format!("<< error {errors} - {} >>", Diagnostic::from(e).message));
            }
        }
        rest = after;
    }
    out + rest
}

/// The names that a text stands for: a template may give a list of them.
pub fn all(view: &View, text: &Text) -> Vec<String> {
    match view.render(&Value::Str(text.clone())) {
        // An `omit`.
        Ok(None) => Vec::new(),
        Ok(Some(Value::List(items))) => items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => vec![rendered_or_raw(view, text)],
    }
}
