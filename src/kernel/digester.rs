//! Digests of many small pieces.

/// A digest that is taken of many bytes at once, which is several times as fast.
pub(super) struct Digester {
    hasher: blake3::Hasher,
    waiting: Vec<u8>,
}

impl Digester {
    const WAITING_MAX: usize = 128 << 10;

    pub(super) fn new() -> Self {
        Self {
            hasher: blake3::Hasher::new(),
            waiting: Vec::with_capacity(Self::WAITING_MAX),
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        if self.waiting.len() + bytes.len() > Self::WAITING_MAX {
            self.hasher.update(&self.waiting);
            self.waiting.clear();
        }
        self.waiting.extend_from_slice(bytes);
    }

    pub(super) fn finish(&self) -> blake3::Hash {
        self.hasher.clone().update(&self.waiting).finalize()
    }
}
