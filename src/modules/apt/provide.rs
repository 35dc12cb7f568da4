//! What packages bring, read out of them before they are installed: with that a dry run
//! can tell what later tasks will find.

use std::path::PathBuf;

use super::tool::{Change, Tool};
use crate::model::{Command, FileKind, Reason};
use crate::modules::tar::{self, Entry, Kind};
use crate::sys::{Content, Effect, Probe};

/// Packages of more bytes than this together are not fetched for a dry run.
const MAX_DOWNLOAD: u64 = 40 << 20;

/// Files above this size are not shown or edited by anybody; their content is left unknown.
const MAX_CONTENT: usize = 256 << 10;

/// Where nothing lies that another task would look for.
const IGNORED: &[&str] =
    &["/usr/share/doc", "/usr/share/man", "/usr/share/locale", "/usr/share/info", "/usr/share/lintian", "/usr/include"];

/// The effects of what apt announced.
pub(super) fn effects(tool: &Tool<'_>, words: &[String], changes: &[Change]) -> Vec<Effect> {
    let mut effects = Vec::new();
    for change in changes {
        if change.version.is_none() {
            removed(tool.host, &change.name, tool.args.purge, &mut effects);
        }
        effects.push(Effect::Package { name: change.name.clone(), version: change.version.clone() });
    }
    let new: Vec<&str> = changes.iter().filter(|c| c.version.is_some()).map(|c| c.name.as_str()).collect();
    if new.is_empty() {
        return effects;
    }
    if let Some(debs) = fetch(tool, words) {
        let (mut shipped, mut scripts) = (Vec::new(), String::new());
        for deb in &debs {
            shipped.extend(unpack(tool.host, deb, &mut effects));
            scripts.push_str(&deb.script("/postinst"));
        }
        // One package's script may start what another one ships.
        effects.extend(units(&shipped, &scripts, starts_services(tool)));
    }
    // Users, alternatives, generated files: what maintainer scripts make is theirs to know.
    let what = if let [one] = new.as_slice() {
        format!("package {one} was")
    } else {
        format!("packages {} were", new.join(", "))
    };
    effects.push(Effect::MayProvide(format!("{what} not installed").into()));
    effects
}

/// Fetches the packages into a private directory and returns (data, control) archives.
fn fetch(tool: &Tool<'_>, words: &[String]) -> Option<Vec<Deb>> {
    let asked = |extra: &[&str]| {
        let mut all: Vec<String> = extra.iter().map(|w| (*w).to_owned()).collect();
        all.extend(words.iter().cloned());
        tool.host.query(&tool.reading("apt-get", &all)).ok().filter(crate::model::Output::success)
    };
    let uris = asked(&["-y", "-qq", "-o", "Debug::NoLocking=1", "--print-uris"])?.stdout_text();
    let sizes = uris.lines().filter_map(|l| l.split_whitespace().nth(2)?.parse::<u64>().ok());
    if sizes.sum::<u64>() > MAX_DOWNLOAD {
        return None;
    }
    let scratch = tool.host.scratch_dir().ok()?;
    let archives = scratch.dir("archives").ok()?;
    scratch.dir("archives/partial").ok()?;
    let place = format!("Dir::Cache::archives={archives}/");
    asked(&[
        "-y",
        "-qq",
        "-o",
        "Debug::NoLocking=1",
        "-o",
        "APT::Sandbox::User=root",
        "-o",
        &place,
        "--download-only",
    ])?;
    let names = tool.host.names(&archives);
    let local = words.iter().filter(|w| w.ends_with(".deb") && w.contains('/')).cloned();
    let files = names.iter().filter(|n| n.ends_with(".deb")).map(|n| format!("{archives}/{n}")).chain(local);
    Some(files.filter_map(|file| open(tool.host, &file)).collect())
}

/// A package's content.
struct Deb {
    name: String,
    data: Vec<Entry>,
    control: Vec<Entry>,
}

impl Deb {
    /// A maintainer's script; empty where there is none.
    fn script(&self, path: &str) -> String {
        let entry = self.control.iter().find(|e| e.path == path).map(|e| &e.kind);
        let Some(Kind::File(bytes)) = entry else { return String::new() };
        String::from_utf8_lossy(bytes).into_owned() + "\n"
    }
}

fn open(host: &Probe<'_>, file: &str) -> Option<Deb> {
    let archive = |option: &str| {
        let out = host.query(&Command::new("dpkg-deb").args([option, file])).ok()?;
        out.success().then(|| tar::read(&out.stdout))
    };
    let name = file.rsplit('/').next()?.split('_').next()?.to_owned();
    Some(Deb { name, data: archive("--fsys-tarfile")?, control: archive("--ctrl-tarfile")? })
}

fn is_unit(path: &str) -> bool {
    path.contains("/systemd/system/") && !path.ends_with(".conf") && !path.contains(".wants/")
}

/// Adds what is in a package to the effects, as far as it is not there; returns its units.
fn unpack(host: &Probe<'_>, deb: &Deb, effects: &mut Vec<Effect>) -> Vec<String> {
    let why: Reason = format!("content of package {}", deb.name).into();
    let mut shipped = Vec::new();
    for entry in &deb.data {
        let path = entry.path.as_str();
        if path == "/" || IGNORED.iter().any(|dir| path.starts_with(dir)) {
            continue;
        }
        if is_unit(path) {
            shipped.extend(path.rsplit('/').next().map(str::to_owned));
        }
        // What is there stays: a conffile is kept as it was changed, and anything else
        // that a package overwrites is content nobody is known to care for.
        if host.lstat(path).ok().flatten().is_some() {
            continue;
        }
        effects.extend(effect(entry, &why, deb));
    }
    shipped
}

