//! Facts of the system as such: kernel, names, time, user, keys, Python.

use crate::model::{Command, Failure, Map, Value};
use crate::sys::Probe;

pub(super) fn platform(host: &Probe<'_>) -> Map {
    let kernel = host.kernel();
    let architecture = match kernel.machine.as_str() {
        "i386" | "i486" | "i586" | "i686" => "i386",
        other => other,
    };
    // A 32 bit userland can run on a 64 bit kernel; a program of the host's own says.
    let bits = userspace_bits(host).unwrap_or(if kernel.machine.contains("64") { "64" } else { "32" });
    let userspace = match (architecture, bits) {
        ("x86_64", "32") => "i386",
        (other, _) => other,
    };
    let fqdn = fqdn(host, &kernel.nodename);
    let mut facts = Map::new();
    facts.insert("system", kernel.system);
    facts.insert("kernel", kernel.release);
    facts.insert("kernel_version", kernel.version);
    facts.insert("machine", kernel.machine.as_str());
    facts.insert("nodename", kernel.nodename.as_str());
    facts.insert("hostname", kernel.nodename.split('.').next().unwrap_or_default());
    facts.insert("domain", fqdn.split_once('.').map_or("", |(_, domain)| domain));
    facts.insert("fqdn", fqdn);
    facts.insert("architecture", architecture);
    facts.insert("userspace_architecture", userspace);
    facts.insert("userspace_bits", bits);
    if let Some(id) = host.line("/var/lib/dbus/machine-id").or_else(|| host.line("/etc/machine-id")) {
        facts.insert("machine_id", id.lines().next().unwrap_or_default());
    }
    if let Some(version) = python_version(host) {
        facts.insert("python_version", version);
    }
    facts
}

/// What the ELF header of /bin/sh says.
fn userspace_bits(host: &Probe<'_>) -> Option<&'static str> {
    use std::io::Read;
    let mut head = [0u8; 5];
    std::fs::File::open(host.target("/bin/sh")?).ok()?.read_exact(&mut head).ok()?;
    match head {
        [0x7f, b'E', b'L', b'F', 2] => Some("64"),
        [0x7f, b'E', b'L', b'F', 1] => Some("32"),
        _ => None,
    }
}

/// The name that Python's `getfqdn` finds: the first with a dot among those that the
/// host's own address goes by, else its canonical name.
fn fqdn(host: &Probe<'_>, nodename: &str) -> String {
    let hosts = host.text("/etc/hosts").unwrap_or_default();
    let names = names_of(&hosts, nodename).or_else(|| {
        let out = host.query(&Command::new("getent").arg("hosts").arg(nodename)).ok()?;
        let words: Vec<String> = out.stdout_text().split_whitespace().skip(1).map(str::to_owned).collect();
        (!words.is_empty()).then_some(words)
    });
    let names = names.unwrap_or_else(|| vec![nodename.to_owned()]);
    names.iter().find(|n| n.contains('.')).or_else(|| names.first()).cloned().unwrap_or_else(|| nodename.to_owned())
}

/// The names that /etc/hosts gives to the address that it gives to `name`.
fn names_of(hosts: &str, name: &str) -> Option<Vec<String>> {
    let lines: Vec<Vec<&str>> = hosts
        .lines()
        .map(|l| l.split('#').next().unwrap_or_default().split_whitespace().collect::<Vec<_>>())
        .filter(|words| words.len() > 1)
        .collect();
    let address = lines.iter().find(|w| w.iter().skip(1).any(|n| n.eq_ignore_ascii_case(name)))?.first()?;
    let line = lines.iter().find(|w| w.first() == Some(address))?;
    Some(line.iter().skip(1).map(|n| (*n).to_owned()).collect())
}

fn python_version(host: &Probe<'_>) -> Option<String> {
    let python = host.which("python3")?;
    let out = host.query(&Command::new(python.to_string_lossy()).arg("--version")).ok()?;
    out.stdout_text().trim().strip_prefix("Python ").map(str::to_owned)
}

/// Python as far as it is there: rplay itself has no use for it, but roles read this.
pub(super) fn python(host: &Probe<'_>, so_far: &Map) -> Map {
    let known = so_far.get("python_version").and_then(|v| v.as_str()).map(str::to_owned);
    let version = known.or_else(|| python_version(host));
    let Some((version, path)) = version.zip(host.which("python3")) else { return Map::new() };
    let mut parts = version.split('.').map(|p| p.parse::<i64>().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    let (major, minor, micro) = (next(), next(), next());
    let fields = [
        ("major", Value::from(major)),
        ("minor", Value::from(minor)),
        ("micro", Value::from(micro)),
        ("releaselevel", Value::from("final")),
        ("serial", Value::from(0)),
    ];
    let info: Vec<Value> = fields.iter().map(|(_, value)| value.clone()).collect();
    let mut python = Map::new();
    python.insert("version", Map::from_iter(fields));
    python.insert("version_info", Value::list(info));
    python.insert("executable", path.display().to_string());
    python.insert("has_sslcontext", true);
    python.insert("type", "cpython");
    super::one("python", python)
}

pub(super) fn cmdline(host: &Probe<'_>) -> Map {
    let text = host.line("/proc/cmdline").unwrap_or_default();
    let (once, lists) = parse_cmdline(&text);
    Map::from_iter([("cmdline", once), ("proc_cmdline", lists)])
}

/// The last value of each name, and all values of each name.
fn parse_cmdline(text: &str) -> (Map, Map) {
    let (mut once, mut lists) = (Map::new(), Map::new());
    for word in shell_words(text) {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), Value::from(value)),
            None => (word, Value::Bool(true)),
        };
        once.insert(name.clone(), value.clone());
        let all = match lists.remove(&name) {
            None => value,
            Some(Value::List(old)) => Value::list(old.iter().cloned().chain([value])),
            Some(old) => Value::list([old, value]),
        };
        lists.insert(name, all);
    }
    (once, lists)
}

