//! Compose: projects of several services, by the Compose plugin of the host's docker program.
//! A dry run asks the plugin itself (`--dry-run`).

mod command;
mod events;
mod pull;
pub mod up;

pub use command::{EXEC, RUN};
pub use pull::PULL;

use super::cli::{Cli, CliArgs, failed};
use crate::args;
use crate::model::{Command, Failure, Map, Output, Value};
use crate::module::Path;
use crate::modules::json;
use crate::sys::{Host, Probe};

args! {
    /// Arguments of the modules that use Compose: which project.
    pub struct ProjectArgs {
        /// The project's directory.
        project_src: Option<Path>,
        /// The project's name; that of the directory when not given.
        project_name: Option<String>,
        /// Compose files in the directory, instead of the usual one.
        files: Option<Vec<String>>,
        /// What a Compose file would say.
        definition: Option<Map>,
        /// Files of variables in the directory, instead of `.env`.
        env_files: Option<Vec<String>>,
        /// Profiles.
        profiles: Option<Vec<String>>,
        /// Whether the usual Compose file must be there.
        check_files_existing: bool = true;
        ..cli: CliArgs,
    }
}

/// The names that Compose looks for.
const USUAL: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];

/// A project and the program that manages it.
#[derive(Debug, Clone)]
struct Project {
    cli: Cli,
    /// Its directory; none where it is made from `definition`.
    dir: Option<String>,
    name: Option<String>,
    files: Vec<String>,
    env_files: Vec<String>,
    profiles: Vec<String>,
    definition: Option<Map>,
}

impl Project {
    /// Finds the project.
    ///
    /// # Errors
    /// In Ansible's words; [`Failure::missing`] for files that an earlier task may write.
    fn new(args: &ProjectArgs, host: &Probe<'_>) -> Result<Self, Failure> {
        let exclusive = [
            (args.definition.is_some() && args.project_src.is_some(), "definition|project_src"),
            (args.definition.is_some() && args.files.is_some(), "definition|files"),
        ];
        if let Some((_, names)) = exclusive.iter().find(|(both, _)| *both) {
            return Err(Failure::new(format!("parameters are mutually exclusive: {names}")));
        }
        if args.definition.is_none() && args.project_src.is_none() {
            return Err(Failure::new("one of the following is required: definition, project_src"));
        }
        if args.definition.is_some() && args.project_name.is_none() {
            return Err(Failure::new("missing parameter(s) required by 'definition': project_name"));
        }
        let dir = args.project_src.as_ref().map(|p| p.0.clone());
        if let Some(dir) = &dir {
            check_files(args, host, dir)?;
        }
        Ok(Self {
            cli: Cli::new(&args.cli, host)?,
            dir,
            name: args.project_name.clone(),
            files: args.files.clone().unwrap_or_default(),
            env_files: args.env_files.clone().unwrap_or_default(),
            profiles: args.profiles.clone().unwrap_or_default(),
            definition: args.definition.clone(),
        })
    }

    /// A call of Compose on the project in `dir`.
    fn command(&self, dir: &str, words: Vec<String>) -> Command {
        let mut all: Vec<String> = ["compose", "--ansi", "never", "--project-directory", dir].map(str::to_owned).into();
        if words.first().is_none_or(|w| w != "exec" && w != "run") {
            all.extend(["--progress".to_owned(), "plain".to_owned()]);
        }
        let mut add = |option: &str, values: &[String]| {
            all.extend(values.iter().flat_map(|v| [option.to_owned(), v.clone()]));
        };
        add("--project-name", self.name.as_slice());
        add("--file", &self.files);
        add("--env-file", &self.env_files);
        add("--profile", &self.profiles);
        self.cli.command(all.into_iter().chain(words)).dir(dir)
    }

    /// Runs `use_dir` with the project's directory, which `definition` is written into.
    fn within<T>(&self, host: &Probe<'_>, use_dir: impl FnOnce(&str) -> Result<T, Failure>) -> Result<T, Failure> {
        let (Some(definition), None) = (&self.definition, &self.dir) else {
            return use_dir(self.dir.as_deref().unwrap_or("."));
        };
        let scratch = host.scratch_dir()?;
        // JSON is YAML, too.
        scratch.file(USUAL[0], json::dumps(&Value::from(definition.clone())).as_bytes())?;
        use_dir(&scratch.path().display().to_string())
    }

    /// Asks Compose.
    fn ask(&self, host: &Probe<'_>, dir: &str, words: Vec<String>) -> Result<Output, Failure> {
        let command = self.command(dir, words);
        self.good(&command, host.query(&command)?)
    }

    /// Has Compose do something.
    fn act(&self, host: &mut Host<'_>, dir: &str, words: Vec<String>) -> Result<Output, Failure> {
        let command = self.command(dir, words);
        let out = host.run(&command, None)?;
        self.good(&command, out)
    }

    fn good(&self, command: &Command, out: Output) -> Result<Output, Failure> {
        if out.success() {
            return Ok(out);
        }
        if let Some(failure) = self.cli.no_plugin("compose", &out) {
            return Err(failure);
        }
        if out.stderr_text().contains("unknown flag: --yes") {
            return Err(failed("assume_yes=true needs Docker Compose 2.32.0 or newer", command, &out));
        }
        Err(failed(events::complaint(&out.stderr_text()), command, &out))
    }
}

fn check_files(args: &ProjectArgs, host: &Probe<'_>, dir: &str) -> Result<(), Failure> {
    if !host.exists(dir) {
        return Err(Failure::missing(format!("\"{dir}\" is not a directory")));
    }
    match &args.files {
        Some(files) => {
            let missing = files.iter().find(|file| !host.exists(std::path::Path::new(dir).join(file)));
            missing.map_or(Ok(()), |file| {
                Err(Failure::missing(format!(
                    "Cannot find Compose file \"{file}\" relative to project directory \"{dir}\""
                )))
            })
        }
        None if args.check_files_existing && !USUAL.iter().any(|f| host.exists(format!("{dir}/{f}"))) => {
            Err(Failure::missing(format!("\"{dir}\" does not contain {}, or {}", USUAL[..3].join(", "), USUAL[3])))
        }
        None => Ok(()),
    }
}

/// Documents that a program printed one a line, or as one list.
fn documents(text: &str) -> Vec<Value> {
    match json::parse(text.trim()) {
        Some(Value::List(list)) => list.to_vec(),
        Some(one) => vec![one],
        None => text.lines().filter_map(|l| json::parse(l.trim())).collect(),
    }
}

/// Words of an option, where it has a value.
fn option(name: &str, value: Option<&String>) -> Vec<String> {
    value.map_or_else(Vec::new, |v| vec![name.to_owned(), v.clone()])
}

/// A word, where it is wanted.
fn flag(name: &str, on: bool) -> Vec<String> {
    if on { vec![name.to_owned()] } else { Vec::new() }
}
