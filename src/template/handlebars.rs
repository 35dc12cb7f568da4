//! Handlebars: templates that end in `.hbs`, strict, with the same variables.

use base64::Engine as _;
use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, Output, RenderContext, RenderError, RenderErrorReason,
};
use serde_json::Value as Json;

use super::error::Error;
use super::eval::Eval;
use super::json::{self, Style};
use super::regex;
use super::value::R;
use crate::model::{Map, Marks, Text, Value};

type Answer = Result<String, RenderError>;
type Run = fn(&[Json]) -> Answer;

/// A helper of one or more arguments that gives text.
struct Give(Run);

impl HelperDef for Give {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let args: Vec<Json> = helper.params().iter().map(|p| p.value().clone()).collect();
        out.write((self.0)(&args)?.as_str())?;
        Ok(())
    }
}

fn bad(words: impl Into<String>) -> RenderError {
    RenderErrorReason::Other(words.into()).into()
}

fn text(value: &Json) -> String {
    match value {
        Json::String(s) => s.clone(),
        Json::Null => String::new(),
        other => other.to_string(),
    }
}

fn arg(args: &[Json], at: usize) -> Result<&Json, RenderError> {
    args.get(at).ok_or_else(|| bad("the helper needs another argument"))
}

fn default(args: &[Json]) -> Answer {
    let first = arg(args, 0)?;
    let given = !first.is_null() && first != "";
    Ok(text(if given { first } else { arg(args, 1)? }))
}

fn join(args: &[Json]) -> Answer {
    let with = args.get(1).map_or_else(|| ",".to_owned(), text);
    match arg(args, 0)? {
        Json::Array(items) => Ok(items.iter().map(text).collect::<Vec<_>>().join(&with)),
        other => Err(bad(format!("join needs a list, not {other}"))),
    }
}

fn to_json(args: &[Json]) -> Answer {
    let value = json::read(&arg(args, 0)?.to_string()).map_err(|e| bad(e.message()))?;
    json::write(&value, &Style::plain()).map_err(|e| bad(e.message()))
}

fn to_yaml(args: &[Json]) -> Answer {
    let value = json::read(&arg(args, 0)?.to_string()).map_err(|e| bad(e.message()))?;
    let style = super::yaml_out::Style { indent: 4, width: 80, flow: Some(false), sort: true, ..Default::default() };
    Ok(super::yaml_out::write(&value, &style))
}

fn indent(args: &[Json]) -> Answer {
    let by = arg(args, 1)?.as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(4).min(1000);
    // As the filter: not the first line, and none that is empty.
    let all = text(arg(args, 0)?);
    let mut lines = all.split('\n');
    let mut out = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        out.push('\n');
        if !line.is_empty() {
            out.push_str(&" ".repeat(by));
        }
        out.push_str(line);
    }
    Ok(out)
}

fn b64(args: &[Json]) -> Answer {
    Ok(base64::engine::general_purpose::STANDARD.encode(text(arg(args, 0)?)))
}

/// The variables that tags may mean: every word in one that is a variable's name.
fn words(template: &str) -> R<Vec<String>> {
    let tags = regex::compile(r"\{\{[^}]*\}\}", false, false)?;
    let word = regex::compile(r"[A-Za-z_]\w*", false, false)?;
    let mut out: Vec<String> = Vec::new();
    for tag in regex::all(&tags, template)? {
        let tag = tag.get(0).map_or("", |m| m.as_str());
        out.extend(regex::all(&word, tag)?.iter().filter_map(|w| w.get(0)).map(|w| w.as_str().to_owned()));
    }
    out.sort();
    out.dedup();
    Ok(out)
}

/// Renders a Handlebars text.
pub(super) fn render(ev: &mut Eval, template: &Text) -> R<Text> {
    let mut data = Map::new();
    let scope = std::sync::Arc::clone(&ev.scope);
    for name in words(template)? {
        let Some(found) = scope.find(ev, &name)? else { continue };
        if !found.is_undefined() {
            data.insert(name, ev.finish(found)?);
        }
    }
    let value = Value::from(data);
    if let Some(reason) = value.unknown() {
        return Err(Error::of_unknown(reason.clone()));
    }
    let data: Json = serde_json::from_str(&json::write(&value, &Style::plain())?)
        .map_err(|e| Error::new(format!("the variables cannot be given to Handlebars: {e}")))?;
    let mut engine = Handlebars::new();
    engine.set_strict_mode(true);
    engine.register_escape_fn(handlebars::no_escape);
    let helpers: [(&str, Run); 6] = [
        ("default", default),
        ("join", join),
        ("to_json", to_json),
        ("to_yaml", to_yaml),
        ("indent", indent),
        ("b64", b64),
    ];
    for (name, run) in helpers {
        engine.register_helper(name, Box::new(Give(run)));
    }
    let rendered = engine.render_template(template, &data).map_err(|e| Error::new(e.to_string()).located(template))?;
    let secret = template.is_secret() || ev.is_secret();
    Ok(Text::new(rendered).marked(if secret { Marks::SECRET } else { Marks::NONE }))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::model::{Map, Text, Value};
    use crate::template::checks::Vars;
    use crate::template::{Engine, NoOutside, Templar};

    fn render(text: &str) -> Result<String, String> {
        let user = |name: &str| Value::from([("name", Value::from(name))].into_iter().collect::<Map>());
        let vars: Map = [
            ("list", Value::list(["a", "b"])),
            ("map", Value::from([("k", Value::from(1)), ("on", true.into())].into_iter().collect::<Map>())),
            ("text", Value::from("x\ny\n\nz")),
            ("none", Value::Null),
            ("users", Value::list([user("ann"), user("bob")])),
        ]
        .into_iter()
        .collect();
        let templar = Templar::new(Arc::new(Engine::new(Arc::new(NoOutside))), Arc::new(Vars(vars)));
        templar.handlebars(&Text::template(text, None)).map(|t| t.as_str().to_owned()).map_err(|e| e.to_string())
    }

    #[test]
    fn each_helper_gives_what_ansibles_filter_of_its_name_gives() {
        for (text, wanted) in [
            ("{{default none \"d\"}} {{default text \"d\"}}", "d x\ny\n\nz"),
            ("{{default nowhere \"d\"}} {{default map.nothing 5}}", "d 5"),
            ("{{join list}} {{join list \"-\"}}", "a,b a-b"),
            ("{{to_json map}} {{to_json list}}", "{\"k\": 1, \"on\": true} [\"a\", \"b\"]"),
            ("{{to_yaml map}}", "k: 1\n'on': true\n"),
            ("{{indent text 2}}", "x\n  y\n\n  z"),
            ("{{indent (to_yaml list) 4}}", "- a\n    - b\n"),
            ("{{b64 text}}", "eAp5Cgp6"),
            ("{{#each users}}{{@index}}:{{name}}{{#unless @last}}, {{/unless}}{{/each}}", "0:ann, 1:bob"),
            ("{{#each map}}{{@key}}={{this}} {{/each}}", "k=1 on=true "),
            ("{{#if none}}yes{{else}}no{{/if}} <&> {{#with map}}{{k}}{{/with}}", "no <&> 1"),
        ] {
            assert_eq!(render(text).as_deref(), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn what_is_not_there_is_an_error() {
        for text in
            ["{{nowhere}}", "{{map.nothing}}", "{{join none}}", "{{join}}", "{{nohelper list}}", "{{#if}}", "{{b64}}"]
        {
            assert!(render(text).is_err(), "{text}");
        }
    }
}
