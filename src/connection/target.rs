//! Targets: hosts as the connection layer sees them, and the links that are kept to them.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::model::Reason;
use crate::sys::Effect;

use super::{
    Become, Connection, Docker, Link, LinkError, LocalMachine, Masters, Ssh, SshOptions, SshSettings, Workers,
};

/// How to reach a host.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// This machine.
    Local,
    /// A container.
    Docker {
        /// Its name or id.
        container: String,
        /// The user to run as.
        user: Option<String>,
    },
    /// ssh.
    Ssh(SshSettings),
}

/// A host and the user that tasks run as there: each has a worker of its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Account {
    /// The inventory's name of the host: two names for one machine are two hosts.
    pub host: String,
    /// How it is reached.
    pub target: Target,
    /// Who is become.
    pub escalation: Option<Become>,
}

impl std::fmt::Display for Account {
    /// How the host is reached, without passwords.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.target {
            Target::Local => f.write_str("on this machine")?,
            Target::Docker { container, user } => {
                write!(f, "docker container {container}")?;
                user.iter().try_for_each(|user| write!(f, " as {user}"))?;
            }
            Target::Ssh(ssh) => {
                f.write_str(ssh.executable.as_deref().unwrap_or("ssh"))?;
                for arg in ssh.args.iter().flatten().chain(&ssh.common_args).chain(&ssh.extra_args) {
                    write!(f, " {arg}")?;
                }
                ssh.port.iter().try_for_each(|port| write!(f, " -p {port}"))?;
                ssh.key.iter().try_for_each(|key| write!(f, " -i {key}"))?;
                ssh.user.iter().try_for_each(|user| write!(f, " -l {user}"))?;
                write!(f, " {}", ssh.host)?;
            }
        }
        self.escalation.iter().try_for_each(|b| write!(f, ", then {} to {}", b.method.name(), b.user))
    }
}

type Slot = Arc<tokio::sync::Mutex<Option<Arc<Link>>>>;

/// What a dry run planned on a host, by whose worker; and how much of it each knows.
#[derive(Default)]
struct Planned {
    effects: Vec<(Option<Arc<Account>>, Effect)>,
    known: HashMap<Arc<Account>, usize>,
}

/// Makes the connection to a host.
pub type Connector = dyn Fn(&str, &Target) -> Arc<dyn Connection> + Send + Sync;

/// The connections and workers of a run.
pub struct Links {
    workers: Workers,
    masters: Arc<Masters>,
    connect: Box<Connector>,
    /// How long a worker may take to start, beyond connecting.
    deadline: Duration,
    connections: Mutex<HashMap<(String, Target), Arc<dyn Connection>>>,
    /// Workers by account, and number where a task uses several at once.
    slots: Mutex<HashMap<(Arc<Account>, usize), Slot>>,
    /// Which hosts turned out to be on which machine.
    machines: Mutex<HashMap<u64, BTreeSet<String>>>,
    planned: Mutex<HashMap<String, Planned>>,
}

impl Links {
    /// No links yet.
    pub fn new(workers: Workers, options: SshOptions, deadline: Duration) -> Self {
        let masters = Arc::new(Masters::new(options));
        let of_ssh = Arc::clone(&masters);
        let connect = move |_: &str, target: &Target| -> Arc<dyn Connection> {
            match target {
                Target::Local => Arc::new(LocalMachine),
                Target::Docker { container, user } => {
                    Arc::new(Docker { container: container.clone(), user: user.clone() })
                }
                Target::Ssh(settings) => Arc::new(Ssh::new(settings.clone(), Arc::clone(&of_ssh))),
            }
        };
        Self {
            workers,
            masters,
            connect: Box::new(connect),
            deadline,
            connections: Mutex::default(),
            slots: Mutex::default(),
            machines: Mutex::default(),
            planned: Mutex::default(),
        }
    }

    /// The same, with connections of another kind.
    #[must_use]
    pub fn over(mut self, connect: Box<Connector>) -> Self {
        self.connect = connect;
        self
    }

    /// The connection to a target, made once.
    pub fn connection(&self, host: &str, target: &Target) -> Arc<dyn Connection> {
        let make = || (self.connect)(host, target);
        match self.connections.lock() {
            Ok(mut all) => Arc::clone(all.entry((host.to_owned(), target.clone())).or_insert_with(make)),
            Err(_) => make(),
        }
    }

