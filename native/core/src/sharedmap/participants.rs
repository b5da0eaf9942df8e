//! Participants: the attachments of a map, and how others know that one has terminated
//! (`docs/formats/sharedmap.md`, "Participants").

use super::layout::{Geometry, control, participant};
use super::lock::{GENERATION_SHIFT, Holder};
use super::words::Words;
use crate::{Error, ErrorKind, Result};

/// The generations: 21 bits, and 0 is not one.
const GENERATIONS: u32 = (1 << 21) - 1;

/// What the memory of a map is backed by: a file, or memory of this process.
pub trait Backing: Send {
    /// Claims a participant's slot for as long as this process lives, or until `release`. `false`
    /// if a live process has it.
    fn claim(&self, slot: usize) -> Result<bool>;
    /// Gives a slot up.
    fn release(&self, slot: usize);
    /// Whether the process that claimed the slot is alive.
    fn is_alive(&self, slot: usize) -> bool;
    /// Refuses writes by a process that inherited the map through `fork`.
    fn check(&self) -> Result<()>;
    /// Ensures that the bytes of the region can be written: [`ErrorKind::Full`] if the disk is
    /// full.
    fn allocate(&self, offset: u64, length: u64) -> Result<()>;
    /// Returns the memory of bytes that are not used any more. They may become zeros.
    fn discard(&self, offset: u64, length: u64);
}

/// Memory of this process. All participants live as long as it.
#[derive(Debug, Default)]
pub struct ProcessMemory {
    base: usize,
}

impl ProcessMemory {
    /// Memory that starts at this address. Pages that become free are returned to the system if
    /// they can be.
    ///
    /// # Safety
    /// From `base` on is the map's region, for as long as this value exists.
    #[must_use]
    pub unsafe fn new(base: *mut u8) -> ProcessMemory {
        ProcessMemory { base: base.addr() }
    }
}

impl Backing for ProcessMemory {
    fn claim(&self, _: usize) -> Result<bool> {
        Ok(true)
    }

    fn release(&self, _: usize) {}

    fn is_alive(&self, _: usize) -> bool {
        true
    }

    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn allocate(&self, _: u64, _: u64) -> Result<()> {
        Ok(())
    }

    fn discard(&self, offset: u64, length: u64) {
        #[cfg(target_os = "linux")]
        {
            let start = self.base + offset as usize;
            if self.base != 0 && start.is_multiple_of(4096) {
                // SAFETY: the bytes are part of the region (`new`), and nothing reads them: they
                // are a page that is not used. Advice that the system refuses changes nothing.
                unsafe {
                    libc::madvise(
                        std::ptr::with_exposed_provenance_mut(start),
                        length as usize,
                        libc::MADV_DONTNEED,
                    );
                }
            }
        }
        #[cfg(not(target_os = "linux"))]
        let _ = (offset, length);
    }
}

/// Takes a free slot, or that of a process that terminated. No lock is needed: a slot belongs to
/// the participant that claimed it from the system, and then exchanged its state.
pub(crate) fn join(words: Words, geometry: &Geometry, backing: &dyn Backing) -> Result<(usize, Holder)> {
    let generation = words.add(control::GENERATION, 1) % GENERATIONS + 1;
    let state = generation << GENERATION_SHIFT | 1;
    // Slots of processes that terminated are used after all free ones, so that their figures remain
    // readable for a while. In memory of one process there are none.
    for is_free in [true, false] {
        for slot in 0..geometry.participants {
            let at = at(geometry, slot);
            let former = words.acquire(at + participant::STATE);
            if (former == 0) != is_free || !is_free && backing.is_alive(slot) || !backing.claim(slot)? {
                continue;
            }
            if !words.swap(at + participant::STATE, former, state) {
                backing.release(slot);
                continue;
            }
            words.clear(at + 1, participant::WORDS - 1);
            words.store(at + participant::PID, std::process::id());
            words.store_double(at + participant::ATTACHED, super::now().to_bits());
            return Ok((slot, Holder::new(slot, generation)));
        }
    }
    let count = geometry.participants;
    Err(Error::new(ErrorKind::Full, format!("all {count} participants' slots of the map are in use")))
}

/// Frees the slot.
pub(crate) fn leave(words: Words, geometry: &Geometry, backing: &dyn Backing, slot: usize) {
    // In a child of the process that took it, the slot still belongs to the parent.
    if backing.check().is_err() {
        return;
    }
    words.release(at(geometry, slot) + participant::STATE, 0);
    backing.release(slot);
}

/// Whether a lock's holder may still release it.
pub(crate) fn is_alive(words: Words, geometry: &Geometry, backing: &dyn Backing, holder: Holder) -> bool {
    let Some(slot) = holder.slot() else { return false };
    if slot >= geometry.participants {
        return false;
    }
    let state = words.acquire(at(geometry, slot) + participant::STATE);
    state >> GENERATION_SHIFT == holder.generation() && state & 1 == 1 && backing.is_alive(slot)
}

/// The number of slots of live participants.
pub(crate) fn count(words: Words, geometry: &Geometry, backing: &dyn Backing) -> usize {
    let is_used = |&slot: &usize| words.load(at(geometry, slot)) != 0 && backing.is_alive(slot);
    (0..geometry.participants).filter(is_used).count()
}

/// The first word of a slot.
pub(crate) fn at(geometry: &Geometry, slot: usize) -> usize {
    geometry.participants_at + slot * participant::WORDS
}