/// Words at blanks, with double quotes keeping blanks together.
fn shell_words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => words.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    words.push(word);
    words.retain(|w| !w.is_empty());
    words
}

/// Local time, asked of `date` once: it knows the time zone.
pub(super) fn date_time(host: &Probe<'_>) -> Result<Map, Failure> {
    let format = "+%Y|%m|%d|%H|%M|%S|%s|%N|%A|%w|%W|%z|%Z";
    let out = host.query(&Command::new("date").arg(format))?.stdout_text();
    let f: Vec<&str> = out.trim().split('|').collect();
    let get = |i: usize| f.get(i).copied().unwrap_or_default();
    let (date, time) = (format!("{}-{}-{}", get(0), get(1), get(2)), format!("{}:{}:{}", get(3), get(4), get(5)));
    let micros = get(7).get(..6).unwrap_or("000000");
    let basic = format!("{}{}{}T{}{}{}", get(0), get(1), get(2), get(3), get(4), get(5));
    let (utc, utc_micro) = utc(host, get(6), micros, get(11), (&date, &time))?;
    let zone = host.target("/etc/localtime").and_then(|p| std::fs::read(p).ok()).unwrap_or_default();
    let mut facts = Map::new();
    for (name, i) in [("year", 0), ("month", 1), ("day", 2), ("hour", 3), ("minute", 4), ("second", 5)] {
        facts.insert(name, get(i));
    }
    facts.insert("weekday", get(8));
    facts.insert("weekday_number", get(9));
    facts.insert("weeknumber", get(10));
    facts.insert("epoch", get(6));
    facts.insert("epoch_int", get(6));
    facts.insert("date", date);
    facts.insert("time", time);
    facts.insert("iso8601_micro", utc_micro);
    facts.insert("iso8601", utc);
    facts.insert("iso8601_basic", format!("{basic}{micros}"));
    facts.insert("iso8601_basic_short", basic);
    facts.insert("tz", get(12));
    facts.insert("tz_dst", summer_name(&zone).unwrap_or_else(|| get(12).to_owned()));
    facts.insert("tz_offset", get(11));
    Ok(super::one("date_time", facts))
}

