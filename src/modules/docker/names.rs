//! Names of images, and the short forms of sizes and durations.

use crate::model::Failure;

/// An image's name: repository, and a tag or a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The repository with the registry in front, when it has one.
    pub repository: String,
    /// The tag, or the digest (`sha256:…`).
    pub tag: Option<String>,
    /// Whether `tag` is a digest.
    pub digest: bool,
}

impl Reference {
    /// Takes a name apart.
    pub fn parse(name: &str) -> Self {
        let cut = |repository: &str, tag: &str, digest| Self {
            repository: repository.to_owned(),
            tag: Some(tag.to_owned()),
            digest,
        };
        if let Some((repository, digest)) = name.split_once('@') {
            // A tag beside a digest says nothing more.
            let repository = Self::parse(repository).repository;
            return cut(&repository, digest, true);
        }
        match name.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => cut(repository, tag, false),
            _ => Self { repository: name.to_owned(), tag: None, digest: false },
        }
    }

    /// The name with this tag, unless it has one.
    #[must_use]
    pub fn or_tag(mut self, tag: &str) -> Self {
        if self.tag.is_none() {
            self.digest = tag.contains(':');
            self.tag = Some(tag.to_owned());
        }
        self
    }

    /// The registry that it is of: `docker.io` unless the first part is a host.
    pub fn registry(&self) -> &str {
        match self.repository.split_once('/') {
            Some((first, _)) if first.contains(['.', ':']) || first == "localhost" => first,
            _ => "docker.io",
        }
    }
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mark = if self.digest { '@' } else { ':' };
        write!(f, "{}{mark}{}", self.repository, self.tag.as_deref().unwrap_or("latest"))
    }
}

/// The name in full: with `latest` where no tag is given; ids stay.
pub fn full(name: &str) -> String {
    if is_id(name) { name.to_owned() } else { Reference::parse(name).to_string() }
}

/// Whether it is an image's id and not its name.
pub fn is_id(name: &str) -> bool {
    name.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// `64M` in bytes; `option` is named in the failure.
///
/// # Errors
/// When it is no size.
pub fn size(option: &str, text: &str) -> Result<i64, Failure> {
    let wrong = || Failure::new(format!("Failed to convert {option} to bytes: '{text}' is no size like 512M"));
    let number = text.trim().to_uppercase();
    let number = number.strip_suffix('B').unwrap_or(&number);
    let digits = number.trim_end_matches(['K', 'M', 'G', 'T', 'P']);
    let power = match number.get(digits.len()..).unwrap_or_default() {
        "" => 0,
        "K" => 1,
        "M" => 2,
        "G" => 3,
        "T" => 4,
        "P" => 5,
        _ => return Err(wrong()),
    };
    let unit = 1024_i64.pow(power);
    if let Ok(whole) = digits.trim().parse::<i64>() {
        return whole.checked_mul(unit).ok_or_else(wrong);
    }
    let value: f64 = digits.trim().parse().map_err(|_| wrong())?;
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a fraction of a unit is rounded")]
    let bytes = (value * unit as f64).round() as i64;
    if value.is_finite() { Ok(bytes) } else { Err(wrong()) }
}

/// `1m30s` in nanoseconds.
///
/// # Errors
/// When it is no duration.
pub fn duration(option: &str, text: &str) -> Result<i64, Failure> {
    let wrong = || Failure::new(format!("Invalid time duration for {option}: {text}"));
    let mut rest = text.trim();
    let mut total: i64 = 0;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, tail) = rest.split_at(digits);
        let unit = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit);
        let nanos = match unit {
            "us" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return Err(wrong()),
        };
        let part = number.parse::<i64>().ok().and_then(|n| n.checked_mul(nanos)).ok_or_else(wrong)?;
        total = total.checked_add(part).ok_or_else(wrong)?;
        rest = tail;
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        let parts = |name| {
            let r = Reference::parse(name);
            (r.repository.clone(), r.tag.clone().unwrap_or_default(), r.registry().to_owned())
        };
        let expect = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
        assert_eq!(parts("a/b:1"), expect("a/b", "1", "docker.io"));
        assert_eq!(parts("localhost:5000/b"), expect("localhost:5000/b", "", "localhost:5000"));
        assert_eq!(parts("r.io/b:1@sha256:ab"), expect("r.io/b", "sha256:ab", "r.io"));
        assert_eq!((full("b"), full("b@sha256:1")), ("b:latest".into(), "b@sha256:1".into()));
    }

    #[test]
    fn sizes_and_durations() {
        let size = |t| size("memory", t).ok();
        assert_eq!(
            (size("64M"), size("1.5k"), size("7"), size("2GB"), size("x"), size("1Q")),
            (Some(64 << 20), Some(1536), Some(7), Some(2 << 30), None, None)
        );
        let duration = |t| duration("interval", t).ok();
        assert_eq!(
            (duration("1m30s"), duration("5ms"), duration("3"), duration("")),
            (Some(90_000_000_000), Some(5_000_000), None, None)
        );
    }
}
