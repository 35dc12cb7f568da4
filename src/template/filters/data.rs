//! JSON, YAML, base64.

use base64::Engine as _;

use super::Row;
use crate::model::{Map, Value};
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::json::{self, Style};
use crate::template::value::{Args, R, Val};
use crate::template::yaml_out;

/// Those of `json.dumps`. Some have nothing to say here: keys are always such as JSON takes, nothing holds
/// itself, and what came out of a vault is text.
const JSON: &str = "* indent? sort_keys? ensure_ascii? separators? allow_nan? skipkeys? check_circular? \
    vault_to_text? preprocess_unsafe?";
const NICE_JSON: &str = "indent? sort_keys? * ensure_ascii? separators? allow_nan? skipkeys? check_circular? \
    vault_to_text? preprocess_unsafe?";

pub(super) const FILTERS: &[Row] = &[
    ("to_json", JSON, |ev, v, a| to_json(ev, v, a, false)),
    ("tojson", "indent?", tojson),
    ("to_nice_json", NICE_JSON, |ev, v, a| to_json(ev, v, a, true)),
    ("from_json", "profile?", |ev, v, a| {
        let Val::Str(text) = &v else {
            let kind = v.type_name();
            return Err(Error::new(format!("the JSON object must be str, bytes or bytearray, not {kind}")));
        };
        let mut value = json::read(text)?;
        if let Some(profile) = a.get("profile").and_then(Val::as_str) {
            // What `ansible-inventory` writes has strings that are marked as no templates.
            match profile {
                "legacy" | "inventory_legacy" => value = unmarked(&value),
                "tagless" => {}
                other => return Err(Error::new(format!("Unknown profile name {other:?}"))),
            }
        }
        ev.read(&value, None)
    }),
    (
        "to_yaml",
        "* indent? width? default_flow_style? sort_keys? explicit_start? explicit_end? allow_unicode? default_style? canonical?",
        |ev, v, a| to_yaml(ev, v, a, false),
    ),
    (
        "to_nice_yaml",
        "indent? * width? default_flow_style? sort_keys? explicit_start? explicit_end? allow_unicode? default_style? canonical?",
        |ev, v, a| to_yaml(ev, v, a, true),
    ),
    ("from_yaml", "", from_yaml),
    ("from_yaml_all", "", from_yaml_all),
    ("b64encode", "encoding? urlsafe?", b64encode),
    ("b64decode", "encoding? urlsafe?", b64decode),
];

/// The same under the names of `community.general`.
pub(super) const WRAPPERS: &[Row] = &[
    (
        "to_yaml",
        "* redact_sensitive_values? indent? width? default_flow_style? sort_keys? explicit_start? explicit_end? allow_unicode? default_style? canonical?",
        |ev, v, a| {
            let args = unredacted(ev, a)?;
            to_yaml(ev, v, &args, false)
        },
    ),
    (
        "to_nice_yaml",
        "* redact_sensitive_values? indent? width? default_flow_style? sort_keys? explicit_start? explicit_end? allow_unicode? default_style? canonical?",
        |ev, v, a| {
            let args = unredacted(ev, a)?;
            to_yaml(ev, v, &args, true)
        },
    ),
];

/// Secrets are masked wherever they are shown; they are never left out of a value.
fn unredacted(ev: &mut Eval, args: &Args) -> R<Args> {
    let mut args = args.clone();
    let at = args.kw.iter().position(|(name, _)| &**name == "redact_sensitive_values");
    if let Some((_, value)) = at.map(|at| args.kw.swap_remove(at))
        && ev.truth(&value)?
    {
        return Err(Error::new("the option 'redact_sensitive_values' is not supported"));
    }
    Ok(args)
}

/// `{"__ansible_unsafe": "…"}` as the text that it stands for.
fn unmarked(value: &Value) -> Value {
    match value {
        Value::List(items) => Value::list(items.iter().map(unmarked)),
        Value::Map(map) => match map.get("__ansible_unsafe") {
            Some(Value::Str(text)) if map.len() == 1 => Value::Str(text.clone()),
            _ => Value::from(map.iter().map(|(key, value)| (key.clone(), unmarked(value))).collect::<Map>()),
        },
        other => other.clone(),
    }
}

