//! Python's `random.Random(seed)`: the Mersenne Twister, so that a seed gives what it gives there.

use sha2::{Digest, Sha512};

/// Its state.
pub(super) struct Random {
    state: Vec<u32>,
    at: usize,
}

const N: usize = 624;

impl Random {
    /// Seeded with an integer.
    pub fn from_int(seed: u128) -> Self {
        let mut words = Vec::new();
        let mut rest = seed;
        while rest > 0 || words.is_empty() {
            words.push((rest & 0xffff_ffff) as u32);
            rest >>= 32;
        }
        Self::from_words(&words)
    }

    /// Seeded with text, as Python's version 2 of seeding does.
    pub fn from_text(seed: &str) -> Self {
        let mut bytes = seed.as_bytes().to_vec();
        bytes.extend_from_slice(&Sha512::digest(seed.as_bytes()));
        let mut words: Vec<u32> = bytes
            .rchunks(4)
            .map(|chunk| chunk.iter().fold(0u32, |word, byte| (word << 8) | u32::from(*byte)))
            .collect();
        while words.len() > 1 && words.last() == Some(&0) {
            words.pop();
        }
        Self::from_words(&words)
    }

    fn from_words(key: &[u32]) -> Self {
        let mut state = vec![0u32; N];
        let mut last = 19_650_218u32;
        for (i, word) in state.iter_mut().enumerate() {
            if i > 0 {
                last = 1_812_433_253u32.wrapping_mul(last ^ (last >> 30)).wrapping_add(i as u32);
            }
            *word = last;
        }
        let get = |s: &[u32], i: usize| s.get(i).copied().unwrap_or(0);
        let (mut i, mut j) = (1usize, 0usize);
        for _ in 0..N.max(key.len()) {
            let prior = get(&state, i - 1);
            let mixed = (get(&state, i) ^ (prior ^ (prior >> 30)).wrapping_mul(1_664_525))
                .wrapping_add(get(key, j))
                .wrapping_add(j as u32);
            put(&mut state, i, mixed);
            i += 1;
            j = (j + 1) % key.len().max(1);
            if i >= N {
                let end = get(&state, N - 1);
                put(&mut state, 0, end);
                i = 1;
            }
        }
        for _ in 1..N {
            let prior = get(&state, i - 1);
            let mixed = (get(&state, i) ^ (prior ^ (prior >> 30)).wrapping_mul(1_566_083_941)).wrapping_sub(i as u32);
            put(&mut state, i, mixed);
            i += 1;
            if i >= N {
                let end = get(&state, N - 1);
                put(&mut state, 0, end);
                i = 1;
            }
        }
        put(&mut state, 0, 0x8000_0000);
        Self { state, at: N }
    }

    fn next(&mut self) -> u32 {
        if self.at >= N {
            let get = |s: &[u32], i: usize| s.get(i % N).copied().unwrap_or(0);
            for i in 0..N {
                let y = (get(&self.state, i) & 0x8000_0000) | (get(&self.state, i + 1) & 0x7fff_ffff);
                let mixed = get(&self.state, i + 397) ^ (y >> 1) ^ if y & 1 == 1 { 0x9908_b0df } else { 0 };
                put(&mut self.state, i, mixed);
            }
            self.at = 0;
        }
        let mut y = self.state.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    /// `getrandbits`, up to 64.
    fn bits(&mut self, count: u32) -> u64 {
        if count <= 32 {
            return u64::from(self.next() >> (32 - count));
        }
        let low = u64::from(self.next());
        low | (u64::from(self.next() >> (64 - count)) << 32)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        if n == 0 {
            return 0;
        }
        let count = 64 - n.leading_zeros();
        loop {
            let found = self.bits(count);
            if found < n {
                return found;
            }
        }
    }

    /// `randint`: both ends included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low).saturating_add(1))
    }

    /// `shuffle`.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let j = usize::try_from(self.below(i as u64 + 1)).unwrap_or(0);
            items.swap(i, j);
        }
    }
}

fn put(state: &mut [u32], at: usize, value: u32) {
    if let Some(word) = state.get_mut(at) {
        *word = value;
    }
}
