//! Becoming another user on the host: sudo, su, doas.

use super::shell_quote;

/// The program that changes the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// sudo(8).
    Sudo,
    /// su(1).
    Su,
    /// doas(1).
    Doas,
}

impl Method {
    /// Reads Ansible's name of it.
    pub fn parse(name: &str) -> Option<Self> {
        match name.rsplit('.').next().unwrap_or(name) {
            "sudo" => Some(Self::Sudo),
            "su" => Some(Self::Su),
            "doas" => Some(Self::Doas),
            _ => None,
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sudo => "sudo",
            Self::Su => "su",
            Self::Doas => "doas",
        }
    }
}

/// Who to become, and how.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Become {
    /// The program.
    pub method: Method,
    /// Another path for the program.
    pub exe: Option<String>,
    /// Its flags; the method's usual ones when `None`.
    pub flags: Option<String>,
    /// The directory that sudo is started in, another one than that of the login.
    pub chdir: Option<String>,
    /// The user to become.
    pub user: String,
    /// The password that is asked for.
    pub password: Option<String>,
}

/// What sudo prints when it wants a password: nothing else on a host prints this.
const SUDO_PROMPT: &str = "[rplay: password for sudo] ";

/// A flag of sudo's without what keeps it from asking for a password.
fn asking(flag: &str) -> Option<String> {
    let letters = flag.strip_prefix('-').filter(|rest| rest.chars().all(|c| "ABbEHiKklNnPSsVv".contains(c)));
    match letters {
        _ if flag == "--non-interactive" => None,
        Some(letters) if letters.contains('n') => {
            Some(letters.replace('n', "")).filter(|left| !left.is_empty()).map(|left| format!("-{left}"))
        }
        _ => Some(flag.to_owned()),
    }
}

impl Become {
    /// The command line that runs `inner` (a command line itself) as the other user.
    pub(super) fn wrap(&self, inner: &str) -> String {
        let exe = self.exe.as_deref().unwrap_or_else(|| self.method.name());
        let (inner, user) = (shell_quote(inner), shell_quote(&self.user));
        match self.method {
            Method::Sudo => {
                let flags = self.flags.as_deref().unwrap_or("-H -S -n");
                // With -n sudo refuses to ask; it may ask when there is an answer.
                let flags = match self.password {
                    Some(_) => flags.split_whitespace().filter_map(asking).collect::<Vec<_>>().join(" "),
                    None => flags.to_owned(),
                };
                let prompt =
                    if self.password.is_some() { format!("-p {}", shell_quote(SUDO_PROMPT)) } else { String::new() };
                let chdir =
                    self.chdir.as_deref().map_or_else(String::new, |dir| format!("cd {} && ", shell_quote(dir)));
                format!("{chdir}{exe} {flags} {prompt} -u {user} /bin/sh -c {inner}")
            }
            Method::Su => {
                let flags = self.flags.as_deref().unwrap_or_default();
                format!("{exe} {flags} -s /bin/sh {user} -c {inner}")
            }
            Method::Doas => {
                let flags = self.flags.as_deref().unwrap_or(if self.password.is_some() { "" } else { "-n" });
                format!("{exe} {flags} -u {user} /bin/sh -c {inner}")
            }
        }
    }

    /// A user's own command line as the other user. It gets nothing on standard input:
    /// where no password was asked for, the one that is sent would be its to read.
    pub fn command_line(&self, line: &str) -> String {
        self.wrap(&format!("exec </dev/null\n{line}"))
    }

    /// Whether what came on standard error is the question for the password.
    pub(super) fn asks(&self, stderr: &str) -> bool {
        match self.method {
            Method::Sudo => stderr.contains(SUDO_PROMPT),
            // Localised; what they have in common is a colon at the end.
            Method::Su | Method::Doas => {
                stderr.trim_end().ends_with([':', '：']) || stderr.to_lowercase().contains("password")
            }
        }
    }

    /// What came on standard error without the question for the password.
    pub fn without_question(&self, stderr: &str) -> String {
        if self.password.is_some() { stderr.replace(SUDO_PROMPT, "") } else { stderr.to_owned() }
    }

    /// Words for a password that was not taken, when standard error shows that.
    pub fn wrong_password(&self, stderr: &str) -> Option<String> {
        let wrong = match self.method {
            Method::Sudo => stderr.contains(SUDO_PROMPT) && stderr.to_lowercase().contains("sorry, try again"),
            Method::Su | Method::Doas => stderr.to_lowercase().contains("authentication fail"),
        };
        (wrong && self.password.is_some()).then(|| format!("Incorrect {} password", self.method.name()))
    }

    /// Words for a refusal, when standard error shows one.
    pub(super) fn refusal(&self, stderr: &str) -> Option<String> {
        let name = self.method.name();
        let lower = stderr.to_lowercase();
        if lower.contains("a password is required")
            || lower.contains("authentication required")
            || lower.contains("interactive authentication")
        {
            return Some(format!("Missing {name} password"));
        }
        let wrong = [
            "sorry, try again",
            "incorrect password",
            "authentication failure",
            "authentication failed",
            "permission denied",
        ];
        if wrong.iter().any(|w| lower.contains(w)) {
            return Some(if self.password.is_some() {
                format!("Incorrect {name} password")
            } else {
                format!("Missing {name} password")
            });
        }
        let told =
            ["is not in the sudoers", "is not allowed", "unknown user", "does not exist", "not permitted", "not found"];
        told.iter()
            .any(|w| lower.contains(w))
            .then(|| format!("cannot become {} with {name}: {}", self.user, stderr.trim()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sudo() -> Become {
        Become {
            method: Method::Sudo,
            exe: None,
            flags: None,
            chdir: None,
            user: "root".to_owned(),
            password: Some("secret".to_owned()),
        }
    }

    #[test]
    fn sudo_may_ask_where_there_is_a_password() {
        let line = |flags: &str| Become { flags: Some(flags.to_owned()), ..sudo() }.wrap("id");
        assert!(line("-HSn").starts_with("sudo -HS -p "), "{}", line("-HSn"));
        assert!(line("--set-home --non-interactive -n -E").starts_with("sudo --set-home -E -p "));
        assert!(line("-D /nn").starts_with("sudo -D /nn -p "));
        let without = Become { password: None, ..sudo() };
        assert!(without.wrap("id").starts_with("sudo -H -S -n  -u root "), "{}", without.wrap("id"));
    }

    #[test]
    fn sudo_starts_where_it_is_told() {
        let there = Become { chdir: Some("/a b".to_owned()), ..sudo() };
        assert!(there.wrap("id").starts_with("cd '/a b' && sudo "), "{}", there.wrap("id"));
    }

    #[test]
    fn a_wrong_password_is_told_from_what_a_command_says() {
        let said = format!("{SUDO_PROMPT}Sorry, try again.\n{SUDO_PROMPT}\nsudo: 1 incorrect password attempt\n");
        assert_eq!(sudo().wrong_password(&said).as_deref(), Some("Incorrect sudo password"));
        assert_eq!(sudo().wrong_password("Sorry, try again.\n"), None);
        assert_eq!(sudo().without_question(&said), "Sorry, try again.\n\nsudo: 1 incorrect password attempt\n");
    }
}
