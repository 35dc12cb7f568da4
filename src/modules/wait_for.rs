//! `wait_for`: until a port or a file is there, or gone.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path as FsPath;
use std::time::{Duration, Instant};

use fancy_regex::Regex;

use super::attributes::path_info;
use crate::args;
use crate::model::{Failure, Map, Value, pyregex};
use crate::module::{Arguments, Kind, Module, Path, Plan, ReturnSpec, Run};
use crate::sys::Probe;

args! {
    /// Arguments of `wait_for`.
    pub struct WaitFor {
        /// The machine whose port it is.
        host: String = "127.0.0.1".to_owned(),
        /// The port.
        port: Option<i64>,
        /// The file.
        path: Option<Path>,
        /// What is waited for.
        [choices "absent" "drained" "present" "started" "stopped"]
        state: String = "started".to_owned(),
        /// A regular expression (Python's) for what the file holds or the port says.
        search_regex: Option<String>,
        /// How many seconds at most. Without a port and a path, exactly so many.
        timeout: i64 = 300,
        /// How many seconds one attempt at a connection may take.
        connect_timeout: i64 = 5,
        /// How many seconds pass before the first look.
        delay: i64 = 0,
        /// How many seconds pass between looks.
        sleep: i64 = 1,
        /// What is said when the time is up.
        msg: Option<String>,
        /// Hosts whose connections do not count for `drained`.
        exclude_hosts: Option<Vec<String>>,
        /// The states of connections that count for `drained`.
        active_connection_states: Vec<String> = STATES.iter().map(|(name, _)| (*name).to_owned()).collect(),
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "wait_for",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::Query,
    doc: "Wait until a port answers or is closed, a file is there or gone, or holds a text.\n\nA dry run looks once \
          and does not wait.",
    args: WaitFor::specs,
    free_form: None,
    any_args: false,
    asks_others: true,
    returns: &[
        ReturnSpec { name: "elapsed", doc: "How many seconds it waited." },
        ReturnSpec { name: "match_groups", doc: "The groups of `search_regex`." },
        ReturnSpec { name: "match_groupdict", doc: "Its named groups." },
        ReturnSpec { name: "state", doc: "What is there." },
    ],
    run: Run::Target(plan),
};

/// States of connections, and how the kernel writes them in `/proc/net/tcp`.
const STATES: [(&str, &str); 6] = [
    ("ESTABLISHED", "01"),
    ("SYN_SENT", "02"),
    ("SYN_RECV", "03"),
    ("FIN_WAIT1", "04"),
    ("FIN_WAIT2", "05"),
    ("TIME_WAIT", "06"),
];

fn plan(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = WaitFor::parse(args)?;
    check(&args).map_err(|words| Failure::new(words).with("elapsed", 0))?;
    let regex = args.search_regex.as_deref().map(|text| {
        pyregex::compile(text, false, true).map_err(|why| Failure::new(format!("Invalid regular expression: {why}")))
    });
    let seconds = |n: i64| Duration::from_secs(u64::try_from(n).unwrap_or(0));
    let started = Instant::now();
    let port = args.port.map(|port| u16::try_from(port).map_err(|_| Failure::new(format!("port {port} is no port"))));
    let mut wait = Wait { args: &args, host, port: port.transpose()?, regex: regex.transpose()?, found: None };
    let elapsed = || i64::try_from(started.elapsed().as_secs()).unwrap_or(i64::MAX);
    if host.is_dry_run() {
        if (wait.port.is_some() || args.path.is_some()) && !wait.holds(started + seconds(args.connect_timeout))? {
            return Err(Failure::unknown(format!("nobody waits in a dry run: {}", wait.timed_out())));
        }
        return wait.done(0);
    }
    host.pause(seconds(args.delay))?;
    if wait.port.is_none() && args.path.is_none() {
        host.pause(seconds(args.timeout))?;
        return wait.done(elapsed());
    }
    let until = started + seconds(args.timeout);
    // One look at least.
    loop {
        if wait.holds(until)? {
            return wait.done(elapsed());
        }
        if Instant::now() >= until {
            let words = args.msg.clone().unwrap_or_else(|| wait.timed_out());
            return Err(Failure::new(words).with("elapsed", elapsed()));
        }
        host.pause(seconds(args.sleep).max(Duration::from_millis(50)))?;
    }
}

/// What does not go together.
fn check(args: &WaitFor) -> Result<(), String> {
    if args.port.is_some() && args.path.is_some() {
        return Err("port and path parameter can not both be passed to wait_for".to_owned());
    }
    for state in ["stopped", "drained"] {
        if args.state == state && (args.path.is_some() || state == "drained" && args.port.is_none()) {
            return Err(format!("state={state} should only be used for checking a port in the wait_for module"));
        }
    }
    if args.exclude_hosts.is_some() && args.state != "drained" {
        return Err("exclude_hosts should only be with state=drained".to_owned());
    }
    match args.active_connection_states.iter().find(|name| STATES.iter().all(|(known, _)| known != name)) {
        Some(unknown) => Err(format!("unknown active_connection_state ({unknown}) defined")),
        None => Ok(()),
    }
}

struct Wait<'a> {
    args: &'a WaitFor,
    host: &'a Probe<'a>,
    port: Option<u16>,
    regex: Option<Regex>,
    found: Option<(Value, Value)>,
}