fn json_indent(args: &Args) -> Option<usize> {
    args.get("indent").and_then(Val::as_int).and_then(|i| usize::try_from(i).ok())
}

fn to_json(ev: &mut Eval, input: Val, args: &Args, nice: bool) -> R<Val> {
    let value = ev.finish(input)?;
    let mut style = Style::plain();
    style.indent = json_indent(args).or(nice.then_some(4));
    style.sort = args.get("sort_keys").map_or(Ok(nice), |v| ev.truth(v))?;
    style.nan = args.bool(ev, "allow_nan", true)?;
    style.ascii = args.get("ensure_ascii").map_or(Ok(true), |v| ev.truth(v))?;
    if style.indent.is_some() {
        style.separators.0 = ",".into();
    }
    if let Some(given) = args.get("separators")
        && let [item, key] = &*ev.iterate(given)?
    {
        style.separators = (ev.text(item)?, ev.text(key)?);
    }
    json::write(&value, &style).map(Val::str)
}

/// Jinja's own: sorted, and fit to stand in HTML.
fn tojson(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let value = ev.finish(input)?;
    let mut style = Style { indent: json_indent(args), sort: true, ..Style::plain() };
    if style.indent.is_some() {
        style.separators.0 = ",".into();
    }
    let mut text = json::write(&value, &style)?;
    for (plain, escaped) in [('<', "\\u003c"), ('>', "\\u003e"), ('&', "\\u0026"), ('\'', "\\u0027")] {
        text = text.replace(plain, escaped);
    }
    Ok(super::markup_type::safe(text))
}

const YAML: [&str; 9] = [
    "indent",
    "width",
    "default_flow_style",
    "sort_keys",
    "explicit_start",
    "explicit_end",
    "allow_unicode",
    "default_style",
    "canonical",
];

