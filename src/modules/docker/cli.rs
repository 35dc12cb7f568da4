//! Docker's command line on the host, for what only it does: building with BuildKit, and Compose.

use super::engine::AddressArgs;
use crate::args;
use crate::model::{Command, Failure, Output};
use crate::module::Path;
use crate::sys::Probe;

args! {
    /// Arguments of the modules that run Docker's command line.
    pub struct CliArgs {
        /// The docker program; `docker` in PATH when not given.
        docker_cli: Option<Path>,
        /// The context of Docker's command line that says which engine.
        cli_context: Option<String>,
        /// The name that the engine's certificate must have.
        [refused "docker's command line has no such option; have the certificate name the address"]
        tls_hostname: Option<String>;
        ..address: AddressArgs,
    }
}

/// The docker program with the options that say which engine.
#[derive(Debug, Clone)]
pub struct Cli {
    program: String,
    options: Vec<String>,
    env: Vec<(String, String)>,
}

impl Cli {
    /// Finds the program.
    ///
    /// # Errors
    /// [`Failure::missing`] when there is none; a plain one on options that exclude one another.
    pub fn new(args: &CliArgs, host: &Probe<'_>) -> Result<Self, Failure> {
        if args.cli_context.is_some() && args.address.docker_host.is_some() {
            return Err(Failure::new("parameters are mutually exclusive: docker_host|cli_context"));
        }
        let program = match &args.docker_cli {
            Some(path) => Some(path.0.clone()).filter(|p| host.exists(p)),
            None => host.which("docker").map(|p| p.display().to_string()),
        };
        let program = program.ok_or_else(|| match &args.docker_cli {
            Some(path) => Failure::missing(format!("Cannot find docker cli {}", path.0)),
            None => Failure::missing("Cannot find docker cli in path. Please provide it explicitly with docker_cli"),
        })?;
        let mut options = Vec::new();
        let mut add = |option: &str, value: Option<&String>| {
            options.extend(value.into_iter().flat_map(|v| [option.to_owned(), v.clone()]));
        };
        add("--host", args.address.docker_host.as_ref());
        add("--context", args.cli_context.as_ref());
        add("--tlscacert", args.address.ca_path.as_ref().map(|p| &p.0));
        add("--tlscert", args.address.client_cert.as_ref().map(|p| &p.0));
        add("--tlskey", args.address.client_key.as_ref().map(|p| &p.0));
        if args.address.validate_certs == Some(true) {
            options.push("--tlsverify".to_owned());
        } else if args.address.tls == Some(true) {
            options.push("--tls".to_owned());
        }
        let version = args.address.api_version.clone().filter(|v| v != "auto");
        let env = version.map(|v| ("DOCKER_API_VERSION".to_owned(), v)).into_iter().collect();
        Ok(Self { program, options, env })
    }

    /// A call.
    pub fn command<S: Into<String>>(&self, words: impl IntoIterator<Item = S>) -> Command {
        let command = Command::new(&self.program).args(self.options.clone()).args(words);
        self.env.iter().fold(command, |c, (name, value)| c.env(name, value))
    }

    /// What a call that failed means when it is for want of a plugin.
    pub fn no_plugin(&self, plugin: &str, out: &Output) -> Option<Failure> {
        let said = out.stderr_text();
        let unknown = ["is not a docker command", "unknown flag: --ansi", "unknown command: docker"];
        unknown.iter().any(|words| said.contains(words)).then(|| {
            Failure::missing(format!("Docker CLI {} does not have the {plugin} plugin installed", self.program))
        })
    }
}

/// The failure of a call, with Ansible's fields.
pub fn failed(message: impl Into<String>, command: &Command, out: &Output) -> Failure {
    Failure::new(message)
        .with("cmd", command.words().join(" "))
        .with("rc", out.code)
        .with("stdout", out.stdout_text())
        .with("stderr", out.stderr_text())
}
