//! Where names are found: one host's variables, each evaluated when it is first read.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::error::Error;
use super::eval::Eval;
use super::value::{Args, Object, R, Val};
use crate::diag::nearest;
use crate::model::Value;
use crate::vars::Variables;

/// One host's variables with what was evaluated of them.
pub(super) struct Scope {
    pub vars: Arc<dyn Variables>,
    memo: Mutex<HashMap<String, Val>>,
    /// The scopes of other hosts, kept by the scope that the evaluation began in.
    hosts: Mutex<HashMap<String, Arc<Self>>>,
    root: Option<Weak<Self>>,
    pub me: Weak<Self>,
}

impl Scope {
    pub fn new(vars: Arc<dyn Variables>, root: Option<Weak<Self>>) -> Arc<Self> {
        Arc::new_cyclic(|me| Self { vars, memo: Mutex::default(), hosts: Mutex::default(), root, me: Weak::clone(me) })
    }

    /// A scope without variables, as what is included or imported without context sees it.
    pub fn bare(&self) -> Arc<Self> {
        Self::new(Arc::new(Bare { turn: self.is_turn() }), None)
    }

    /// The scope of another host, made once.
    fn host(&self, name: &str) -> Option<Arc<Self>> {
        let root = self.root.as_ref().unwrap_or(&self.me).upgrade()?;
        let mut hosts = root.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = hosts.get(name) {
            return Some(Arc::clone(found));
        }
        let vars = root.vars.hostvars()?.scope(name)?;
        let scope = Self::new(vars, Some(Weak::clone(&root.me)));
        hosts.insert(name.to_owned(), Arc::clone(&scope));
        Some(scope)
    }

    /// Whether expressions may do something: see [`Variables::is_turn`].
    pub fn is_turn(&self) -> bool {
        let began = self.root.as_ref().and_then(Weak::upgrade);
        self.vars.is_turn() && began.is_none_or(|root| root.vars.is_turn())
    }

    fn memoised(&self, name: &str) -> Option<Val> {
        self.memo.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    fn remember(&self, name: &str, value: &Val) {
        self.memo.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), value.clone());
    }

    pub fn find(self: &Arc<Self>, ev: &mut Eval, name: &str) -> R<Option<Val>> {
        if let Some(done) = self.memoised(name) {
            return Ok(Some(ev.touch(done)));
        }
        let Some(raw) = self.vars.get(name) else { return Ok(self.special(name)) };
        match &raw {
            Value::Str(t) if t.is_template() => {}
            Value::List(_) | Value::Map(_) => {}
            scalar => return ev.read(scalar, None).map(Some),
        }
        let key = (Arc::as_ptr(self) as usize, name.to_owned());
        if ev.trail.contains(&key) {
            let mut chain: Vec<&str> = ev.trail.iter().skip_while(|k| **k != key).map(|(_, n)| n.as_str()).collect();
            chain.push(name);
            let chain = chain.join("` → `");
            return Err(Error::new(format!("Recursive loop detected in template: `{chain}`")));
        }
        ev.trail.push(key);
        let result = ev.nested(|ev| ev.read(&raw, Some(&self.me)));
        ev.trail.pop();
        let origin = if let Value::Str(t) = &raw { t.origin() } else { None };
        let value = match result {
            Ok(Val::Undefined(e)) => Val::Undefined(Arc::new((*e).clone().through(name, origin))),
            Ok(value) => value,
            Err(e) => return Err(e.through(name, origin)),
        };
        self.remember(name, &value);
        Ok(Some(value))
    }

    fn special(self: &Arc<Self>, name: &str) -> Option<Val> {
        match name {
            "hostvars" => {
                let all = self
                    .vars
                    .hostvars()
                    .or_else(|| self.root.as_ref().and_then(Weak::upgrade).and_then(|root| root.vars.hostvars()))?;
                Some(Val::Object(Arc::new(Hosts { scope: Weak::clone(&self.me), names: all.hosts() })))
            }
            "vars" if !self.vars.names().is_empty() => Some(Val::Object(Arc::new(Vars(Weak::clone(&self.me), true)))),
            _ => None,
        }
    }
}

/// No variables.
struct Bare {
    turn: bool,
}

impl Variables for Bare {
    fn get(&self, _name: &str) -> Option<Value> {
        None
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }

    fn is_turn(&self) -> bool {
        self.turn
    }
}

/// The error for a name that is nowhere.
pub(super) fn undefined(scope: &Scope, name: &str) -> Error {
    let error = Error::undefined(name, format!("'{name}' is undefined"));
    let names = scope.vars.names();
    match nearest(name, names.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error,
    }
}

/// `hostvars`.
struct Hosts {
    scope: Weak<Scope>,
    names: Vec<String>,
}

impl Object for Hosts {
    fn type_name(&self) -> &'static str {
        "HostVars"
    }

    fn is_map(&self) -> bool {
        true
    }

    fn keys(&self, _ev: &mut Eval) -> Option<Vec<Val>> {
        Some(self.names.iter().map(|n| Val::str(n.as_str())).collect())
    }

    fn attr(&self, _ev: &mut Eval, name: &str) -> R<Option<Val>> {
        let scope = self.scope.upgrade().and_then(|s| s.host(name));
        Ok(scope.map(|s| Val::Object(Arc::new(Vars(Weak::clone(&s.me), false)))))
    }

    fn text(&self) -> String {
        "<hostvars>".into()
    }
}

/// One host in `hostvars`, and `vars`, which has `hostvars` among them: a map of its variables.
struct Vars(Weak<Scope>, bool);

impl Object for Vars {
    fn type_name(&self) -> &'static str {
        "HostVarsVars"
    }

    fn is_map(&self) -> bool {
        true
    }

    fn keys(&self, _ev: &mut Eval) -> Option<Vec<Val>> {
        let mut names = self.0.upgrade()?.vars.names();
        names.extend(self.1.then(|| "hostvars".to_owned()));
        Some(names.into_iter().map(Val::str).collect())
    }

    fn attr(&self, ev: &mut Eval, name: &str) -> R<Option<Val>> {
        match self.0.upgrade() {
            Some(scope) => scope.find(ev, name),
            None => Ok(None),
        }
    }

    fn method(&self, _ev: &mut Eval, _name: &str, _args: &Args) -> R<Option<Val>> {
        Ok(None)
    }
}
