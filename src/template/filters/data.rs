//! JSON, YAML, base64.

use base64::Engine as _;

use super::Run;
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::json::{self, Style};
use crate::template::value::{Args, R, Val};
use crate::template::yaml_out;

pub(super) const FILTERS: &[(&str, Run)] = &[
    ("to_json", |ev, v, a| to_json(ev, v, a, false)),
    ("tojson", |ev, v, a| to_json(ev, v, a, false)),
    ("to_nice_json", |ev, v, a| to_json(ev, v, a, true)),
    ("from_json", |ev, v, _| {
        let text = ev.text(&v)?;
        let value = json::read(&text)?;
        ev.read(&value, None)
    }),
    ("to_yaml", |ev, v, a| to_yaml(ev, v, a, false)),
    ("to_nice_yaml", |ev, v, a| to_yaml(ev, v, a, true)),
    ("from_yaml", from_yaml),
    ("from_yaml_all", from_yaml_all),
    ("b64encode", b64encode),
    ("b64decode", b64decode),
];

fn to_json(ev: &mut Eval, input: Val, args: &Args, nice: bool) -> R<Val> {
    let value = ev.finish(input)?;
    let mut style = Style::plain();
    let indent = args.get(0, "indent").and_then(Val::as_int).and_then(|i| usize::try_from(i).ok());
    style.indent = indent.or(nice.then_some(4));
    style.sort = args.named("sort_keys").map_or(Ok(nice), |v| ev.truth(v))?;
    style.ascii = args.named("ensure_ascii").map_or(Ok(true), |v| ev.truth(v))?;
    if style.indent.is_some() {
        style.separators.0 = ",".into();
    }
    if let Some(given) = args.named("separators")
        && let [item, key] = &*ev.iterate(given)?
    {
        style.separators = (ev.text(item)?, ev.text(key)?);
    }
    json::write(&value, &style).map(Val::str)
}

fn to_yaml(ev: &mut Eval, input: Val, args: &Args, nice: bool) -> R<Val> {
    let value = ev.finish(input)?;
    let int = |name: &str, default: i64| args.int(usize::MAX, name, default);
    let style = yaml_out::Style {
        indent: usize::try_from(args.int(0, "indent", if nice { 4 } else { 2 })?).unwrap_or(2).clamp(2, 9),
        width: usize::try_from(int("width", 80)?).unwrap_or(usize::MAX),
        flow: match args.named("default_flow_style") {
            None => {
                if nice {
                    Some(false)
                } else {
                    None
                }
            }
            Some(Val::Null) => None,
            Some(v) => Some(ev.truth(v)?),
        },
        sort: args.named("sort_keys").map_or(Ok(true), |v| ev.truth(v))?,
        start: args.named("explicit_start").map_or(Ok(false), |v| ev.truth(v))?,
    };
    Ok(Val::str(yaml_out::write(&value, &style)))
}

fn from_yaml(ev: &mut Eval, input: Val, _: &Args) -> R<Val> {
    let Val::Str(text) = &input else { return Ok(input) };
    let value = ev.engine.outside.parse_yaml(text).map_err(Error::new)?.untemplated();
    ev.read(&value, None)
}

fn from_yaml_all(ev: &mut Eval, input: Val, _: &Args) -> R<Val> {
    let Val::Str(text) = &input else { return Ok(input) };
    let documents = ev.engine.outside.parse_yaml_all(text).map_err(Error::new)?;
    documents.iter().map(|d| ev.read(&d.untemplated(), None)).collect::<R<_>>().map(Val::list)
}

fn b64encode(ev: &mut Eval, input: Val, _: &Args) -> R<Val> {
    let text = ev.text(&input)?;
    Ok(Val::str(base64::engine::general_purpose::STANDARD.encode(text)))
}

fn b64decode(ev: &mut Eval, input: Val, _: &Args) -> R<Val> {
    let text: String = ev.text(&input)?.chars().filter(|c| !c.is_whitespace()).collect();
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(text)
        .map_err(|e| Error::new(format!("invalid base64: {e}")))?;
    String::from_utf8(bytes).map(Val::str).map_err(|_| Error::new("the decoded bytes are not UTF-8 text"))
}