fn to_yaml(ev: &mut Eval, input: Val, args: &Args, nice: bool) -> R<Val> {
    if let Some((name, _)) = args.kw.iter().find(|(name, _)| !YAML.contains(&&**name)) {
        return Err(
            Error::new(format!("the option '{name}' is not supported")).hint(format!("there are {}", YAML.join(", ")))
        );
    }
    if let Some(no) = args.get("allow_unicode")
        && !ev.truth(no)?
    {
        return Err(Error::new("yaml.dump() got multiple values for keyword argument 'allow_unicode'"));
    }
    let value = ev.finish(input)?;
    let int = |name: &str, default: i64| args.int(name, default);
    let style = yaml_out::Style {
        indent: usize::try_from(args.int("indent", if nice { 4 } else { 2 })?).unwrap_or(2).clamp(2, 9),
        width: usize::try_from(int("width", 80)?).unwrap_or(usize::MAX),
        flow: match args.get("default_flow_style") {
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
        sort: args.get("sort_keys").map_or(Ok(true), |v| ev.truth(v))?,
        start: args.get("explicit_start").map_or(Ok(false), |v| ev.truth(v))?,
        end: args.get("explicit_end").map_or(Ok(false), |v| ev.truth(v))?,
        scalar: match args.get("default_style") {
            None | Some(Val::Null) => None,
            Some(style) => ev.text(style)?.chars().next(),
        },
        canonical: args.get("canonical").map_or(Ok(false), |v| ev.truth(v))?,
    };
    Ok(Val::str(yaml_out::write(&value, &style)))
}

fn from_yaml(ev: &mut Eval, input: Val, _: &Args) -> R<Val> {
    let Val::Str(text) = &input else { return Ok(input) };
    let value = ev.engine.outside.parse_yaml(text).map_err(Error::new)?.untemplated();
    ev.read(&value, None)
}

fn from_yaml_all(ev: &mut Eval, input: Val, _: &Args) -> R<Val> {
    if matches!(input, Val::Null) {
        return Ok(Val::list(Vec::new()));
    }
    let Val::Str(text) = &input else { return Ok(input) };
    let documents = ev.engine.outside.parse_yaml_all(text).map_err(Error::new)?;
    documents.iter().map(|d| ev.read(&d.untemplated(), None)).collect::<R<_>>().map(Val::list)
}

/// Text in an encoding, as bytes.
fn encoded(text: &str, encoding: &str) -> R<Vec<u8>> {
    let one = |c: char, most: u32| u8::try_from(u32::from(c)).ok().filter(|_| u32::from(c) < most);
    let narrow = |most: u32| {
        let all: Option<Vec<u8>> = text.chars().map(|c| one(c, most)).collect();
        all.ok_or_else(|| {
            Error::new(format!("'{encoding}' codec can't encode characters: ordinal not in range({most})"))
        })
    };
    Ok(match normal(encoding).as_str() {
        "utf8" => text.as_bytes().to_vec(),
        "latin1" => narrow(256)?,
        "ascii" => narrow(128)?,
        "utf16le" => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        "utf16be" => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        "utf16" => [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect(),
        _ => return Err(unknown_encoding(encoding)),
    })
}

fn unknown_encoding(encoding: &str) -> Error {
    Error::new(format!("unknown encoding: {encoding}"))
        .hint("utf-8, ascii, latin-1, utf-16, utf-16-le and utf-16-be are known")
}

fn normal(encoding: &str) -> String {
    let plain: String = encoding.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    match plain.as_str() {
        "utf8sig" => "utf8".to_owned(),
        "iso88591" | "l1" | "latin" => "latin1".to_owned(),
        "usascii" => "ascii".to_owned(),
        _ => plain,
    }
}

/// Bytes in an encoding, as text.
pub(in crate::template) fn decode(bytes: &[u8], encoding: &str) -> R<String> {
    let bad = || Error::new(format!("'{encoding}' codec can't decode the bytes"));
    let wide = |of: fn([u8; 2]) -> u16, bytes: &[u8]| {
        let units: Vec<u16> =
            bytes.chunks(2).map(|c| of([c.first().copied().unwrap_or(0), c.get(1).copied().unwrap_or(0)])).collect();
        String::from_utf16(&units).map_err(|_| bad())
    };
    match normal(encoding).as_str() {
        "utf8" => String::from_utf8(bytes.to_vec()).map_err(|_| bad()),
        "ascii" if !bytes.is_ascii() => Err(bad()),
        "latin1" | "ascii" => Ok(bytes.iter().map(|b| char::from(*b)).collect()),
        "utf16le" => wide(u16::from_le_bytes, bytes),
        "utf16be" => wide(u16::from_be_bytes, bytes),
        "utf16" => match bytes {
            [0xfe, 0xff, rest @ ..] => wide(u16::from_be_bytes, rest),
            [0xff, 0xfe, rest @ ..] | rest => wide(u16::from_le_bytes, rest),
        },
        _ => Err(unknown_encoding(encoding)),
    }
}

fn alphabet(ev: &mut Eval, args: &Args) -> R<base64::engine::GeneralPurpose> {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};
    Ok(if args.bool(ev, "urlsafe", false)? { URL_SAFE } else { STANDARD })
}

fn b64encode(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let (text, encoding) = (ev.text(&input)?, args.str(ev, "encoding", "utf-8")?);
    Ok(Val::str(alphabet(ev, args)?.encode(encoded(&text, &encoding)?)))
}

/// Characters that are none of base64's are passed over, as Python does.
fn b64decode(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let (text, encoding) = (ev.text(&input)?, args.str(ev, "encoding", "utf-8")?);
    let more = if args.bool(ev, "urlsafe", false)? { "-_" } else { "+/" };
    let known = |c: &char| c.is_ascii_alphanumeric() || *c == '=' || more.contains(*c);
    let text: String = text.chars().filter(known).collect();
    let bytes = alphabet(ev, args)?.decode(text).map_err(|e| Error::new(format!("invalid base64: {e}")))?;
    decode(&bytes, &encoding).map(Val::str)
}
