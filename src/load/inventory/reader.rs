//! Tries the readers of inventory sources on each source, in their configured order.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fancy_regex::Regex;
use rustix::fs::{Access, access};

use super::{LoadedInventory, constructed, generator, script};
use crate::diag::{Checked, Diagnostic, ExitCode, Severity};
use crate::inventory::Builder;
use crate::load::{Config, Files, HashBehaviour, Machine, near_name};
use crate::model::Source;
use crate::template::Engine;
use crate::vars::Layer;
use crate::yaml::{self, Node};

/// Names in an inventory directory that are never sources.
const BESIDE: [&str; 3] = ["group_vars", "host_vars", "vars_plugins"];
/// Directories in directories: a link that leads back to itself ends here.
const MAX_DEPTH: usize = 20;

/// A reader of sources, Ansible's inventory plugin of that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plugin {
    HostList,
    AdvancedHostList,
    Script,
    Auto,
    Yaml,
    Ini,
    Toml,
    Constructed,
    Generator,
}

const PLUGINS: [(&str, Plugin); 9] = [
    ("host_list", Plugin::HostList),
    ("advanced_host_list", Plugin::AdvancedHostList),
    ("script", Plugin::Script),
    ("auto", Plugin::Auto),
    ("yaml", Plugin::Yaml),
    ("ini", Plugin::Ini),
    ("toml", Plugin::Toml),
    ("constructed", Plugin::Constructed),
    ("generator", Plugin::Generator),
];

fn plugin(name: &str) -> Option<(&'static str, Plugin)> {
    let short = name.strip_prefix("ansible.builtin.").or_else(|| name.strip_prefix("ansible.legacy.")).unwrap_or(name);
    PLUGINS.into_iter().find(|(known, _)| *known == short)
}

