//! Dates: `strftime`, `to_datetime`, `now()`.

use std::sync::Arc;

use chrono::{DateTime, Datelike, Local, NaiveDateTime, TimeDelta, Timelike, Utc};

use super::Row;
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::value::{Args, Object, R, Val};

pub(super) const FILTERS: &[Row] = &[("strftime", "second? utc?", strftime), ("to_datetime", "format?", to_datetime)];

/// A date and time without a zone.
struct Date(NaiveDateTime);

/// A time between two dates.
struct Span(TimeDelta);

impl Object for Date {
    fn type_name(&self) -> &'static str {
        "datetime"
    }

    fn attr(&self, _ev: &mut Eval, name: &str) -> R<Option<Val>> {
        let of = |n: u32| Val::Int(i128::from(n));
        Ok(Some(match name {
            "year" => Val::Int(i128::from(self.0.year())),
            "month" => of(self.0.month()),
            "day" => of(self.0.day()),
            "hour" => of(self.0.hour()),
            "minute" => of(self.0.minute()),
            "second" => of(self.0.second()),
            "microsecond" => of(self.0.nanosecond() / 1000),
            _ => return Ok(None),
        }))
    }

    fn method(&self, ev: &mut Eval, name: &str, args: &Args) -> R<Option<Val>> {
        Ok(Some(match name {
            "strftime" => {
                let format = args.pos.first().map_or(Ok(String::new()), |format| ev.text(format))?;
                Val::str(formatted(&self.0.and_utc(), &format)?)
            }
            "timestamp" => Val::Float(seconds(self.0.and_utc().timestamp_micros())),
            "isoformat" => Val::str(self.0.format("%Y-%m-%dT%H:%M:%S%.f").to_string()),
            "weekday" => Val::Int(i128::from(self.0.weekday().num_days_from_monday())),
            "isoweekday" => Val::Int(i128::from(self.0.weekday().number_from_monday())),
            _ => return Ok(None),
        }))
    }

    fn minus(&self, other: &dyn Object) -> Option<Val> {
        let other = other.date()?;
        Some(Val::Object(Arc::new(Span(self.0.signed_duration_since(other)))))
    }

    fn date(&self) -> Option<NaiveDateTime> {
        Some(self.0)
    }

    fn text(&self) -> String {
        self.0.format("%Y-%m-%d %H:%M:%S%.6f").to_string().trim_end_matches(".000000").to_owned()
    }
}

#[allow(clippy::cast_precision_loss, reason = "as Python's float seconds")]
fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

impl Object for Span {
    fn type_name(&self) -> &'static str {
        "timedelta"
    }

    fn attr(&self, _ev: &mut Eval, name: &str) -> R<Option<Val>> {
        let whole = self.0.num_seconds() - i64::from(self.0.subsec_nanos() < 0);
        Ok(Some(Val::Int(i128::from(match name {
            "days" => whole.div_euclid(86_400),
            "seconds" => whole.rem_euclid(86_400),
            "microseconds" => i64::from(self.0.subsec_nanos()).rem_euclid(1_000_000_000) / 1000,
            _ => return Ok(None),
        }))))
    }

    fn method(&self, _ev: &mut Eval, name: &str, _args: &Args) -> R<Option<Val>> {
        let micros = self.0.num_microseconds().unwrap_or(i64::MAX);
        Ok((name == "total_seconds").then(|| Val::Float(seconds(micros))))
    }

    fn text(&self) -> String {
        let s = self.0.num_seconds();
        let (days, rest) = (s.div_euclid(86_400), s.rem_euclid(86_400));
        let clock = format!("{}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
        match days {
            0 => clock,
            1 | -1 => format!("{days} day, {clock}"),
            _ => format!("{days} days, {clock}"),
        }
    }
}

fn formatted<Z: chrono::TimeZone>(at: &DateTime<Z>, format: &str) -> R<String>
where
    Z::Offset: std::fmt::Display,
{
    use std::fmt::Write;
    // Python's %f has no leading dot and always six digits.
    let mut format = format.replace("%f", "%6f");
    // Only the zone of no offset has a name that is known here.
    if at.offset().to_string().trim_start_matches(['+', '0', ':', 'U', 'T', 'C']).is_empty() {
        format = format.replace("%Z", "UTC");
    }
    let mut out = String::new();
    write!(out, "{}", at.format(&format)).map_err(|_| Error::new(format!("invalid date format '{format}'")))?;
    Ok(out)
}

fn strftime(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let format = ev.text(&input)?;
    let utc = args.bool(ev, "utc", false)?;
    let (now, nanos) = ev.engine.outside.now();
    let at = match args.get("second") {
        None | Some(Val::Null) => DateTime::<Utc>::from_timestamp(now, nanos),
        Some(v) => {
            let text = ev.text(v)?;
            let given: f64 = text.parse().map_err(|_| Error::new(format!("Invalid value for epoch value ({text})")))?;
            #[allow(clippy::cast_possible_truncation, reason = "microseconds fit")]
            DateTime::<Utc>::from_timestamp_micros((given * 1e6) as i64)
        }
    };
    let at = at.ok_or_else(|| Error::new("the time is out of range"))?;
    let text = if utc { formatted(&at, &format)? } else { formatted(&at.with_timezone(&Local), &format)? };
    Ok(Val::str(text))
}

fn to_datetime(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let (text, format) = (ev.text(&input)?, args.str(ev, "format", "%Y-%m-%d %H:%M:%S")?);
    let pattern = format.replace("%f", "%6f");
    let parsed = NaiveDateTime::parse_from_str(&text, &pattern).ok().or_else(|| {
        let day = chrono::NaiveDate::parse_from_str(&text, &pattern).ok()?;
        day.and_hms_opt(0, 0, 0)
    });
    let date = parsed.ok_or_else(|| Error::new(format!("time data '{text}' does not match format '{format}'")))?;
    Ok(Val::Object(Arc::new(Date(date))))
}

/// `now(utc=False, fmt=None)`.
pub(in crate::template) fn now(ev: &mut Eval, args: &Args) -> R<Val> {
    let utc = args.bool(ev, "utc", false)?;
    let format = args.str(ev, "fmt", "")?;
    let (seconds, nanos) = ev.engine.outside.now();
    let at = DateTime::<Utc>::from_timestamp(seconds, nanos).ok_or_else(|| Error::new("the time is out of range"))?;
    if format.is_empty() {
        let naive = if utc { at.naive_utc() } else { at.with_timezone(&Local).naive_local() };
        return Ok(Val::Object(Arc::new(Date(naive))));
    }
    let text = if utc { formatted(&at, &format)? } else { formatted(&at.with_timezone(&Local), &format)? };
    Ok(Val::str(text))
}
