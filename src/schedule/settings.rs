//! How a host is reached and as whom: from variables, keywords, options, configuration.

use std::cell::Cell;
use std::sync::Arc;

use super::Context;
use super::accounts;
use super::view::View;
use crate::connection::{Account, Become, Method, SshSettings, Target};
use crate::diag::Diagnostic;
use crate::model::{Origin, Text, Value};
use crate::module::to_bool;
use crate::playbook::Keywords;
use crate::sys;
use crate::template::Error;
use crate::vars::{Variables, connects};

/// Passwords that were asked for on the terminal.
#[derive(Clone, Default)]
pub struct Passwords {
    /// `-k`.
    pub connection: Option<Text>,
    /// `-K`.
    pub escalation: Option<Text>,
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passwords(…)")
    }
}

/// What options and configuration say about connections; variables and keywords win.
#[derive(Debug, Clone, Default)]
pub struct ConnectionDefaults {
    /// `-c`.
    pub connection: Option<String>,
    /// `-u`, `remote_user`.
    pub user: Option<String>,
    /// `remote_port`.
    pub port: Option<u16>,
    /// `--private-key`.
    pub key: Option<String>,
    /// `-T`, `timeout`: seconds.
    pub timeout: u64,
    /// `host_key_checking`.
    pub check_host_key: bool,
    /// `ssh_executable`.
    pub ssh_executable: String,
    /// `ssh_args`.
    pub ssh_args: Option<String>,
    /// `--ssh-common-args`.
    pub common_args: String,
    /// `--ssh-extra-args`.
    pub extra_args: String,
    /// `-b`.
    pub escalate: bool,
    /// `--become-user`.
    pub become_user: Option<String>,
    /// `--become-method`.
    pub become_method: Option<String>,
    /// `become_exe`.
    pub become_exe: Option<String>,
    /// `become_flags`.
    pub become_flags: Option<String>,
    /// `become_allow_same_user`.
    pub become_same_user: bool,
    /// Who runs on this machine.
    pub local_user: String,
    /// Passwords.
    pub passwords: Passwords,
}

/// Why an account cannot be worked out.
pub enum Unsettled {
    /// A template failed.
    Template(Box<Error>),
    /// What was said makes no sense.
    Wrong(Box<Diagnostic>),
}

impl From<Diagnostic> for Unsettled {
    fn from(finding: Diagnostic) -> Self {
        Self::Wrong(Box::new(finding))
    }
}

impl From<Error> for Unsettled {
    fn from(e: Error) -> Self {
        Self::Template(Box::new(e))
    }
}

/// Reads settings from variables, then from keywords.
struct Reader<'a> {
    view: &'a View,
    keywords: &'a Keywords,
    /// A template was among them: what it comes to may hang on anything.
    templated: Cell<bool>,
}

