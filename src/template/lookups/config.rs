//! `config`: settings by their names in Ansible, also those of plugins.

use super::options::Options;
use super::plugin_settings::ALL;
use super::terms;
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
        if !ALL.iter().any(|known| known.kind == kind && known.plugin == name) {
            let error = Error::new(format!("Unable to load {kind} plugin '{name}'."));
            return Err(error.hint("the settings of ssh, sh, sudo, su, default, url and config are known here"));
        }
        Ok(Some(Self { kind, name }))
    }

    /// What a setting is on this host, and what has set it: a variable, the configuration or nothing.
    fn setting(&self, ev: &mut Eval, option: &str) -> R<Option<(Val, String)>> {
        let mut own = ALL.iter().filter(|known| known.kind == self.kind && known.plugin == self.name);
        let Some(known) = own.find(|known| known.option == option) else { return Ok(None) };
        for var in known.vars {
            let scope = std::sync::Arc::clone(&ev.scope);
            if let Some(value) = scope.find(ev, var)? {
                return Ok(Some((value.defined()?, format!("var: {var}"))));
            }
        }
        let set = ev.engine.outside.setting(known.setting).filter(|(value, _)| !value.is_null());
        let (value, by) = set.unwrap_or_else(|| (known.default(), "default".to_owned()));
        Ok(Some((ev.read(&value, None)?, by)))
    }
}

pub(super) fn config(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let options = Options::of("config", args);
    let missing = options.str(ev, "on_missing", "error")?;
    if !matches!(missing.as_str(), "error" | "warn" | "skip") {
        let words = format!("Invalid value '{missing}' for config 'on_missing' for 'config' lookup plugin.");
        return Err(Error::new(words).hint("it is one of `error`, `warn` and `skip`"));
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
            Some(plugin) => plugin.setting(ev, &name)?,
            None => match ev.engine.outside.setting(&name) {
                Some((value, by)) => Some((ev.read(&value, None)?, by)),
                None => None,
            },
        };
        let whose = plugin.as_ref().map_or_else(String::new, |p| format!(" for '{}' {} plugin", p.name, p.kind));
        let words = format!("No config definition exists for '{name}'{whose}.");
        match found {
            Some((value, by)) => out.push(if origin { Val::tuple(vec![value, Val::str(by)]) } else { value }),
            None if missing == "error" => return Err(Error::new(words)),
            None if missing == "warn" => ev.warn(format!("Skipping {name}: {words}")),
            None => {}
        }
    }
    Ok(out)
}
