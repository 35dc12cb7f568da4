//! Host names as inventories write them: `web[01:20].example.com:2222`.

/// No inventory lists more hosts than this in one range.
const MAX_HOSTS: usize = 100_000;

/// Ranges in one name: the expansion calls itself for each.
const MAX_RANGES: usize = 16;

/// A host or range with its port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub name: String,
    pub port: Option<u32>,
}

/// Splits a port off: `host:22`, `[::1]:22`; an IPv6 address without brackets has none.
pub(super) fn address(text: &str) -> Address {
    let whole = || Address { name: text.to_owned(), port: None };
    let Some((name, port)) = split_port(text) else { return whole() };
    if let Some(inner) = name.strip_prefix('[').and_then(|n| n.strip_suffix(']')).filter(|n| n.contains(':')) {
        // `[a:c]` with no more to it is a range, not an address.
        if range_bounds(inner).is_none() {
            return Address { name: inner.to_owned(), port: Some(port) };
        }
    }
    if outside_brackets(name).contains(':') { whole() } else { Address { name: name.to_owned(), port: Some(port) } }
}

fn split_port(text: &str) -> Option<(&str, u32)> {
    let (name, digits) = text.rsplit_once(':')?;
    let is_port = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    (is_port && !name.is_empty()).then(|| Some((name, digits.parse().ok()?)))?
}

fn outside_brackets(text: &str) -> String {
    let mut depth = 0;
    text.chars()
        .filter(|c| {
            match c {
                '[' => depth += 1,
                ']' => depth -= 1,
                _ => {}
            }
            depth == 0
        })
        .collect()
}

fn range_bounds(inner: &str) -> Option<Range> {
    Range::parse(inner).ok()
}

/// The hosts that a name with ranges stands for, in order.
///
/// # Errors
/// What is wrong with the range, in words.
pub(super) fn expand(name: &str) -> Result<Vec<String>, String> {
    let Some((head, rest)) = name.split_once('[') else { return Ok(vec![name.to_owned()]) };
    let Some((inner, tail)) = rest.split_once(']') else {
        return Err("the range has no closing `]`".to_owned());
    };
    if tail.matches('[').count() > MAX_RANGES {
        return Err(format!("more than {MAX_RANGES} ranges in one name"));
    }
    let range = Range::parse(inner)?;
    let tails = expand(tail)?;
    let names = range.names();
    if names.len().saturating_mul(tails.len()) > MAX_HOSTS {
        return Err(format!("the range stands for more than {MAX_HOSTS} hosts"));
    }
    Ok(names.iter().flat_map(|name| tails.iter().map(move |tail| format!("{head}{name}{tail}"))).collect())
}

/// `01:20`, `a:f`, `0:10:2`.
struct Range {
    first: u32,
    last: u32,
    step: u32,
    /// Letters, or numbers padded with zeros to a width.
    letters: bool,
    width: usize,
}

/// Letters in a range's order: a to z, then A to Z.
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

impl Range {
    fn parse(inner: &str) -> Result<Self, String> {
        let parts: Vec<&str> = inner.split(':').collect();
        let (first, last, step) = match parts.as_slice() {
            [first, last] => (*first, *last, "1"),
            [first, last, step] => (*first, *last, *step),
            _ => return Err("a range is `[first:last]` or `[first:last:step]`".to_owned()),
        };
        let first = if first.is_empty() { "0" } else { first };
        if last.is_empty() {
            return Err("the range has no end".to_owned());
        }
        let step = step.parse().ok().filter(|s| *s > 0).ok_or("the step of a range is a number above 0")?;
        let letter = |text: &str| LETTERS.find(text).filter(|_| text.len() == 1).and_then(|at| u32::try_from(at).ok());
        let number = |text: &str| text.parse::<u32>().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()));
        let padded = first.len() > 1 && first.starts_with('0');
        let width = if padded { first.len() } else { 0 };
        let range = if let (Some(a), Some(b)) = (letter(first), letter(last)) {
            Self { first: a, last: b, step, letters: true, width: 0 }
        } else if let (Some(a), Some(b)) = (number(first), number(last)) {
            if padded && first.len() != last.len() {
                return Err(format!("`{first}` is padded with zeros, so `{last}` must have as many digits"));
            }
            Self { first: a, last: b, step, letters: false, width }
        } else {
            return Err(format!("`{first}` and `{last}` must both be numbers, or both be letters"));
        };
        if range.first > range.last {
            return Err(format!("the range ends (`{last}`) before it begins (`{first}`)"));
        }
        Ok(range)
    }

    fn names(&self) -> Vec<String> {
        let step = usize::try_from(self.step).unwrap_or(usize::MAX);
        (self.first..=self.last)
            .step_by(step)
            .take(MAX_HOSTS + 1)
            .map(|n| {
                if self.letters {
                    let at = usize::try_from(n).unwrap_or(usize::MAX);
                    LETTERS.chars().nth(at).map(String::from).unwrap_or_default()
                } else {
                    format!("{n:0width$}", width = self.width)
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_split_off() {
        let split = |text| {
            let a = address(text);
            (a.name, a.port)
        };
        assert_eq!(split("h:2222"), ("h".into(), Some(2222)));
        assert_eq!(split("[::1]:22"), ("::1".into(), Some(22)));
        assert_eq!(split("fe80::1"), ("fe80::1".into(), None));
        assert_eq!(split("web[1:3]:22"), ("web[1:3]".into(), Some(22)));
        assert_eq!(split("web[1:3]"), ("web[1:3]".into(), None));
        assert_eq!(split("[a:c]:22"), ("[a:c]".into(), Some(22)));
    }

    #[test]
    fn ranges_are_expanded() {
        assert_eq!(expand("w[01:03]").unwrap(), ["w01", "w02", "w03"]);
        assert_eq!(expand("[a:c].x").unwrap(), ["a.x", "b.x", "c.x"]);
        assert_eq!(expand("n[0:10:5]").unwrap(), ["n0", "n5", "n10"]);
        assert_eq!(expand("n[:2]").unwrap(), ["n0", "n1", "n2"]);
        assert_eq!(expand("x[1:2]y[a:b]").unwrap(), ["x1ya", "x1yb", "x2ya", "x2yb"]);
    }

    #[test]
    fn bad_ranges_say_why() {
        for (name, why) in [
            ("h[3:1]", "before it begins"),
            ("h[a:3]", "both be"),
            ("h[01:3]", "as many digits"),
            ("h[1:]", "no end"),
            ("h[1]", "first:last"),
            ("h[1:2", "closing"),
            ("h[0:3:0]", "step"),
            ("h[0:4000000000]", "more than"),
            ("h[1:99999][1:99999]", "more than"),
        ] {
            assert!(expand(name).unwrap_err().contains(why), "{name}: {:?}", expand(name).map(|v| v.len()));
        }
    }
}
