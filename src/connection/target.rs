//! Targets: hosts as the connection layer sees them, and the links that are kept to them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{Become, Connection, Docker, LinkError, LocalMachine, Ssh, SshOptions, SshSettings, Worker, Workers};

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

type Slot = Arc<tokio::sync::Mutex<Option<Worker>>>;

/// The connections and workers of a run.
pub struct Links {
    workers: Workers,
    options: SshOptions,
    /// How long a worker may take to start, beyond connecting.
    deadline: Duration,
    connections: Mutex<HashMap<(String, Target), Arc<dyn Connection>>>,
    slots: Mutex<HashMap<Account, Slot>>,
}

impl Links {
    /// No links yet.
    pub fn new(workers: Workers, options: SshOptions, deadline: Duration) -> Self {
        Self { workers, options, deadline, connections: Mutex::default(), slots: Mutex::default() }
    }

    /// The connection to a target, made once.
    pub fn connection(&self, host: &str, target: &Target) -> Arc<dyn Connection> {
        let make = || -> Arc<dyn Connection> {
            match target {
                Target::Local => Arc::new(LocalMachine),
                Target::Docker { container, user } => {
                    Arc::new(Docker { container: container.clone(), user: user.clone() })
                }
                Target::Ssh(settings) => Arc::new(Ssh::new(settings.clone(), self.options.clone())),
            }
        };
        match self.connections.lock() {
            Ok(mut all) => Arc::clone(all.entry((host.to_owned(), target.clone())).or_insert_with(make)),
            Err(_) => make(),
        }
    }

    /// The place where an account's worker is kept; locked while a task runs on it.
    pub fn slot(&self, account: &Account) -> Slot {
        match self.slots.lock() {
            Ok(mut all) => Arc::clone(all.entry(account.clone()).or_default()),
            Err(_) => Slot::default(),
        }
    }

    /// Starts a worker for an account.
    ///
    /// # Errors
    /// As [`Worker::start`].
    pub async fn start(&self, account: &Account) -> Result<Worker, LinkError> {
        let connection = self.connection(&account.host, &account.target);
        Worker::start(&*connection, account.escalation.as_ref(), &self.workers, self.deadline).await
    }

    /// Forgets a connection, so that the next use makes it anew.
    pub fn forget(&self, account: &Account) {
        if let Ok(mut all) = self.connections.lock() {
            all.remove(&(account.host.clone(), account.target.clone()));
        }
    }
}
