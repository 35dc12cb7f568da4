//! Specifications of arguments that are data: those of roles, and of `validate_argument_spec`.
//!
//! Source: "Role argument validation" of Ansible's documentation, and its messages.

use super::{FromArg, Path, to_bool};
use crate::model::{Map, Value};

/// What is wrong with arguments, in Ansible's words; nothing when they are as specified.
pub fn validate(spec: &Map, given: &Map) -> Vec<String> {
    let mut check = Check { errors: Vec::new(), unsupported: Vec::new() };
    check.level(spec, &Map::new(), given, &mut Vec::new());
    check.errors.extend(check.unsupported);
    check.errors
}

struct Check {
    errors: Vec<String>,
    unsupported: Vec<String>,
}

/// ` found in a -> b`, below the first level.
fn place(path: &[String]) -> String {
    if path.is_empty() { String::new() } else { format!(" found in {}", path.join(" -> ")) }
}

fn texts(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::Str(text)) => vec![text.as_str()],
        Some(Value::List(items)) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// A list of lists of names.
fn groups(value: Option<&Value>) -> Vec<Vec<&str>> {
    let items = value.and_then(Value::as_list).unwrap_or_default();
    if items.iter().all(|item| item.as_str().is_some()) && !items.is_empty() {
        return vec![texts(value)];
    }
    items.iter().map(|item| texts(Some(item))).collect()
}

impl Check {
    /// The options of one level; `rules` are those of the argument that they belong to.
    fn level(&mut self, spec: &Map, rules: &Map, given: &Map, path: &mut Vec<String>) {
        let names = |name: &str| -> Vec<String> {
            let aliases = texts(spec.get(name).and_then(|s| s.get("aliases")));
            std::iter::once(name).chain(aliases).map(str::to_owned).collect()
        };
        let all: Vec<(String, Vec<String>)> =
            spec.keys().filter_map(|k| k.as_str()).map(|name| (name.to_owned(), names(name))).collect();
        let value = |name: &str| names(name).iter().find_map(|n| given.get(n)).cloned();
        self.unsupported(&all, given, path);
        self.exclusive(rules, &value, path);
        let mut missing: Vec<&str> = all
            .iter()
            .filter(|(name, _)| spec.get(name).and_then(|s| s.get("required")).and_then(to_bool) == Some(true))
            .filter(|(name, _)| value(name).is_none())
            .map(|(name, _)| name.as_str())
            .collect();
        missing.sort_unstable();
        if !missing.is_empty() {
            self.errors.push(format!("missing required arguments: {}{}", missing.join(", "), place(path)));
        }
        for (name, _) in &all {
            if let (Some(option), Some(value)) = (spec.get(name), value(name)) {
                self.typed(name, option, &value, path);
            }
        }
        for (name, _) in &all {
            if let (Some(option), Some(value)) = (spec.get(name), value(name)) {
                self.chosen(name, option, &value, path);
            }
        }
        self.together(rules, &value, path);
        for (name, _) in &all {
            if let (Some(option), Some(value)) = (spec.get(name).and_then(Value::as_map), value(name)) {
                self.below(name, option, &value, path);
            }
        }
    }

    fn unsupported(&mut self, all: &[(String, Vec<String>)], given: &Map, path: &[String]) {
        let known = |key: &str| all.iter().any(|(_, names)| names.iter().any(|n| n == key));
        let mut unknown: Vec<String> = given
            .keys()
            .map(ToString::to_string)
            .filter(|key| !known(key))
            .map(|key| path.iter().cloned().chain([key]).collect::<Vec<_>>().join("."))
            .collect();
        if unknown.is_empty() {
            return;
        }
        unknown.sort();
        let mut supported: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
        supported.sort_unstable();
        self.unsupported.push(format!(
            "{}. Supported parameters include: {}.",
            unknown.join(", "),
            supported.join(", ")
        ));
    }

    fn exclusive(&mut self, rules: &Map, value: &dyn Fn(&str) -> Option<Value>, path: &[String]) {
        for group in groups(rules.get("mutually_exclusive")) {
            if group.iter().filter(|name| value(name).is_some()).count() > 1 {
                self.errors.push(format!("parameters are mutually exclusive: {}{}", group.join("|"), place(path)));
            }
        }
    }

