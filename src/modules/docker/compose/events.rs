//! What Compose prints while it works: ` Container web-1  Creating`, a line an event.

use crate::model::{Map, Value};

/// What Compose did, or would do, to one thing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Action {
    /// `container`, `network`, `volume`, `image`, `service`.
    pub what: &'static str,
    /// Which.
    pub id: String,
    /// `Creating`, `Removing`, …
    pub status: String,
}

const WORKING: [&str; 11] = [
    "Starting",
    "Exiting",
    "Restarting",
    "Creating",
    "Stopping",
    "Killing",
    "Removing",
    "Recreating",
    "Recreate",
    "Pulling",
    "Building",
];
const KINDS: [(&str, &str); 4] =
    [("Container", "container"), ("Network", "network"), ("Volume", "volume"), ("Image", "image")];

impl Action {
    /// Whether it changes what a user sees: fetching and building alone do not.
    pub(super) fn is_change(&self, count_builds: bool) -> bool {
        match self.status.as_str() {
            "Pulling" => false,
            "Building" => count_builds,
            _ => true,
        }
    }

    /// As a return value.
    pub(super) fn value(&self) -> Value {
        Value::from(Map::from_iter([("what", self.what), ("id", &*self.id), ("status", &*self.status)]))
    }
}

/// A dry run tells of a container that is made anew under a passing name: `3cf36beaca77_web-1`.
fn own_name(id: &str) -> String {
    let own = id.split_once('_').filter(|(hex, _)| hex.len() == 12 && hex.bytes().all(|b| b.is_ascii_hexdigit()));
    own.map_or(id, |(_, name)| name).to_owned()
}

fn event(line: &str) -> Option<Action> {
    let line = line.trim();
    let line = line.strip_prefix("DRY-RUN MODE -").unwrap_or(line);
    let words: Vec<&str> = line.split_whitespace().collect();
    let (what, id, status) = match *words.as_slice() {
        [kind, id, status] => (KINDS.iter().find(|(k, _)| *k == kind)?.1, id, status),
        [id, status] => ("service", id, status),
        _ => return None,
    };
    let known = WORKING.contains(&status) || what != "service" && status.ends_with("ed");
    known.then(|| Action { what, id: own_name(id.trim_matches('"')), status: status.to_owned() })
}

/// What was done, in the order in which it was told; each once.
pub(super) fn actions(stderr: &str) -> Vec<Action> {
    let mut found: Vec<Action> = Vec::new();
    for action in stderr.lines().filter_map(event).filter(|a| WORKING.contains(&a.status.as_str())) {
        if !found.contains(&action) {
            found.push(action);
        }
    }
    found
}

/// What Compose says is wrong, in Ansible's words: what it printed but for events and the output
/// of builds.
pub(super) fn complaint(stderr: &str) -> String {
    let lines = stderr.lines().map(str::trim);
    let news = lines.filter(|line| !line.is_empty() && !line.starts_with('#') && event(line).is_none());
    let news: Vec<&str> = news.map(|line| line.strip_prefix("DRY-RUN MODE -").unwrap_or(line).trim()).collect();
    let about = news.iter().find_map(|line| line.split_once(" Error "));
    match (about, news.last()) {
        (Some((id, why)), last) => {
            let last = last.filter(|l| !l.contains(" Error ")).map_or_else(String::new, |l| format!("\n{l}"));
            format!("Error when processing {}: {}{last}", id.trim(), why.trim())
        }
        (None, Some(last)) if last.starts_with("Cannot connect to") => (*last).to_owned(),
        (None, _) => format!("General error: {}", news.join("\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_told_from_other_words() {
        let text = " Network a_default  Creating\n Network a_default  Created\n DRY-RUN MODE -  Container a-web-1  Starting\n\
                    web Pulling \n Container 3cf36beaca77_a-web-1  Recreate\n#5 DONE 0.6s\nError response from daemon: no\n Volume \"a_v\"  Creating\n";
        let seen: Vec<_> = actions(text).into_iter().map(|a| format!("{} {} {}", a.what, a.id, a.status)).collect();
        assert_eq!(
            seen,
            [
                "network a_default Creating",
                "container a-web-1 Starting",
                "service web Pulling",
                "container a-web-1 Recreate",
                "volume a_v Creating"
            ]
        );
        assert_eq!(complaint(text), "General error: Error response from daemon: no");
        assert_eq!(complaint(" web Pulling \n web Error no such\nx\n"), "Error when processing web: no such\nx");
    }
}
