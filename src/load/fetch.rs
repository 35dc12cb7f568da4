//! What servers answer, through the controller's `curl`. Its options are given on standard input, where
//! no other user sees passwords.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::template::{Fetch, Redirects};

/// The body of an answer.
pub(super) fn fetch(fetch: &Fetch) -> Result<Vec<u8>, String> {
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
    let (body, status) = output.stdout.split_at(output.stdout.len().saturating_sub(3));
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        return Err(failed(words.trim().trim_start_matches("curl: ")));
    }
    match status {
        [b'1'..=b'3', _, _] | b"000" => Ok(body.to_vec()),
        code => Err(format!("Received HTTP error for {url} : HTTP Error {}", String::from_utf8_lossy(code))),
    }
}

/// The lines of curl's configuration.
fn options(fetch: &Fetch) -> String {
    let quoted = |text: &str| {
        let text = text.replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{}\"", text.replace('\n', "\\n").replace('\r', "\\r"))
    };
    let mut out = String::from("silent\nshow-error\nwrite-out = \"%{http_code}\"\n");
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