impl Wait<'_> {
    /// Whether what is waited for is so.
    fn holds(&mut self, until: Instant) -> Result<bool, Failure> {
        let gone = matches!(self.args.state.as_str(), "absent" | "stopped");
        match (&self.args.path, self.port) {
            (Some(path), _) => Ok(self.file(FsPath::new(&path.0))? != gone),
            (None, Some(port)) if self.args.state == "drained" => Ok(!self.has_connections(port)),
            (None, Some(port)) if gone => Ok(self.connection(port, until).is_none()),
            (None, Some(port)) => Ok(self.answers(port, until)),
            (None, None) => Ok(true),
        }
    }

    fn file(&mut self, path: &FsPath) -> Result<bool, Failure> {
        if self.host.stat(path)?.is_none() {
            return Ok(false);
        }
        // What goes is waited for, whatever it holds.
        if self.regex.is_none() || self.args.state == "absent" {
            return Ok(true);
        }
        match self.host.read(path) {
            Ok(bytes) => Ok(self.matches(&bytes)),
            Err(_) => Ok(false),
        }
    }

    fn matches(&mut self, bytes: &[u8]) -> bool {
        let Some(regex) = &self.regex else { return true };
        let text = String::from_utf8_lossy(bytes).into_owned();
        let Ok(Some(found)) = regex.captures(text.as_str()) else { return false };
        let group = |m: Option<fancy_regex::Match<'_>>| m.map_or(Value::Null, |m| Value::from(m.as_str()));
        let groups = Value::list((1..found.len()).map(|i| group(found.get(i))));
        let named = regex.capture_names().flatten().map(|name| (name, group(found.name(name))));
        self.found = Some((groups, Value::from(Map::from_iter(named))));
        true
    }

    fn connection(&self, port: u16, until: Instant) -> Option<std::net::TcpStream> {
        let limit = Duration::from_secs(u64::try_from(self.args.connect_timeout).unwrap_or(5).max(1));
        let left = until.saturating_duration_since(Instant::now());
        self.host.connect(&self.args.host, port, limit.min(left.max(Duration::from_secs(1))))
    }

    fn answers(&mut self, port: u16, until: Instant) -> bool {
        let Some(mut stream) = self.connection(port, until) else { return false };
        if self.regex.is_none() {
            return true;
        }
        let (host, mut found) = (self.host, false);
        host.listen(&mut stream, until, &mut |heard| {
            found = self.matches(heard);
            found
        });
        found
    }

    /// Whether the port has connections that count.
    fn has_connections(&self, port: u16) -> bool {
        let own = self.addresses(&self.args.host);
        let excluded: BTreeSet<IpAddr> =
            self.args.exclude_hosts.iter().flatten().flat_map(|name| self.addresses(name)).collect();
        let any = own.iter().any(IpAddr::is_unspecified);
        let counts: Vec<&str> = STATES
            .iter()
            .filter(|(name, _)| self.args.active_connection_states.iter().any(|wanted| wanted == name))
            .map(|(_, code)| *code)
            .collect();
        ["/proc/net/tcp", "/proc/net/tcp6"].iter().any(|table| {
            let text = self.host.text(table).unwrap_or_default();
            text.lines().skip(1).filter_map(connection).any(|c| {
                c.port == port
                    && counts.contains(&c.state)
                    && (any || own.contains(&c.local))
                    && !excluded.contains(&c.remote)
            })
        })
    }

    fn addresses(&self, name: &str) -> Vec<IpAddr> {
        name.parse().map_or_else(|_| self.host.addresses_of(name), |address| vec![address])
    }

    fn timed_out(&self) -> String {
        let args = self.args;
        let what = match (&args.path, args.port) {
            (Some(path), _) => path.0.clone(),
            (None, port) => format!("{}:{}", args.host, port.unwrap_or_default()),
        };
        match (args.state.as_str(), &args.search_regex, &args.path) {
            ("absent" | "stopped", _, Some(_)) => format!("Timeout when waiting for {what} to be absent."),
            ("absent" | "stopped", ..) => format!("Timeout when waiting for {what} to stop."),
            ("drained", ..) => format!("Timeout when waiting for {what} to drain"),
            (_, Some(regex), _) => format!("Timeout when waiting for search string {regex} in {what}"),
            (_, None, Some(_)) => format!("Timeout when waiting for file {what}"),
            (_, None, None) => format!("Timeout when waiting for {what}"),
        }
    }

    fn done(self, elapsed: i64) -> Result<Plan, Failure> {
        let (groups, named) = self.found.unwrap_or_else(|| (Value::list([Value::Null; 0]), Value::from(Map::new())));
        let mut plan = Plan::new()
            .with("elapsed", elapsed)
            .with("match_groups", groups)
            .with("match_groupdict", named)
            .with("state", self.args.state.as_str())
            .with("port", self.args.port.map_or(Value::Null, Value::from))
            .with("search_regex", self.args.search_regex.as_deref().map_or(Value::Null, Value::from))
            .with("path", self.args.path.as_ref().map_or(Value::Null, |path| Value::from(path.0.as_str())));
        if let Some(path) = &self.args.path {
            plan.extend(path_info(self.host, FsPath::new(&path.0))?);
        }
        Ok(plan)
    }
}

