//! `vars_files` of a play: for each host the files whose names can be told, read again when facts
//! of the host come that their names may read.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::Context;
use super::linear::Linear;
use super::scope::{self, Moment, magic};
use super::view::View;
use super::world::World;
use crate::compile::CompiledPlay;
use crate::diag::{Checked, Diagnostic};
use crate::event::Event;
use crate::model::Value;
use crate::vars::{HostVars, Layer, Level};

/// The files of a play's hosts.
pub struct PlayFiles {
    /// What the play says: each a name, or a list of names of which the first that is there counts.
    entries: Vec<Vec<Value>>,
    /// Whether names have templates in them.
    templated: bool,
    found: Mutex<HashMap<String, Found>>,
}

/// What was found for a host.
#[derive(Default)]
struct Found {
    layers: Vec<Arc<Layer>>,
    /// By entry, what is said of one that is not there.
    missing: BTreeMap<usize, Diagnostic>,
}

/// What names are evaluated with.
struct Ground<'a> {
    context: &'a Context,
    play: &'a CompiledPlay,
    world: &'a World,
    magic: Arc<Layer>,
    hostvars: Arc<dyn HostVars>,
}

impl PlayFiles {
    /// Reads the files of a batch of hosts.
    ///
    /// # Errors
    /// When a file cannot be read, or makes no sense. One that is not there is no error: it is passed
    /// over, as in Ansible, and [`Self::missing`] tells of it.
    pub fn of(
        context: &Arc<Context>,
        play: &CompiledPlay,
        world: &Arc<World>,
        batch: &[String],
        all: &[String],
    ) -> Checked<Self> {
        let entries = match play.keywords.get("vars_files").map(|setting| &setting.value) {
            Some(Value::List(items)) => items.to_vec(),
            None | Some(Value::Null) => Vec::new(),
            Some(other) => vec![other.clone()],
        };
        let names = |entry: Value| match entry {
            Value::List(names) => names.to_vec(),
            one => vec![one],
        };
        let entries: Vec<Vec<Value>> = entries.into_iter().map(names).collect();
        let is_template = |name: &Value| matches!(name, Value::Str(text) if text.is_template());
        let templated = entries.iter().flatten().any(is_template);
        let files = Self { entries, templated, found: Mutex::default() };
        if files.entries.is_empty() {
            return Ok(files);
        }
        let magic = magic::shared(context, play, all, batch, batch);
        let hostvars = world.everyone(context, &magic);
        let ground = Ground { context, play, world, magic, hostvars };
        for host in batch {
            files.read(&ground, host)?;
        }
        Ok(files)
    }

    /// A host's variables out of files.
    pub fn layers(&self, host: &str) -> Vec<Arc<Layer>> {
        self.lock().get(host).map(|found| found.layers.clone()).unwrap_or_default()
    }

    /// What is said of files that are not there, once for each.
    pub fn missing(&self) -> Vec<Diagnostic> {
        let mut all = BTreeMap::new();
        for found in self.lock().values_mut() {
            all.extend(std::mem::take(&mut found.missing));
        }
        all.into_values().collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Found>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, ground: &Ground<'_>, host: &str) -> Checked<()> {
        let mut found = Found::default();
        for (at, names) in self.entries.iter().enumerate() {
            // Names may read what earlier files have, and facts; what tasks have set comes after all files.
            let moment = Moment {
                ground: scope::of_play(ground.world, ground.context, ground.play, &found.layers, host),
                known: ground.world.known(host).map(|known| Arc::new(known.facts_only())),
                magic: Arc::clone(&ground.magic),
                hostvars: Arc::clone(&ground.hostvars),
            };
            let view = View::new(&ground.context.engine, moment.of_host());
            match first_file(ground.context, ground.play, &view, names)? {
                Ok(layer) => found.layers.push(layer),
                Err(finding) => drop(found.missing.insert(at, finding)),
            }
        }
        self.lock().insert(host.to_owned(), found);
        Ok(())
    }
}

/// The first of several files that is there, or what is said of their lack.
fn first_file(
    context: &Context,
    play: &CompiledPlay,
    view: &View,
    names: &[Value],
) -> Checked<Result<Arc<Layer>, Diagnostic>> {
    let mut tried = Vec::new();
    let mut undefined = None;
    for name in names {
        let text = match view.render(name) {
            Ok(Some(Value::Str(text))) => text,
            Ok(_) => continue,
            Err(e) if e.undefined_name().is_some() || e.unknown().is_some() => {
                undefined = undefined.or(Some(Diagnostic::from(e)));
                continue;
            }
            Err(e) => return Err(Diagnostic::from(e).into()),
        };
        let own = PathBuf::from(text.as_str());
        let dir = &play.playbook_dir;
        for path in [dir.join(&own), dir.join("vars").join(&own)] {
            if path.is_file() {
                let (vars, warnings) = (context.vars_loader)(&path)?;
                for warning in warnings {
                    context.emit(Event::Warning(super::explain::explain(&warning)));
                }
                return Ok(Ok(Layer::new(Level::PlayFiles, path.display().to_string(), vars)));
            }
        }
        tried.push(text.as_str().to_owned());
    }
    if let Some(finding) = undefined {
        let message = format!("skipping vars_files item due to an undefined variable: {}", finding.message);
        return Ok(Err(Diagnostic { message, ..finding }));
    }
    let origin = names.iter().find_map(|n| match n {
        Value::Str(t) => t.origin().cloned(),
        _ => None,
    });
    let finding = Diagnostic::warning(format!("vars file {} was not found", tried.join(", "))).at(origin);
    let last = tried.last().map(|name| play.playbook_dir.join(name)).unwrap_or_default();
    let finding = match crate::load::near_name(&last) {
        Some(near) => finding.hint(format!("did you mean `{}`?", last.with_file_name(near).display())),
        None => finding,
    };
    Ok(Err(finding.hint(format!("paths are relative to {}", play.playbook_dir.display()))))
}

impl Linear {
    /// Reads a host's files again, after facts of it have come.
    pub(super) fn refresh_files(&mut self, host: &str) {
        if !self.batch.files.templated || !self.batch.hosts.iter().any(|own| own == host) {
            return;
        }
        let batch = Arc::clone(&self.batch);
        let magic = self.magic();
        let hostvars = self.world.everyone(&self.context, &magic);
        let (context, play, world) = (Arc::clone(&self.context), Arc::clone(&self.play), Arc::clone(&self.world));
        let ground = Ground { context: &context, play: &play, world: &world, magic, hostvars };
        if let Err(findings) = batch.files.read(&ground, host) {
            findings.into_iter().take(1).for_each(|finding| self.shared.break_off(finding));
        }
        self.grounds.remove(host);
        self.forget(host);
    }

    /// Tells of files that are not there, once facts have been gathered.
    pub(super) fn tell_of_missing_files(&self) {
        for finding in self.batch.files.missing() {
            self.context.emit(Event::Warning(super::explain::explain_all(&finding)));
        }
    }
}
