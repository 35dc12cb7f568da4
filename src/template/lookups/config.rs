//! `config`: settings by their names in Ansible, also those of plugins.

use super::options::Options;
use super::terms;
use crate::model::Value;
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::value::{Args, R, Val};

pub(super) const OPTIONS: &[&str] = &["on_missing", "plugin_name", "plugin_type", "show_origin"];

/// Kinds of plugins that have settings.
const TYPES: [&str; 12] = [
    "become",
    "cache",
    "callback",
    "cliconf",
    "connection",
    "httpapi",
    "inventory",
    "lookup",
    "netconf",
    "shell",
    "strategy",
    "vars",
];

/// Settings of plugins: their type, name, option, and the setting here that is the same.
const PLUGINS: &[(&str, &str, &str, &str)] = &[
    ("connection", "ssh", "remote_user", "REMOTE_USER"),
    ("connection", "ssh", "port", "REMOTE_PORT"),
    ("connection", "ssh", "private_key_file", "PRIVATE_KEY_FILE"),
    ("connection", "ssh", "host_key_checking", "HOST_KEY_CHECKING"),
    ("connection", "ssh", "timeout", "TIMEOUT"),
    ("connection", "ssh", "ssh_executable", "SSH_EXECUTABLE"),
    ("connection", "ssh", "ssh_args", "SSH_ARGS"),
    ("connection", "ssh", "ssh_common_args", "SSH_COMMON_ARGS"),
    ("connection", "ssh", "ssh_extra_args", "SSH_EXTRA_ARGS"),
    ("connection", "ssh", "control_path", "SSH_CONTROL_PATH"),
    ("connection", "ssh", "control_path_dir", "SSH_CONTROL_PATH_DIR"),
    ("connection", "ssh", "reconnection_retries", "SSH_RETRIES"),
    ("become", "sudo", "become_user", "BECOME_USER"),
    ("become", "sudo", "become_exe", "BECOME_EXE"),
    ("become", "sudo", "become_flags", "BECOME_FLAGS"),
    ("become", "su", "become_user", "BECOME_USER"),
    ("become", "su", "become_exe", "BECOME_EXE"),
    ("become", "su", "become_flags", "BECOME_FLAGS"),
    ("callback", "default", "display_skipped_hosts", "DISPLAY_SKIPPED_HOSTS"),
    ("callback", "default", "display_ok_hosts", "DISPLAY_OK_HOSTS"),
    ("callback", "default", "show_custom_stats", "SHOW_CUSTOM_STATS"),
    ("lookup", "url", "http_agent", "LOOKUP_URL_AGENT"),
    ("lookup", "url", "ca_path", "LOOKUP_URL_CA_PATH"),
    ("lookup", "url", "timeout", "LOOKUP_URL_TIMEOUT"),
    ("lookup", "url", "force", "LOOKUP_URL_FORCE"),
    ("lookup", "url", "follow_redirects", "LOOKUP_URL_FOLLOW_REDIRECTS"),
];

/// Whose settings are asked for.
struct Plugin {
    kind: String,
    name: String,
}

impl Plugin {
    fn of(ev: &mut Eval, options: &Options) -> R<Option<Self>> {
        let (kind, name) = (options.str(ev, "plugin_type", "")?, options.str(ev, "plugin_name", "")?);
        if kind.is_empty() && name.is_empty() {
            return Ok(None);
        }
        if kind.is_empty() || name.is_empty() {
            return Err(Error::new("Both plugin_type and plugin_name are required, cannot use one without the other."));
        }
        if !TYPES.contains(&kind.as_str()) {
            return Err(Error::new(format!(
                "Invalid value '{kind}' for config 'plugin_type' for 'config' lookup plugin."
            )));
        }
        let name = name.rsplit('.').next().unwrap_or(&name).to_owned();
        if !PLUGINS.iter().any(|(k, n, ..)| *k == kind && *n == name) {
            let error = Error::new(format!("Unable to load {kind} plugin '{name}'."));
            return Err(error.hint("the settings of ssh, sudo, su, default and url are known here"));
        }
        Ok(Some(Self { kind, name }))
    }

    fn setting(&self, ev: &Eval, option: &str) -> Option<(Value, String)> {
        let mut all = PLUGINS.iter().filter(|(kind, name, ..)| *kind == self.kind && *name == self.name);
        let (.., setting) = all.find(|(_, _, known, _)| *known == option)?;
        ev.engine.outside.setting(setting)
    }
}

pub(super) fn config(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let options = Options::of("config", args);
    let missing = options.str(ev, "on_missing", "error")?;
    if !matches!(missing.as_str(), "error" | "warn" | "skip") {
        return Err(Error::new(format!(
            "\"on_missing\" must be a string and one of \"error\", \"warn\" or \"skip\", not {missing}"
        )));
    }
    let origin = options.bool(ev, "show_origin", false)?;
    let plugin = Plugin::of(ev, &options)?;
    let mut out = Vec::new();
    for term in &args.pos {
        if !matches!(term, Val::Str(_)) {
            let (shown, kind) = (ev.text(term)?, term.type_name());
            return Err(Error::new(format!(
                "Invalid setting identifier, \"{shown}\" is not a string, its a <class '{kind}'>"
            )));
        }
    }
    for name in terms(ev, args)? {
        let found = match &plugin {
            Some(plugin) => plugin.setting(ev, &name),
            None => ev.engine.outside.setting(&name),
        };
        let whose = plugin.as_ref().map_or_else(String::new, |p| format!(" for '{}' {} plugin", p.name, p.kind));
        let words = format!("No config definition exists for '{name}'{whose}.");
        match found {
            Some((value, by)) => {
                let value = ev.read(&value, None)?;
                out.push(if origin { Val::tuple(vec![value, Val::str(by)]) } else { value });
            }
            None if missing == "error" => return Err(Error::new(words)),
            None if missing == "warn" => ev.warn(format!("Skipping {name}: {words}")),
            None => {}
        }
    }
    Ok(out)
}
