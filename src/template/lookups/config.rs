//! `config`: settings by their names in Ansible.

use super::options::Options;
use super::terms;
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::value::{Args, R, Val};

pub(super) fn config(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let options = Options::of("config", args);
    options.refuse(&["plugin_type", "plugin_name"])?;
    let missing = options.str(ev, "on_missing", "error")?;
    if !matches!(missing.as_str(), "error" | "warn" | "skip") {
        return Err(Error::new(format!(
            "\"on_missing\" must be a string and one of \"error\", \"warn\" or \"skip\", not {missing}"
        )));
    }
    let origin = options.bool(ev, "show_origin", false)?;
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
        match ev.engine.outside.setting(&name) {
            Some((value, by)) => {
                let value = ev.read(&value, None)?;
                out.push(if origin { Val::tuple(vec![value, Val::str(by)]) } else { value });
            }
            None if missing == "error" => {
                return Err(Error::new(format!("No config definition exists for '{name}'.")));
            }
            None => {}
        }
    }
    Ok(out)
}
