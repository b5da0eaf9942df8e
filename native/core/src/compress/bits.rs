//! Writing bits, the lowest first.

/// Appends to bytes, up to 32 bits at a time.
#[derive(Debug, Default)]
pub(crate) struct BitWriter {
    word: u64,
    used: u32,
}

impl BitWriter {
    /// Appends the low `count` bits, at most 32, of `bits`, which has no others. `out` must have room for 4 bytes.
    #[inline(always)]
    pub(crate) fn put(&mut self, out: &mut Vec<u8>, bits: u32, count: u32) {
        debug_assert!(count <= 32 && (count == 32 || bits >> count == 0));
        self.word |= u64::from(bits) << self.used;
        self.used += count;
        if self.used >= 32 {
            out.extend_from_slice(&(self.word as u32).to_le_bytes());
            self.word >>= 32;
            self.used -= 32;
        }
    }

    /// Appends what is left, and fills the last byte up with the low bits of `padding`.
    pub(crate) fn finish(mut self, out: &mut Vec<u8>, padding: u8) {
        let rest = self.used.next_multiple_of(8) - self.used;
        self.put(out, u32::from(padding) & ((1 << rest) - 1), rest);
        let bytes = self.used.div_ceil(8) as usize;
        out.extend_from_slice(&self.word.to_le_bytes()[..bytes]);
    }
}