fn utc(
    host: &Probe<'_>,
    epoch: &str,
    micros: &str,
    offset: &str,
    (date, time): (&str, &str),
) -> Result<(String, String), Failure> {
    if offset == "+0000" {
        return Ok((format!("{date}T{time}Z"), format!("{date}T{time}.{micros}Z")));
    }
    let command = Command::new("date").args(["-u", "-d", &format!("@{epoch}"), "+%Y-%m-%dT%H:%M:%S"]);
    let out = host.query(&command)?.stdout_text();
    Ok((format!("{}Z", out.trim()), format!("{}.{micros}Z", out.trim())))
}

/// The name of summer time, from the rule at the end of a time zone file (tzfile(5)).
fn summer_name(zone: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(zone);
    let rule = text.trim_end_matches('\n').rsplit('\n').next()?;
    let rule = rule.split(',').next()?;
    let mut rest = rule;
    let mut name = || {
        let (word, after) = match rest.strip_prefix('<').and_then(|r| r.split_once('>')) {
            Some(found) => found,
            None => rest.split_at(rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len())),
        };
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | ':'));
        word.to_owned()
    };
    let standard = name();
    let summer = name();
    let found = if summer.is_empty() { standard } else { summer };
    (!found.is_empty()).then_some(found)
}

pub(super) fn host_keys(host: &Probe<'_>) -> Map {
    let mut facts = Map::new();
    for kind in ["dsa", "rsa", "ecdsa", "ed25519"] {
        for dir in ["/etc/ssh", "/etc/openssh", "/etc"] {
            let Some(text) = host.text(format!("{dir}/ssh_host_{kind}_key.pub")) else { continue };
            let mut words = text.split_whitespace();
            if let (Some(kind_name), Some(key)) = (words.next(), words.next()) {
                facts.insert(format!("ssh_host_key_{kind}_public"), key);
                facts.insert(format!("ssh_host_key_{kind}_public_keytype"), kind_name);
                break;
            }
        }
    }
    facts
}

pub(super) fn user(host: &Probe<'_>) -> Map {
    let ids = host.ids();
    let user = host.user_by_id(ids.euid).unwrap_or_else(|| crate::sys::User {
        name: ids.euid.to_string(),
        uid: ids.euid,
        gid: ids.egid,
        ..Default::default()
    });
    let mut facts = Map::new();
    facts.insert("user_id", user.name);
    facts.insert("user_uid", user.uid);
    facts.insert("user_gid", user.gid);
    facts.insert("user_gecos", user.gecos);
    facts.insert("user_dir", user.home);
    facts.insert("user_shell", user.shell);
    facts.insert("real_user_id", ids.uid);
    facts.insert("effective_user_id", ids.euid);
    facts.insert("real_group_id", ids.gid);
    facts.insert("effective_group_id", ids.egid);
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fully_qualified_name_is_the_one_with_a_dot() {
        let hosts = "127.0.0.1 localhost\n127.0.1.1 web.example.org web # own\n";
        assert_eq!(names_of(hosts, "web").unwrap(), ["web.example.org", "web"]);
        assert!(names_of(hosts, "db").is_none());
    }

    #[test]
    fn kernel_parameters_keep_their_last_and_all_values() {
        let (once, lists) = parse_cmdline("quiet console=tty0 console=ttyS0 x=\"a b\"");
        assert_eq!(once.get("console").unwrap().as_str(), Some("ttyS0"));
        assert_eq!(once.get("x").unwrap().as_str(), Some("a b"));
        assert_eq!(once.get("quiet").unwrap().as_bool(), Some(true));
        assert_eq!(lists.get("console").unwrap().as_list().unwrap().len(), 2);
    }

    #[test]
    fn summer_time_is_named_by_the_zone_files_rule() {
        assert_eq!(summer_name(b"TZif2..\nCET-1CEST,M3.5.0,M10.5.0/3\n").as_deref(), Some("CEST"));
        assert_eq!(summer_name(b"TZif2..\nUTC0\n").as_deref(), Some("UTC"));
        assert_eq!(summer_name(b"TZif2..\n<+0330>-3:30\n").as_deref(), Some("+0330"));
        assert_eq!(summer_name(b""), None);
    }
}
