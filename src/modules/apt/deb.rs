//! Package files: on the host, or fetched from a URL.

use std::cmp::Ordering;

use super::packages::options;
use super::status::Installed;
use super::tool::Tool;
use super::version::compare;
use crate::model::{Command, Failure};
use crate::module::{Done, Plan, Step};

/// Plans the installation of package files.
///
/// # Errors
/// When one cannot be read, or is older than what is installed.
pub(super) fn plan(tool: &Tool<'_>, files: &[String]) -> Result<Plan, Failure> {
    let installed = Installed::read(tool.host)?;
    let scratch = tool.host.scratch_dir()?;
    let mut wanted = Vec::new();
    for (i, file) in files.iter().enumerate() {
        let path = if file.contains("://") {
            let path = scratch.path().join(format!("{i}.deb")).display().to_string();
            fetch(tool, file, &path)?;
            path
        } else {
            file.clone()
        };
        if needed(tool, &path, &installed)? {
            wanted.push(path);
        }
    }
    if wanted.is_empty() {
        return Ok(Plan::new());
    }
    let mut words = options(tool);
    words.push("install".to_owned());
    words.extend(wanted);
    let mut plan = tool.run(&words)?;
    // The fetched files have to be there until the step is done.
    plan.step(
        Step::action([], move |_| {
            drop(scratch);
            Ok(Done::default())
        })
        .quiet(),
    );
    Ok(plan)
}

fn fetch(tool: &Tool<'_>, url: &str, path: &str) -> Result<(), Failure> {
    let program = "/usr/lib/apt/apt-helper";
    let mut words = vec!["-o".to_owned(), "APT::Sandbox::User=root".to_owned()];
    if tool.args.force {
        words.extend(
            ["-o", "Acquire::https::Verify-Peer=false", "-o", "Acquire::https::Verify-Host=false"].map(str::to_owned),
        );
    }
    words.extend(["download-file".to_owned(), url.to_owned(), path.to_owned()]);
    let out = tool.host.query(&Command::new(program).args(words))?;
    if out.success() {
        return Ok(());
    }
    Err(Failure::new(format!("Failure downloading {url}, {}", out.stderr_text().trim())))
}

fn needed(tool: &Tool<'_>, path: &str, installed: &Installed) -> Result<bool, Failure> {
    if tool.host.stat(path)?.is_none() {
        return Err(Failure::missing(format!(
            "Unable to install package: E:Could not open file {path} - open (2: No such file or directory)"
        )));
    }
    let out =
        tool.host.query(&Command::new("dpkg-deb").args(["--field", path, "Package", "Version", "Architecture"]))?;
    if !out.success() {
        return Err(Failure::new(format!("Unable to install package: {}", out.stderr_text().trim())));
    }
    let text = out.stdout_text();
    let field = |name: &str| text.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(": ")).unwrap_or_default();
    let name = match field("Architecture") {
        "all" => field("Package").to_owned(),
        arch => format!("{}:{arch}", field("Package")),
    };
    let Some(there) = installed.version(&name) else { return Ok(true) };
    match compare(field("Version"), there) {
        Ordering::Equal => Ok(tool.args.force),
        Ordering::Greater => Ok(true),
        Ordering::Less if tool.args.allow_downgrade || tool.args.force => Ok(true),
        Ordering::Less => Err(Failure::new(
            "A later version is already installed; use allow_downgrade or force to install the older one",
        )
        .with("msg_version", there)),
    }
}
