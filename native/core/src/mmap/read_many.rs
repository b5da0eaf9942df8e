//! Bytes from many offsets of a file in one call.
//!
//! A random read waits for memory: for the line, and in a large file for the page tables. Code that
//! reads one offset after another waits for each, because its work on one fills the processor's
//! window before the next address is known. Here the offsets are known beforehand, so later ones
//! are prefetched while one is copied, and their waits overlap (Chen, Ailamaki, Gibbons, Mowry:
//! "Improving hash join performance through prefetching", 2004). A page that was never touched is
//! not prefetched: its first read faults.
//!
//! **Cost.** In a file of 1 GiB in the page cache about 50 ns for 64 bytes;
//! `docs/benchmarks/mmap.md` has the measurements.

use crate::cpu::prefetch;
use crate::region::numbers::{CHUNK, Numbers};
use crate::{Error, Result};

/// The prefetch distance, in offsets: prefetching more than the lines that a core can wait for at
/// once makes no difference.
const AHEAD: usize = 16;
/// Bytes that are prefetched at each offset; the processor fetches the following ones by itself.
const FETCHED: usize = 256;
const LINE: usize = 64;

/// Copies `length` bytes from each of the offsets, in that order, to `target`. `Range`, with
/// nothing written, if fewer bytes follow an offset.
///
/// # Safety
/// `size` bytes at `base` are readable, and `offsets.len() * length` bytes at `target` writable;
/// other threads may write to either.
pub unsafe fn read_many(
    base: *const u8,
    size: usize,
    offsets: &Numbers<'_>,
    length: usize,
    target: *mut u8,
) -> Result<()> {
    let mut chunk = [0; CHUNK];
    for from in (0..offsets.len()).step_by(CHUNK) {
        check(offsets.read(from, &mut chunk)?, from, size, length)?;
    }
    // SAFETY: the source and the target are valid, guaranteed by the caller.
    unsafe {
        match length {
            0 => Ok(()),
            8 => copy(base, size, offsets, Fixed::<8>, target),
            16 => copy(base, size, offsets, Fixed::<16>, target),
            32 => copy(base, size, offsets, Fixed::<32>, target),
            64 => copy(base, size, offsets, Fixed::<64>, target),
            128 => copy(base, size, offsets, Fixed::<128>, target),
            _ => copy(base, size, offsets, Any(length), target),
        }
    }
}

fn check(offsets: &[u64], from: usize, size: usize, length: usize) -> Result<()> {
    let most = size.checked_sub(length).map(|most| most as u64);
    match offsets.iter().position(|&offset| most.is_none_or(|most| offset > most)) {
        None => Ok(()),
        Some(at) => Err(Error::range(format!(
            "offsets[{}] is {}, and the {length} bytes from there on are not within the {size} bytes",
            from + at,
            offsets[at]
        ))),
    }
}

/// A number of bytes, which may be known at compile time.
trait Length: Copy {
    fn bytes(self) -> usize;
    /// # Safety
    /// The bytes can be read and written.
    unsafe fn copy(self, from: *const u8, to: *mut u8);
}

#[derive(Clone, Copy)]
struct Fixed<const N: usize>;
#[derive(Clone, Copy)]
struct Any(usize);

impl<const N: usize> Length for Fixed<N> {
    #[inline(always)]
    fn bytes(self) -> usize {
        N
    }
    #[inline(always)]
    unsafe fn copy(self, from: *const u8, to: *mut u8) {
        // SAFETY: both ranges are valid, guaranteed by the caller. All bytes are read before one is
        // written, so they may overlap.
        unsafe { to.cast::<[u8; N]>().write(from.cast::<[u8; N]>().read()) };
    }
}

impl Length for Any {
    #[inline(always)]
    fn bytes(self) -> usize {
        self.0
    }
    #[inline(always)]
    unsafe fn copy(self, from: *const u8, to: *mut u8) {
        // SAFETY: both ranges are valid, guaranteed by the caller. They may overlap, because the
        // target may be a part of the file.
        unsafe { from.copy_to(to, self.0) };
    }
}

