//! `docker_container_copy_into`: a file of the host, or text, into a container.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::engine::{Engine, EngineArgs, Kind, at, escape, escape_path, text_at};
use crate::args;
use crate::model::{Diff, Failure, FileKind, Map, TextDiff, Value};
use crate::module;
use crate::module::{Arguments, Done, FromArg, Module, Path, Plan, ReturnSpec, Run, Step};
use crate::modules::json;
use crate::modules::tar;
use crate::sys::Probe;
use crate::sys::http::Body;

/// Links followed in a container before a path is taken to be a loop.
const MAX_LINKS: usize = 40;

args! {
    /// Arguments of `docker_container_copy_into`.
    pub struct CopyInto {
        /// The container.
        [required]
        container: String,
        /// Where in the container, from the root.
        [required]
        container_path: String,
        /// A file on the host.
        path: Option<Path>,
        /// The content itself.
        content: Option<String>,
        /// Whether `content` is in base64.
        content_is_b64: bool = false,
        /// Follow links in the container.
        follow: bool = false,
        /// Follow a link that `path` is.
        local_follow: bool = true,
        /// true: write in any case; false: only where nothing is; else where it differs.
        force: Option<bool>,
        /// The owner's id in the container; its user's when not given.
        owner_id: Option<i64>,
        /// The group's id in the container.
        group_id: Option<i64>,
        /// Permission bits; the file's when not given.
        mode: Option<Value>,
        /// How `mode` is read.
        [choices "legacy" "modern" "octal_string_only"]
        mode_parse: String = "legacy".to_owned();
        ..engine: EngineArgs,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "docker_container_copy_into",
    aliases: &[],
    collection: super::COLLECTION,
    kind: module::Kind::State,
    doc: "Copy a file into a Docker container.",
    args: CopyInto::specs,
    free_form: None,
    any_args: false,
    asks_others: true,
    returns: &[ReturnSpec { name: "container_path", doc: "Where it is in the container." }],
    run: Run::Target(plan),
};

impl CopyInto {
    fn check(&self) -> Result<(), Failure> {
        let wrong = match (&self.path, &self.content) {
            (Some(_), Some(_)) => "parameters are mutually exclusive: path|content",
            (None, None) => "one of the following is required: path, content",
            (None, Some(_)) if self.mode.is_none() => "missing parameter(s) required by 'content': mode",
            _ if self.owner_id.is_some() != self.group_id.is_some() => {
                "parameters are required together: owner_id, group_id"
            }
            _ => return Ok(()),
        };
        Err(Failure::new(wrong))
    }

    /// The mode, as `mode_parse` says it is written.
    fn mode(&self) -> Result<Option<u32>, Failure> {
        let Some(value) = &self.mode else { return Ok(None) };
        let wrong = |why: &str| Failure::new(format!("Error while parsing 'mode': {why}"));
        let octal = |text: &str| {
            u32::from_str_radix(text.trim_start_matches("0o"), 8).map_err(|_| wrong("must be an octal number"))
        };
        let mode = match (&*self.mode_parse, value.as_str()) {
            ("modern" | "octal_string_only", Some(text)) => octal(text)?,
            ("octal_string_only", None) => return Err(wrong("must be an octal string")),
            _ => u32::try_from(i64::from_arg(value).map_err(|e| wrong(&e))?)
                .map_err(|_| wrong("must not be negative"))?,
        };
        Ok(Some(mode & 0o7777))
    }
}

/// What is at a path in the container.
struct There {
    entry: tar::Entry,
}

/// Reads a path in the container: what it is, and its content.
fn look(engine: &Engine, host: &Probe<'_>, container: &str, path: &str) -> Result<Option<There>, Failure> {
    let query = format!("/containers/{}/archive?path={}", escape_path(container), escape(path));
    let head = engine.head(host, &query)?;
    if head.status == 404 {
        return Ok(None);
    }
    if !head.is_success() {
        return Err(engine.failure("Error looking into the container", &query, &head));
    }
    let stat = head.header("x-docker-container-path-stat").and_then(|text| STANDARD.decode(text).ok());
    let stat = stat.and_then(|bytes| json::parse(&String::from_utf8_lossy(&bytes))).unwrap_or_default();
    // Go's bits: a directory, a link.
    let bits = at(&stat, &["mode"]).as_int().unwrap_or(0);
    if bits & (1 << 31) != 0 {
        let entry = tar::Entry { path: path.to_owned(), mode: 0, uid: 0, gid: 0, mtime: 0, kind: tar::Kind::Directory };
        return Ok(Some(There { entry }));
    }
    if bits & (1 << 27) != 0 {
        let kind = tar::Kind::Link(text_at(&stat, &["linkTarget"]).to_owned());
        let entry = tar::Entry { path: path.to_owned(), mode: 0o777, uid: 0, gid: 0, mtime: 0, kind };
        return Ok(Some(There { entry }));
    }
    let reply = engine.raw(host, &query)?;
    if !reply.is_success() {
        return Err(engine.failure("Error reading from the container", &query, &reply));
    }
    Ok(tar::read(&reply.body).into_iter().next().map(|entry| There { entry }))
}

/// The ids of the container's user, as its own files know them.
fn user(engine: &Engine, host: &Probe<'_>, args: &CopyInto, container: &Value) -> Result<(u32, u32), Failure> {
    let id = |n: i64| u32::try_from(n).map_err(|_| Failure::new("owner_id and group_id must not be negative"));
    if let (Some(uid), Some(gid)) = (args.owner_id, args.group_id) {
        return Ok((id(uid)?, id(gid)?));
    }
    let text = text_at(container, &["Config", "User"]);
    let (user, group) = text.split_once(':').unwrap_or((text, ""));
    let file = |path: &str| -> Result<String, Failure> {
        Ok(match look(engine, host, &args.container, path)?.map(|t| t.entry.kind) {
            Some(tar::Kind::File(bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
            _ => String::new(),
        })
    };
    let field = |line: &str, n: usize| line.split(':').nth(n).and_then(|f| f.parse::<u32>().ok());
    let (mut uid, mut gid) = (user.parse().ok().or_else(|| user.is_empty().then_some(0)), None);
    if uid != Some(0) {
        let passwd = file("/etc/passwd")?;
        let mine = |l: &&str| l.split(':').next() == Some(user) || (uid.is_some() && field(l, 2) == uid);
        let line = passwd.lines().find(mine).unwrap_or_default().to_owned();
        gid = field(&line, 3);
        uid = uid.or_else(|| field(&line, 2));
    }
    if !group.is_empty() {
        let groups = if group.parse::<u32>().is_ok() { String::new() } else { file("/etc/group")? };
        let named = || groups.lines().find(|l| l.split(':').next() == Some(group)).and_then(|l| field(l, 2));
        gid = group.parse().ok().or_else(named);
    }
    match uid {
        Some(uid) => Ok((uid, gid.unwrap_or(0))),
        None => Err(Failure::new(format!("Cannot determine the ids of the container's user '{text}'"))),
    }
}

/// The path with links in the container followed.
fn followed(engine: &Engine, host: &Probe<'_>, args: &CopyInto) -> Result<(String, Option<There>), Failure> {
    let mut path = format!("/{}", args.container_path.trim_start_matches('/'));
    for _ in 0..MAX_LINKS {
        let there = look(engine, host, &args.container, &path)?;
        match there.as_ref().map(|t| &t.entry.kind) {
            Some(tar::Kind::Link(target)) if args.follow => {
                let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
                path = if target.starts_with('/') { target.clone() } else { format!("{dir}/{target}") };
            }
            _ => return Ok((path, there)),
        }
    }
    Err(Failure::new(format!("too many levels of symbolic links in the container: {}", args.container_path)))
}

/// What is to be written, its mode, and when it was changed.
fn source(args: &CopyInto, host: &Probe<'_>) -> Result<(tar::Kind, u32, i64), Failure> {
    if let Some(text) = &args.content {
        let bytes = if args.content_is_b64 {
            let decoded = STANDARD.decode(text.split_whitespace().collect::<String>());
            decoded.map_err(|e| Failure::new(format!("Cannot Base64 decode the content option: {e}")))?
        } else {
            text.clone().into_bytes()
        };
        return Ok((tar::Kind::File(bytes), 0o644, crate::sys::clock::now().secs));
    }
    let path = args.path.as_ref().map(|p| p.0.clone()).unwrap_or_default();
    let stat = if args.local_follow { host.stat(&path)? } else { host.lstat(&path)? };
    let Some(stat) = stat else {
        return Err(Failure::missing(format!("Cannot find local file {path}")));
    };
    match stat.kind {
        FileKind::File => Ok((tar::Kind::File(host.read(&path)?), stat.mode, stat.mtime.secs)),
        FileKind::Link => {
            let target = host.read_link(&path)?.display().to_string();
            Ok((tar::Kind::Link(target), 0o777, stat.mtime.secs))
        }
        _ => Err(Failure::new(format!("Local path {path} is not a symbolic link or file"))),
    }
}

fn plan(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = CopyInto::parse(args)?;
    args.check()?;
    let mode = args.mode()?;
    let engine = Engine::connect(&args.engine, host)?;
    let Some(container) = engine.find(host, Kind::Container, &args.container)? else {
        return Err(Failure::missing(format!("Could not find container \"{}\"", args.container)));
    };
    if super::engine::is_planned(&container) {
        return Err(Failure::unknown(format!("the container {} is only planned", args.container)));
    }
    let (kind, own_mode, mtime) = source(&args, host)?;
    let (uid, gid) = user(&engine, host, &args, &container)?;
    let (path, there) = followed(&engine, host, &args)?;
    let mut plan = Plan::new().with("container_path", path.as_str());
    if matches!(there.as_ref().map(|t| &t.entry.kind), Some(tar::Kind::Directory)) {
        return Err(Failure::new(format!("{path} in the container is a directory")));
    }
    let mode = if matches!(kind, tar::Kind::Link(_)) { 0o777 } else { mode.unwrap_or(own_mode) };
    let name = path.rsplit('/').next().unwrap_or_default().to_owned();
    let wanted = tar::Entry { path: name, mode, uid, gid, mtime, kind };
    let same = there.as_ref().is_some_and(|t| {
        let link = matches!(wanted.kind, tar::Kind::Link(_));
        let about = |e: &tar::Entry| (e.mode, e.uid, e.gid);
        t.entry.kind == wanted.kind && (link || about(&t.entry) == about(&wanted))
    });
    let needed = match args.force {
        Some(true) => true,
        Some(false) => there.is_none(),
        None => !same,
    };
    if needed {
        plan.step(write(&args, engine, &path, there.as_ref().map(|t| &t.entry), wanted));
    }
    Ok(plan)
}

fn write(args: &CopyInto, engine: Engine, path: &str, before: Option<&tar::Entry>, wanted: tar::Entry) -> Step {
    let subject = format!("{}:{path}", args.container);
    let mut diffs = vec![Diff::Text(text_diff(&subject, before, &wanted))];
    let row = |name: &str, text: fn(&tar::Entry) -> String| {
        let (was, is) = (before.map(text).unwrap_or_default(), text(&wanted));
        (was != is).then(|| (name.to_owned(), was, is))
    };
    let rows = [
        row("mode", |e| format!("{:04o}", e.mode)),
        row("owner_id", |e| e.uid.to_string()),
        row("group_id", |e| e.gid.to_string()),
    ];
    let rows: Vec<_> = rows.into_iter().flatten().collect();
    if !rows.is_empty() {
        diffs.push(super::differs(subject, rows));
    }
    let dir = path.rsplit_once('/').map_or("/", |(dir, _)| if dir.is_empty() { "/" } else { dir }).to_owned();
    let container = args.container.clone();
    let mut step = Step::action([], move |host| {
        let query =
            format!("/containers/{}/archive?path={}&noOverwriteDirNonDir=true", escape_path(&container), escape(&dir));
        let body = Body::Parts("application/x-tar", tar::parts(vec![wanted]));
        let reply = engine.request(host, "PUT", &query, Vec::new(), body)?;
        if reply.is_success() {
            return Ok(Done::default());
        }
        Err(engine.failure(&format!("Error copying into {container}"), &query, &reply))
    });
    for diff in diffs {
        step = step.diff(diff);
    }
    step
}

fn text_diff(subject: &str, before: Option<&tar::Entry>, wanted: &tar::Entry) -> TextDiff {
    let bytes = |entry: Option<&tar::Entry>| match entry.map(|e| &e.kind) {
        Some(tar::Kind::File(bytes)) => Some(bytes.clone()),
        Some(tar::Kind::Link(target)) => Some(format!("-> {target}\n").into_bytes()),
        _ => None,
    };
    let (before, after) = (bytes(before), bytes(Some(wanted)));
    let binary = [&before, &after].iter().any(|b| b.as_ref().is_some_and(|b| b.contains(&0)));
    let text = |b: Option<Vec<u8>>| b.filter(|_| !binary).map(|b| String::from_utf8_lossy(&b).into_owned());
    let hidden = binary.then(|| "binary content is not shown".to_owned());
    TextDiff { path: subject.to_owned(), source: None, before: text(before), after: text(after), hidden }
}
