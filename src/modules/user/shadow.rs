//! Passwords and their ends: /etc/shadow, and `chage`.

use super::User;
use crate::model::{Attribute, Command};
use crate::modules::ids::LoginDefs;
use crate::sys::Probe;

const DAY: f64 = 86400.0;

/// A line of /etc/shadow (shadow(5)).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Shadow {
    pub hash: String,
    pub min: Option<i64>,
    pub max: Option<i64>,
    pub warn: Option<i64>,
    pub inactive: Option<i64>,
    pub expires: Option<i64>,
}

/// The entry of a user; nothing where it cannot be read.
pub(super) fn read(host: &Probe<'_>, name: &str) -> Option<Shadow> {
    host.text("/etc/shadow")?.lines().find_map(|line| parse(line, name))
}

/// The entry that useradd makes.
pub(super) fn fresh(defs: &LoginDefs) -> Shadow {
    let days = |name: &str| defs.get(name).and_then(|v| v.parse().ok()).filter(|days| *days >= 0);
    Shadow {
        hash: "!".to_owned(),
        min: days("PASS_MIN_DAYS"),
        max: days("PASS_MAX_DAYS"),
        warn: days("PASS_WARN_AGE"),
        ..Shadow::default()
    }
}

fn parse(line: &str, name: &str) -> Option<Shadow> {
    let fields: Vec<&str> = line.split(':').collect();
    if fields.first() != Some(&name) {
        return None;
    }
    let number = |i: usize| fields.get(i).and_then(|f| f.trim().parse::<i64>().ok());
    Some(Shadow {
        hash: fields.get(1).copied().unwrap_or_default().to_owned(),
        min: number(3),
        max: number(4),
        warn: number(5),
        inactive: number(6),
        expires: number(7),
    })
}

/// The day that `expires` names, in days since 1970; `None` for never.
#[allow(clippy::cast_possible_truncation, reason = "a date beyond 2^63 days is none")]
pub(super) fn expiry_day(expires: f64) -> Option<i64> {
    (expires >= 0.0).then(|| (expires / DAY).floor() as i64)
}

/// `-e`'s argument: a date, or nothing for never.
pub(super) fn expiry_argument(expires: f64) -> String {
    expiry_day(expires).map_or_else(String::new, |day| {
        let date = crate::sys::clock::civil(day * 86400, 0);
        format!("{:04}-{:02}-{:02}", date.year, date.month, date.day)
    })
}

/// The call of `chage` that sets what differs, and what that is.
pub(super) fn chage(args: &User, now: &Shadow) -> Option<(Command, Vec<Attribute>)> {
    let wanted = [
        ("-M", "password_expire_max", args.password_expire_max, now.max),
        ("-m", "password_expire_min", args.password_expire_min, now.min),
        ("-W", "password_expire_warn", args.password_expire_warn, now.warn),
    ];
    let mut command = Command::new("chage");
    let mut changes = Vec::new();
    for (flag, name, wanted, now) in wanted {
        let Some(wanted) = wanted.filter(|w| Some(*w) != now) else { continue };
        command = command.args([flag, &wanted.to_string()]);
        changes.push(Attribute::new(name, now.map_or_else(String::new, |n| n.to_string()), wanted.to_string()));
    }
    (!changes.is_empty()).then(|| (command.arg(&args.name), changes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shadow_entries_and_dates_are_read() {
        let entry = parse("u1:!x:20778:0:99999:7::16467:", "u1").unwrap();
        assert_eq!(
            (entry.hash.as_str(), entry.max, entry.inactive, entry.expires),
            ("!x", Some(99999), None, Some(16467))
        );
        assert!(parse("u10:x", "u1").is_none());
        assert_eq!(expiry_argument(1_422_403_387.0), "2015-01-28");
        assert_eq!(expiry_argument(-1.0), "");
    }
}
