//! Unpacking ranges of packed integers.
//!
//! Eight integers of b bits take exactly b bytes. So groups of eight begin at a whole byte, and the
//! position of each integer in its group depends on b alone. One shuffle moves the bytes of each
//! integer to a lane of its own, one shift moves it to the lowest bits of the lane, and one mask
//! removes its neighbors. The shuffle and the shifts are computed once per call (as in Lemire and
//! Boytsov, "Decoding billions of integers per second through vectorization", 2015, where they are
//! constants). There is one file for each instruction set; [`generic`] handles the ends, and widths
//! that do not fit the lanes.

mod generic;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;

use super::Fields;
use super::layout::data_bytes;
use crate::cpu::{Features, Level};
use crate::region::numbers::{CHUNK, NumbersMut};

/// The number of bytes from the start of a group that a kernel may read.
const REACH: usize = 64;
/// Integers per group.
const GROUP: usize = 8;

/// The groups for a kernel: integers whose index is a multiple of 8, as long as [`REACH`] bytes are
/// left.
struct Groups<'a> {
    /// The first byte of the first group.
    data: *const u8,
    bits: u32,
    out: &'a mut [[u64; GROUP]],
}

/// Unpacks as many integers as `out` has room for, from `from` on. The range is within the fields.
pub(super) fn unpack(fields: &Fields, from: u64, out: &mut NumbersMut<'_>) {
    let mut chunk = [0; CHUNK];
    let level = Features::get().level();
    // The first chunk ends where groups begin.
    let mut done = 0;
    while done < out.len() {
        let at = from + done as u64;
        let most = if done == 0 { CHUNK - (at % GROUP as u64) as usize } else { CHUNK };
        let count = most.min(out.len() - done);
        chunk_with(level, fields, at, &mut chunk[..count]);
        out.write(done, &chunk[..count]);
        done += count;
    }
}

/// Unpacks a few integers.
pub(crate) fn chunk(fields: &Fields, from: u64, out: &mut [u64]) {
    chunk_with(Features::get().level(), fields, from, out);
}

/// Unpacks with the kernels of a level, which the processor must support. Tests force each level.
fn chunk_with(level: Level, fields: &Fields, from: u64, out: &mut [u64]) {
    let Fields { bits, len, .. } = *fields;
    assert!(from <= len && out.len() as u64 <= len - from);
    let head = (from.wrapping_neg() % GROUP as u64).min(out.len() as u64) as usize;
    let (head, rest) = out.split_at_mut(head);
    generic::unpack(fields, from, head);
    let first = from + head.len() as u64;
    let begin = (first / GROUP as u64) * u64::from(bits);
    let room = (data_bytes(len, bits) - begin).saturating_sub((REACH - 1) as u64).div_ceil(u64::from(bits));
    let groups = (rest.len() / GROUP).min(room as usize);
    let (body, tail) = rest.split_at_mut(groups * GROUP);
    let after = first + body.len() as u64;
    let (whole, _) = body.as_chunks_mut::<GROUP>();
    // SAFETY: the byte is within the data, or directly after it.
    let data = unsafe { fields.data.add(begin as usize) };
    // SAFETY: the groups, and `REACH` bytes from each of them, are within the data, and the
    // processor supports the level.
    let taken = unsafe { run(level, Groups { data, bits, out: whole }) };
    if !taken {
        generic::unpack(fields, first, body);
    }
    generic::unpack(fields, after, tail);
}

/// Runs the kernel of a level, if there is one for this width.
///
/// # Safety
/// [`REACH`] bytes are readable from the start of each group. The processor supports the level.
unsafe fn run(level: Level, groups: Groups<'_>) -> bool {
    // SAFETY: both are guaranteed by the caller.
    unsafe {
        match level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 if groups.bits <= avx512::MAX_BITS => avx512::unpack(groups),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 | Level::Avx2 if groups.bits <= avx2::MAX_BITS => avx2::unpack(groups),
            #[cfg(target_arch = "aarch64")]
            Level::Neon if groups.bits <= neon::MAX_BITS => neon::unpack(groups),
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::region::numbers::Numbers;
    use crate::succinct::packed::PackedInts;

    fn levels() -> impl Iterator<Item = Level> {
        let all = [Level::Generic, Level::Sse2, Level::Neon, Level::Avx2, Level::Avx512];
        let most = Features::get().level();
        all.into_iter().filter(move |&level| level <= most && (level == Level::Neon) == (most == Level::Neon))
    }

    #[test]
    fn every_level_unpacks_every_width_from_everywhere() {
        let mut state = 1u64;
        for bits in 1..=64 {
            let values: Vec<u64> = (0..300)
                .map(|_| {
                    state =
                        state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    (state ^ state >> 29) >> (64 - bits)
                })
                .collect();
            let ints = PackedInts::with_bits(&Numbers::of(&values, "values"), bits).unwrap();
            for level in levels() {
                for from in [0, 1, 3, 7, 8, 9, 100, 291, 299, 300] {
                    for count in [0, 1, 2, 7, 8, 9, 16, 64, 200, 300 - from] {
                        if from + count > values.len() {
                            continue;
                        }
                        let mut out = vec![u64::MAX; count];
                        chunk_with(level, &ints.fields, from as u64, &mut out);
                        assert_eq!(out, values[from..from + count], "{level:?} {bits} bits {from}+{count}");
                    }
                }
            }
        }
    }
}
