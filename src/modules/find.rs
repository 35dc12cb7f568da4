//! `find`: files that fit a description.

use std::path::{Path as FsPath, PathBuf};

use fancy_regex::Regex;

use super::glob::fnmatch;
use super::stat::{checksum, kinds_and_bits};
use crate::args;
use crate::model::{Cause, Failure, FileKind, Map, ModeSpec, Value, pyregex};
use crate::module::{Arguments, Kind, Module, Path, Plan, ReturnSpec, Run};
use crate::sys::{Probe, Stat, Time, clock};

args! {
    /// Arguments of `find`.
    pub struct Find {
        /// The directories that are searched.
        [required, aliases "name" "path"]
        paths: Vec<Path>,
        /// Patterns, one of which a name must match: those of a shell, or regular expressions.
        [aliases "pattern"]
        patterns: Vec<String> = Vec::new(),
        /// Patterns that a name must not match.
        [aliases "exclude"]
        excludes: Option<Vec<String>>,
        /// A regular expression that a line of the file must begin with.
        contains: Option<String>,
        /// Whether `contains` is looked for anywhere in the whole file.
        read_whole_file: bool = false,
        /// What is looked for.
        [choices "any" "directory" "file" "link"]
        file_type: String = "file".to_owned(),
        /// The least age, as in `3d`; the greatest, when it is negative.
        age: Option<String>,
        /// Which time the age is of.
        [choices "atime" "ctime" "mtime"]
        age_stamp: String = "mtime".to_owned(),
        /// The least size, as in `10m`; the greatest, when it is negative.
        size: Option<String>,
        /// The permissions: octal, or symbolic.
        mode: Option<Value>,
        /// Whether the permissions are to be these exactly; else one of them is enough.
        exact_mode: bool = true,
        /// Whether directories below are searched as well.
        recurse: bool = false,
        /// How far down, with `recurse`.
        depth: Option<i64>,
        /// Whether names that begin with `.` count.
        hidden: bool = false,
        /// Whether links to directories are followed.
        follow: bool = false,
        /// Whether checksums are returned.
        get_checksum: bool = false,
        /// How checksums are made.
        [aliases "checksum" "checksum_algo", choices "md5" "sha1" "sha224" "sha256" "sha384" "sha512"]
        checksum_algorithm: String = "sha1".to_owned(),
        /// Whether patterns are regular expressions (Python's), matched from the beginning of the name.
        use_regex: bool = false,
        /// The greatest number of finds.
        limit: Option<i64>,
        /// The encoding of the files that `contains` looks into; UTF-8 without it.
        encoding: Option<String>,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "find",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::Query,
    doc: "Tell which files fit a description.",
    args: Find::specs,
    free_form: None,
    any_args: false,
    asks_others: false,
    returns: &[
        ReturnSpec { name: "files", doc: "What was found: path, mode, owner, times, size as `stat` tells them." },
        ReturnSpec { name: "matched", doc: "How many were found." },
        ReturnSpec { name: "examined", doc: "How many were looked at." },
        ReturnSpec { name: "skipped_paths", doc: "Directories that were not searched, and why." },
    ],
    run: Run::Target(plan),
};

fn plan(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = Find::parse(args)?;
    let mut search = Search::new(&args, host)?;
    let mut plan = Plan::new();
    let mut skipped = Map::new();
    for path in &args.paths {
        if search.is_full() {
            break;
        }
        let top = FsPath::new(&path.0);
        let done = match host.stat(top)? {
            Some(stat) if top.is_absolute() && stat.kind == FileKind::Directory => search.walk(top),
            _ => Err(Failure::missing(format!("'{}' is not a directory", path.0))),
        };
        let Err(failure) = done else { continue };
        if let Cause::Unknown(_) = failure.cause {
            return Err(failure);
        }
        plan.warn(format!("Skipped '{}' path due to this access issue: {}\n", path.0, failure.message));
        skipped.insert(path.0.as_str(), failure.message);
    }
    if let Some(reason) = host.may_be_provided().filter(|_| search.found.is_empty() || !skipped.is_empty()) {
        return Err(Failure::unknown(reason));
    }
    let words = match (search.is_full(), skipped.is_empty()) {
        (true, _) => "Limit of matches reached",
        (false, true) => "All paths examined",
        (false, false) => "Not all paths examined, check warnings for details",
    };
    Ok(plan
        .with("matched", search.found.len())
        .with("files", Value::list(search.found))
        .with("examined", search.examined)
        .with("skipped_paths", skipped)
        .with("msg", words))
}

/// `3d`, `-10m`: the number in seconds or bytes, by the factors of the letters.
fn amount(text: &str, units: &[(char, i64)]) -> Option<i64> {
    let text = text.trim().to_lowercase();
    let (digits, factor) = match text.chars().last().and_then(|last| units.iter().find(|(unit, _)| *unit == last)) {
        Some((unit, factor)) => (text.strip_suffix(*unit)?, *factor),
        None => (text.as_str(), 1),
    };
    digits.parse::<i64>().ok()?.checked_mul(factor)
}

const AGES: [(char, i64); 5] = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400), ('w', 604_800)];
const SIZES: [(char, i64); 5] = [('b', 1), ('k', 1 << 10), ('m', 1 << 20), ('g', 1 << 30), ('t', 1 << 40)];

