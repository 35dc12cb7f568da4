//! What a worker keeps between the tasks of one run.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{Effect, Overlay, Probe};
use crate::model::{Failure, Reason};

/// SHA-256 of a blob's bytes: how file content is named on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct BlobHash(pub [u8; 32]);

impl BlobHash {
    /// The name of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The name in hexadecimal, as module arguments carry it.
    pub fn to_hex(self) -> String {
        self.0.iter().map(|b| format!("{b:02x}")).collect()
    }

    /// Reads [`BlobHash::to_hex`]'s form.
    pub fn from_hex(hex: &str) -> Option<Self> {
        let mut hash = [0u8; 32];
        if hex.len() != 64 {
            return None;
        }
        for (i, byte) in hash.iter_mut().enumerate() {
            *byte = u8::from_str_radix(hex.get(2 * i..2 * i + 2)?, 16).ok()?;
        }
        Some(Self(hash))
    }
}

/// Where content comes from that a host does not have yet.
pub trait Blobs {
    /// The bytes with this name; the controller is asked when they are not here.
    ///
    /// # Errors
    /// When the controller does not have them, or is gone.
    fn fetch(&self, hash: BlobHash) -> Result<Arc<[u8]>, Failure>;
}

/// No blobs at all.
pub struct NoBlobs;

impl Blobs for NoBlobs {
    fn fetch(&self, hash: BlobHash) -> Result<Arc<[u8]>, Failure> {
        Err(Failure::new(format!("content {} was not sent", hash.to_hex())))
    }
}

/// What a worker keeps between tasks: planned state in a dry run, and content.
pub struct Session {
    blobs: Box<dyn Blobs>,
    cache: RefCell<HashMap<BlobHash, Arc<[u8]>>>,
    pub(super) overlay: RefCell<Overlay>,
    /// Variables that the current task sets for what it spawns.
    pub(super) environment: RefCell<Vec<(String, String)>>,
}

impl Session {
    /// A session without planned state.
    pub fn new(blobs: Box<dyn Blobs>) -> Self {
        Self {
            blobs,
            cache: RefCell::default(),
            overlay: RefCell::new(Overlay::default()),
            environment: RefCell::default(),
        }
    }

    /// Sets the environment of the task that comes next.
    pub fn set_environment(&self, variables: Vec<(String, String)>) {
        *self.environment.borrow_mut() = variables;
    }

    /// Adds the effects that a step would have had.
    pub fn plan(&self, effects: &[Effect]) {
        for effect in effects {
            // Look-ups ask by the path with its links resolved, so it is kept by that.
            let place = |path: std::path::PathBuf| Probe::new(self, false).place(&path);
            let mut effect = effect.clone().map_path(place);
            if let Effect::HardLink { target, .. } = &mut effect {
                *target = place(std::mem::take(target));
            }
            self.overlay.borrow_mut().add(&effect);
        }
    }

    /// Drops all planned state.
    pub fn forget(&self) {
        *self.overlay.borrow_mut() = Overlay::default();
    }

    /// Why something missing may be there in a real run, if an earlier step may provide it.
    pub fn may_be_provided(&self) -> Option<Reason> {
        self.overlay.borrow().may_provide()
    }

    /// Content by name, asked for once.
    ///
    /// # Errors
    /// As [`Blobs::fetch`].
    pub fn blob(&self, hash: BlobHash) -> Result<Arc<[u8]>, Failure> {
        if let Some(bytes) = self.cache.borrow().get(&hash) {
            return Ok(Arc::clone(bytes));
        }
        let bytes = self.blobs.fetch(hash)?;
        self.cache.borrow_mut().insert(hash, Arc::clone(&bytes));
        Ok(bytes)
    }

    /// Keeps content that came with a task.
    pub fn keep_blob(&self, bytes: Arc<[u8]>) {
        self.cache.borrow_mut().insert(BlobHash::of(&bytes), bytes);
    }
}
