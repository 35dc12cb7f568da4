//! The hosts of a run: replaced as a whole where tasks add to them.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use crate::diag::{Checked, Diagnostic};
use crate::inventory::{Addition, Inventory};
use crate::vars::{HostLayers, Layer};

/// Hosts, groups and their variables as they are now. Who holds what they were before goes
/// on with that.
#[derive(Debug)]
pub struct Hosts {
    now: RwLock<Arc<HostLayers>>,
    /// What was added. One at a time: each starts from what the one before has made.
    growing: Mutex<Vec<Addition>>,
}

impl Hosts {
    /// Those that a run starts with.
    pub fn new(layers: HostLayers) -> Self {
        Self { now: RwLock::new(Arc::new(layers)), growing: Mutex::default() }
    }

    /// As they are at this moment.
    pub fn now(&self) -> Arc<HostLayers> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The inventory at this moment.
    pub fn inventory(&self) -> Arc<Inventory> {
        Arc::clone(self.now().inventory())
    }

    /// The layers of a host at this moment.
    pub fn layers(&self, host: &str) -> Vec<Arc<Layer>> {
        self.now().layers(host)
    }

    /// Makes an addition; returns whether it changed anything, and warnings.
    ///
    /// # Errors
    /// When it cannot be made, or a variables file of what is new cannot be read.
    pub fn add(&self, addition: Addition) -> Checked<(bool, Vec<Diagnostic>)> {
        let mut made = self.growing.lock().unwrap_or_else(PoisonError::into_inner);
        let grown = self.now().with_added(std::slice::from_ref(&addition))?;
        let changed = grown.changed.contains(&true);
        if changed {
            self.put(grown.layers);
            made.push(addition);
        }
        Ok((changed, grown.warnings))
    }

    /// Puts others in their place (`meta: refresh_inventory`), with what tasks have added, but
    /// for what concerns hosts that are gone.
    pub fn replace(&self, layers: HostLayers) {
        let made = self.growing.lock().unwrap_or_else(PoisonError::into_inner);
        let all = made.iter().fold(layers, |layers, addition| {
            layers.with_added(std::slice::from_ref(addition)).map_or(layers, |grown| grown.layers)
        });
        self.put(all);
    }

    fn put(&self, layers: HostLayers) {
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(layers);
    }
}
