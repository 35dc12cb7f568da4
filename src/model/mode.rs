//! File modes as users write them: `0644`, `"0644"`, `u=rw,g=r,o=r`, `+x`.
//!
//! Source of the symbolic grammar: POSIX `chmod`, as Ansible's `mode` option documents it.

use serde::{Deserialize, Serialize};

/// What kind of thing a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
    /// A character device.
    CharDevice,
    /// A block device.
    BlockDevice,
}

/// A mode as it was asked for; a symbolic one depends on the mode that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ModeSpec {
    /// The permission bits themselves (at most 0o7777).
    Bits(u32),
    /// Comma-separated clauses, applied in order.
    Symbolic(Vec<Clause>),
}

/// One clause of a symbolic mode: who, and a run of operations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clause {
    /// `u`, `g`, `o` bits; all three for `a` and for none.
    who: u8,
    /// Whether nobody was named: the umask then limits what is set.
    umasked: bool,
    actions: Vec<(char, Perms)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Perms {
    Letters(String),
    CopyFrom(char),
}

/// Why a mode cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseModeError(String);

impl std::fmt::Display for ParseModeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "bad symbolic permission for mode: {}", self.0)
    }
}

const USER: u8 = 1;
const GROUP: u8 = 2;
const OTHER: u8 = 4;

impl ModeSpec {
    /// Reads a mode in octal or symbolic form.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(text: &str) -> Result<Self, ParseModeError> {
        let error = || ParseModeError(text.to_owned());
        let digits = text.strip_prefix("0o").unwrap_or(text);
        if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
            let bits = u32::from_str_radix(digits, 8).map_err(|_| error())?;
            return if bits <= 0o7777 { Ok(Self::Bits(bits)) } else { Err(error()) };
        }
        text.split(',')
            .map(|clause| Clause::parse(clause).ok_or_else(error))
            .collect::<Result<_, _>>()
            .map(Self::Symbolic)
    }

    /// The permission bits that result for a file (or directory) that has `current` bits.
    pub fn apply(&self, current: u32, directory: bool, umask: u32) -> u32 {
        match self {
            Self::Bits(bits) => *bits,
            Self::Symbolic(clauses) => {
                clauses.iter().fold(current & 0o7777, |mode, clause| clause.apply(mode, directory, umask))
            }
        }
    }
}

impl Clause {
    fn parse(text: &str) -> Option<Self> {
        let ops = text.find(['+', '-', '='])?;
        let (named, mut rest) = text.split_at(ops);
        let mut who = 0;
        for c in named.chars() {
            who |= match c {
                'u' => USER,
                'g' => GROUP,
                'o' => OTHER,
                'a' => USER | GROUP | OTHER,
                _ => return None,
            };
        }
        let umasked = who == 0;
        let mut actions = Vec::new();
        while let Some(op) = rest.chars().next() {
            let tail = rest.get(1..)?;
            let end = tail.find(['+', '-', '=']).unwrap_or(tail.len());
            let (perms, next) = tail.split_at(end);
            let perms = match perms {
                "u" | "g" | "o" => Perms::CopyFrom(perms.chars().next()?),
                _ if perms.chars().all(|c| "rwxXst".contains(c)) => Perms::Letters(perms.to_owned()),
                _ => return None,
            };
            actions.push((op, perms));
            rest = next;
        }
        Some(Self { who: if umasked { USER | GROUP | OTHER } else { who }, umasked, actions })
    }

    fn apply(&self, mut mode: u32, directory: bool, umask: u32) -> u32 {
        for (op, perms) in &self.actions {
            let mut bits = self.bits(perms, mode, directory);
            if self.umasked {
                bits &= !umask;
            }
            mode = match op {
                '+' => mode | bits,
                '-' => mode & !bits,
                _ => (mode & !self.cleared(directory)) | bits,
            };
        }
        mode
    }

    /// The bits that `=` clears: permissions of those named, and set-id of files.
    fn cleared(&self, directory: bool) -> u32 {
        let mut mask = 0;
        for (bit, rwx, id) in [(USER, 0o700, 0o4000), (GROUP, 0o070, 0o2000), (OTHER, 0o007, 0)] {
            if self.who & bit != 0 {
                mask |= rwx | if directory { 0 } else { id };
            }
        }
        if self.who == USER | GROUP | OTHER && !directory { mask | 0o1000 } else { mask }
    }

    fn bits(&self, perms: &Perms, mode: u32, directory: bool) -> u32 {
        let (mut rwx, mut special) = (0, 0);
        match perms {
            Perms::CopyFrom('u') => rwx = (mode >> 6) & 7,
            Perms::CopyFrom('g') => rwx = (mode >> 3) & 7,
            Perms::CopyFrom(_) => rwx = mode & 7,
            Perms::Letters(letters) => {
                for c in letters.chars() {
                    match c {
                        'r' => rwx |= 4,
                        'w' => rwx |= 2,
                        'x' => rwx |= 1,
                        'X' if directory || mode & 0o111 != 0 => rwx |= 1,
                        's' => special |= self.set_id(),
                        't' => special |= 0o1000,
                        _ => {}
                    }
                }
            }
        }
        let spread = |bit: u8, shift: u32| if self.who & bit != 0 { rwx << shift } else { 0 };
        spread(USER, 6) | spread(GROUP, 3) | spread(OTHER, 0) | special
    }

    const fn set_id(&self) -> u32 {
        (if self.who & USER != 0 { 0o4000 } else { 0 }) | (if self.who & GROUP != 0 { 0o2000 } else { 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(spec: &str, current: u32, directory: bool) -> u32 {
        ModeSpec::parse(spec).unwrap().apply(current, directory, 0o022)
    }

    #[test]
    fn octal_and_symbolic_modes_give_the_bits_of_chmod() {
        for (spec, current, directory, expected) in [
            ("0644", 0o777, false, 0o644),
            ("755", 0, true, 0o755),
            ("0o600", 0, false, 0o600),
            ("u=rw,g=r,o=", 0o777, false, 0o640),
            ("+x", 0o644, false, 0o755),
            ("a+w", 0o644, false, 0o666),
            ("+w", 0o444, false, 0o644),
            ("u=rwX,go=rX", 0o600, false, 0o644),
            ("u=rwX,go=rX", 0o600, true, 0o755),
            ("g+s", 0o755, true, 0o2755),
            ("u+s", 0o755, false, 0o4755),
            ("o+t", 0o777, true, 0o1777),
            ("g=u", 0o700, false, 0o770),
            ("go-rwx", 0o777, false, 0o700),
            ("u+x-w", 0o600, false, 0o500),
        ] {
            assert_eq!(apply(spec, current, directory), expected, "{spec} on {current:o}");
        }
    }

    #[test]
    fn what_is_no_mode_is_refused() {
        for spec in ["", "rwx", "u", "99", "77777", "z+x", "u+q"] {
            assert!(ModeSpec::parse(spec).is_err(), "{spec}");
        }
    }
}
