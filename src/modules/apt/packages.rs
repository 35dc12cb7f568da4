//! Packages by name: present, latest, absent, build-dep.

use super::status::Installed;
use super::tool::{Candidate, Tool};
use super::version::{Spec, Want};
use crate::model::{Command, Failure};
use crate::module::{Done, Plan, Step};

/// Plans what a task wants with its packages.
///
/// # Errors
/// When one is not known, or apt cannot do it.
pub(super) fn plan(tool: &Tool<'_>) -> Result<Plan, Failure> {
    let names = tool.args.packages();
    let (files, names): (Vec<&str>, Vec<&str>) =
        names.into_iter().partition(|n| n.ends_with(".deb") && n.contains('/'));
    let mut plan = Plan::new();
    if !files.is_empty() && tool.args.state != "absent" {
        plan = super::deb::plan(tool, &files.into_iter().map(str::to_owned).collect::<Vec<_>>())?;
    }
    if names.is_empty() {
        return Ok(plan);
    }
    let specs: Vec<Spec> = names.into_iter().map(Spec::parse).collect();
    plan.append(match tool.args.state.as_str() {
        "absent" => absent(tool, &specs)?,
        "build-dep" => build_dep(tool, &specs)?,
        _ => present(tool, &specs)?,
    });
    Ok(plan)
}

/// Options of apt-get for installing.
pub(super) fn options(tool: &Tool<'_>) -> Vec<String> {
    let args = tool.args;
    let mut words: Vec<String> = Vec::new();
    let mut flag = |given: bool, word: &str| {
        if given {
            words.push(word.to_owned());
        }
    };
    flag(args.only_upgrade, "--only-upgrade");
    flag(args.fail_on_autoremove, "--no-remove");
    flag(args.autoremove, "--auto-remove");
    flag(args.purge && args.autoremove, "--purge");
    flag(args.allow_unauthenticated || args.force, "--allow-unauthenticated");
    flag(args.allow_downgrade || args.force, "--allow-downgrades");
    flag(args.allow_change_held_packages || args.force, "--allow-change-held-packages");
    flag(args.force, "--allow-remove-essential");
    flag(args.install_recommends == Some(false), "--no-install-recommends");
    flag(args.install_recommends == Some(true), "--install-recommends");
    if let Some(release) = &args.default_release {
        words.extend(["-t".to_owned(), release.clone()]);
    }
    words
}

fn words(tool: &Tool<'_>, verb: &str, packages: Vec<String>) -> Vec<String> {
    let mut words = options(tool);
    words.push(verb.to_owned());
    words.extend(packages);
    words
}

fn present(tool: &Tool<'_>, specs: &[Spec]) -> Result<Plan, Failure> {
    let installed = Installed::read(tool.host)?;
    let latest = tool.args.state == "latest";
    let specs = expand(tool, specs)?;
    let is_there = |spec: &Spec| {
        let version = installed.version(&spec.name);
        let planned_somehow = version == Some("");
        version.is_some_and(|v| planned_somehow || spec.accepts(v))
            || (spec.want == Want::Any && version.is_none() && installed.provided(&spec.name))
    };
    let open: Vec<&Spec> = specs.iter().filter(|s| latest || !is_there(s)).collect();
    let mut wanted = Vec::new();
    if !open.is_empty() {
        let candidates = tool.candidates(&open.iter().map(|s| s.name.clone()).collect::<Vec<_>>())?;
        for spec in open {
            let name = spec.name.split(':').next().unwrap_or_default();
            let candidate = candidates.iter().find(|c| c.name == spec.name || c.name.split(':').next() == Some(name));
            if let Some(word) = choose(tool, spec, candidate, &installed)? {
                wanted.push(word);
            }
        }
    }
    let mut plan = Plan::new();
    if !wanted.is_empty() {
        plan.append(tool.run(&words(tool, "install", wanted))?);
    } else if tool.args.autoremove {
        plan.append(super::system::autoremove(tool)?);
    }
    if !tool.args.only_upgrade {
        plan.append(mark_manual(tool, &specs, &installed));
    }
    Ok(plan)
}

