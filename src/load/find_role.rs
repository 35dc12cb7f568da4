//! Where roles are: in collections on disk, beside the playbook, in `roles_path`.

use std::path::{Path, PathBuf};

use super::Config;
use super::imports::At;
use super::project::Loader;
use crate::diag::{Diagnostic, ExitCode};
use crate::playbook::{RoleRef, collection_of};

/// The namespace, the collection and the rest of a full name: `ns.name.rest`.
fn full_name(name: &str) -> Option<(&str, &str, &str)> {
    let (namespace, rest) = name.split_once('.')?;
    let (collection, rest) = rest.split_once('.')?;
    let plain = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (plain(namespace) && plain(collection) && rest.split('.').all(plain)).then_some((namespace, collection, rest))
}

/// The folders that may hold `ansible_collections`.
fn roots(config: &Config, playbook_dir: &Path) -> Vec<PathBuf> {
    let beside = playbook_dir.join("collections");
    // A playbook that is in a collection finds what is beside that one.
    let around = playbook_dir.ancestors().find(|dir| dir.ends_with("ansible_collections"));
    let around = around.and_then(Path::parent).map(Path::to_owned);
    std::iter::once(beside).chain(around).chain(config.collections_path.value.iter().cloned()).collect()
}

/// A path in a collection, where it is there.
fn in_collection(config: &Config, playbook_dir: &Path, name: &str, folder: &str) -> Option<PathBuf> {
    let (namespace, collection, rest) = full_name(name)?;
    let inside = Path::new(namespace).join(collection).join(folder).join(rest.replace('.', "/"));
    let places = roots(config, playbook_dir).into_iter().flat_map(|root| {
        // The setting may name the folder itself.
        let own = root.ends_with("ansible_collections").then(|| root.join(&inside));
        own.into_iter().chain([root.join("ansible_collections").join(&inside)])
    });
    let endings: &[&str] = if folder == "playbooks" { &[".yml", ".yaml", ""] } else { &[""] };
    places
        .flat_map(|place| endings.iter().map(move |ending| PathBuf::from(format!("{}{ending}", place.display()))))
        .find(|path| if folder == "playbooks" { path.is_file() } else { path.is_dir() })
}

/// The playbook of a collection that a full name means, `ns.name.playbook`.
pub fn collection_playbook(config: &Config, dir: &Path, name: &str) -> Option<PathBuf> {
    in_collection(config, dir, name, "playbooks")
}

impl Loader<'_> {
    /// A role by its full name, or by a short one in one of the collections that are searched:
    /// its full name, and where it is.
    pub(super) fn role_in_collection(&self, name: &str, at: &At<'_>) -> Option<(String, PathBuf)> {
        let short = at.collections.iter().filter(|_| !name.contains(['/', '.'])).map(|c| format!("{c}.{name}"));
        std::iter::once(name.to_owned())
            .chain(short)
            .find_map(|full| in_collection(self.config, at.playbook_dir, &full, "roles").map(|path| (full, path)))
    }

    /// References with the full names of those that are found in collections.
    pub(super) fn with_full_names(&self, mut refs: Vec<RoleRef>, at: &At<'_>) -> Vec<RoleRef> {
        for reference in &mut refs {
            if let Some((full, _)) = self.role_in_collection(&reference.name, at) {
                reference.name = full;
            }
        }
        refs
    }

    /// The name and the folder of a role.
    pub(super) fn find_role(&mut self, reference: &RoleRef, at: &At<'_>) -> Option<(String, PathBuf)> {
        if let Some(found) = self.role_in_collection(&reference.name, at) {
            return Some(found);
        }
        let dir = at.playbook_dir;
        let mut places = vec![dir.join("roles")];
        places.extend(self.config.roles_path.value.iter().cloned());
        // Roles that stand together find each other.
        places.extend(at.role.and_then(Path::parent).filter(|p| collection_of(p).is_none()).map(Path::to_owned));
        places.push(dir.to_owned());
        let mut seen = std::collections::HashSet::new();
        places.retain(|place| seen.insert(place.clone()));
        let candidates = places.iter().map(|place| place.join(&reference.name));
        if let Some(path) = candidates.clone().find(|p| p.is_dir()) {
            return Some((reference.name.clone(), path));
        }
        self.errors.push(self.no_role(reference, &places, at));
        None
    }

    fn no_role(&self, reference: &RoleRef, places: &[PathBuf], at: &At<'_>) -> Diagnostic {
        let names: Vec<String> = places.iter().take(places.len() - 1).flat_map(|p| folders(p)).collect();
        let mut searched: Vec<String> = places.iter().map(|p| p.display().to_string()).collect();
        if full_name(&reference.name).is_some() {
            searched = roots(self.config, at.playbook_dir).iter().map(|p| p.display().to_string()).collect();
        } else if !at.collections.is_empty() {
            searched.insert(0, at.collections.join(":"));
        }
        Diagnostic::error(format!("the role '{}' was not found in {}", reference.name, searched.join(":")))
            .at(reference.origin.clone())
            .label("no such role")
            .suggest(&reference.name, names.iter().map(String::as_str))
            .exit(ExitCode::Error)
    }
}

fn folders(path: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries.filter(|e| e.path().is_dir()).map(|e| e.file_name().to_string_lossy().into_owned()).collect()
}
