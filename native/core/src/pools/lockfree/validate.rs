//! Validation of a pool at rest: the caller must ensure that no thread allocates or frees
//! meanwhile.

use super::layout::{Shape, chunk, group, slot};
use super::shared::Shared;
use super::words::RegionWords;
use crate::region::attach::RegionKind;
use crate::region::memory::Memory;
use crate::{Error, Result};

/// Checks the bookkeeping of the pool in `len` bytes at `base`. O(blocks / 16).
///
/// # Safety
/// `base` is valid for reading `len` bytes; they are not written.
pub unsafe fn validate(base: *mut u8, len: usize) -> Result<()> {
    // SAFETY: `base` is valid for `len` bytes, guaranteed by the caller.
    let memory = unsafe { Memory::new(base, len) }?;
    let (_, Shape { geometry, .. }) = Shape::read(memory)?;
    // SAFETY: `base` is valid for `len` bytes, guaranteed by the caller, and `Shape::read` checked
    // that the words are within them.
    let words = unsafe { RegionWords::new(base.cast(), geometry.words) };
    let pool = Shared::new(words, geometry, 0, 0);
    let mut tails = 0..0;
    for number in 0..geometry.chunks {
        let descriptor = pool.descriptor(number);
        let (kind, class) = (chunk::kind(descriptor), chunk::class(descriptor));
        let within = tails.contains(&number);
        let sound = match kind {
            chunk::TAIL => within && descriptor >> 3 == number - (tails.start - 1),
            _ if within => false,
            chunk::FREE => descriptor == chunk::FREE,
            chunk::LARGE => {
                let chunks = descriptor >> 3;
                tails = number + 1..number.saturating_add(chunks);
                chunks > 0 && chunks <= geometry.chunks - number
            }
            chunk::CUT => {
                class < geometry.classes() && descriptor == chunk::make(kind, class, chunk::slot(descriptor))
            }
            _ => false,
        };
        if !sound {
            return Err(Error::corrupt(format!("the descriptor of chunk {number} of the pool is invalid")));
        }
        if kind == chunk::CUT {
            pool.groups_of(number, class).try_for_each(|at| check_group(&pool, at, class))?;
        }
    }
    Ok(())
}

fn check_group(pool: &Shared<RegionWords>, at: u32, class: u32) -> Result<()> {
    let (word, cache) = (pool.group(at), pool.cache(at));
    let owner = (word & group::OWNER & !group::OWNED) >> 21;
    let sound = word & group::CLASS == group::of_class(class)
        && (word | cache) & group::BITS & !pool.geometry().all(class) == 0
        && cache & !group::BITS == 0
        && if word & group::OWNED == 0 {
            cache == 0
        } else {
            owner < pool.geometry().slots
                && pool.state_of(owner) == slot::LIVE
                && word & cache & group::BITS == 0
        };
    if sound {
        Ok(())
    } else {
        Err(Error::corrupt(format!("the words of group {at} of the pool contradict each other")))
    }
}