fn effect(entry: &Entry, why: &Reason, deb: &Deb) -> Option<Effect> {
    let path = PathBuf::from(&entry.path);
    let (mode, uid, gid) = (entry.mode, entry.uid, entry.gid);
    let shown = entry.path.starts_with("/etc/") || is_unit(&entry.path);
    let content = |bytes: &Vec<u8>| {
        if shown && bytes.len() <= MAX_CONTENT {
            Content::Bytes(bytes.as_slice().into())
        } else {
            Content::Unknown(why.clone())
        }
    };
    Some(match &entry.kind {
        Kind::File(bytes) => Effect::File { path, content: content(bytes), mode, uid, gid, in_place: false },
        Kind::Directory => Effect::Directory { path, mode, uid, gid },
        Kind::Link(target) => Effect::Link { path, target: target.into() },
        Kind::HardLink(target) => {
            let original = deb.data.iter().find(|e| e.path == *target)?;
            let Kind::File(bytes) = &original.kind else { return None };
            Effect::File { path, content: content(bytes), mode, uid, gid, in_place: false }
        }
        Kind::FileFrom(..) | Kind::Pipe | Kind::Other => return None,
    })
}

/// Units that a package ships, as its script for after the installation leaves them.
fn units(shipped: &[String], script: &str, starts: bool) -> Vec<Effect> {
    let full = |word: &str| {
        let name = word.trim_matches(['\'', '"', ';']);
        if name.contains('.') { name.to_owned() } else { format!("{name}.service") }
    };
    let (mut enabled, mut active) = (Vec::new(), Vec::new());
    for line in script.lines().map(str::trim).filter(|l| !l.starts_with('#') && !l.contains("--user")) {
        let words: Vec<&str> = line.split_whitespace().collect();
        for (i, word) in words.iter().enumerate() {
            let (next, after) = (words.get(i + 1).copied().unwrap_or_default(), words.get(i + 2..).unwrap_or_default());
            match *word {
                "deb-systemd-helper" if next == "enable" => enabled.extend(after.iter().map(|w| full(w))),
                "deb-systemd-invoke" => active.extend(after.iter().map(|w| full(w))),
                "invoke-rc.d" => active.push(full(if next.starts_with('-') {
                    after.first().copied().unwrap_or_default()
                } else {
                    next
                })),
                _ => {}
            }
        }
    }
    shipped
        .iter()
        .filter(|name| !name.contains("@."))
        .map(|name| Effect::Unit {
            name: name.clone(),
            active: Some(starts && active.contains(name)),
            enabled: Some(enabled.contains(name)),
        })
        .collect()
}

/// Whether packages may start their services (policy-rc.d, and an init that runs).
fn starts_services(tool: &Tool<'_>) -> bool {
    let forbids = |code: i64| code == 101 || code == 104;
    match tool.args.policy_rc_d {
        Some(code) => !forbids(code),
        None => !tool.host.text("/usr/sbin/policy-rc.d").is_some_and(|t| t.contains("exit 101")),
    }
}

/// Adds what goes with a removed package; its configuration stays unless it is purged.
fn removed(host: &Probe<'_>, name: &str, purge: bool, effects: &mut Vec<Effect>) {
    let info = |kind: &str| host.text(format!("/var/lib/dpkg/info/{name}.{kind}"));
    let Some(list) = info("list") else { return };
    let kept = if purge { String::new() } else { info("conffiles").unwrap_or_default() };
    for path in list.lines().filter(|p| !kept.lines().any(|k| k == *p)) {
        let Ok(Some(stat)) = host.lstat(path) else { continue };
        if stat.kind == FileKind::Directory {
            continue;
        }
        if is_unit(path)
            && let Some(unit) = path.rsplit('/').next()
        {
            effects.push(Effect::Unit { name: unit.to_owned(), active: Some(false), enabled: Some(false) });
        }
        effects.push(Effect::Remove { path: path.into() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packages_script_says_which_units_are_enabled_and_started() {
        let script = "if deb-systemd-helper --quiet was-enabled 'a.service'; then\n\tdeb-systemd-helper enable 'a.service' >/dev/null || true\nfi\n\
            deb-systemd-helper --user enable 'u.service'\n deb-systemd-invoke $_dh_action 'a.service' >/dev/null || true\ninvoke-rc.d --skip-systemd-native c start || exit 1\n";
        let shipped = ["a.service", "b.timer", "c.service", "t@.service"].map(str::to_owned);
        let unit = |name: &str, active, enabled| Effect::Unit {
            name: name.to_owned(),
            active: Some(active),
            enabled: Some(enabled),
        };
        let expected = [unit("a.service", true, true), unit("b.timer", false, false), unit("c.service", true, false)];
        assert_eq!(units(&shipped, script, true), expected);
        assert_eq!(units(&shipped[..1], script, false), [unit("a.service", false, true)]);
    }
}
