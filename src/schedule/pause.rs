//! `pause`: waits for a time, or for an answer on the terminal.
//!
//! Source: the documentation of `ansible.builtin.pause`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Context;
use super::control::Controlled;
use super::view::View;
use crate::event::Event;
use crate::model::{Map, Outcome, Status, Value};
use crate::module::to_bool;
use crate::template::Error;

/// A wait that is to come.
#[derive(Debug, Clone)]
pub struct Pause {
    prompt: Option<String>,
    /// How long; without it somebody is asked.
    seconds: Option<u64>,
    minutes: bool,
    echo: bool,
}

/// What the arguments say.
///
/// # Errors
/// When a template fails.
pub fn plan(args: &Map, view: &View) -> Result<Controlled, Error> {
    let args = view.render(&Value::from(args.clone()))?;
    let args = args.as_ref().and_then(Value::as_map).cloned().unwrap_or_default();
    let given = |name: &str| args.get(name).filter(|v| !v.is_null());
    if given("minutes").is_some() && given("seconds").is_some() {
        return Ok(refused("parameters are mutually exclusive: minutes|seconds".to_owned()));
    }
    let minutes = given("minutes").is_some();
    let seconds = match given("minutes").or_else(|| given("seconds")) {
        None => None,
        Some(value) => match number(value) {
            // Ansible waits for a second at least.
            Some(n) => Some(u64::try_from(if minutes { n.saturating_mul(60) } else { n }).unwrap_or(0).max(1)),
            None => {
                let (name, shown) = (if minutes { "minutes" } else { "seconds" }, value.as_str().unwrap_or_default());
                return Ok(refused(format!(
                    "argument '{name}' is of type {} and we were unable to convert to int: invalid literal for int() \
                     with base 10: '{shown}'",
                    value.type_name()
                )));
            }
        },
    };
    let prompt = given("prompt").and_then(Value::as_str).map(str::to_owned);
    let echo = given("echo").is_none_or(|v| to_bool(v).unwrap_or(true));
    let mut done = Controlled::of(Outcome::new(Status::Ok, Map::new()));
    done.pause = Some(Pause { prompt, seconds, minutes, echo });
    Ok(done)
}

fn refused(message: String) -> Controlled {
    let result = Map::from_iter([("changed", Value::from(false)), ("msg", Value::from(message))]);
    Controlled::of(Outcome::new(Status::Failed, result))
}

#[allow(clippy::cast_possible_truncation, reason = "as Python's int() of a float")]
fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Int(i) => i64::try_from(*i).ok(),
        Value::Float(f) => Some(*f as i64),
        Value::Bool(b) => Some(i64::from(*b)),
        Value::Str(text) => text.trim().parse().ok(),
        _ => None,
    }
}

impl Pause {
    /// Waits, and completes the outcome.
    pub async fn wait(self, context: &Arc<Context>, title: &str, outcome: &mut Outcome) {
        let (start, started) = (now(), Instant::now());
        let mut input = String::new();
        if let Some(seconds) = self.seconds {
            let hidden = if self.echo { "" } else { " (output is hidden)" };
            context.emit(Event::Notice(format!("Pausing for {seconds} seconds{hidden}")));
            tokio::time::sleep(Duration::from_secs(seconds)).await;
        } else {
            match self.ask(context, title).await {
                Some(answer) => input = answer,
                None => {
                    outcome.warnings.push("Not waiting for response to prompt as stdin is not interactive".to_owned())
                }
            }
        }
        let took = started.elapsed();
        let words = if self.minutes || self.seconds.is_none() {
            format!("{} minutes", rounded(took.as_secs_f64() / 60.0))
        } else {
            format!("{} seconds", rounded(took.as_secs_f64()))
        };
        outcome.result = Map::from_iter([
            ("changed", Value::from(false)),
            ("delta", Value::from(took.as_secs())),
            ("echo", Value::from(self.echo)),
            ("rc", Value::from(0)),
            ("start", Value::from(start)),
            ("stderr", Value::from("")),
            ("stdout", Value::from(format!("Paused for {words}"))),
            ("stop", Value::from(now())),
            ("user_input", Value::from(input)),
        ]);
    }

    async fn ask(&self, context: &Arc<Context>, title: &str) -> Option<String> {
        context.asker.as_ref()?;
        let prompt = self.prompt.clone().unwrap_or_else(|| "Press enter to continue, Ctrl+C to interrupt".to_owned());
        let hidden = if self.echo { "" } else { " (output is hidden)" };
        let words = format!("[{title}]\n{prompt}{hidden}");
        context.progress.caught_up().await;
        let (context, echo) = (Arc::clone(context), self.echo);
        let asked = move || context.asker.as_ref().and_then(|ask| ask(&words, echo));
        tokio::task::spawn_blocking(asked).await.ok().flatten()
    }
}

/// To two digits, as Python's `round` shows it.
fn rounded(value: f64) -> String {
    let value = (value * 100.0).round() / 100.0;
    if value.fract() == 0.0 { format!("{value:.1}") } else { value.to_string() }
}

/// The local time as Python writes it.
fn now() -> String {
    chrono::Local::now().format("%Y-%m-%d %H:%M:%S%.6f").to_string()
}
