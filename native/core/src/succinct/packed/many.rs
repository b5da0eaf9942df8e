//! Integers at many indices.
//!
//! The indices are read twice: first to check them all, so that a rejected call writes nothing, and
//! then to fetch the integers. Because another thread may write them, they are checked again the
//! second time.
//!
//! Fetching needs no prefetching. The loads of a chunk do not depend on each other, and the
//! processor overlaps dozens of them.

use super::{ONE_LOAD, RawPackedInts, extract, extract_short};
use crate::region::numbers::{CHUNK, Numbers, NumbersMut};
use crate::{Error, Result};

pub(super) fn get_many(ints: &RawPackedInts, indices: &Numbers<'_>, out: &mut NumbersMut<'_>) -> Result<()> {
    #[cfg(target_arch = "x86_64")]
    match crate::cpu::Features::get().level() {
        // SAFETY: the processor supports these instructions.
        crate::cpu::Level::Avx512 => return unsafe { fetch_avx512(ints, indices, out) },
        // SAFETY: as above.
        crate::cpu::Level::Avx2 => return unsafe { fetch_avx2(ints, indices, out) },
        _ => {}
    }
    fetch(ints, indices, out)
}

/// `Range` if an index is past the end.
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
    Error::range(format!("index out of range: {name}[{at}] is {index}, of {len} integers"))
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

/// The same code with AVX-512, which converts between integers and doubles in vectors; its shifts
/// do not change the flags.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,bmi1,bmi2")]
fn fetch_avx512(ints: &RawPackedInts, indices: &Numbers<'_>, out: &mut NumbersMut<'_>) -> Result<()> {
    fetch(ints, indices, out)
}

/// The same code with AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn fetch_avx2(ints: &RawPackedInts, indices: &Numbers<'_>, out: &mut NumbersMut<'_>) -> Result<()> {
    fetch(ints, indices, out)
}
