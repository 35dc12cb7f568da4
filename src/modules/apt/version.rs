//! Package specifiers (`nginx`, `nginx=1.2*`, `nginx:amd64>=1.0`) and Debian versions.

use std::cmp::Ordering;

/// How a specifier limits the version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Want {
    /// Any version.
    Any,
    /// One that matches this pattern.
    Exactly(String),
    /// This one or a later one.
    AtLeast(String),
}

/// What a playbook calls a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spec {
    /// As it was written.
    pub text: String,
    /// The name, with `:arch` where one is given.
    pub name: String,
    /// The version.
    pub want: Want,
}

impl Spec {
    pub(super) fn parse(text: &str) -> Self {
        let text = text.trim();
        let (name, want) = if let Some((name, version)) = text.split_once(">=") {
            (name, Want::AtLeast(version.trim().to_owned()))
        } else if let Some((name, version)) = text.split_once('=') {
            (name, Want::Exactly(version.trim().to_owned()))
        } else {
            (text, Want::Any)
        };
        Self { text: text.to_owned(), name: name.trim().to_owned(), want }
    }

    /// Whether the name is a shell pattern.
    pub(super) fn is_pattern(&self) -> bool {
        self.name.contains(['*', '?', '[', '!'])
    }

    /// Whether a version is what is wanted.
    pub(super) fn accepts(&self, version: &str) -> bool {
        match &self.want {
            Want::Any => true,
            Want::Exactly(pattern) => super::fnmatch(pattern, version),
            Want::AtLeast(least) => compare(version, least) != Ordering::Less,
        }
    }
}

/// Compares versions as dpkg does (deb-version(7)).
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (a_epoch, a) = split_epoch(a);
    let (b_epoch, b) = split_epoch(b);
    let (a_upstream, a_revision) = a.rsplit_once('-').unwrap_or((a, ""));
    let (b_upstream, b_revision) = b.rsplit_once('-').unwrap_or((b, ""));
    a_epoch.cmp(&b_epoch).then_with(|| part(a_upstream, b_upstream)).then_with(|| part(a_revision, b_revision))
}

fn split_epoch(version: &str) -> (u64, &str) {
    version.split_once(':').map_or((0, version), |(epoch, rest)| (epoch.parse().unwrap_or(0), rest))
}

/// The weight of a character: `~` before the end, letters before all else.
fn weight(c: Option<char>) -> i64 {
    match c {
        Some('~') => -1,
        None => 0,
        Some(c) if c.is_ascii_digit() => 0,
        Some(c) if c.is_ascii_alphabetic() => i64::from(u32::from(c)),
        Some(c) => i64::from(u32::from(c)) + 256,
    }
}

/// Text and numbers in turn.
fn part(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    while !(a.is_empty() && b.is_empty()) {
        let is_text = |s: &str| s.starts_with(|c: char| !c.is_ascii_digit());
        while is_text(a) || is_text(b) {
            let (x, y) = (a.chars().next(), b.chars().next());
            match weight(x).cmp(&weight(y)) {
                Ordering::Equal => {
                    a = x.map_or(a, |c| a.get(c.len_utf8()..).unwrap_or_default());
                    b = y.map_or(b, |c| b.get(c.len_utf8()..).unwrap_or_default());
                }
                unequal => return unequal,
            }
        }
        let number = |s: &'_ str| {
            let end = s.find(|c: char| !c.is_ascii_digit()).unwrap_or(s.len());
            (s.get(..end).unwrap_or_default().trim_start_matches('0').to_owned(), end)
        };
        let ((x, x_end), (y, y_end)) = (number(a), number(b));
        match x.len().cmp(&y.len()).then_with(|| x.cmp(&y)) {
            Ordering::Equal => {}
            unequal => return unequal,
        }
        a = a.get(x_end..).unwrap_or_default();
        b = b.get(y_end..).unwrap_or_default();
    }
    Ordering::Equal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_dpkg_compares_them() {
        for (a, b, expected) in [
            ("1.0", "1.0", Ordering::Equal),
            ("1.10", "1.9", Ordering::Greater),
            ("1.0~rc1", "1.0", Ordering::Less),
            ("1:0.1", "2.0", Ordering::Greater),
            ("1.0-1", "1.0-2", Ordering::Less),
            ("1.0a", "1.0+b", Ordering::Less),
            ("1.0-1+deb12u1", "1.0-1", Ordering::Greater),
            ("007", "7", Ordering::Equal),
            ("1.0-1", "1.0", Ordering::Greater),
        ] {
            assert_eq!(compare(a, b), expected, "{a} {b}");
            assert_eq!(compare(b, a), expected.reverse(), "{b} {a}");
        }
    }

    #[test]
    fn specifiers_name_a_package_and_a_version() {
        assert_eq!(Spec::parse("nginx:amd64=1.2*").want, Want::Exactly("1.2*".to_owned()));
        assert!(Spec::parse("nginx=1.2*").accepts("1.22.1-9"));
        assert!(Spec::parse("foo>=1.0").accepts("1.0-1") && !Spec::parse("foo>=1.0").accepts("0.9"));
        assert!(Spec::parse("python3*").is_pattern());
    }
}
