//! Writing bits, the lowest first.

/// Bytes behind what was written that a writer touches.
pub(crate) const ROOM: usize = 16;

/// Appends bits to bytes that have room for them: a word at a time, of which whole bytes count.
#[derive(Debug)]
pub(crate) struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    len: usize,
    word: u64,
    used: u32,
}

impl<'a> BitWriter<'a> {
    /// Behind what `out` has.
    pub(crate) fn new(out: &'a mut Vec<u8>) -> BitWriter<'a> {
        let len = out.len();
        BitWriter { out, len, word: 0, used: 0 }
    }

    /// Appends the low `count` bits of `bits`, which has no others; up to 57 from one [`flush`](Self::flush) to the next.
    #[inline(always)]
    pub(crate) fn put(&mut self, bits: u64, count: u32) {
        debug_assert!(count < 58 && bits >> count == 0 && self.used + count <= 64);
        self.word |= bits << self.used;
        self.used += count;
    }

    /// Writes whole bytes out.
    ///
    /// # Safety
    /// `out` has at least [`ROOM`] bytes of room behind what was written.
    #[inline(always)]
    pub(crate) unsafe fn flush(&mut self) {
        debug_assert!(self.len + ROOM <= self.out.capacity() && self.used < 64);
        // SAFETY: the caller's word.
        unsafe { self.out.as_mut_ptr().add(self.len).cast::<u64>().write_unaligned(self.word.to_le()) };
        self.len += (self.used >> 3) as usize;
        self.word >>= self.used & !7;
        self.used &= 7;
    }

    /// How long `out` will be, the byte at hand left out.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Fills the last byte up with the low bits of `padding`.
    ///
    /// # Safety
    /// As for [`flush`](Self::flush).
    pub(crate) unsafe fn finish(mut self, padding: u8) {
        let rest = self.used.next_multiple_of(8) - self.used;
        self.put(u64::from(padding) & ((1 << rest) - 1), rest);
        // SAFETY: the caller's word; what lies before `len` was written.
        unsafe {
            self.flush();
            self.out.set_len(self.len);
        }
    }
}
