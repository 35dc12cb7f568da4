//! `apt`: packages of Debian and its derivatives, by the host's own apt-get.
//!
//! What is installed is read from dpkg's database, so that a host that has what is asked
//! for runs nothing. In a dry run apt simulates, and what packages would bring is read out
//! of them ([`provide`]).

mod cache;
mod deb;
mod packages;
mod provide;
mod status;
mod system;
mod tool;
mod version;

use super::glob::fnmatch;
use crate::args;
use crate::model::{Failure, Map};
use crate::module::{Arguments, Done, Kind, Module, Plan, ReturnSpec, Run, Step};
use crate::sys::{Effect, Probe};
use tool::Tool;

args! {
    /// Arguments of `apt`.
    pub struct Apt {
        /// Packages: `foo`, `foo=1.0*`, `foo>=1.0`, `foo:i386`, patterns as `apt*`, or paths and URLs of .deb files.
        [aliases "package" "pkg"]
        name: Option<Vec<String>>,
        /// What is to be: installed, in the newest version, not installed, its build dependencies installed, or broken dependencies repaired.
        [choices "absent" "build-dep" "latest" "present" "fixed"]
        state: String = "present".to_owned(),
        /// A .deb file on the host, or a URL of one.
        deb: Option<String>,
        /// Fetch the lists of packages first.
        [aliases "update-cache"]
        update_cache: Option<bool>,
        /// Seconds for which fetched lists are new enough; sets `update_cache`.
        cache_valid_time: i64 = 0,
        /// How often fetching the lists is tried again.
        update_cache_retries: i64 = 5,
        /// The longest pause between two tries, in seconds.
        update_cache_retry_max_delay: i64 = 12,
        /// Upgrade all packages: `yes` and `safe` remove none, `full` and `dist` may.
        [choices "dist" "full" "no" "safe" "yes"]
        upgrade: String = "no".to_owned(),
        /// Remove configuration as well, with `absent` or `autoremove`.
        purge: bool = false,
        /// Remove packages that were installed for others and are no longer needed.
        autoremove: bool = false,
        /// Remove fetched package files that can no longer be fetched.
        autoclean: bool = false,
        /// Remove all fetched package files.
        clean: bool = false,
        /// Check no signatures and allow older versions. Dangerous.
        force: bool = false,
        /// Use apt-get where aptitude is there, too. rplay always does.
        force_apt_get: bool = false,
        /// Install packages that cannot be authenticated.
        [aliases "allow-unauthenticated"]
        allow_unauthenticated: bool = false,
        /// Allow an older version in the place of a newer one.
        [aliases "allow-downgrade" "allow_downgrades" "allow-downgrades"]
        allow_downgrade: bool = false,
        /// Change packages that are on hold, too.
        allow_change_held_packages: bool = false,
        /// The release to install from (`-t`).
        [aliases "default-release"]
        default_release: Option<String>,
        /// Install recommended packages or not; the host's setting when left out.
        [aliases "install-recommends"]
        install_recommends: Option<bool>,
        /// dpkg's options, separated by commas, without `--`.
        dpkg_options: String = "force-confdef,force-confold".to_owned(),
        /// Only upgrade packages that are installed, install no others.
        only_upgrade: bool = false,
        /// Fail where packages would be removed.
        fail_on_autoremove: bool = false,
        /// The exit code of /usr/sbin/policy-rc.d during the task (101: start no services).
        policy_rc_d: Option<i64>,
        /// Seconds to wait for apt's lock.
        lock_timeout: i64 = 60,
        /// Taken and without effect: Ansible installs python3-apt by it, rplay needs none.
        auto_install_module_deps: bool = true,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "apt",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::State,
    doc: "Manage packages with apt.",
    args: Apt::specs,
    free_form: None,
    any_args: false,
    asks_others: false,
    returns: &[
        ReturnSpec { name: "cache_updated", doc: "Whether the lists of packages are newer than before." },
        ReturnSpec { name: "cache_update_time", doc: "When the lists were fetched, in seconds since 1970." },
        ReturnSpec { name: "stdout", doc: "What apt-get printed." },
        ReturnSpec { name: "stderr", doc: "What apt-get printed on standard error." },
    ],
    run: Run::Target(plan),
};

impl Apt {
    /// The packages asked for, empty names left out.
    fn packages(&self) -> Vec<&str> {
        self.name.iter().flatten().map(|n| n.trim()).filter(|n| !n.is_empty()).collect()
    }

    /// What is upgraded, when all of the host is to be.
    fn upgrade(&self) -> Option<&str> {
        if self.state == "latest" && self.packages() == ["*"] {
            return Some("yes");
        }
        // YAML reads a bare `yes` as true.
        match self.upgrade.as_str() {
            "no" | "False" | "false" => None,
            "True" | "true" => Some("yes"),
            other => Some(other),
        }
    }

    fn check(&self) -> Result<(), Failure> {
        let given = [self.deb.is_some(), self.name.is_some(), !matches!(self.upgrade.as_str(), "no" | "False")];
        if given.iter().filter(|g| **g).count() > 1 {
            return Err(Failure::new("parameters are mutually exclusive: deb|package|upgrade"));
        }
        let names = self.packages();
        if self.state == "latest" && names.len() > 1 && names.contains(&"*") {
            return Err(Failure::new("unable to install additional packages when upgrading all installed packages"));
        }
        if self.state == "latest" && names.iter().any(|n| n.contains('=')) {
            return Err(Failure::new("version number inconsistent with state=latest: ".to_owned() + &names.join(" ")));
        }
        Ok(())
    }

    fn does_nothing_else(&self) -> bool {
        self.packages().is_empty()
            && self.upgrade().is_none()
            && self.deb.is_none()
            && self.state != "fixed"
            && !self.autoremove
            && !self.autoclean
    }

    fn only_cleans(&self) -> bool {
        self.does_nothing_else() && !self.update_cache.unwrap_or(false) && self.cache_valid_time == 0
    }
}

fn plan(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = Apt::parse(args)?;
    args.check()?;
    if host.which("apt-get").is_none() {
        return Err(Failure::missing("Failed to find required executable \"apt-get\" in paths"));
    }
    let mut plan = Plan::new();
    if args.clean {
        plan.step(if args.only_cleans() { system::clean(&args) } else { system::clean(&args).quiet() });
        if args.only_cleans() {
            return Ok(plan);
        }
    }
    let stamp = cache::stamp(host);
    if !cache::is_due(&args, stamp, host) {
        plan.append(rest(&Tool::new(&args, host)?, Lists { updated: false, time: stamp })?);
    } else if host.is_dry_run() {
        let (tool, lists) = cache::simulate(&args, host, stamp)?;
        plan.append(rest(&tool, lists)?);
    } else {
        plan.step(Step::action([], move |host| cache::update_and_go_on(&args, host, stamp)));
    }
    Ok(plan)
}

/// What is known of the lists of packages.
#[derive(Debug, Clone, Copy)]
struct Lists {
    updated: bool,
    time: i64,
}

impl Lists {
    fn result(self, plan: &mut Plan) {
        plan.set("cache_updated", self.updated);
        plan.set("cache_update_time", self.time);
    }
}

/// All but the lists.
fn rest(tool: &Tool<'_>, lists: Lists) -> Result<Plan, Failure> {
    let args = tool.args;
    let mut plan = if args.upgrade().is_some() {
        system::upgrade(tool)?
    } else if let Some(deb) = &args.deb {
        deb::plan(tool, std::slice::from_ref(deb))?
    } else if args.state == "fixed" {
        system::fixed(tool)?
    } else if !args.packages().is_empty() {
        let mut plan = packages::plan(tool)?;
        if args.state != "absent" {
            lists.result(&mut plan);
        }
        plan
    } else if args.autoremove {
        system::autoremove(tool)?
    } else if args.autoclean {
        system::autoclean(tool)?
    } else {
        Plan::new()
    };
    if lists.updated {
        // Whatever is not found later may be in the lists that are fetched then.
        let why = Effect::MayProvide("the lists of packages were not fetched".into());
        let fetched = Step::action([why], |_| Ok(Done::default()));
        plan.step(if args.does_nothing_else() { fetched } else { fetched.quiet() });
    }
    if args.does_nothing_else() {
        lists.result(&mut plan);
    }
    Ok(plan)
}
