//! `url`: what servers answer.

use super::options::Options;
use super::{plain, terms};
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::templar::boolean;
use crate::template::value::{Args, R, Val};
use crate::template::{Fetch, Redirects};

pub(super) const OPTIONS: &[&str] = &[
    "ca_path",
    "ciphers",
    "follow_redirects",
    "force",
    "force_basic_auth",
    "headers",
    "http_agent",
    "password",
    "split_lines",
    "timeout",
    "unix_socket",
    "unredirected_headers",
    "use_gssapi",
    "use_netrc",
    "use_proxy",
    "username",
    "validate_certs",
];

/// An option that a variable, the environment or ansible.cfg may set as well, by the end of its name there.
fn setting(ev: &mut Eval, options: &Options, name: &str, elsewhere: &str) -> R<Option<Val>> {
    if let Some(given) = options.get(name) {
        return Ok(Some(given.clone()));
    }
    let scope = std::sync::Arc::clone(&ev.scope);
    match scope.find(ev, &format!("ansible_lookup_url_{elsewhere}"))? {
        Some(Val::Undefined(_) | Val::Null) | None => {
            let name = format!("LOOKUP_URL_{}", elsewhere.to_uppercase());
            match ev.engine.outside.setting(&name) {
                Some((value, _)) if !value.is_null() => ev.read(&value, None).map(Some),
                _ => Ok(None),
            }
        }
        found => Ok(found),
    }
}

fn text(ev: &mut Eval, options: &Options, name: &str, elsewhere: &str) -> R<Option<String>> {
    let found = setting(ev, options, name, elsewhere)?;
    let text = found.map(|v| ev.text(&v)).transpose()?;
    Ok(text.filter(|t| !t.is_empty()))
}

fn flag(ev: &mut Eval, options: &Options, name: &str, default: bool) -> R<bool> {
    let words = text(ev, options, name, name)?;
    let wrong = |words: &str| Error::new(format!("the option '{name}' is '{words}', which is no boolean"));
    words.map_or(Ok(default), |words| boolean(&words).ok_or_else(|| wrong(&words)))
}

/// A list; a text is split at commas.
fn list(ev: &mut Eval, options: &Options, name: &str, elsewhere: &str) -> R<Vec<String>> {
    match setting(ev, options, name, elsewhere)? {
        None => Ok(Vec::new()),
        Some(items @ Val::List(_)) => ev.iterate(&items)?.iter().map(|v| ev.text(v)).collect(),
        Some(other) => Ok(ev.text(&other)?.split(',').map(|s| s.trim().to_owned()).filter(|s| !s.is_empty()).collect()),
    }
}

fn request(ev: &mut Eval, options: &Options) -> R<Fetch> {
    let redirects = text(ev, options, "follow_redirects", "follow_redirects")?;
    let timeout = text(ev, options, "timeout", "timeout")?.unwrap_or_else(|| "10".to_owned());
    let mut fetch = Fetch {
        agent: text(ev, options, "http_agent", "agent")?.unwrap_or_else(|| "ansible-httpget".to_owned()),
        timeout: timeout.trim().parse().map_err(|_| Error::new(format!("the timeout '{timeout}' is not a number")))?,
        ca_path: text(ev, options, "ca_path", "ca_path")?,
        unix_socket: text(ev, options, "unix_socket", "unix_socket")?,
        redirects: match redirects.as_deref().unwrap_or("urllib2") {
            "no" | "none" | "False" => Redirects::None,
            "yes" | "all" | "True" | "urllib2" | "safe" => Redirects::All,
            other => {
                return Err(Error::new(format!("follow_redirects: '{other}' is none of all, none, safe, urllib2")));
            }
        },
        gssapi: flag(ev, options, "use_gssapi", false)?,
        netrc: flag(ev, options, "use_netrc", true)?,
        basic: flag(ev, options, "force_basic_auth", false)?,
        user: Some(options.str(ev, "username", "")?).filter(|t| !t.is_empty()),
        password: Some(options.str(ev, "password", "")?).filter(|t| !t.is_empty()),
        ciphers: list(ev, options, "ciphers", "ciphers")?.join(":"),
        once: list(ev, options, "unredirected_headers", "unredir_headers")?,
        proxy: options.bool(ev, "use_proxy", true)?,
        verify: options.bool(ev, "validate_certs", true)?,
        ..Fetch::default()
    };
    if flag(ev, options, "force", false)? {
        fetch.headers.push(("Cache-Control".to_owned(), "no-cache".to_owned()));
    }
    match options.get("headers") {
        None => {}
        Some(Val::Map(map)) => {
            for (name, value) in map.all(ev)? {
                fetch.headers.push((name.to_string(), ev.text(&value)?));
            }
        }
        Some(other) => return Err(Error::new(format!("the headers are a {}, not a dict", other.type_name()))),
    }
    Ok(fetch)
}

pub(super) fn url(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    ev.own_turn()?;
    let options = Options::of("url", args);
    let mut fetch = request(ev, &options)?;
    let split = options.bool(ev, "split_lines", true)?;
    let mut out = Vec::new();
    for url in terms(ev, args)? {
        fetch.url = url;
        let body = ev.engine.outside.fetch(&fetch).map_err(Error::new)?;
        let body = String::from_utf8_lossy(&body);
        if split { out.extend(body.lines().map(plain)) } else { out.push(plain(&*body)) }
    }
    Ok(out)
}
