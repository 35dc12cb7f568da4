//! The host's clock and time zone.
//!
//! A static worker cannot rely on libc's time zones, so the system's `date` is asked for
//! the offset; the calendar is computed here.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};
use std::sync::{LazyLock, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use super::Time;

/// A moment of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Civil {
    /// Year.
    pub year: i64,
    /// Month, from 1.
    pub month: u32,
    /// Day of the month, from 1.
    pub day: u32,
    /// Hour.
    pub hour: u32,
    /// Minute.
    pub minute: u32,
    /// Second.
    pub second: u32,
    /// Nanosecond.
    pub nanos: u32,
}

/// Now.
pub fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time { secs: i64::try_from(since.as_secs()).unwrap_or(i64::MAX), nanos: since.subsec_nanos() }
}

/// What `date` said before. A command and a template ask each time they run, and are
/// themselves hardly more than a process to start.
static KNOWN: LazyLock<Mutex<HashMap<(i64, Zone), i64>>> = LazyLock::new(Mutex::default);

/// Which file the system's time zone comes from: device, inode and change time of
/// `/etc/localtime`, a link or a file. A task may set another one while we run.
type Zone = Option<(u64, u64, i64, i64)>;

fn zone() -> Zone {
    let file = std::fs::symlink_metadata("/etc/localtime").ok()?;
    Some((file.dev(), file.ino(), file.ctime(), file.ctime_nsec()))
}

/// How many seconds local time is ahead of UTC at `secs`; 0 where `date` cannot say.
pub fn offset(secs: i64) -> i64 {
    // The last zone to change its clocks within a minute of UTC was Liberia's, in January 1972.
    let key = (secs.div_euclid(60), zone());
    let lasting = secs > 63_600_000;
    if lasting && let Some(known) = KNOWN.lock().ok().and_then(|known| known.get(&key).copied()) {
        return known;
    }
    let asked = ask_offset(secs);
    if lasting && let Ok(mut known) = KNOWN.lock() {
        known.insert(key, asked);
    }
    asked
}

fn ask_offset(secs: i64) -> i64 {
    let mut date = Command::new("date");
    date.arg("-d").arg(format!("@{secs}")).arg("+%z").stdin(Stdio::null()).stderr(Stdio::null());
    let text = date.output().map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned()).unwrap_or_default();
    let Some((sign, digits)) = text.split_at_checked(1) else { return 0 };
    let (Some(Ok(hours)), Some(Ok(minutes))) =
        (digits.get(..2).map(str::parse::<i64>), digits.get(2..4).map(str::parse::<i64>))
    else {
        return 0;
    };
    let offset = hours * 3600 + minutes * 60;
    if sign == "-" { -offset } else { offset }
}

/// Local time of a moment.
pub fn local(time: Time) -> Civil {
    civil(time.secs + offset(time.secs), time.nanos)
}

/// The moment that has this local time.
pub fn from_local(civil: &Civil) -> Time {
    let as_utc = seconds(civil);
    let guess = as_utc - offset(as_utc);
    Time { secs: as_utc - offset(guess), nanos: civil.nanos }
}

/// Days since 1970-01-01 of a date of the Gregorian calendar, counted from 1 March of
/// year 0, so that leap days come last.
fn days(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let month = i64::from(month);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Seconds since 1970 as if the local time were UTC.
fn seconds(c: &Civil) -> i64 {
    days(c.year, c.month, c.day) * 86_400 + i64::from(c.hour) * 3600 + i64::from(c.minute) * 60 + i64::from(c.second)
}

/// The calendar's reading of seconds since 1970.
pub fn civil(secs: i64, nanos: u32) -> Civil {
    let small = |n: i64| u32::try_from(n).unwrap_or(0);
    let (day, rest) = (secs.div_euclid(86_400) + 719_468, secs.rem_euclid(86_400));
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    Civil {
        year: year + era * 400 + i64::from(month <= 2),
        month: small(month),
        day: small(of_year - (153 * shifted + 2) / 5 + 1),
        hour: small(rest / 3600),
        minute: small(rest / 60 % 60),
        second: small(rest % 60),
        nanos,
    }
}

impl std::fmt::Display for Civil {
    /// As Python writes a `datetime`: `2026-01-31 09:05:07.000123`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { year, month, day, hour, minute, second, nanos } = self;
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{:06}", nanos / 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_goes_both_ways() {
        for secs in [0, 951_782_399, 951_782_400, 1_709_164_800, 4_102_444_799, -86_400 * 365] {
            assert_eq!(seconds(&civil(secs, 0)), secs);
        }
        assert_eq!(civil(1_709_210_096, 5000).to_string(), "2024-02-29 12:34:56.000005");
        assert_eq!(days(1970, 1, 1), 0);
    }

    #[test]
    fn what_is_remembered_is_what_date_says() {
        for secs in [0, 63_593_069, 1_709_210_096, 1_719_792_000] {
            assert_eq!([offset(secs), offset(secs)], [ask_offset(secs); 2]);
        }
    }

    #[test]
    fn local_time_is_read_as_it_is_written() {
        let time = now();
        assert_eq!(from_local(&local(time)), time);
    }
}
