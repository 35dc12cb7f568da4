//! `docker_login`: credentials for a registry, checked by the engine and kept as Docker's
//! client keeps them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::auth::{self, Config};
use super::engine::{Engine, EngineArgs};
use crate::args;
use crate::model::{Command, Diff, Failure, Map, Value};
use crate::module;
use crate::module::{Arguments, Done, Module, Path, Plan, ReturnSpec, Run, Step};
use crate::modules::json;
use crate::sys::{Content, Effect, Host, Probe};

args! {
    /// Arguments of `docker_login`.
    pub struct Login {
        /// The registry.
        [aliases "registry" "url"]
        registry_url: String = auth::DEFAULT.to_owned(),
        /// The user.
        username: Option<String>,
        /// The user's password.
        password: Option<String>,
        /// Log in also with credentials that are there.
        [aliases "reauth"]
        reauthorize: bool = false,
        /// The file of Docker's client.
        [aliases "dockercfg_path"]
        config_path: Path = Path("~/.docker/config.json".to_owned()),
        /// Whether there are to be credentials.
        [choices "present" "absent"]
        state: String = "present".to_owned();
        ..engine: EngineArgs,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "docker_login",
    aliases: &[],
    collection: super::COLLECTION,
    kind: module::Kind::State,
    doc: "Log into a Docker registry.",
    args: Login::specs,
    free_form: None,
    any_args: false,
    asks_others: true,
    returns: &[ReturnSpec {
        name: "login_result",
        doc: "What the engine said, or the user whose credentials were there.",
    }],
    run: Run::Target(plan),
};

fn plan(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let mut args = Login::parse(args)?;
    args.config_path.0 = module::expand(&args.config_path.0, &|name| host.env(name));
    if args.state == "present" && (args.username.is_none() || args.password.is_none()) {
        return Err(Failure::new("state is present but all of the following are missing: username, password"));
    }
    let config = Config::read(host, &args.config_path.0)?;
    let registry = args.registry_url.clone();
    let helper = config.helper(&registry);
    let stored = match &helper {
        Some(helper) => auth::ask_helper(host, helper, &registry)?,
        None => config.stored(&registry),
    };
    if args.state == "absent" {
        return Ok(absent(&args, config, helper, stored.is_some(), host).with("login_result", Map::new()));
    }
    present(args, config, helper, stored, host)
}

/// The file with a registry's credentials changed, without what it says of others.
fn file(args: &Login, mut config: Config, auth: Option<String>, host: &Probe<'_>) -> Effect {
    let mut auths = super::map_of(config.map.get("auths").unwrap_or(&Value::Null));
    match auth {
        Some(auth) => drop(auths.insert(args.registry_url.as_str(), Map::from_iter([("auth", auth)]))),
        None => drop(auths.remove(&args.registry_url)),
    }
    config.map.insert("auths", auths);
    let (uid, gid) = host.own_ids();
    // As Ansible writes it.
    let bytes = json::dumps_indented(&Value::from(config.map)).into_bytes();
    let path = args.config_path.0.clone().into();
    Effect::File { path, content: Content::Bytes(bytes.into()), mode: 0o600, uid, gid, in_place: false }
}

/// The directory of the file, where it is missing.
fn directories(host: &Probe<'_>, path: &str) -> Vec<Effect> {
    let (uid, gid) = host.own_ids();
    let missing = std::path::Path::new(path).ancestors().skip(1);
    let mut missing: Vec<_> = missing.take_while(|dir| !matches!(host.stat(dir), Ok(Some(_)))).collect();
    missing.reverse();
    missing.into_iter().map(|dir| Effect::Directory { path: dir.to_owned(), mode: 0o700, uid, gid }).collect()
}

fn diff(args: &Login, before: &str, after: &str) -> Diff {
    super::differs(
        format!("registry {}", args.registry_url),
        vec![("user".to_owned(), before.to_owned(), after.to_owned())],
    )
}

fn absent(args: &Login, config: Config, helper: Option<String>, there: bool, host: &Probe<'_>) -> Plan {
    let mut plan = Plan::new();
    if !there {
        return plan;
    }
    let shown = diff(args, "logged in", "");
    match helper {
        None => plan.step(Step::effect(file(args, config, None, host)).diff(shown)),
        Some(helper) => {
            let registry = args.registry_url.clone();
            let step = Step::action([], move |host| tell(host, &helper, "erase", registry).map(|()| Done::default()));
            plan.step(step.diff(shown));
        }
    }
    plan
}

/// Has a helper do something.
fn tell(host: &mut Host<'_>, helper: &str, what: &str, input: String) -> Result<(), Failure> {
    let mut command = Command::new(helper).arg(what);
    command.stdin = Some(input.into_bytes());
    let out = host.run(&command, Some(std::time::Duration::from_secs(60)))?;
    if out.success() {
        return Ok(());
    }
    Err(Failure::new(format!("{helper} {what}: {}{}", out.stdout_text().trim(), out.stderr_text().trim())))
}

fn present(
    args: Login,
    config: Config,
    helper: Option<String>,
    stored: Option<(String, String)>,
    host: &Probe<'_>,
) -> Result<Plan, Failure> {
    let (user, password) = (args.username.clone().unwrap_or_default(), args.password.clone().unwrap_or_default());
    let mut plan = Plan::new();
    let same = stored.as_ref().is_some_and(|(u, p)| *u == user && *p == password);
    if same && !args.reauthorize {
        let known: [(&str, Value); 3] =
            [("username", user.into()), ("serveraddress", args.registry_url.into()), ("email", Value::Null)];
        let known: Map = known.into_iter().collect();
        plan.set("login_result", known);
        return Ok(plan);
    }
    let engine = Engine::connect(&args.engine, host)?;
    let registry = args.registry_url.clone();
    let check = {
        let (user, password, registry) = (user.clone(), password.clone(), registry.clone());
        Step::action([], move |host| {
            let body = Map::from_iter([
                ("username", user.as_str()),
                ("password", password.as_str()),
                ("serveraddress", registry.as_str()),
            ]);
            let doing = format!("Logging into {registry} for user {user} failed -");
            let said = engine.act(host, &doing, "POST", "/auth", Some(&body))?;
            Ok(Done { result: Map::from_iter([("login_result", said)]), changed: Some(!same), ..Done::default() })
        })
    };
    let before = stored.map_or_else(|| "not logged in".to_owned(), |(u, _)| u);
    let shown =
        (!same).then(|| diff(&args, &before, if before == user { "the same, another password" } else { &user }));
    plan.step(check.diff(shown).yields(&["login_result"]));
    if same {
        return Ok(plan);
    }
    match helper {
        None => {
            for effect in directories(host, &args.config_path.0) {
                plan.step(Step::effect(effect).quiet());
            }
            let auth = STANDARD.encode(format!("{user}:{password}"));
            plan.step(Step::effect(file(&args, config, Some(auth), host)).quiet());
        }
        Some(helper) => {
            let map = Map::from_iter([("ServerURL", registry), ("Username", user), ("Secret", password)]);
            let input = json::dumps(&Value::from(map));
            plan.step(
                Step::action([], move |host| tell(host, &helper, "store", input).map(|()| Done::default())).quiet(),
            );
        }
    }
    Ok(plan)
}
