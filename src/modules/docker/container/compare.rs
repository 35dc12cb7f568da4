//! Comparing a container with what is wanted, property by property.

use super::table::{Form, Kind, PROPERTIES, Property};
use super::wanted::Wanted;
use crate::model::{Failure, Map, Value};
use crate::modules::docker::engine::{at, is_planned};

/// How properties are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Equal.
    Strict,
    /// Not at all.
    Ignore,
    /// What is wanted is there; more may be.
    More,
}

/// A property that differs.
#[derive(Debug, Clone)]
pub struct Difference {
    /// The option.
    pub option: &'static str,
    /// As it is.
    pub before: Value,
    /// As it is to be.
    pub after: Value,
    /// Whether it can be changed as the container is: the row that says where.
    pub update: Option<&'static [&'static str]>,
}

/// What `comparisons` says.
#[derive(Debug, Clone, Default)]
pub struct Comparisons {
    all: Option<Way>,
    own: Vec<(String, Way)>,
}

impl Comparisons {
    /// Reads the option; its names are checked against the table.
    pub fn read(map: Option<&Map>, alias: impl Fn(&str) -> String) -> Result<Self, Failure> {
        let mut comparisons = Self::default();
        for (name, value) in map.into_iter().flatten() {
            let (name, text) = (name.to_string(), value.as_str().unwrap_or_default());
            let way = match text {
                "strict" => Way::Strict,
                "ignore" => Way::Ignore,
                "allow_more_present" => Way::More,
                other => return Err(Failure::new(format!("Unknown comparison mode '{other}'!"))),
            };
            if name == "*" {
                if way == Way::More {
                    let message = "The wildcard can only be used with comparison modes 'strict' and 'ignore'!";
                    return Err(Failure::new(message));
                }
                comparisons.all = Some(way);
                continue;
            }
            let option = alias(&name);
            let row =
                PROPERTIES.iter().find(|p| p.option == option || (p.with.contains(&&*option) && option != "networks"));
            if row.is_none() && option != "image" && option != "networks" {
                return Err(Failure::new(format!("Unknown module option '{name}' in comparisons dict!")));
            }
            let one = row.is_some_and(|p| p.kind == Kind::Value) || option == "image";
            if way == Way::More && one {
                return Err(Failure::new(format!(
                    "Option '{name}' is a value and not a set/list/dict, so its comparison cannot be allow_more_present"
                )));
            }
            comparisons.own.push((option, way));
        }
        Ok(comparisons)
    }

    fn of(&self, option: &str) -> Option<Way> {
        self.own.iter().find(|(name, _)| name == option).map(|(_, way)| *way).or(self.all)
    }

    /// How the image is compared.
    pub fn image(&self) -> Way {
        self.of("image").unwrap_or(Way::Strict)
    }

    /// How networks are compared.
    pub fn networks(&self) -> Way {
        self.of("networks").unwrap_or(Way::More)
    }

    /// How labels are compared.
    pub fn labels(&self) -> Way {
        self.of("labels").unwrap_or(Way::More)
    }

    fn property(&self, property: &Property) -> Way {
        let way = self.of(property.option).unwrap_or(match property.default_comparison() {
            "ignore" => Way::Ignore,
            "strict" => Way::Strict,
            _ => Way::More,
        });
        // stop_timeout is compared only when it is said so by name.
        if property.option == "stop_timeout" && !self.own.iter().any(|(name, _)| name == "stop_timeout") {
            return Way::Ignore;
        }
        way
    }
}

/// The properties in which a container is not as it is wanted.
pub fn differences(wanted: &Wanted<'_>, container: &Value) -> Result<Vec<Difference>, Failure> {
    let mut found = Vec::new();
    for property in PROPERTIES {
        let way = wanted.comparisons.property(property);
        if way == Way::Ignore {
            continue;
        }
        let Some(value) = wanted.value(property)? else { continue };
        let after = match property.expected {
            Some(expected) => expected(wanted, value)?,
            None => value,
        };
        let before = match property.observed {
            Some(observed) => observed(wanted, container),
            None => at(container, property.way).clone(),
        };
        let before = if before.is_null() && is_planned(container) { unset(property) } else { before };
        if !holds(&after, &before, way, property.kind) {
            let update = property.update.then_some(property.way);
            found.push(Difference { option: property.option, before, after, update });
        }
    }
    Ok(found)
}

/// What the engine will say of a property that a planned container was not given.
fn unset(property: &Property) -> Value {
    match property.form {
        Form::Text => "".into(),
        Form::Int | Form::Size => Value::Int(0),
        Form::Bool => false.into(),
        Form::Texts | Form::Strings | Form::Made(_) => Value::Null,
    }
}