    /// The worker of an account, started when it does not run. `lane` tells several
    /// workers of one account apart. `starting` is called before one is started.
    ///
    /// # Errors
    /// When the host cannot be reached, the account not be used, or the program not be
    /// started in time.
    pub async fn worker(
        &self,
        account: &Arc<Account>,
        lane: usize,
        starting: impl FnOnce(),
    ) -> Result<Arc<Link>, LinkError> {
        let slot = match self.slots.lock() {
            Ok(mut all) => Arc::clone(all.entry((Arc::clone(account), lane)).or_default()),
            Err(_) => Slot::default(),
        };
        let mut slot = slot.lock().await;
        if let Some(link) = slot.as_ref() {
            if !link.is_broken() {
                return Ok(Arc::clone(link));
            }
            *slot = None;
            self.forget(account);
        }
        starting();
        let connection = self.connection(&account.host, &account.target);
        let link =
            super::worker::start(&*connection, account.escalation.as_ref(), &self.workers, self.deadline).await?;
        if let Ok(mut machines) = self.machines.lock() {
            machines.entry(link.machine).or_default().insert(account.host.clone());
        }
        *slot = Some(Arc::clone(&link));
        Ok(link)
    }

    /// Whether another host of the inventory turned out to be the same machine: what is
    /// done on one of them changes the other.
    pub fn is_shared(&self, host: &str) -> bool {
        let Ok(machines) = self.machines.lock() else { return true };
        machines.values().any(|hosts| hosts.len() > 1 && hosts.contains(host))
    }

    /// Records what an account's worker planned; it knows of it itself.
    pub fn plan(&self, account: &Arc<Account>, effects: Vec<Effect>) {
        self.record(account, Some(account), effects);
    }

    /// Records planned effects that no worker of the host knows of.
    pub fn plan_for_all(&self, account: &Arc<Account>, effects: Vec<Effect>) {
        self.record(account, None, effects);
    }

    fn record(&self, at: &Arc<Account>, by: Option<&Arc<Account>>, effects: Vec<Effect>) {
        if effects.is_empty() {
            return;
        }
        if let Ok(mut all) = self.planned.lock() {
            let planned = all.entry(at.host.clone()).or_default();
            planned.effects.extend(effects.into_iter().map(|e| (by.cloned(), e)));
        }
    }

    /// What other workers of the host planned since this account was last asked.
    pub fn planned_by_others(&self, account: &Arc<Account>) -> Vec<Effect> {
        let Ok(mut all) = self.planned.lock() else { return Vec::new() };
        let Some(planned) = all.get_mut(&account.host) else { return Vec::new() };
        let seen = planned.known.insert(Arc::clone(account), planned.effects.len()).unwrap_or(0);
        let new = planned.effects.iter().skip(seen);
        new.filter(|(by, _)| by.as_ref() != Some(account)).map(|(_, e)| e.clone()).collect()
    }

    /// Why a user who is not there may be there in a real run.
    pub fn may_have_user(&self, host: &str, user: &str) -> Option<Reason> {
        let all = self.planned.lock().ok()?;
        let effects = &all.get(host)?.effects;
        let is_user = |e: &Effect| matches!(e, Effect::User(planned) if planned.name == user);
        if effects.iter().any(|(_, e)| is_user(e)) {
            return Some(format!("user `{user}` is only planned").into());
        }
        effects.iter().find_map(|(_, effect)| match effect {
            Effect::MayProvide(reason) => Some(reason.clone()),
            _ => None,
        })
    }

    /// Ends the workers of a host, and forgets its connections: the next task makes new ones.
    pub async fn reset(&self, host: &str) {
        let slots: Vec<Slot> = match self.slots.lock() {
            Ok(all) => {
                all.iter().filter(|((account, _), _)| account.host == host).map(|(_, s)| Arc::clone(s)).collect()
            }
            Err(_) => return,
        };
        for slot in slots {
            *slot.lock().await = None;
        }
        if let Ok(mut all) = self.connections.lock() {
            all.retain(|(name, _), _| name != host);
        }
    }

    /// At the end of a run: ends the connections that are not to be kept.
    pub async fn close(&self) {
        self.masters.close().await;
    }

    /// Forgets a connection, so that the next use makes it anew.
    fn forget(&self, account: &Account) {
        if let Ok(mut all) = self.connections.lock() {
            all.remove(&(account.host.clone(), account.target.clone()));
        }
    }
}
