//! Times of access and change: read from arguments, compared, planned.

use std::path::Path;

use super::FileArgs;
use crate::model::{Attribute, Diff, Failure};
use crate::module::{Plan, Step};
use crate::sys::{Effect, Stat, Time, clock};

/// What is asked for one of the times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stamp {
    Preserve,
    Now(Time),
    At(Time),
}

/// What is asked for both.
pub(super) struct Stamps {
    access: Stamp,
    modification: Stamp,
}

impl Stamps {
    /// Reads the arguments; by default `touch` sets the present time, all else preserves.
    pub(super) fn parse(args: &FileArgs, state: &str) -> Result<Self, Failure> {
        let default = if state == "touch" { "now" } else { "preserve" };
        let now = clock::now();
        let read = |text: &Option<String>, format: &str| match text.as_deref().unwrap_or(default) {
            "preserve" => Ok(Stamp::Preserve),
            "now" => Ok(Stamp::Now(now)),
            text => strptime(text, format).map(|c| Stamp::At(clock::from_local(&c))).ok_or_else(|| {
                Failure::new(format!(
                    "Error while obtaining timestamp for time {text} using format {format}: time data '{text}' does \
                     not match format '{format}'"
                ))
            }),
        };
        Ok(Self {
            access: read(&args.access_time, &args.access_time_format)?,
            modification: read(&args.modification_time, &args.modification_time_format)?,
        })
    }

    /// Plans the times of something that is there.
    pub(super) fn plan(&self, plan: &mut Plan, path: &Path, now: &Stat) {
        let differs = |stamp: Stamp, has: Time| match stamp {
            Stamp::Preserve => None,
            Stamp::Now(time) => Some((time, "now".to_owned())),
            Stamp::At(time) => (time != has).then(|| (time, show(time))),
        };
        let access = differs(self.access, now.atime);
        let modification = differs(self.modification, now.mtime);
        let changes: Vec<Attribute> = [("atime", &access, now.atime), ("mtime", &modification, now.mtime)]
            .into_iter()
            .filter_map(|(name, to, has)| Some(Attribute::new(name, show(has), &to.as_ref()?.1)))
            .collect();
        if changes.is_empty() {
            return;
        }
        let (atime, mtime) = (access.map(|a| a.0), modification.map(|m| m.0));
        let diff = Diff::Attributes { subject: path.display().to_string(), changes };
        plan.step(Step::effect(Effect::Times { path: path.to_owned(), atime, mtime }).diff(diff));
    }

    /// Plans the times of something that an earlier step makes: only fixed ones need to be set.
    pub(super) fn plan_new(&self, plan: &mut Plan, path: &Path) {
        let fixed = |stamp| if let Stamp::At(time) = stamp { Some(time) } else { None };
        let (atime, mtime) = (fixed(self.access), fixed(self.modification));
        if atime.is_some() || mtime.is_some() {
            plan.step(Step::effect(Effect::Times { path: path.to_owned(), atime, mtime }));
        }
    }
}

fn show(time: Time) -> String {
    format!("{}.{:09}", time.secs, time.nanos)
}

/// Reads a time by a format of `%Y %y %m %d %H %M %S %%` and literal characters.
fn strptime(text: &str, format: &str) -> Option<clock::Civil> {
    let mut civil = clock::Civil { year: 1900, month: 1, day: 1, hour: 0, minute: 0, second: 0, nanos: 0 };
    let mut rest = text;
    let mut format = format.chars();
    while let Some(c) = format.next() {
        if c != '%' {
            rest = rest.strip_prefix(c)?;
            continue;
        }
        let mut number = |most: usize| {
            let end = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
            let (digits, tail) = rest.split_at_checked(end)?;
            rest = tail;
            digits.parse::<u32>().ok()
        };
        match format.next()? {
            'Y' => civil.year = i64::from(number(4)?),
            'y' => civil.year = number(2).map(|y| i64::from(if y < 69 { 2000 + y } else { 1900 + y }))?,
            'm' => civil.month = number(2).filter(|n| (1..=12).contains(n))?,
            'd' => civil.day = number(2).filter(|n| (1..=31).contains(n))?,
            'H' => civil.hour = number(2).filter(|n| *n < 24)?,
            'M' => civil.minute = number(2).filter(|n| *n < 60)?,
            'S' => civil.second = number(2).filter(|n| *n < 62)?,
            '%' => rest = rest.strip_prefix('%')?,
            _ => return None,
        }
    }
    rest.is_empty().then_some(civil)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_by_their_format() {
        let civil = strptime("202402291234.56", "%Y%m%d%H%M.%S").unwrap();
        assert_eq!(civil.to_string(), "2024-02-29 12:34:56.000000");
        assert!(strptime("2024", "%Y%m").is_none());
        assert!(strptime("2024-13", "%Y-%m").is_none());
    }
}