/// At least so much, or at most, when it is negative.
fn fits(value: f64, wanted: Option<i64>) -> bool {
    wanted.is_none_or(|wanted| {
        let bound = wanted.unsigned_abs() as f64;
        if wanted >= 0 { value >= bound } else { value <= bound }
    })
}

struct Search<'a> {
    args: &'a Find,
    host: &'a Probe<'a>,
    age: Option<i64>,
    size: Option<i64>,
    now: Time,
    found: Vec<Map>,
    examined: usize,
}

/// What can only be said wrong once something is looked at, as in Ansible.
struct Matchers {
    patterns: Vec<Regex>,
    excludes: Vec<Regex>,
    contains: Option<Regex>,
    mode: Option<u32>,
}

impl<'a> Search<'a> {
    fn new(args: &'a Find, host: &'a Probe<'a>) -> Result<Self, Failure> {
        let read = |name: &str, text: &Option<String>, units: &[(char, i64)]| match text {
            None => Ok(None),
            Some(text) => amount(text, units)
                .map(Some)
                .ok_or_else(|| Failure::new(format!("failed to process {name}")).with(name, text.as_str())),
        };
        if args.limit == Some(0) {
            return Err(Failure::new("limit cannot be 0 (use None for unlimited)"));
        }
        let (age, size) = (read("age", &args.age, &AGES)?, read("size", &args.size, &SIZES)?);
        Ok(Self { args, host, age, size, now: clock::now(), found: Vec::new(), examined: 0 })
    }

    fn is_full(&self) -> bool {
        self.args.limit.is_some_and(|limit| i64::try_from(self.found.len()).is_ok_and(|n| n >= limit && limit > 0))
    }

    fn matchers(&self) -> Result<Matchers, Failure> {
        let compile = |text: &String| pyregex::compile(&format!("\\A(?:{text})"), false, false).map_err(Failure::new);
        let regexes = |texts: &[String]| match self.args.use_regex {
            true => texts.iter().map(compile).collect::<Result<Vec<_>, _>>(),
            false => Ok(Vec::new()),
        };
        let contains = self.args.contains.as_ref().map(|text| match self.args.read_whole_file {
            true => pyregex::compile(text, false, false).map_err(Failure::new),
            false => compile(text),
        });
        Ok(Matchers {
            patterns: regexes(&self.args.patterns)?,
            excludes: regexes(self.args.excludes.as_deref().unwrap_or_default())?,
            contains: contains.transpose()?,
            mode: self.args.mode.as_ref().map(mode).transpose()?,
        })
    }

