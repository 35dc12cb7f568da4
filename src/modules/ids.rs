//! The ids that `useradd` and `groupadd` will choose: so that a dry run can give files to
//! users that do not exist yet.

use std::collections::BTreeSet;

use crate::sys::Probe;

/// /etc/login.defs, with values that a task sets on top.
pub struct LoginDefs {
    text: String,
    own: Vec<(&'static str, String)>,
}

impl LoginDefs {
    /// Reads a host's.
    pub fn read(host: &Probe<'_>) -> Self {
        Self { text: host.text("/etc/login.defs").unwrap_or_default(), own: Vec::new() }
    }

    /// Sets a value as `-K` does.
    pub fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.own.push((name, value.into()));
    }

    /// The values that were set, as arguments.
    pub fn arguments(&self) -> Vec<String> {
        self.own.iter().flat_map(|(name, value)| ["-K".to_owned(), format!("{name}={value}")]).collect()
    }

    /// A setting.
    pub fn get(&self, name: &str) -> Option<&str> {
        let own = self.own.iter().find(|(n, _)| *n == name).map(|(_, v)| v.as_str());
        own.or_else(|| {
            self.text.lines().find_map(|line| {
                let mut words = line.split_whitespace();
                (words.next() == Some(name)).then(|| words.next())?
            })
        })
    }

    /// A number, which may be octal.
    pub fn number(&self, name: &str, default: u32) -> u32 {
        let parse = |text: &str| match text.strip_prefix('0').filter(|t| !t.is_empty()) {
            Some(octal) => u32::from_str_radix(octal.trim_start_matches('o'), 8).ok(),
            None => text.parse().ok(),
        };
        self.get(name).and_then(parse).unwrap_or(default)
    }

    /// The lowest and the highest id to choose from: `kind` is `UID` or `GID`.
    fn range(&self, kind: &str, system: bool) -> (u32, u32) {
        let lowest = self.number(&format!("{kind}_MIN"), 1000);
        if system {
            let max = self.number(&format!("SYS_{kind}_MAX"), lowest.saturating_sub(1));
            (self.number(&format!("SYS_{kind}_MIN"), 101), max)
        } else {
            (lowest, self.number(&format!("{kind}_MAX"), 60000))
        }
    }

    /// The id that a new user gets.
    pub fn next_uid(&self, host: &Probe<'_>, system: bool) -> Option<u32> {
        next(&host.users().iter().map(|u| u.uid).collect(), self.range("UID", system), system, None)
    }

    /// The id that a new group gets; `preferred` where that is free.
    pub fn next_gid(&self, host: &Probe<'_>, system: bool, preferred: Option<u32>) -> Option<u32> {
        next(&host.groups().iter().map(|g| g.gid).collect(), self.range("GID", system), system, preferred)
    }
}

/// System ids go down from the lowest one in use, others up from the highest; at the end
/// of the range the search starts over from its other end.
fn next(used: &BTreeSet<u32>, (min, max): (u32, u32), system: bool, preferred: Option<u32>) -> Option<u32> {
    if let Some(id) = preferred.filter(|id| (min..=max).contains(id) && !used.contains(id)) {
        return Some(id);
    }
    if min > max {
        return None;
    }
    let free = |id: &u32| !used.contains(id);
    if system {
        let lowest = used.range(min..=max).next().map_or(max, |id| id.saturating_sub(1));
        let start = if lowest < min { max } else { lowest };
        return (min..=start).rev().find(free).or_else(|| (start..=max).rev().find(free));
    }
    let highest = used.range(min..=max).next_back().map_or(min, |id| id.saturating_add(1));
    let start = if highest > max { min } else { highest };
    (start..=max).find(free).or_else(|| (min..=start).find(free))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_chosen_as_useradd_chooses_them() {
        let next =
            |used: &[u32], range, system, preferred| next(&used.iter().copied().collect(), range, system, preferred);
        assert_eq!(next(&[0, 1000, 1001, 65534], (1000, 60000), false, None), Some(1002));
        assert_eq!(next(&[1000, 1005], (1000, 1005), false, None), Some(1001));
        assert_eq!(next(&[], (1000, 60000), false, None), Some(1000));
        // Something sits at the lower end: from the top.
        assert_eq!(next(&[101, 998], (101, 999), true, None), Some(999));
        assert_eq!(next(&[998], (101, 999), true, None), Some(997));
        assert_eq!(next(&[998], (101, 999), true, Some(999)), Some(999));
        assert_eq!(next(&[998, 999], (101, 999), true, Some(999)), Some(997));
        assert_eq!(next(&[101], (101, 101), true, None), None);
    }

    #[test]
    fn settings_may_be_octal_and_overridden() {
        let mut defs = LoginDefs { text: "#UMASK 077\nUMASK\t\t022\nUID_MIN 2000\n".to_owned(), own: Vec::new() };
        assert_eq!((defs.number("UMASK", 0), defs.number("UID_MIN", 0), defs.number("X", 7)), (0o22, 2000, 7));
        defs.set("UID_MIN", "3000");
        assert_eq!(defs.number("UID_MIN", 0), 3000);
        assert_eq!(defs.arguments(), ["-K", "UID_MIN=3000"]);
    }
}
