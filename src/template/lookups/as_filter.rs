//! Lookups that are filters as well: what is piped into those is their first term.

use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::filters;
use crate::template::value::{Args, R, Val};

pub(super) const INDEX_OF: &[&str] = &["data", "test", "value", "key", "fail_on_missing"];
pub(super) const GET_PATH: &[&str] = &["var", "path"];
pub(super) const TO_PATHS: &[&str] = &["var", "prepend"];

fn apply(ev: &mut Eval, args: &Args, name: &str, input: &str) -> R<Val> {
    let filter = filters::find(name).ok_or_else(|| Error::new(format!("no {name}")))?;
    let mut rest = args.clone();
    let at = rest.kw.iter().position(|(option, _)| &**option == input);
    let data = match at {
        Some(at) => rest.kw.swap_remove(at).1,
        None if rest.pos.is_empty() => return Err(Error::new(format!("missing required arguments: {input}"))),
        None => rest.pos.remove(0),
    };
    filter.apply(ev, data, rest)
}

pub(super) fn index_of(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    match apply(ev, args, "ansible.utils.index_of", "data")? {
        many @ Val::List(_) => ev.iterate(&many),
        one => Ok(vec![one]),
    }
}

pub(super) fn get_path(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    apply(ev, args, "ansible.utils.get_path", "var").map(|found| vec![found])
}

pub(super) fn to_paths(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    apply(ev, args, "ansible.utils.to_paths", "var").map(|found| vec![found])
}