/// Sources as they are read, one after the other.
pub(super) struct Reader<'a> {
    files: &'a Files,
    config: &'a Config,
    extra: &'a Arc<Layer>,
    engine: Arc<Engine>,
    plugins: Vec<(&'static str, Plugin)>,
    ignored: Vec<Regex>,
    builder: Builder,
    dirs: Vec<PathBuf>,
    pub errors: Vec<Diagnostic>,
    pub warnings: Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    /// Nothing read yet.
    pub fn new(files: &'a Files, config: &'a Config, extra: &'a Arc<Layer>) -> Self {
        let (mut plugins, mut warnings, mut errors) = (Vec::new(), Vec::new(), Vec::new());
        for name in &config.inventory_enabled.value {
            match plugin(name) {
                Some(found) => plugins.push(found),
                None => warnings.push(
                    Diagnostic::warning(format!("Failed to load inventory plugin, skipping {name}"))
                        .at(config.inventory_enabled.origin().cloned())
                        .suggest(name, PLUGINS.iter().map(|(name, _)| *name))
                        .hint("inventory plugins are built in; a script can do what another plugin did"),
                ),
            }
        }
        let mut ignored = Vec::new();
        for pattern in &config.inventory_ignore_patterns.value {
            match Regex::new(pattern) {
                Ok(regex) => ignored.push(regex),
                Err(error) => errors.push(
                    Diagnostic::error(format!("`{pattern}` of `ignore_patterns` is no regular expression: {error}"))
                        .at(config.inventory_ignore_patterns.origin().cloned())
                        .exit(ExitCode::Options),
                ),
            }
        }
        let mut builder = Builder::new();
        builder.set_group_names(config.force_valid_group_names.value);
        builder.set_merge(config.hash_behaviour.value == HashBehaviour::Merge);
        let engine = Arc::new(Engine::new(Arc::new(Machine::new(files.vault()))));
        Self { files, config, extra, engine, plugins, ignored, builder, dirs: Vec::new(), errors, warnings }
    }

    /// What was read.
    ///
    /// # Errors
    /// What is wrong and is an error.
    pub fn finish(self) -> Checked<LoadedInventory> {
        let Self { builder, dirs, mut errors, mut warnings, .. } = self;
        match builder.finish() {
            Ok(inventory) if errors.is_empty() => {
                warnings.extend(inventory.warnings().iter().cloned());
                Ok(LoadedInventory { inventory, dirs, warnings })
            }
            Ok(_) => Err(errors),
            Err(found) => {
                errors.extend(found);
                Err(errors)
            }
        }
    }

    /// Reads a list of hosts; returns whether a reader took it.
    pub fn list(&mut self, text: &str) -> bool {
        let mut failed = Vec::new();
        for (name, plugin) in self.plugins.clone() {
            let ranges = match plugin {
                Plugin::HostList => false,
                Plugin::AdvancedHostList => true,
                _ => continue,
            };
            let read = self.builder.attempt(|builder| {
                builder.host_list(text, "--inventory", ranges);
                Ok(())
            });
            match read {
                Ok(()) => return true,
                Err(found) => failed.push((name, found)),
            }
        }
        self.unparsed(text, failed);
        false
    }

    /// Reads a file or directory, which the user called `given`; returns whether anything
    /// was understood.
    pub fn source(&mut self, path: &Path, given: &str) -> bool {
        if !path.exists() {
            let mut missing = Diagnostic::warning(format!("there is no such file: {}", path.display()));
            if let Some(name) = near_name(path) {
                missing = missing.hint(format!("did you mean `{}`?", path.with_file_name(name).display()));
            } else if !given.contains('/') {
                missing = missing.hint(format!("for a host of that name write `-i {given},` with a comma"));
            }
            self.unparsed(&path.display().to_string(), vec![("", vec![missing])]);
            return false;
        }
        self.any(path, 0)
    }

    fn any(&mut self, path: &Path, depth: usize) -> bool {
        if depth > MAX_DEPTH {
            self.errors.push(Diagnostic::error(format!("{} is nested too deeply", path.display())));
            return false;
        }
        match self.files.list(path) {
            Ok(Some(names)) => self.directory(path, &names, depth),
            Ok(None) => self.file(path),
            Err(found) => {
                self.unparsed(&path.display().to_string(), vec![("", found)]);
                false
            }
        }
    }

    fn directory(&mut self, path: &Path, names: &[String], depth: usize) -> bool {
        self.dirs.push(path.to_owned());
        let mut parsed = false;
        for name in names {
            let endings = &self.config.inventory_ignore_extensions.value;
            let ignored = endings.iter().any(|end| name.ends_with(end.as_str()))
                || self.ignored.iter().any(|regex| regex.is_match(name).unwrap_or(false));
            if !ignored && !name.starts_with('.') && !BESIDE.contains(&name.as_str()) {
                parsed |= self.any(&path.join(name), depth + 1);
            }
        }
        if !parsed {
            self.unparsed(&path.display().to_string(), Vec::new());
        }
        parsed
    }

    fn file(&mut self, path: &Path) -> bool {
        self.dirs.push(path.parent().unwrap_or_else(|| Path::new("/")).to_owned());
        let mut failed = Vec::new();
        for (name, plugin) in self.plugins.clone() {
            if !self.fits(plugin, path) {
                continue;
            }
            match self.attempt(plugin, path) {
                Ok(()) => return true,
                Err(found) => failed.push((name, found)),
            }
        }
        self.unparsed(&path.display().to_string(), failed);
        false
    }

    /// Whether a reader takes files of that name and kind at all.
    fn fits(&self, plugin: Plugin, path: &Path) -> bool {
        let ending = path.extension().map(|e| format!(".{}", e.to_string_lossy()));
        let is = |wanted: &[&str]| ending.as_deref().is_some_and(|e| wanted.contains(&e));
        let yaml = || ending.as_ref().is_none_or(|e| self.config.yaml_extensions.value.contains(e));
        match plugin {
            Plugin::HostList | Plugin::AdvancedHostList => false,
            Plugin::Script => path.is_file() && access(path, Access::EXEC_OK).is_ok(),
            Plugin::Auto => is(&[".yml", ".yaml"]),
            Plugin::Yaml => yaml(),
            Plugin::Ini => !is(&[".toml"]),
            Plugin::Toml => is(&[".toml"]),
            Plugin::Constructed | Plugin::Generator => is(&[".config"]) || yaml(),
        }
    }

    fn attempt(&mut self, plugin: Plugin, path: &Path) -> Checked<()> {
        if plugin == Plugin::Script {
            let notes = self.config.inventory_script_stderr.value;
            return self.builder.attempt(|builder| script::parse(builder, path, notes));
        }
        let source = self.files.read(path, "the inventory")?;
        let read: fn(&mut Builder, &Arc<Source>) = match plugin {
            Plugin::Ini => Builder::ini,
            Plugin::Toml => Builder::toml,
            Plugin::Yaml => Builder::yaml,
            _ => return self.configured(plugin, &source),
        };
        self.builder.attempt(|builder| {
            read(builder, &source);
            Ok(())
        })
    }

    /// A file that configures a plugin.
    fn configured(&mut self, wanted: Plugin, source: &Arc<Source>) -> Checked<()> {
        let loaded = yaml::load(source)?;
        let document = loaded.documents.first();
        let named = document.and_then(|document| document.get("plugin")).and_then(Node::as_str);
        let (Some(document), Some(named)) = (document, named) else {
            let words = format!(
                "no root 'plugin' key found, '{}' is not a valid YAML inventory plugin config file",
                source.name
            );
            return Err(Diagnostic::error(words).into());
        };
        let found = plugin(named).map(|(_, plugin)| plugin);
        let world = constructed::World {
            files: self.files,
            dirs: &self.dirs,
            engine: &self.engine,
            extra: self.extra,
            use_extra_vars: self.config.inventory_use_extra_vars.value,
        };
        match found {
            Some(Plugin::Constructed) if matches!(wanted, Plugin::Auto | Plugin::Constructed) => {
                self.builder.attempt(|builder| constructed::parse(builder, &world, document))
            }
            Some(Plugin::Generator) if matches!(wanted, Plugin::Auto | Plugin::Generator) => {
                self.builder.attempt(|builder| generator::parse(builder, &self.engine, document))
            }
            _ => {
                let at = document.get("plugin").map(|node| node.origin.clone());
                Err(Diagnostic::error(format!("inventory config '{}' specifies unknown plugin '{named}'", source.name))
                    .at(at)
                    .suggest(named, ["constructed", "generator"])
                    .hint("constructed and generator are built in; for others, save what they give: `ansible-inventory --list --export`, or use a script")
                    .into())
            }
        }
    }

    /// A source that nobody understood: what was tried, and that it is passed over.
    fn unparsed(&mut self, name: &str, failed: Vec<(&'static str, Vec<Diagnostic>)>) {
        let fatal = self.config.inventory_any_unparsed_is_failed.value;
        let severity = if fatal { Severity::Error } else { Severity::Warning };
        let mut found = Vec::new();
        for (plugin, findings) in relevant(failed) {
            found.extend(findings.into_iter().map(|finding| {
                let message = if plugin.is_empty() {
                    finding.message
                } else {
                    format!("Failed to parse inventory with '{plugin}' plugin: {}", finding.message)
                };
                Diagnostic { severity, message, exit: ExitCode::Error, ..finding }
            }));
        }
        if fatal {
            self.errors.extend(found);
            let words = format!("Completely failed to parse inventory source {name}");
            self.errors.push(Diagnostic::error(words).exit(ExitCode::Error));
        } else {
            self.warnings.extend(found);
            self.warnings.push(Diagnostic::warning(format!("Unable to parse {name} as an inventory source")));
        }
    }
}

/// Of several readers that failed, the one that the source is for: that a script is no INI,
/// and a plain inventory no configuration of a plugin, says nothing.
fn relevant(failed: Vec<(&'static str, Vec<Diagnostic>)>) -> Vec<(&'static str, Vec<Diagnostic>)> {
    let says = |found: &[Diagnostic], words: &str| found.iter().any(|d| d.message.contains(words));
    let mut kept = failed;
    kept.retain(|(_, found)| !says(found, "no root 'plugin'"));
    if kept.len() > 1 {
        kept.retain(|(_, found)| !says(found, "configures an inventory plugin"));
    }
    let first_line = |found: &[Diagnostic]| {
        let text = found.iter().find_map(|d| d.origin.as_ref()).map(|origin| origin.source.text.clone());
        let lines = text.unwrap_or_default();
        lines.lines().map(|line| line.trim().to_owned()).find(|l| !l.is_empty() && !l.starts_with(['#', ';']))
    };
    if let Some(ini) = kept.iter().position(|(name, _)| *name == "ini").filter(|_| kept.len() > 1) {
        let line = kept.get(ini).and_then(|(_, found)| first_line(found)).unwrap_or_default();
        let yaml = line == "---" || line.ends_with(':') || line.contains(": ") || line.starts_with(['{', '-']);
        let script = kept.iter().any(|(name, _)| *name == "script");
        if yaml || script {
            kept.remove(ini);
        } else {
            kept.retain(|(name, _)| *name == "ini");
        }
    }
    kept.truncate(1);
    kept
}