/// Names for patterns; a pattern that nothing matches is an error.
fn expand(tool: &Tool<'_>, specs: &[Spec]) -> Result<Vec<Spec>, Failure> {
    let mut all = Vec::new();
    for spec in specs {
        if !spec.is_pattern() {
            all.push(spec.clone());
            continue;
        }
        let names = tool.matching(&spec.name)?;
        if names.is_empty() {
            return Err(Failure::new(format!("No package(s) matching '{}' available", spec.text)));
        }
        all.extend(names.into_iter().map(|name| Spec { name, ..spec.clone() }));
    }
    Ok(all)
}

/// What apt-get is to be told to install for a specifier; nothing when it is there.
fn choose(
    tool: &Tool<'_>,
    spec: &Spec,
    candidate: Option<&Candidate>,
    installed: &Installed,
) -> Result<Option<String>, Failure> {
    let there = installed.version(&spec.name);
    if tool.args.only_upgrade && there.is_none() {
        return Ok(None);
    }
    let Some(candidate) = candidate else {
        // A virtual package has no entry of its own where nothing provides it.
        return Err(Failure::missing(format!("No package matching '{}' is available", spec.name)));
    };
    let Some(newest) = &candidate.version else {
        return if installed.provided(&spec.name) { Ok(None) } else { Ok(Some(spec.name.clone())) };
    };
    match &spec.want {
        Want::Any => Ok((there != Some(newest)).then(|| spec.name.clone())),
        _ if there.is_some_and(|v| spec.accepts(v)) => Ok(None),
        Want::AtLeast(_) if spec.accepts(newest) => Ok(Some(format!("{}={newest}", spec.name))),
        Want::Exactly(_) => match candidate.all.iter().find(|v| spec.accepts(v)) {
            Some(version) => Ok(Some(format!("{}={version}", spec.name))),
            None => Err(no_version(spec)),
        },
        Want::AtLeast(_) => Err(no_version(spec)),
    }
}

fn no_version(spec: &Spec) -> Failure {
    Failure::missing(format!("no available installation candidate for {}", spec.text))
}

/// Packages that were installed for others and are now asked for stay when those go.
fn mark_manual(tool: &Tool<'_>, specs: &[Spec], installed: &Installed) -> Plan {
    let states = tool.host.text("/var/lib/apt/extended_states").unwrap_or_default();
    let automatic: Vec<&str> = states
        .split("\n\n")
        .filter(|s| s.lines().any(|l| l.trim() == "Auto-Installed: 1"))
        .filter_map(|s| s.lines().find_map(|l| l.strip_prefix("Package: ")))
        .collect();
    let marked = specs.iter().filter(|s| installed.version(&s.name).is_some());
    let names: Vec<String> = marked
        .filter(|s| automatic.contains(&s.name.split(':').next().unwrap_or_default()))
        .map(|s| s.name.clone())
        .collect();
    let mut plan = Plan::new();
    if !names.is_empty() && tool.host.which("apt-mark").is_some() {
        let command = Command::new("apt-mark").arg("manual").args(names);
        plan.step(Step::action([], move |host| host.run(&command, None).map(|_| Done::default())).quiet());
    }
    plan
}

fn absent(tool: &Tool<'_>, specs: &[Spec]) -> Result<Plan, Failure> {
    let installed = Installed::read(tool.host)?;
    let purge = tool.args.purge;
    let mut names = Vec::new();
    for spec in specs {
        if spec.is_pattern() {
            names.extend(installed.matching(spec, purge));
        } else if let Some(package) = installed.get(&spec.name)
            && ((package.installed && spec.accepts(&package.version)) || (purge && package.residue))
        {
            names.push(spec.name.clone());
        }
    }
    if names.is_empty() {
        return if tool.args.autoremove { super::system::autoremove(tool) } else { Ok(Plan::new()) };
    }
    let mut words: Vec<String> = Vec::new();
    let mut flag = |given: bool, word: &str| {
        if given {
            words.push(word.to_owned());
        }
    };
    flag(purge, "--purge");
    flag(tool.args.autoremove, "--auto-remove");
    flag(tool.args.allow_change_held_packages || tool.args.force, "--allow-change-held-packages");
    flag(tool.args.force, "--allow-remove-essential");
    words.push("remove".to_owned());
    words.extend(names);
    tool.run(&words)
}

fn build_dep(tool: &Tool<'_>, specs: &[Spec]) -> Result<Plan, Failure> {
    let names = specs.iter().map(|s| s.text.clone()).collect();
    tool.run_if_needed(&words(tool, "build-dep", names))
}