/// A line of `/proc/net/tcp`.
struct Connection<'a> {
    local: IpAddr,
    port: u16,
    remote: IpAddr,
    state: &'a str,
}

fn connection(line: &str) -> Option<Connection<'_>> {
    let mut words = line.split_whitespace().skip(1);
    let (local, remote, state) = (words.next()?, words.next()?, words.next()?);
    let (local, port) = local.split_once(':')?;
    let (remote, _) = remote.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    Some(Connection { local: address(local)?, port, remote: address(remote)?, state })
}

/// An address as the kernel writes it: words of four bytes in the machine's own order.
fn address(text: &str) -> Option<IpAddr> {
    let mut bytes = Vec::new();
    for at in (0..text.len()).step_by(8) {
        let word = u32::from_str_radix(text.get(at..at + 8)?, 16).ok()?;
        bytes.extend(word.to_ne_bytes());
    }
    if let Ok(four) = <[u8; 4]>::try_from(bytes.as_slice()) {
        return Some(IpAddr::from(four));
    }
    let six = std::net::Ipv6Addr::from(<[u8; 16]>::try_from(bytes.as_slice()).ok()?);
    Some(six.to_ipv4_mapped().map_or(IpAddr::V6(six), IpAddr::V4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_of_the_kernel_are_read() {
        let local = u32::from_ne_bytes([127, 0, 0, 1]);
        let line = format!("   0: {local:08X}:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1 1");
        let found = connection(&line).unwrap();
        assert_eq!((found.local.to_string().as_str(), found.port, found.state), ("127.0.0.1", 22, "0A"));
        let mapped = format!("{:08X}{:08X}{:08X}{local:08X}", 0, 0, u32::from_ne_bytes([0, 0, 0xff, 0xff]));
        assert_eq!(address(&mapped).unwrap().to_string(), "127.0.0.1");
        assert!(connection("  sl  local_address").is_none());
    }
}