    /// A directory and, with `recurse`, those below it, from the top down.
    fn walk(&mut self, top: &FsPath) -> Result<(), Failure> {
        let mut todo = vec![(top.to_owned(), 1)];
        let matchers = self.matchers();
        while let Some((dir, depth)) = todo.pop() {
            let names = match self.host.list_dir(&dir) {
                Ok(names) => names,
                // As Ansible: what cannot be listed below the top is passed over.
                Err(_) if depth > 1 => continue,
                Err(failure) => return Err(failure),
            };
            let mut entries = Vec::new();
            for path in names.into_iter().map(|name| dir.join(name)) {
                let Some(stat) = self.host.lstat(&path)? else { continue };
                let is_dir = match stat.kind {
                    FileKind::Directory => true,
                    FileKind::Link => self.host.stat(&path)?.is_some_and(|s| s.kind == FileKind::Directory),
                    _ => false,
                };
                entries.push((is_dir, path, stat));
            }
            self.examined += entries.len();
            if self.args.recurse && self.args.depth.is_some_and(|max| depth > max) {
                continue;
            }
            // Files come before directories.
            entries.sort_by_key(|(is_dir, ..)| *is_dir);
            let matchers = matchers.as_ref().map_err(Clone::clone)?;
            for (_, path, stat) in &entries {
                if self.is_wanted(matchers, path, stat)? {
                    let found = self.describe(path, stat)?;
                    self.found.push(found);
                    if self.is_full() {
                        return Ok(());
                    }
                }
            }
            if self.args.recurse {
                let below = entries
                    .into_iter()
                    .filter(|(is_dir, _, stat)| *is_dir && (self.args.follow || stat.kind == FileKind::Directory))
                    .map(|(_, path, _)| path);
                todo.extend(self.not_above(below.collect()).into_iter().rev().map(|path| (path, depth + 1)));
            }
        }
        Ok(())
    }

    /// Without links that lead to a directory that they are in.
    fn not_above(&self, paths: Vec<PathBuf>) -> Vec<PathBuf> {
        let own = |path: &FsPath| self.host.canonical(path).ok().flatten();
        let above = |path: &PathBuf| {
            let (Some(real), Some(parent)) = (own(path), path.parent().and_then(own)) else { return false };
            !parent.starts_with(real)
        };
        if self.args.follow { paths.into_iter().filter(above).collect() } else { paths }
    }

    fn is_wanted(&self, matchers: &Matchers, path: &FsPath, stat: &Stat) -> Result<bool, Failure> {
        let args = self.args;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') && !args.hidden {
            return Ok(false);
        }
        let right = match args.file_type.as_str() {
            "directory" => stat.kind == FileKind::Directory,
            "link" => stat.kind == FileKind::Link,
            "file" => stat.kind == FileKind::File,
            _ => true,
        };
        let (is_file, is_dir) = (stat.kind == FileKind::File, args.file_type == "directory");
        Ok(right
            && self.is_named(matchers, &name)
            && self.is_aged(stat)
            && (!is_file || fits(stat.size as f64, self.size))
            && (is_dir || matchers.mode.is_none_or(|mode| self.is_permitted(stat.mode, mode)))
            && (args.file_type != "file" || self.contains(matchers, path)?))
    }

    fn is_named(&self, matchers: &Matchers, name: &str) -> bool {
        let fits = |texts: &[String], regexes: &[Regex]| {
            if self.args.use_regex {
                regexes.iter().any(|regex| regex.is_match(name).unwrap_or(false))
            } else {
                texts.iter().any(|pattern| fnmatch(pattern, name))
            }
        };
        let excludes = self.args.excludes.as_deref().unwrap_or_default();
        (self.args.patterns.is_empty() || fits(&self.args.patterns, &matchers.patterns))
            && !fits(excludes, &matchers.excludes)
    }

    fn is_aged(&self, stat: &Stat) -> bool {
        let time = match self.args.age_stamp.as_str() {
            "atime" => stat.atime,
            "ctime" => stat.ctime,
            _ => stat.mtime,
        };
        fits(self.now.as_f64() - time.as_f64(), self.age)
    }

    fn is_permitted(&self, mode: u32, wanted: u32) -> bool {
        if self.args.exact_mode { mode == wanted } else { mode & wanted != 0 }
    }

    fn contains(&self, matchers: &Matchers, path: &FsPath) -> Result<bool, Failure> {
        let Some(regex) = &matchers.contains else { return Ok(true) };
        let bytes = match self.host.read(path) {
            Ok(bytes) => bytes,
            Err(failure) if matches!(failure.cause, Cause::Unknown(_)) => return Err(failure),
            Err(_) => return Ok(false),
        };
        let encoding = self.args.encoding.as_deref().unwrap_or("utf-8");
        let Some(text) = decoded(bytes, encoding)? else {
            let shown = path.display();
            let words =
                format!("Failed to read the file {shown} due to an encoding error. current encoding: {encoding}");
            return Err(Failure::new(words));
        };
        let fits = |text: &str| regex.is_match(text).unwrap_or(false);
        Ok(if self.args.read_whole_file { fits(&text) } else { text.split_inclusive('\n').any(fits) })
    }

    fn describe(&self, path: &FsPath, stat: &Stat) -> Result<Map, Failure> {
        let mut out = Map::from_iter([("path", path.display().to_string())]);
        kinds_and_bits(&mut out, stat);
        out.insert("uid", stat.uid);
        out.insert("gid", stat.gid);
        out.insert("size", stat.size);
        out.insert("inode", stat.inode);
        out.insert("dev", stat.dev);
        out.insert("nlink", stat.nlink);
        for (name, time) in [("atime", stat.atime), ("mtime", stat.mtime), ("ctime", stat.ctime)] {
            out.insert(name, Value::Float(time.as_f64()));
        }
        out.insert("pw_name", self.host.user_by_id(stat.uid).map(|u| u.name).unwrap_or_default());
        out.insert("gr_name", self.host.group_by_id(stat.gid).map(|g| g.name).unwrap_or_default());
        if self.args.get_checksum && stat.kind == FileKind::File {
            let sum = match self.host.read(path) {
                Ok(bytes) => Value::from(checksum(&bytes, &self.args.checksum_algorithm)),
                Err(Failure { cause: Cause::Unknown(reason), .. }) => Value::Unknown(reason),
                Err(_) => Value::Null,
            };
            out.insert("checksum", sum);
        }
        Ok(out)
    }
}

