//! What plays include while they run: files of tasks and roles, each read once.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::imports::{At, not_found, search_dirs};
use super::project::Loader;
use super::{Config, Files};
use crate::compile::{IncludeAt, Includes, What};
use crate::diag::{Checked, Diagnostic};
use crate::model::{Map, normal};
use crate::playbook::{Item, Keywords, Place, RoleFrom, RoleImport, RoleRef, collection_of};
use crate::vars::Layer;

type TaskFiles = HashMap<(PathBuf, bool), Arc<Vec<Item>>>;
/// Where a role is looked for: playbook, role around, collections.
type Around = (PathBuf, Option<PathBuf>, Vec<String>);
type Roles = HashMap<(String, RoleFrom, bool, Around), Arc<RoleImport>>;

/// Reads what is included.
pub struct ProjectIncludes {
    files: Arc<Files>,
    config: Config,
    extra: Arc<Layer>,
    tasks: Mutex<TaskFiles>,
    roles: Mutex<Roles>,
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ProjectIncludes {
    /// A reader for the roles that `config` finds; names of what is imported within may read `extra`.
    pub fn new(files: Arc<Files>, config: Config, extra: Arc<Layer>) -> Self {
        Self { files, config, extra, tasks: Mutex::default(), roles: Mutex::default() }
    }

    fn at<'a>(&self, at: &'a IncludeAt, file: Option<PathBuf>) -> At<'a> {
        At {
            playbook_dir: &at.playbook_dir,
            role: at.role.as_deref(),
            files: file.into_iter().collect(),
            vars: Vec::new(),
            place: if at.handler { Place::Handler } else { Place::Task },
            collections: at.collections.iter().cloned().chain(collection_of(&file_of(at))).collect(),
        }
    }
}

/// The file that a statement stands in.
fn file_of(at: &IncludeAt) -> PathBuf {
    let path = Path::new(at.origin.source.name.as_ref() as &str);
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

impl Includes for ProjectIncludes {
    fn tasks(&self, name: &str, at: &IncludeAt) -> Checked<(What, Vec<Diagnostic>)> {
        let place = if at.handler { Place::Handler } else { Place::Task };
        let dirs = search_dirs(&[file_of(at)], at.role.as_deref(), &at.playbook_dir, place);
        let found = dirs.iter().map(|dir| dir.join(name)).find(|path| path.is_file());
        let path = found.ok_or_else(|| vec![not_found(name, &dirs, &at.origin)])?;
        let shown = normal(&path).display().to_string();
        let key = (path, at.handler);
        if let Some(known) = lock(&self.tasks).get(&key) {
            return Ok((What::Tasks(Arc::clone(known), shown), Vec::new()));
        }
        let mut loader = Loader::new(&self.files, &self.config, &self.extra);
        let items = loader.task_file(&key.0, place);
        let inside = self.at(at, Some(key.0.clone()));
        let items = items.map(|items| loader.expand(items, &inside));
        let Some(items) = items.filter(|_| loader.errors.is_empty()) else { return Err(loader.errors) };
        let items = Arc::new(items);
        lock(&self.tasks).insert(key, Arc::clone(&items));
        Ok((What::Tasks(items, shown), loader.project.warnings))
    }

    fn role(
        &self,
        name: &str,
        from: &RoleFrom,
        public: Option<bool>,
        at: &IncludeAt,
    ) -> Checked<(What, Vec<Diagnostic>)> {
        let private = &self.config.private_role_vars;
        let public = public.unwrap_or(!private.is_default() && !private.value);
        let around = collection_of(&file_of(at)).into_iter().chain(at.collections.iter().cloned()).collect();
        let key = (name.to_owned(), from.clone(), public, (at.playbook_dir.clone(), at.role.clone(), around));
        if let Some(known) = lock(&self.roles).get(&key) {
            return Ok((What::Role(Arc::clone(known)), Vec::new()));
        }
        let mut loader = Loader::new(&self.files, &self.config, &self.extra);
        let reference = RoleRef {
            name: name.to_owned(),
            origin: at.origin.clone(),
            keywords: Keywords::default(),
            params: Map::new(),
        };
        let found = loader.role_import(reference, from, &self.at(at, None));
        let Some(import) = found.filter(|_| loader.errors.is_empty()) else { return Err(loader.errors) };
        let import = Arc::new(RoleImport { public, ..import });
        lock(&self.roles).insert(key, Arc::clone(&import));
        Ok((What::Role(import), loader.project.warnings))
    }
}
