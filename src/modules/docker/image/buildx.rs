//! `docker_image_build`: an image built by BuildKit, through the host's docker program.

use crate::args;
use crate::model::{Command, Failure, FileKind, Map, Value};
use crate::module;
use crate::module::{Arguments, Done, Module, Path, Plan, ReturnSpec, Run, Step};
use crate::modules::docker::cli::{Cli, CliArgs, failed};
use crate::modules::docker::names::{self, Reference, is_id};
use crate::modules::docker::{COLLECTION, Options, differs, images, items, shown, strings, texts};
use crate::modules::json;
use crate::sys::{Host, Probe};

args! {
    /// Arguments of `docker_image_build`.
    pub struct BuildArgs {
        /// The image's name.
        [required]
        name: String,
        /// Its tag, unless the name has one.
        tag: String = "latest".to_owned(),
        /// The directory that it is built from.
        [required]
        path: Path,
        /// The file that says how, relative to the directory.
        dockerfile: Option<String>,
        /// Images whose steps are used again.
        cache_from: Option<Vec<String>>,
        /// Pull the images it is built from.
        pull: bool = false,
        /// The network while it is built.
        network: Option<String>,
        /// Do not use steps again.
        nocache: bool = false,
        /// Names and addresses for /etc/hosts.
        etc_hosts: Option<Map>,
        /// Arguments of the build.
        args: Option<Map>,
        /// The stage to build.
        target: Option<String>,
        /// Platforms.
        platform: Option<Vec<String>>,
        /// Size of /dev/shm.
        shm_size: Option<String>,
        /// Labels.
        labels: Option<Map>,
        /// Build also when the image is there.
        [choices "never" "always"]
        rebuild: String = "never".to_owned(),
        /// What the build may read and the image does not keep.
        secrets: Option<Vec<Options<Secret>>>,
        /// Where the result goes.
        outputs: Option<Vec<Options<Output>>>;
        ..cli: CliArgs,
    }
}

args! {
    /// A secret.
    pub struct Secret {
        /// Its name in the build.
        [required]
        id: String,
        /// Where it comes from.
        [required, choices "env" "file" "value"]
        r#type: String,
        /// The file.
        src: Option<Path>,
        /// The variable of the environment.
        env: Option<String>,
        /// The secret itself.
        value: Option<String>,
    }
}

args! {
    /// A place for the result.
    pub struct Output {
        /// Its kind.
        [required, choices "local" "tar" "oci" "docker" "image"]
        r#type: String,
        /// The file or directory.
        dest: Option<Path>,
        /// The context of Docker's command line to load it into.
        context: Option<String>,
        /// Names of the image.
        name: Option<Vec<String>>,
        /// Push it.
        push: bool = false,
    }
}

/// The registry's entry.
pub static BUILD: Module = Module {
    name: "docker_image_build",
    aliases: &[],
    collection: COLLECTION,
    kind: module::Kind::State,
    doc: "Build a Docker image with BuildKit.",
    args: BuildArgs::specs,
    free_form: None,
    any_args: false,
    asks_others: true,
    returns: &[
        ReturnSpec { name: "image", doc: "The image, as the engine tells of it." },
        ReturnSpec { name: "command", doc: "The command that built it." },
    ],
    run: Run::Target(plan),
};

/// The variable of the environment that carries a secret's value.
fn variable(index: usize) -> String {
    format!("RPLAY_BUILD_SECRET_{index}")
}

fn plan(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = BuildArgs::parse(args)?;
    if is_id(&args.name) || args.name.contains('@') {
        return Err(Failure::new("Image name must not be a digest"));
    }
    let mut reference = Reference::parse(&args.name);
    reference.tag = reference.tag.or_else(|| Some(args.tag.clone()));
    let name = reference.to_string();
    if host.stat(&args.path.0)?.is_none_or(|s| s.kind != FileKind::Directory) {
        return Err(Failure::missing(format!("\"{}\" is not an existing directory", args.path.0)));
    }
    let file = args.dockerfile.as_ref().map(|f| std::path::Path::new(&args.path.0).join(f));
    if let Some(file) = file.filter(|f| !matches!(host.stat(f), Ok(Some(s)) if s.kind == FileKind::File)) {
        return Err(Failure::missing(format!("\"{}\" is not an existing file", file.display())));
    }
    let cli = Cli::new(&args.cli, host)?;
    let command = command(&args, &cli, &name)?;
    let mut plan = Plan::new();
    let there = inspect(host, &cli, &name)?;
    if let Some(image) = there.as_ref().filter(|_| args.rebuild == "never") {
        plan.set("image", image.clone());
        return Ok(plan);
    }
    // Without the program and its options, as Ansible has it.
    let words = command.words().into_iter().skip_while(|w| *w != "buildx").map(str::to_owned);
    plan.set("command", texts(words));
    let before = if there.is_some() { "built before" } else { "absent" };
    let diff = differs(format!("image {name}"), vec![("state".to_owned(), before.to_owned(), "built".to_owned())]);
    let effect = images::planned(&name);
    let step = Step::action([effect], move |host| run(&cli, &command, host, &name));
    plan.step(step.diff(diff).yields(&["image"]));
    Ok(plan)
}

fn inspect(host: &Probe<'_>, cli: &Cli, name: &str) -> Result<Option<Value>, Failure> {
    let command = cli.command(["image", "inspect", name]);
    let out = host.query(&command)?;
    if out.success() {
        return Ok(json::parse(&out.stdout_text()).and_then(|list| items(&list).first().cloned()));
    }
    let said = out.stderr_text();
    if said.contains("No such image") {
        return Ok(None);
    }
    let message = format!("Error while inspecting {name}: {}", said.trim());
    // An engine that an earlier task may start.
    let failure = failed(message, &command, &out);
    Err(if said.contains("Cannot connect") { Failure::missing(failure.message) } else { failure })
}