    fn together(&mut self, rules: &Map, value: &dyn Fn(&str) -> Option<Value>, path: &[String]) {
        let there = |name: &&str| value(name).is_some();
        for group in groups(rules.get("required_together")) {
            let count = group.iter().filter(|n| there(n)).count();
            if count > 0 && count < group.len() {
                self.errors.push(format!("parameters are required together: {}{}", group.join(", "), place(path)));
            }
        }
        for group in groups(rules.get("required_one_of")) {
            if !group.iter().any(there) {
                self.errors.push(format!("one of the following is required: {}{}", group.join(", "), place(path)));
            }
        }
        for rule in rules.get("required_if").and_then(Value::as_list).unwrap_or_default() {
            let Some([name, wanted, needed, rest @ ..]) = rule.as_list() else { continue };
            let any = rest.first().and_then(to_bool).unwrap_or(false);
            let Some(name) = name.as_str().filter(|name| value(name).as_ref() == Some(wanted)) else { continue };
            let needed = texts(Some(needed));
            let missing: Vec<&str> = needed.iter().copied().filter(|n| value(n).is_none()).collect();
            if missing.is_empty() || any && missing.len() < needed.len() {
                continue;
            }
            let (word, named) = if any { ("any", needed) } else { ("all", missing) };
            let wanted = plain(wanted);
            let named = named.join(", ");
            self.errors
                .push(format!("{name} is {wanted} but {word} of the following are missing: {named}{}", place(path)));
        }
        for (key, needed) in rules.get("required_by").and_then(Value::as_map).into_iter().flatten() {
            let key = key.to_string();
            let missing: Vec<&str> = texts(Some(needed)).into_iter().filter(|n| value(n).is_none()).collect();
            if value(&key).is_some() && !missing.is_empty() {
                let named = missing.join(", ");
                self.errors.push(format!("missing parameter(s) required by '{key}': {named}{}", place(path)));
            }
        }
    }

    fn typed(&mut self, name: &str, option: &Value, value: &Value, path: &[String]) {
        let wanted = option.get("type").and_then(Value::as_str).unwrap_or("str");
        if value.is_null() && !counts(option) {
            return;
        }
        let context = if path.is_empty() { " ".to_owned() } else { format!(" found in '{}'. ", path.join(" -> ")) };
        if let Err(why) = convert(value, wanted) {
            self.errors.push(format!(
                "argument '{name}' is of type {}{context}and we were unable to convert to {wanted}: {why}",
                value.type_name()
            ));
            return;
        }
        let Some(elements) = option.get("elements").and_then(Value::as_str).filter(|_| wanted == "list") else {
            return;
        };
        for item in items(value) {
            if let Err(why) = convert(&item, elements) {
                self.errors.push(format!(
                    "Elements value for option '{name}' is of type {}{context}and we were unable to convert to \
                     {elements}: {why}",
                    item.type_name()
                ));
            }
        }
    }

    fn chosen(&mut self, name: &str, option: &Value, value: &Value, path: &[String]) {
        let Some(choices) = option.get("choices").and_then(Value::as_list) else { return };
        let is_one = |value: &Value| {
            let same = |choice: &Value| choice == value || plain(choice) == plain(value);
            choices.iter().any(same)
        };
        let shown = choices.iter().map(plain).collect::<Vec<_>>().join(", ");
        let wrong: Vec<String> = match value {
            Value::List(items) => items.iter().filter(|item| !is_one(item)).map(plain).collect(),
            // As text it is empty.
            Value::Null if counts(option) && is_text(option) => {
                self.errors.push(format!("value of {name} must be one of: {shown}, got: {}", place(path)));
                return;
            }
            one if is_one(one) => Vec::new(),
            one => {
                self.errors.push(format!(
                    "value of {name} must be one of: {shown}, got: {}{}",
                    plain(one),
                    place(path)
                ));
                return;
            }
        };
        if !wrong.is_empty() {
            let wrong = wrong.join(", ");
            self.errors.push(format!(
                "value of {name} must be one or more of: {shown}. Got no match for: {wrong}{}",
                place(path)
            ));
        }
    }

