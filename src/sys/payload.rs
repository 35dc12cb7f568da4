//! File content on its way to hosts: read, hashed and packed once, for however many.

use std::io::Write;
use std::sync::{Arc, OnceLock};

use flate2::Compression;
use flate2::write::DeflateEncoder;
use md5::Md5;
use sha1::{Digest, Sha1};

use super::BlobHash;

/// Smaller content is not packed, in bytes: a frame or two carry it as it is.
const WORTH_PACKING: usize = 4096;
/// What packing must save, as a part of the whole: a tenth.
const WORTH_SENDING: usize = 10;

/// Payload with what is known of it; clones share it all.
#[derive(Clone)]
pub struct Payload(Arc<Known>);

struct Known {
    bytes: Arc<[u8]>,
    hash: OnceLock<BlobHash>,
    sums: OnceLock<(String, String)>,
    packed: OnceLock<Option<Box<[u8]>>>,
}

impl Payload {
    /// Payload of which nothing is computed yet.
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self(Arc::new(Known {
            bytes: bytes.into(),
            hash: OnceLock::new(),
            sums: OnceLock::new(),
            packed: OnceLock::new(),
        }))
    }

    /// The bytes.
    pub fn bytes(&self) -> &Arc<[u8]> {
        &self.0.bytes
    }

    /// Its name on hosts; computed on first use.
    pub fn hash(&self) -> BlobHash {
        *self.0.hash.get_or_init(|| BlobHash::of(&self.0.bytes))
    }

    /// Its SHA-1 and its MD5 in hexadecimal, as modules return them; computed on first use.
    pub fn sums(&self) -> (&str, &str) {
        let hex = |digest: &[u8]| digest.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let sums = || (hex(&Sha1::digest(&self.0.bytes)), hex(&Md5::digest(&self.0.bytes)));
        let (sha1, md5) = self.0.sums.get_or_init(sums);
        (sha1, md5)
    }

    /// The bytes as a raw DEFLATE stream (RFC 1951); none where they are few, or hardly
    /// become fewer. Packed on first use.
    pub fn compressed(&self) -> Option<&[u8]> {
        self.0.packed.get_or_init(|| pack(&self.0.bytes)).as_deref()
    }
}

impl std::fmt::Debug for Payload {
    /// Its size: what it says may be secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Payload({} bytes)", self.0.bytes.len())
    }
}

/// What [`Payload::compressed`] packed, unpacked.
///
/// # Errors
/// When it is not what was packed.
pub fn unpack(packed: &[u8]) -> std::io::Result<Vec<u8>> {
    use std::io::Read;
    let mut bytes = Vec::new();
    flate2::read::DeflateDecoder::new(packed).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn pack(bytes: &[u8]) -> Option<Box<[u8]>> {
    if bytes.len() < WORTH_PACKING {
        return None;
    }
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).ok()?;
    let packed = encoder.finish().ok()?;
    (packed.len() <= bytes.len() - bytes.len() / WORTH_SENDING).then(|| packed.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "all of it is test code")]

    use std::io::Read;

    use super::*;

    /// Bytes that no packing makes fewer.
    fn noise(len: usize) -> Vec<u8> {
        let mut state = 1u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        };
        std::iter::repeat_with(&mut next).flatten().take(len).collect()
    }

    #[test]
    fn content_is_packed_where_that_pays() {
        assert!(Payload::new(vec![b'a'; WORTH_PACKING - 1]).compressed().is_none());
        assert!(Payload::new(noise(100_000)).compressed().is_none());
        assert!(Payload::new(Vec::new()).compressed().is_none());
        // A tenth of it is text: what that saves is a little less than a tenth.
        let mut mixed = noise(91_000);
        mixed.extend(std::iter::repeat_n(b'x', 9_000));
        assert!(Payload::new(mixed).compressed().is_none());
        let text = b"listen 8080;\n".repeat(1000);
        let content = Payload::new(text.clone());
        let packed = content.compressed().unwrap();
        assert!(packed.len() < text.len() / 10);
        let mut back = Vec::new();
        flate2::read::DeflateDecoder::new(packed).read_to_end(&mut back).unwrap();
        assert_eq!(back, text);
    }

    #[test]
    fn clones_share_what_is_computed() {
        let content = Payload::new(b"content".repeat(1000));
        let clone = content.clone();
        assert_eq!(content.hash(), BlobHash::of(&b"content".repeat(1000)));
        assert_eq!(clone.0.hash.get().copied(), Some(content.hash()));
        let (a, b) = (content.compressed().unwrap(), clone.compressed().unwrap());
        assert!(std::ptr::eq(a, b));
        assert!(Arc::ptr_eq(content.bytes(), clone.bytes()));
    }
}