fn run(cli: &Cli, command: &Command, host: &mut Host<'_>, name: &str) -> Result<Done, Failure> {
    let out = host.run(command, None)?;
    if !out.success() {
        if let Some(failure) = cli.no_plugin("buildx", &out) {
            return Err(failure);
        }
        return Err(failed(format!("Building {name} failed"), command, &out));
    }
    let image = inspect(host.probe(), cli, name)?.unwrap_or_else(|| Value::from(Map::new()));
    let result = Map::from_iter([
        ("image", image),
        ("stdout", Value::from(out.stdout_text())),
        ("stderr", Value::from(out.stderr_text())),
    ]);
    Ok(Done::with(result))
}

fn command(args: &BuildArgs, cli: &Cli, name: &str) -> Result<Command, Failure> {
    let mut words: Vec<String> = ["buildx", "build", "--progress", "plain"].map(str::to_owned).into();
    let outputs = outputs(args, name)?;
    let mut add = |option: &str, value: Option<String>| {
        words.extend(value.into_iter().flat_map(|v| [option.to_owned(), v]));
    };
    if outputs.is_empty() {
        add("--tag", Some(name.to_owned()));
    }
    outputs.into_iter().for_each(|output| add("--output", Some(output)));
    if let Some(file) = &args.dockerfile {
        add("--file", Some(std::path::Path::new(&args.path.0).join(file).display().to_string()));
    }
    args.cache_from.iter().flatten().for_each(|image| add("--cache-from", Some(image.clone())));
    add("--network", args.network.clone());
    add("--target", args.target.clone());
    add("--platform", args.platform.as_ref().map(|list| list.join(",")));
    let size = args.shm_size.as_ref().map(|s| names::size("shm_size", s)).transpose()?;
    add("--shm-size", size.map(|n| n.to_string()));
    for (option, name, map, mark) in [
        ("--add-host", "etc_hosts", &args.etc_hosts, ':'),
        ("--build-arg", "args", &args.args, '='),
        ("--label", "labels", &args.labels, '='),
    ] {
        for (key, value) in &map.as_ref().map(|m| strings(name, m)).transpose()?.unwrap_or_default() {
            add(option, Some(format!("{key}{mark}{}", shown(value))));
        }
    }
    let mut env = Vec::new();
    for (i, Options(secret)) in args.secrets.iter().flatten().enumerate() {
        let (source, value) = secret_source(secret, i)?;
        add("--secret", Some(format!("id={},{source}", secret.id)));
        env.extend(value.map(|v| (variable(i), v)));
    }
    for (option, on) in [("--pull", args.pull), ("--no-cache", args.nocache)] {
        words.extend(on.then(|| option.to_owned()));
    }
    words.extend(["--".to_owned(), args.path.0.clone()]);
    let command = cli.command(words);
    Ok(env.into_iter().fold(command, |c, (name, value)| c.env(name, value)))
}

/// Where a secret comes from, in the words of the command; and its value for the environment.
fn secret_source(secret: &Secret, index: usize) -> Result<(String, Option<String>), Failure> {
    let wrong = |option: &str| {
        Failure::new(format!(
            "type is {} but all of the following are missing: {option} found in secrets",
            secret.r#type
        ))
    };
    Ok(match secret.r#type.as_str() {
        "file" => (format!("type=file,src={}", secret.src.as_ref().ok_or_else(|| wrong("src"))?.0), None),
        "env" => (format!("type=env,env={}", secret.env.as_ref().ok_or_else(|| wrong("env"))?), None),
        _ => (format!("type=env,env={}", variable(index)), Some(secret.value.clone().ok_or_else(|| wrong("value"))?)),
    })
}

/// A field of a comma-separated list, quoted where it has commas itself.
fn field(text: String) -> String {
    if text.contains([',', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// Where the result goes, in the words of the command. One of them has the image's own name.
fn outputs(args: &BuildArgs, name: &str) -> Result<Vec<String>, Failure> {
    let list = args.outputs.as_deref().unwrap_or_default();
    let mut out = Vec::new();
    let mut named = false;
    for Options(output) in list {
        let mut fields = vec![format!("type={}", output.r#type)];
        match output.r#type.as_str() {
            "local" | "tar" | "oci" if output.dest.is_none() => {
                return Err(Failure::new(format!(
                    "type is {} but all of the following are missing: dest found in outputs",
                    output.r#type
                )));
            }
            "image" => {
                let names = output.name.clone().filter(|n| !n.is_empty()).unwrap_or_else(|| vec![name.to_owned()]);
                let full: Vec<String> = names.iter().map(|n| names::full(n)).collect();
                named |= full.iter().any(|n| n == name);
                fields.push(format!("name={}", names.join(",")));
                fields.extend(output.push.then(|| "push=true".to_owned()));
            }
            _ => {}
        }
        fields.extend(output.dest.as_ref().map(|d| format!("dest={}", d.0)));
        fields.extend(output.context.as_ref().map(|c| format!("context={c}")));
        out.push(fields.into_iter().map(field).collect::<Vec<_>>().join(","));
    }
    if !out.is_empty() && !named {
        out.push(format!("type=image,{}", field(format!("name={name}"))));
    }
    Ok(out)
}
