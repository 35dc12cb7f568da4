//! What servers answer, through the controller's `curl`. Its options are given on standard input, where
//! no other user sees passwords.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::template::{Fetch, Redirects};

/// How many redirections are followed.
const REDIRECTS: usize = 10;

/// The body of an answer.
pub(super) fn fetch(fetch: &Fetch) -> Result<Vec<u8>, String> {
    // curl sends the same headers wherever it is led.
    let own = !fetch.once.is_empty() && fetch.redirects == Redirects::All;
    if !own {
        return ask(fetch).map(|(body, _)| body);
    }
    let mut next = Fetch { redirects: Redirects::None, ..fetch.clone() };
    for _ in 0..=REDIRECTS {
        let (body, elsewhere) = ask(&next)?;
        if elsewhere.is_empty() {
            return Ok(body);
        }
        next.url = elsewhere;
        next.headers.retain(|(name, _)| !fetch.once.iter().any(|once| once.eq_ignore_ascii_case(name)));
    }
    Err(format!("Failed lookup url for {} : more than {REDIRECTS} redirections", fetch.url))
}

/// One answer, and where it leads.
fn ask(fetch: &Fetch) -> Result<(Vec<u8>, String), String> {
    let url = &fetch.url;
    let failed = |why: &str| format!("Failed lookup url for {url} : {why}");
    let mut child = Command::new("curl")
        .args(["--disable", "--config", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| failed(&format!("curl cannot be started on this machine: {e}")))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(options(fetch).as_bytes()).map_err(|e| failed(&e.to_string()))?;
    }
    let output = child.wait_with_output().map_err(|e| failed(&e.to_string()))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        return Err(failed(words.trim().trim_start_matches("curl: ")));
    }
    // Behind the body: a newline, the status, and where the answer leads.
    let cut = output.stdout.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
    let (body, told) = output.stdout.split_at(cut);
    let told = String::from_utf8_lossy(told);
    let (status, elsewhere) = told.trim().split_once(' ').unwrap_or((told.trim(), ""));
    match status.as_bytes() {
        [b'1'..=b'3', ..] | b"000" => Ok((body.to_vec(), elsewhere.to_owned())),
        _ => Err(format!("Received HTTP error for {url} : HTTP Error {status}")),
    }
}

/// The lines of curl's configuration.
fn options(fetch: &Fetch) -> String {
    let quoted = |text: &str| {
        let text = text.replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{}\"", text.replace('\n', "\\n").replace('\r', "\\r"))
    };
    let mut out = String::from("silent\nshow-error\nwrite-out = \"\\n%{http_code} %{redirect_url}\"\n");
    let mut set = |name: &str, value: &str| out.push_str(&format!("{name} = {}\n", quoted(value)));
    set("url", &fetch.url);
    set("user-agent", &fetch.agent);
    set("max-time", &fetch.timeout.to_string());
    fetch.headers.iter().for_each(|(name, value)| set("header", &format!("{name}: {value}")));
    if let Some(user) = &fetch.user {
        set("user", &format!("{user}:{}", fetch.password.as_deref().unwrap_or_default()));
    }
    if let Some(path) = &fetch.ca_path {
        set("cacert", path);
    }
    if let Some(socket) = &fetch.unix_socket {
        set("unix-socket", socket);
    }
    if !fetch.ciphers.is_empty() {
        set("ciphers", &fetch.ciphers);
    }
    if !fetch.proxy {
        set("noproxy", "*");
    }
    let flags = [
        ("location", fetch.redirects == Redirects::All),
        ("insecure", !fetch.verify),
        ("netrc-optional", fetch.netrc && fetch.user.is_none()),
        ("negotiate", fetch.gssapi),
        // Name and password are only sent when they are asked for, unless this is said.
        ("anyauth", fetch.user.is_some() && !fetch.basic && !fetch.gssapi),
    ];
    flags.iter().filter(|(_, on)| *on).for_each(|(name, _)| out.push_str(&format!("{name}\n")));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curl_is_told_everything_on_its_standard_input() {
        let all = Fetch {
            url: "https://x.org/\"a\\".into(),
            headers: vec![("X-One".into(), "1".into())],
            user: Some("me".into()),
            password: Some("pw".into()),
            timeout: 2.5,
            netrc: true,
            ..Fetch::default()
        };
        let text = options(&all);
        for line in [
            r#"url = "https://x.org/\"a\\""#,
            r#"header = "X-One: 1""#,
            r#"user = "me:pw""#,
            r#"max-time = "2.5""#,
            r#"noproxy = "*""#,
            "location",
            "insecure",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} in\n{text}");
        }
        assert!(!text.contains("netrc"), "who asks is said");
    }
}