    fn below(&mut self, name: &str, option: &Map, value: &Value, path: &mut Vec<String>) {
        let Some(options) = option.get("options").and_then(Value::as_map) else { return };
        let inner: Vec<Value> = match value {
            Value::List(items) => items.to_vec(),
            other => vec![other.clone()],
        };
        for one in inner {
            if let Value::Map(map) = &one {
                path.push(name.to_owned());
                self.level(options, option, map, path);
                path.pop();
            }
        }
    }
}

/// Whether a value that is null is converted as well: that of an option that is required or has a default.
fn counts(option: &Value) -> bool {
    option.get("required").and_then(to_bool) == Some(true) || option.get("default").is_some_and(|v| !v.is_null())
}

fn is_text(option: &Value) -> bool {
    option.get("type").and_then(Value::as_str).is_none_or(|kind| kind == "str")
}

/// Whether a text is a size: a number, and a unit that ends in `suffix` or in nothing.
fn is_size(text: &str, suffix: char) -> bool {
    let text = text.trim();
    let digits = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let unit = digits.trim_start();
    let number = text.get(..text.len() - digits.len()).is_some_and(|number| number.parse::<f64>().is_ok());
    let prefix = unit.strip_suffix(suffix).unwrap_or(unit).to_uppercase();
    number && (prefix.is_empty() || prefix.len() == 1 && "BKMGTPEZY".contains(&prefix))
}

fn items(value: &Value) -> Vec<Value> {
    Vec::<Value>::from_arg(value).unwrap_or_default()
}

/// A value as Python's `str` gives it.
fn plain(value: &Value) -> String {
    match value {
        Value::Str(text) => text.as_str().to_owned(),
        Value::Bool(b) => if *b { "True" } else { "False" }.to_owned(),
        Value::Int(i) => i.to_string(),
        Value::Big(digits) => digits.to_string(),
        Value::Float(f) => f.to_string(),
        Value::Null => "None".to_owned(),
        other => format!("<{}>", other.type_name()),
    }
}

fn convert(value: &Value, wanted: &str) -> Result<(), String> {
    let class = || format!("<class '{}'> cannot be converted to", value.type_name());
    let quoted = || match value {
        Value::Null if wanted == "int" => "\"None\" cannot be converted to".to_owned(),
        Value::Str(text) => format!("\"'{}'\" cannot be converted to", text.as_str()),
        _ => class(),
    };
    let size = |suffix| match value {
        Value::Int(_) | Value::Big(_) | Value::Float(_) => true,
        Value::Str(text) => is_size(text, suffix),
        _ => false,
    };
    match wanted {
        "bool" if value.is_null() => Err(format!("{} a bool", class())),
        "json" | "jsonarg" if !matches!(value, Value::Str(_) | Value::List(_) | Value::Map(_)) => {
            Err(format!("{} a json string", class()))
        }
        "bytes" if !size('B') => Err(format!("{} a Byte value", class())),
        "bits" if !size('b') => Err(format!("{} a Bit value", class())),
        "bool" => bool::from_arg(value).map(drop),
        "int" => i64::from_arg(value).map(drop).map_err(|_| format!("{} an int", quoted())),
        "float" => f64::from_arg(value).map(drop).map_err(|_| format!("{} a float", quoted())),
        "list" => Vec::<Value>::from_arg(value).map(drop).map_err(|_| format!("{} a list", quoted())),
        "dict" => match value {
            Value::Map(_) => Ok(()),
            Value::Str(text) if text.trim_start().starts_with('{') => Ok(()),
            Value::Str(_) => Map::from_arg(value).map(drop),
            _ => Err(format!("{} a dict", quoted())),
        },
        "path" => match value {
            Value::List(_) | Value::Map(_) => Err(format!("{} a path", quoted())),
            Value::Null => Ok(()),
            _ => Path::from_arg(value).map(drop),
        },
        // Whatever it is can be written out.
        _ => Ok(()),
    }
}
