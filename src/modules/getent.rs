//! `getent`: what the host's name services say.

use crate::args;
use crate::model::{Command, Failure, Map, Value};
use crate::module::{Arguments, Kind, Module, Plan, ReturnSpec, Run};
use crate::sys::Probe;

args! {
    /// Arguments of `getent`.
    pub struct Getent {
        /// The database: `passwd`, `group`, `hosts`, `services`, …
        [required]
        database: String,
        /// The entry; all of them without it.
        key: Option<String>,
        /// The service that is asked, in the place of those that the host is set up for.
        service: Option<String>,
        /// What stands between fields; by default what is usual in the database.
        split: Option<String>,
        /// Whether it is a failure when there is no such entry.
        fail_key: bool = true,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "getent",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::Query,
    doc: "Ask the host's name services, and keep what they say as the fact `getent_DATABASE`.",
    args: Getent::specs,
    free_form: None,
    any_args: false,
    asks_others: false,
    returns: &[ReturnSpec { name: "ansible_facts", doc: "`getent_DATABASE`: the fields of each entry." }],
    run: Run::Target(plan),
};

const NOT_FOUND: &str = "One or more supplied key could not be found in the database.";

fn plan(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = Getent::parse(args)?;
    let mut command = Command::new("getent");
    if let Some(service) = &args.service {
        command = command.args(["-s", service]);
    }
    command = command.arg(args.database.as_str());
    if let Some(key) = &args.key {
        command = command.arg(key.as_str());
    }
    let out = host.query(&command)?;
    let fact = format!("getent_{}", args.database);
    let facts = |found: Map| Plan::new().with("ansible_facts", Map::from_iter([(fact.as_str(), Value::from(found))]));
    match out.code {
        0 => Ok(facts(entries(&out.stdout_text(), args.split.as_deref(), &args.database))),
        1 => Err(Failure::new("Missing arguments, or database unknown.")),
        2 => {
            let key = args.key.as_deref().unwrap_or_default();
            if let Some(fields) = planned(host, &args.database, key) {
                return Ok(facts(Map::from_iter([(key, fields)])));
            }
            if args.fail_key {
                return Err(Failure::missing(NOT_FOUND));
            }
            match host.may_be_provided() {
                Some(reason) => Err(Failure::unknown(reason)),
                None => Ok(facts(Map::from_iter([(key, Value::Null)])).with("msg", NOT_FOUND)),
            }
        }
        3 => Err(Failure::new("Enumeration not supported on this database.")),
        _ => Err(Failure::new("Unexpected failure!").with("stderr", out.stderr_text())),
    }
}

/// A user or group that an earlier task of a dry run would have made.
fn planned(host: &Probe<'_>, database: &str, key: &str) -> Option<Value> {
    match database {
        "passwd" => host.user(key).map(|user| {
            Value::list(["x".to_owned(), user.uid.to_string(), user.gid.to_string(), user.gecos, user.home, user.shell])
        }),
        "group" => {
            host.group(key).map(|group| Value::list(["x".to_owned(), group.gid.to_string(), group.members.join(",")]))
        }
        _ => None,
    }
}

/// The entries by their first field; the others of one that comes several times are lists.
fn entries(text: &str, split: Option<&str>, database: &str) -> Map {
    let colons = ["passwd", "shadow", "group", "gshadow"].contains(&database).then_some(":");
    let mut all = Map::new();
    let mut seen: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
    for line in text.lines() {
        let mut fields: Vec<&str> = match split.filter(|s| !s.is_empty()).or(colons) {
            Some(between) => line.split(between).collect(),
            None => line.split_whitespace().collect(),
        };
        if fields.is_empty() {
            continue;
        }
        let key = fields.remove(0);
        let fields = Value::list(fields);
        let times = seen.entry(key.to_owned()).or_default();
        *times += 1;
        let value = match (all.get(key), *times) {
            (None, _) | (_, 1) => fields,
            (Some(first), 2) => Value::list([first.clone(), fields]),
            (Some(others), _) => Value::list(others.as_list().unwrap_or_default().iter().cloned().chain([fields])),
        };
        all.insert(key, value);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_that_come_again_are_lists() {
        let hosts = entries("127.0.0.1 localhost\n127.0.0.1 a b\n127.0.0.1 c\n::1 d\n", None, "hosts");
        let list = |words: &[&str]| Value::list(words.iter().copied());
        let three = Value::list([list(&["localhost"]), list(&["a", "b"]), list(&["c"])]);
        assert_eq!((hosts.get("127.0.0.1"), hosts.get("::1")), (Some(&three), Some(&list(&["d"]))));
        let users = entries("root:x:0:0::/root:/bin/sh\n", None, "passwd");
        assert_eq!(users.get("root"), Some(&list(&["x", "0", "0", "", "/root", "/bin/sh"])));
    }
}