/// # Safety
/// As for [`read_many`].
#[inline(always)]
unsafe fn copy<L: Length>(
    base: *const u8,
    size: usize,
    offsets: &Numbers<'_>,
    length: L,
    target: *mut u8,
) -> Result<()> {
    let bytes = length.bytes();
    let fetch = |offset: u64| {
        let place = base.wrapping_add(offset as usize);
        for at in (0..bytes.min(FETCHED)).step_by(LINE) {
            prefetch(place.wrapping_add(at));
        }
        // The bytes may begin anywhere in a line, and then end in one more line.
        prefetch(place.wrapping_add(bytes.min(FETCHED) - 1));
    };
    let mut chunk = [0; CHUNK];
    let mut to = target;
    for from in (0..offsets.len()).step_by(CHUNK) {
        let chunk = offsets.read(from, &mut chunk)?;
        // Checked again, because the offsets may be in memory that another thread writes.
        check(chunk, from, size, bytes)?;
        chunk.iter().take(AHEAD).for_each(|&offset| fetch(offset));
        for (i, &offset) in chunk.iter().enumerate() {
            if let Some(&next) = chunk.get(i + AHEAD) {
                fetch(next);
            }
            // SAFETY: the offset was checked, and the target has room for all bytes, guaranteed by
            // the caller.
            unsafe {
                length.copy(base.add(offset as usize), to);
                to = to.add(bytes);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn copies_ranges_of_every_length() {
        let source: Vec<u8> = (0..3000u32).map(|i| (i * 7 + (i >> 8)) as u8).collect();
        for length in [0, 1, 7, 8, 9, 16, 31, 32, 33, 64, 65, 127, 128, 129, 255, 256, 257, 1000, 3000] {
            let most = source.len() - length;
            let offsets: Vec<u32> =
                (0..700u32).map(|i| i.wrapping_mul(2_654_435_761) % (most as u32 + 1)).collect();
            let mut target = vec![0xEEu8; offsets.len() * length + 1];
            let numbers = Numbers::of(&offsets, "offsets");
            // SAFETY: the vectors have these lengths.
            unsafe { read_many(source.as_ptr(), source.len(), &numbers, length, target.as_mut_ptr()) }
                .expect("copied");
            for (i, &offset) in offsets.iter().enumerate() {
                let expected = &source[offset as usize..offset as usize + length];
                assert_eq!(&target[i * length..(i + 1) * length], expected, "{length} {i}");
            }
            assert_eq!(target[offsets.len() * length], 0xEE, "no byte too many");
        }
    }

    #[test]
    fn invalid_offsets_are_reported_and_nothing_is_written() {
        let source = [1u8; 100];
        let mut target = [7u8; 64 * 600];
        let mut refused = |offsets: &[f64], length: usize, message: &str| {
            let numbers = Numbers::of(offsets, "offsets");
            // SAFETY: the arrays have these lengths.
            let result = unsafe { read_many(source.as_ptr(), 100, &numbers, length, target.as_mut_ptr()) };
            let error = result.expect_err("refused");
            assert_eq!(error.kind(), ErrorKind::Range);
            assert!(error.message().starts_with(message), "{error}");
            assert!(target.iter().all(|&byte| byte == 7));
        };
        refused(&[0.0, 37.0], 64, "offsets[1] is 37,");
        refused(&[0.0, -1.0], 64, "offsets[1] is -1,");
        refused(&[0.5], 8, "offsets[0] is 0.5,");
        refused(&[f64::NAN], 8, "offsets[0] is NaN,");
        refused(&[9_007_199_254_740_991.0], 8, "offsets[0] is 9007199254740991,");
        refused(&[0.0], 101, "offsets[0] is 0,");
        refused(&[0.0], usize::MAX, "offsets[0] is 0,");
        let mut late = vec![0.0; 600];
        late[599] = 93.0;
        refused(&late, 8, "offsets[599] is 93,");
        late[599] = 92.0;
        let numbers = Numbers::of(&late, "offsets");
        // SAFETY: as above.
        unsafe { read_many(source.as_ptr(), 100, &numbers, 8, target.as_mut_ptr()) }.expect("copied");
        assert!(target[..4800].iter().all(|&byte| byte == 1));
    }
}