fn mode(value: &Value) -> Result<u32, Failure> {
    match value {
        Value::Int(bits) => u32::try_from(*bits).map_err(|_| Failure::new("mode is out of range")),
        other => {
            let text = other.as_str().unwrap_or_default();
            let spec = ModeSpec::parse(text).map_err(|e| Failure::new(e.to_string()))?;
            Ok(spec.apply(0, false, 0))
        }
    }
}

/// A file's text; nothing when it is not in the encoding.
fn decoded(bytes: Vec<u8>, encoding: &str) -> Result<Option<String>, Failure> {
    let wide = |bytes: &[u8], read: fn([u8; 2]) -> u16| {
        let units = bytes.chunks_exact(2).filter_map(|pair| pair.try_into().ok()).map(read);
        char::decode_utf16(units).collect::<Result<String, _>>().ok()
    };
    Ok(match encoding.to_lowercase().replace('_', "-").as_str() {
        "utf-8" | "utf8" => String::from_utf8(bytes).ok(),
        "ascii" | "us-ascii" => String::from_utf8(bytes).ok().filter(|text| text.is_ascii()),
        "latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" => Some(bytes.into_iter().map(char::from).collect()),
        "utf-16-be" | "utf-16be" => wide(&bytes, u16::from_be_bytes),
        "utf-16-le" | "utf-16le" => wide(&bytes, u16::from_le_bytes),
        "utf-16" | "utf16" => match bytes.get(..2) {
            Some([0xfe, 0xff]) => wide(bytes.get(2..).unwrap_or_default(), u16::from_be_bytes),
            Some([0xff, 0xfe]) => wide(bytes.get(2..).unwrap_or_default(), u16::from_le_bytes),
            _ => wide(&bytes, u16::from_le_bytes),
        },
        other => return Err(Failure::new(format!("unknown encoding: {other}"))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_units() {
        assert_eq!(amount("3d", &AGES), Some(259_200));
        assert_eq!(amount("-2W", &AGES), Some(-1_209_600));
        assert_eq!(amount("10", &SIZES), Some(10));
        assert_eq!(amount("1t", &SIZES), Some(1 << 40));
        assert_eq!(amount("1q", &AGES), None);
        assert_eq!(amount("2 days", &AGES), None);
        assert_eq!(amount("99999999999999t", &SIZES), None);
    }

    #[test]
    fn a_negative_bound_is_the_greatest() {
        assert!(fits(10.0, Some(10)) && fits(11.0, Some(10)) && !fits(9.0, Some(10)));
        assert!(fits(10.0, Some(-10)) && fits(9.0, Some(-10)) && !fits(11.0, Some(-10)));
    }

    #[test]
    fn files_are_read_in_their_encoding() {
        assert_eq!(decoded(vec![0xe9], "latin-1"), Ok(Some("é".to_owned())));
        assert_eq!(decoded(vec![0xe9], "utf-8"), Ok(None));
        assert_eq!(decoded(vec![0xfe, 0xff, 0, 0x61], "UTF-16"), Ok(Some("a".to_owned())));
        assert!(decoded(vec![], "nope").is_err());
    }
}
