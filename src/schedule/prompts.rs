//! `vars_prompt`: variables of a play that somebody is asked for before it begins.
//!
//! Source: "Interactive input: prompts" of Ansible's documentation.

use std::sync::Arc;

use super::Context;
use super::play::play_view;
use super::view::View;
use crate::compile::CompiledPlay;
use crate::diag::{Checked, Diagnostic};
use crate::event::Event;
use crate::model::{Map, Text, Value, Vars};
use crate::module::to_bool;
use crate::vars::{Layer, Level};

/// The play with what was answered; what `-e` gives is not asked for.
///
/// # Errors
/// When a template fails.
pub async fn asked(context: &Arc<Context>, play: &Arc<CompiledPlay>) -> Checked<Arc<CompiledPlay>> {
    let prompts: Vec<Map> = match play.keywords.value("vars_prompt") {
        Some(Value::List(items)) => items.iter().filter_map(|item| item.as_map().cloned()).collect(),
        Some(Value::Map(one)) => vec![(**one).clone()],
        _ => return Ok(Arc::clone(play)),
    };
    let mut vars = Vars::new();
    for prompt in prompts {
        let Some(name) = prompt.get("name").and_then(Value::as_str) else { continue };
        if context.layers.iter().any(|layer| layer.vars.get(name).is_some()) {
            continue;
        }
        let rendered = play_view(context, play).render(&Value::from(prompt.clone())).map_err(Diagnostic::from)?;
        let settings = rendered.as_ref().and_then(Value::as_map).cloned().unwrap_or_default();
        let given = answer(context, name, &settings).await;
        vars.set(name, encrypted(context, play, given, &settings)?, None);
    }
    let layer = Layer::new(Level::PlayPrompt, "vars_prompt", vars);
    let mut with = CompiledPlay::clone(play);
    with.vars.push(layer);
    Ok(Arc::new(with))
}

/// The hash of an answer, where `encrypt` names how it is made: as the filter `password_hash`
/// makes it.
fn encrypted(context: &Arc<Context>, play: &Arc<CompiledPlay>, given: Value, prompt: &Map) -> Checked<Value> {
    let Some(scheme) = prompt.get("encrypt").filter(|scheme| !scheme.is_null()) else { return Ok(given) };
    let set = |name: &str| prompt.get(name).filter(|v| !v.is_null()).cloned();
    let mut vars = Vars::from_iter([("prompt_answer", given), ("prompt_scheme", scheme.clone())]);
    let mut call = "{{ prompt_answer | string | password_hash(prompt_scheme".to_owned();
    for (name, value) in ["salt", "salt_size"].iter().filter_map(|name| Some((*name, set(name)?))) {
        call.push_str(&format!(", {name}=prompt_{name}"));
        vars.set(&format!("prompt_{name}"), value, None);
    }
    let scope = play_view(context, play).scope.push(Layer::new(Level::PlayPrompt, "vars_prompt", vars));
    let hash = View::new(&context.engine, scope).render(&Value::Str(Text::template(call + ") }}", None)));
    Ok(hash.map_err(Diagnostic::from)?.unwrap_or(Value::Null))
}

/// What is answered; the default where nothing is, or where nobody can be asked.
async fn answer(context: &Arc<Context>, name: &str, prompt: &Map) -> Value {
    let default = prompt.get("default").filter(|v| !v.is_null()).cloned();
    if context.asker.is_none() {
        context.emit(Event::Warning("Not prompting as we are not in interactive mode".to_owned()));
        return default.unwrap_or_else(|| Value::from("None"));
    }
    let flag = |name: &str, or: bool| prompt.get(name).and_then(to_bool).unwrap_or(or);
    let words = prompt.get("prompt").and_then(Value::as_str).unwrap_or(name).to_owned();
    let (echo, confirm) = (!flag("private", true), flag("confirm", false));
    let words = match &default {
        Some(Value::Str(text)) if echo => format!("{words} [{}]", text.as_str()),
        _ => words,
    };
    context.progress.caught_up().await;
    let context = Arc::clone(context);
    let asked = move || loop {
        let ask = |words: &str| context.asker.as_ref().and_then(|ask| ask(words, echo));
        let first = ask(&words)?;
        if !confirm || ask(&format!("confirm {words}")).as_ref() == Some(&first) {
            return Some(first);
        }
        context.emit(Event::Notice("***** VALUES ENTERED DO NOT MATCH ****".to_owned()));
    };
    let answered = tokio::task::spawn_blocking(asked).await.ok().flatten().filter(|line| !line.is_empty());
    answered.map(Value::from).or(default).unwrap_or_else(|| Value::from(""))
}
