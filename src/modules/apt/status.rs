//! What is installed, read from dpkg's own database: nothing is run to learn that.

use std::collections::HashMap;

use super::version::Spec;
use crate::model::Failure;
use crate::sys::Probe;

const STATUS: &str = "/var/lib/dpkg/status";

/// A package that dpkg knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Package {
    /// Name without architecture.
    pub name: String,
    /// Architecture.
    pub arch: String,
    /// Version; of what was removed, when it is not installed.
    pub version: String,
    /// Whether all of it is there.
    pub installed: bool,
    /// Whether at least its configuration is there.
    pub residue: bool,
    /// Names of virtual packages that it stands for.
    pub provides: Vec<String>,
}

/// All packages that dpkg knows.
pub(super) struct Installed {
    packages: Vec<Package>,
    by_name: HashMap<String, Vec<usize>>,
    native: String,
}

impl Installed {
    /// Reads the database, with what a dry run planned on top.
    ///
    /// # Errors
    /// When there is none: the host has no dpkg.
    pub(super) fn read(host: &Probe<'_>) -> Result<Self, Failure> {
        let text = host.text(STATUS).ok_or_else(|| {
            Failure::missing(format!("Failed to read {STATUS}: apt manages packages of Debian and its derivatives"))
        })?;
        let mut packages = parse(&text);
        let native = packages.iter().find(|p| p.name == "dpkg").map_or_else(String::new, |p| p.arch.clone());
        for (name, version) in host.planned_packages() {
            packages.retain(|p| p.name != name);
            if let Some(version) = version {
                let arch = native.clone();
                packages.push(Package { name, arch, version, installed: true, residue: true, provides: Vec::new() });
            }
        }
        Ok(Self::new(packages, native))
    }

    fn new(packages: Vec<Package>, native: String) -> Self {
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (i, package) in packages.iter().enumerate() {
            by_name.entry(package.name.clone()).or_default().push(i);
        }
        Self { packages, by_name, native }
    }

    /// The entry of a package, by `name` or `name:arch`.
    pub(super) fn get(&self, name: &str) -> Option<&Package> {
        let (name, arch) = name.split_once(':').map_or((name, None), |(n, a)| (n, Some(a)));
        let arch = arch.map(|a| if a == "native" { self.native.as_str() } else { a });
        let mut found = self.by_name.get(name)?.iter().filter_map(|i| self.packages.get(*i));
        match arch {
            Some("any") => found.next(),
            Some(arch) => found.find(|p| p.arch == arch || p.arch == "all"),
            None => {
                let all: Vec<&Package> = found.collect();
                let native = all.iter().find(|p| p.arch == self.native || p.arch == "all");
                native.or_else(|| all.first()).copied()
            }
        }
    }

    /// The version that is installed.
    pub(super) fn version(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|p| p.installed).map(|p| p.version.as_str())
    }

    /// Whether an installed package stands for this virtual one.
    pub(super) fn provided(&self, name: &str) -> bool {
        self.packages.iter().any(|p| p.installed && p.provides.iter().any(|v| v == name))
    }

    /// Names of packages that match a pattern and are there, or have left configuration.
    pub(super) fn matching(&self, spec: &Spec, residue: bool) -> Vec<String> {
        let there = self.packages.iter().filter(|p| p.installed || (residue && p.residue));
        there.filter(|p| super::fnmatch(&spec.name, &p.name)).map(|p| p.name.clone()).collect()
    }
}

/// Reads dpkg's database.
fn parse(text: &str) -> Vec<Package> {
    text.split("\n\n").filter_map(stanza).collect()
}

fn stanza(text: &str) -> Option<Package> {
    let mut package = Package::default();
    for line in text.lines() {
        let Some((field, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        match field {
            "Package" => value.clone_into(&mut package.name),
            "Architecture" => value.clone_into(&mut package.arch),
            "Version" => value.clone_into(&mut package.version),
            "Status" => {
                let state = value.rsplit(' ').next().unwrap_or_default();
                package.installed = state == "installed" || state.starts_with("triggers-");
                package.residue = state != "not-installed";
            }
            "Provides" => package.provides = provides(value),
            _ => {}
        }
    }
    (!package.name.is_empty()).then_some(package)
}

fn provides(value: &str) -> Vec<String> {
    value
        .split(',')
        .filter_map(|p| p.split_whitespace().next())
        .map(|p| p.split(':').next().unwrap_or(p).to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Package: dpkg\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.21\n\n\
        Package: mawk\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.3\nProvides: awk, x (= 1)\nDescription: a\n b\n\n\
        Package: nginx\nStatus: deinstall ok config-files\nArchitecture: all\nVersion: 1.22\n";

    #[test]
    fn the_database_says_what_is_installed() {
        let installed = Installed::new(parse(TEXT), "amd64".to_owned());
        assert_eq!(installed.version("mawk"), Some("1.3"));
        assert_eq!(installed.version("mawk:amd64"), Some("1.3"));
        assert_eq!(installed.version("mawk:i386"), None);
        assert!(installed.version("nginx").is_none() && installed.get("nginx").unwrap().residue);
        assert!(installed.provided("awk") && installed.provided("x") && !installed.provided("mail"));
        assert_eq!(installed.matching(&Spec::parse("ma*"), false), ["mawk"]);
        assert_eq!(installed.matching(&Spec::parse("ng*"), true), ["nginx"]);
    }
}
