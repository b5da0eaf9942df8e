//! Integers at many indices.
//!
//! The indices are looked at twice: first whether all are indices, so that a refused call writes
//! nothing, then to fetch. They may lie in memory that another thread writes, so the second time
//! they are checked again.
//!
//! Fetching needs no prefetching: the loads of one chunk do not depend on each other, and the
//! processor has dozens of them under way at once.

use super::{ONE_LOAD, RawPackedInts, extract, extract_short};
use crate::region::numbers::{CHUNK, Numbers, NumbersMut};
use crate::{Error, Result};

pub(super) fn get_many(ints: &RawPackedInts, indices: &Numbers<'_>, out: &mut NumbersMut<'_>) -> Result<()> {
    #[cfg(target_arch = "x86_64")]
    match crate::cpu::Features::get().level() {
        // SAFETY: the processor has these.
        crate::cpu::Level::Avx512 => return unsafe { fetch_avx512(ints, indices, out) },
        // SAFETY: as above.
        crate::cpu::Level::Avx2 => return unsafe { fetch_avx2(ints, indices, out) },
        _ => {}
    }
    fetch(ints, indices, out)
}

/// Refuses indices past the end.
#[inline(always)]
fn check(ints: &RawPackedInts, from: usize, chunk: &[u64], name: &str) -> Result<()> {
    let largest = chunk.iter().fold(0, |largest, &index| largest.max(index));
    if largest >= ints.len() { Err(refuse(ints, from, chunk, name)) } else { Ok(()) }
}

#[cold]
fn refuse(ints: &RawPackedInts, from: usize, chunk: &[u64], name: &str) -> Error {
    let len = ints.len();
    let at = chunk.iter().position(|&index| index >= len).unwrap_or(0);
    let (index, at) = (chunk[at], from + at);
    Error::range(format!("{name}[{at}] is {index}, where there are {len} integers"))
}

#[inline(always)]
fn fetch(ints: &RawPackedInts, indices: &Numbers<'_>, out: &mut NumbersMut<'_>) -> Result<()> {
    let mut chunk = [0; CHUNK];
    for from in (0..indices.len()).step_by(CHUNK) {
        check(ints, from, indices.read(from, &mut chunk)?, indices.name())?;
    }
    let (data, bits) = (ints.fields.data, ints.fields.bits);
    for from in (0..indices.len()).step_by(CHUNK) {
        let count = indices.read(from, &mut chunk)?.len();
        let chunk = &mut chunk[..count];
        check(ints, from, chunk, indices.name())?;
        // SAFETY: the indices were checked.
        unsafe {
            if bits <= ONE_LOAD {
                chunk.iter_mut().for_each(|slot| *slot = extract_short(data, bits, *slot));
            } else {
                chunk.iter_mut().for_each(|slot| *slot = extract(data, bits, *slot));
            }
        }
        out.write(from, chunk);
    }
    Ok(())
}

/// The same code, but conversions between integers and doubles are vectors, and shifts leave the
/// flags alone.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,bmi1,bmi2")]
fn fetch_avx512(ints: &RawPackedInts, indices: &Numbers<'_>, out: &mut NumbersMut<'_>) -> Result<()> {
    fetch(ints, indices, out)
}

/// The same code again.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn fetch_avx2(ints: &RawPackedInts, indices: &Numbers<'_>, out: &mut NumbersMut<'_>) -> Result<()> {
    fetch(ints, indices, out)
}