impl Reader<'_> {
    fn var(&self, names: &[&str]) -> Result<Option<Value>, Error> {
        for name in names {
            debug_assert!(connects(name), "{name}");
            let Some(written) = self.view.scope.get(name) else { continue };
            self.note(&written);
            if let Some(value) = self.view.render(&written)?.filter(|v| !v.is_null()) {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    fn note(&self, written: &Value) {
        let plain = match written {
            Value::Str(text) => !text.is_template() || !text.contains('{'),
            Value::Null | Value::Bool(_) | Value::Int(_) => true,
            _ => false,
        };
        self.templated.set(self.templated.get() || !plain);
    }

    fn text(&self, names: &[&str]) -> Result<Option<String>, Error> {
        // An empty one is how an inventory takes back what another says.
        Ok(self.var(names)?.as_ref().and_then(plain).filter(|text| !text.is_empty()))
    }

    fn keyword(&self, name: &str) -> Result<Option<Value>, Error> {
        for value in self.keywords.values(name) {
            self.note(value);
            if let Some(value) = self.view.render(value)?.filter(|v| !v.is_null()) {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// Where a variable, or the keyword, is set.
    fn origin(&self, names: &[&str], keyword: &str) -> Option<Origin> {
        let found = names.iter().find(|name| self.view.scope.origin(name).is_some());
        match found {
            Some(name) => self.view.scope.origin(name),
            None => self.keywords.get(keyword).map(|s| s.origin.clone()),
        }
    }

    /// A variable, else a keyword, as text.
    fn either(&self, names: &[&str], keyword: &str) -> Result<Option<String>, Error> {
        match self.text(names)? {
            Some(text) => Ok(Some(text)),
            None => Ok(self.keyword(keyword)?.as_ref().and_then(plain)),
        }
    }
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Str(t) => Some(t.as_str().to_owned()),
        Value::Int(i) => Some(i.to_string()),
        Value::Bool(b) => Some(b.to_string()),
        _ => None,
    }
}

/// The account that a task uses on a host. `delegated` is set when the task was
/// delegated there: its own connection keywords then do not apply.
pub fn account(
    context: &Context,
    host: &str,
    view: &View,
    keywords: &Keywords,
    delegated: bool,
) -> Result<Arc<Account>, Unsettled> {
    let basis = if delegated { None } else { accounts::Basis::of(&view.scope, keywords) };
    if let Some(known) = basis.as_ref().and_then(|basis| context.accounts.known(host, basis)) {
        return Ok(known);
    }
    let reader = Reader { view, keywords, templated: Cell::new(false) };
    let target = target(context, host, &reader, delegated)?;
    let defaults = &context.options.connection;
    // Who is there already need not be become: the host may have no program for it.
    let there = |user: &str| match &target {
        Target::Local => user == defaults.local_user,
        Target::Docker { user: own, .. } => own.as_deref() == Some(user),
        Target::Ssh(ssh) => ssh.user.as_deref() == Some(user),
    };
    let escalation =
        escalation(context, &reader)?.filter(|escalation| defaults.become_same_user || !there(&escalation.user));
    let account = Arc::new(Account { host: host.to_owned(), target, escalation });
    if let Some(basis) = basis.filter(|_| !reader.templated.get()) {
        context.accounts.keep(host, basis, &account);
    }
    Ok(account)
}

fn target(context: &Context, host: &str, reader: &Reader<'_>, delegated: bool) -> Result<Target, Unsettled> {
    let defaults = &context.options.connection;
    let implicit = context.hosts.inventory().host(host).is_none_or(|h| h.implicit);
    let local_name = crate::inventory::LOCALHOST.contains(&host);
    let mut kind = reader.text(&["ansible_connection"])?;
    if kind.is_none() && implicit && local_name {
        kind = Some("local".to_owned());
    }
    if kind.is_none() && !delegated {
        kind = reader.keyword("connection")?.as_ref().and_then(plain);
    }
    let kind = kind.or_else(|| defaults.connection.clone()).unwrap_or_else(|| "ssh".to_owned());
    match kind.rsplit('.').next().unwrap_or(&kind) {
        "local" => Ok(Target::Local),
        "docker" => Ok(Target::Docker {
            container: reader.text(&["ansible_docker_host", "ansible_host"])?.unwrap_or_else(|| host.to_owned()),
            user: reader
                .either(&["ansible_docker_user", "ansible_user"], "remote_user")?
                .or_else(|| defaults.user.clone()),
        }),
        "ssh" | "smart" => ssh(context, host, reader).map(Target::Ssh),
        other => Err(unknown_connection(other).at(reader.origin(&["ansible_connection"], "connection")).into()),
    }
}

/// The kinds of connection, under the names that Ansible has for them.
pub const CONNECTIONS: [&str; 4] = ["ssh", "local", "docker", "smart"];

/// The finding for a connection that rplay does not have.
pub fn unknown_connection(name: &str) -> Diagnostic {
    Diagnostic::error(format!("the connection plugin '{name}' was not found: rplay has ssh, local and docker"))
        .label("unknown connection")
        .suggest(name, CONNECTIONS)
}

/// The finding for a way to become another user that rplay does not have.
pub fn unknown_method(name: &str) -> Diagnostic {
    Diagnostic::error(format!("become method '{name}' is not supported: rplay has sudo, su and doas"))
        .label("unknown method")
        .suggest(name, ["sudo", "su", "doas"])
}

/// The port that a text names.
pub fn port(text: &str) -> Result<u16, Diagnostic> {
    text.trim().parse().ok().filter(|port| *port > 0).ok_or_else(|| {
        Diagnostic::error(format!("'{text}' is not a port"))
            .label("not a port")
            .hint("a port is a number from 1 to 65535")
    })
}

fn ssh(context: &Context, host: &str, reader: &Reader<'_>) -> Result<SshSettings, Unsettled> {
    let defaults = &context.options.connection;
    let words = |text: Option<String>| -> Result<Vec<String>, Unsettled> {
        let text = text.unwrap_or_default();
        let words = crate::playbook::split_words(&text)
            .map_err(|e| Diagnostic::error(format!("ssh arguments: {e}: {text}")))?;
        Ok(words.iter().map(|w| unquote(w.trim())).filter(|w| !w.is_empty()).collect())
    };
    let port = match reader.either(&["ansible_port", "ansible_ssh_port"], "port")? {
        Some(text) => {
            let at = || reader.origin(&["ansible_port", "ansible_ssh_port"], "port");
            Some(port(&text).map_err(|finding| finding.at(at()))?)
        }
        None => defaults.port,
    };
    let checking = reader.var(&["ansible_ssh_host_key_checking", "ansible_host_key_checking"])?;
    let password = reader.text(&["ansible_password", "ansible_ssh_pass", "ansible_ssh_password"])?;
    let key =
        reader.text(&["ansible_private_key_file", "ansible_ssh_private_key_file"])?.or_else(|| defaults.key.clone());
    let or_default = |value: Option<String>, default: &str| value.or_else(|| Some(default.to_owned()));
    Ok(SshSettings {
        executable: reader
            .text(&["ansible_ssh_executable"])?
            .or_else(|| Some(defaults.ssh_executable.clone()).filter(|e| !e.is_empty())),
        host: address(reader, host)?,
        port,
        user: reader.either(&["ansible_user", "ansible_ssh_user"], "remote_user")?.or_else(|| defaults.user.clone()),
        key: key.map(|k| expand_home(&k)),
        password: password.or_else(|| defaults.passwords.connection.as_ref().map(|t| t.as_str().to_owned())),
        check_host_key: checking.as_ref().and_then(to_bool).unwrap_or(defaults.check_host_key),
        args: Some(words(reader.text(&["ansible_ssh_args"])?.or_else(|| defaults.ssh_args.clone()))?),
        common_args: words(or_default(reader.text(&["ansible_ssh_common_args"])?, &defaults.common_args))?,
        extra_args: words(or_default(reader.text(&["ansible_ssh_extra_args"])?, &defaults.extra_args))?,
        timeout: defaults.timeout.max(1),
    })
}

/// The address: a task's host without one has its name in `ansible_host`, which does not outdo the
/// older name of the variable.
fn address(reader: &Reader<'_>, host: &str) -> Result<String, Unsettled> {
    let newer = reader.text(&["ansible_host"])?.filter(|address| address != host);
    let older = || reader.text(&["ansible_ssh_host"]);
    Ok(newer.map_or_else(older, |address| Ok(Some(address)))?.unwrap_or_else(|| host.to_owned()))
}

/// `~/…` and `~user/…`, as a shell reads it.
pub fn expand_home(path: &str) -> String {
    sys::expand_home(path, std::env::var("HOME").ok())
}

/// A word without its shell quotes.
fn unquote(word: &str) -> String {
    let mut out = String::new();
    let mut quote = None;
    for c in word.chars() {
        match (c, quote) {
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(q)) if c == q => quote = None,
            _ => out.push(c),
        }
    }
    out
}

fn escalation(context: &Context, reader: &Reader<'_>) -> Result<Option<Become>, Unsettled> {
    let defaults = &context.options.connection;
    let wanted = match reader.var(&["ansible_become"])? {
        Some(value) => Some(value),
        None => reader.keyword("become")?,
    };
    let wanted = match &wanted {
        Some(value) => to_bool(value).ok_or_else(|| {
            Diagnostic::error("`become` takes a truth value").at(reader.origin(&["ansible_become"], "become"))
        })?,
        None => defaults.escalate,
    };
    if !wanted {
        return Ok(None);
    }
    let name = reader.either(&["ansible_become_method"], "become_method")?;
    let name = name.or_else(|| defaults.become_method.clone()).unwrap_or_else(|| "sudo".to_owned());
    let method = Method::parse(&name)
        .ok_or_else(|| unknown_method(&name).at(reader.origin(&["ansible_become_method"], "become_method")))?;
    let specific = |what: &str| format!("ansible_{}_{what}", method.name());
    let either =
        |what: &str| reader.either(&[&format!("ansible_become_{what}"), &specific(what)], &format!("become_{what}"));
    let user = either("user")?.or_else(|| defaults.become_user.clone());
    let chdir = if method == Method::Sudo { reader.text(&["ansible_sudo_chdir"])? } else { None };
    let password =
        reader.text(&["ansible_become_password", "ansible_become_pass", &specific("pass"), &specific("password")])?;
    Ok(Some(Become {
        method,
        exe: either("exe")?.or_else(|| defaults.become_exe.clone()),
        flags: either("flags")?.or_else(|| defaults.become_flags.clone()),
        chdir,
        user: user.unwrap_or_else(|| "root".to_owned()),
        password: password.or_else(|| defaults.passwords.escalation.as_ref().map(|t| t.as_str().to_owned())),
    }))
}