/// Whether `there` is as `wanted`.
pub fn holds(wanted: &Value, there: &Value, way: Way, kind: Kind) -> bool {
    if way == Way::Ignore || wanted == there {
        return true;
    }
    if kind == Kind::Value {
        return false;
    }
    let empty = |value: &Value| value.truthy() == Some(false);
    if wanted.is_null() || there.is_null() {
        return empty(wanted) && (empty(there) || way == Way::More);
    }
    let (a, b) = (wanted.as_list().unwrap_or_default(), there.as_list().unwrap_or_default());
    match kind {
        Kind::Value => false,
        Kind::List if way == Way::Strict => a == b,
        Kind::List => {
            let mut rest = b.iter();
            a.iter().all(|item| rest.any(|other| other == item))
        }
        Kind::Set => {
            a.iter().all(|item| b.contains(item)) && (way == Way::More || b.iter().all(|item| a.contains(item)))
        }
        Kind::Maps => {
            let has = |some: &[Value], one: &Value| some.iter().any(|other| within(one, other));
            a.iter().all(|item| has(b, item)) && (way == Way::More || a.len() == b.len())
        }
        Kind::Map => within(wanted, there) && (way == Way::More || same_keys(wanted, there)),
    }
}

fn same_keys(a: &Value, b: &Value) -> bool {
    let length = |v: &Value| v.as_map().map_or(0, Map::len);
    length(a) == length(b)
}

/// Whether everything in a map is in the other as well; what is not a map is equal.
fn within(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Map(a), Value::Map(b)) => a.iter().all(|(key, value)| match b.get_key(key) {
            Some(other) => within(value, other),
            None => value.truthy() == Some(false),
        }),
        // What is empty may be left out by the engine.
        _ => a == b || (b.is_null() && a.truthy() == Some(false)) || (a.is_null() && b.truthy() == Some(false)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_compared_each_in_its_way() {
        let list = |items: &[&str]| Value::list(items.iter().copied());
        let (ab, ba, abc, none) = (list(&["a", "b"]), list(&["b", "a"]), list(&["a", "b", "c"]), Value::Null);
        for (wanted, there, way, kind, expect) in [
            (&ab, &ab, Way::Strict, Kind::List, true),
            (&ab, &ba, Way::Strict, Kind::List, false),
            (&ab, &abc, Way::Strict, Kind::List, false),
            (&ab, &abc, Way::More, Kind::List, true),
            (&ba, &abc, Way::More, Kind::List, false),
            (&ab, &ba, Way::Strict, Kind::Set, true),
            (&ab, &abc, Way::Strict, Kind::Set, false),
            (&ab, &abc, Way::More, Kind::Set, true),
            (&abc, &ab, Way::More, Kind::Set, false),
            (&none, &ab, Way::More, Kind::Set, true),
            (&none, &ab, Way::Strict, Kind::Set, false),
            (&list(&[]), &none, Way::Strict, Kind::Set, true),
            (&ab, &none, Way::More, Kind::Set, false),
            (&ab, &ba, Way::Ignore, Kind::List, true),
            (&none, &ab, Way::Strict, Kind::Value, false),
        ] {
            assert_eq!(holds(wanted, there, way, kind), expect, "{wanted:?} {there:?} {way:?} {kind:?}");
        }
        let map = |pairs: &[(&str, &str)]| Value::from(Map::from_iter(pairs.iter().copied()));
        let (one, two) = (map(&[("a", "1")]), map(&[("a", "1"), ("b", "2")]));
        assert!(holds(&one, &two, Way::More, Kind::Map) && !holds(&one, &two, Way::Strict, Kind::Map));
        assert!(!holds(&map(&[("a", "2")]), &two, Way::More, Kind::Map));
        let (maps, more) = (Value::list([one.clone()]), Value::list([two.clone(), one]));
        assert!(holds(&maps, &more, Way::More, Kind::Maps) && !holds(&maps, &more, Way::Strict, Kind::Maps));
    }

    #[test]
    fn comparisons_are_checked() {
        let read = |name: &str, way: &str| {
            Comparisons::read(Some(&Map::from_iter([(name, way)])), str::to_owned).map_err(|f| f.message)
        };
        assert_eq!(read("env", "strict").unwrap().own, vec![("env".to_owned(), Way::Strict)]);
        for (name, way, words) in [
            ("nosuch", "strict", "Unknown module option 'nosuch'"),
            ("env", "loose", "Unknown comparison mode 'loose'"),
            ("*", "allow_more_present", "The wildcard can only"),
            ("memory", "allow_more_present", "is a value and not"),
        ] {
            assert!(read(name, way).unwrap_err().contains(words), "{name} {way}");
        }
        assert_eq!(read("*", "ignore").unwrap().image(), Way::Ignore);
    }
}
