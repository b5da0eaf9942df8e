//! The registry of watched ranges, which the signal handler walks. The protocol is in [`super`].

use crate::{Error, ErrorKind, Result};
use std::ops::Range;
use std::ptr::null_mut;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU32, AtomicUsize};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Slots per block.
pub(super) const SLOTS: usize = 64;

/// Fewer orphans than this are not swept.
pub(super) const SWEEP_FROM: usize = SLOTS;

/// One watched range. A slot with `start == 0` is vacant.
#[repr(align(64))]
pub(super) struct Slot {
    /// Handlers that are looking at this slot.
    pins: AtomicUsize,
    /// A writer is changing the fields below.
    busy: AtomicBool,
    pub(super) writable: AtomicBool,
    /// Faults that came after the whole rest of the range was replaced.
    pub(super) repeats: AtomicU32,
    start: AtomicUsize,
    pub(super) end: AtomicUsize,
    /// Where the zeros begin; `end` while nothing is lost.
    pub(super) lost_from: AtomicUsize,
    status: AtomicPtr<AtomicI32>,
    /// The page with the marker of foreign memory; 0 for pages of our own.
    marker: AtomicUsize,
    /// The id of the entry that filled the slot, or [`ORPHAN`]. Only writers look at it.
    id: AtomicUsize,
}

/// The id of slots that no [`Entry`] refers to.
const ORPHAN: usize = 0;

impl Slot {
    const fn vacant() -> Slot {
        Slot {
            pins: AtomicUsize::new(0),
            busy: AtomicBool::new(false),
            writable: AtomicBool::new(false),
            repeats: AtomicU32::new(0),
            start: AtomicUsize::new(0),
            end: AtomicUsize::new(0),
            lost_from: AtomicUsize::new(0),
            status: AtomicPtr::new(null_mut()),
            marker: AtomicUsize::new(0),
            id: AtomicUsize::new(ORPHAN),
        }
    }

    fn clear(&self) {
        self.change(|slot| {
            slot.start.store(0, Relaxed);
            slot.end.store(0, Relaxed);
            slot.status.store(null_mut(), Relaxed);
            slot.marker.store(0, Relaxed);
        });
    }

    fn is_orphan(&self) -> bool {
        self.start.load(Relaxed) != 0 && self.id.load(Relaxed) == ORPHAN
    }

    /// Whether the memory of the range is still mapped. Always true for pages of our own, which
    /// nothing else unmaps.
    fn is_alive(&self) -> bool {
        match self.marker.load(Relaxed) {
            0 => true,
            #[cfg(target_os = "linux")]
            page => super::liveness::has_marker(page),
            #[cfg(not(target_os = "linux"))]
            _ => false,
        }
    }

    /// For the handler: runs `work` with the slot pinned, if the address lies in its range.
    /// Async-signal-safe.
    pub(super) fn pinned<T>(&self, address: usize, work: impl FnOnce(&Slot) -> T) -> Option<T> {
        self.pins.fetch_add(1, SeqCst);
        let ours = !self.busy.load(SeqCst)
            && (self.start.load(Relaxed)..self.end.load(Relaxed)).contains(&address)
            && self.is_alive();
        let result = ours.then(|| work(self));
        self.pins.fetch_sub(1, Release);
        result
    }

    /// The status word, which lives at least as long as the slot is pinned; `None` for an orphan.
    pub(super) fn status(&self) -> Option<&AtomicI32> {
        // SAFETY: the word outlives the watch, which does not end while its slot is pinned.
        unsafe { self.status.load(SeqCst).as_ref() }
    }

    /// Changes the slot while no handler looks at it. The caller holds [`REGISTRY`].
    fn change(&self, work: impl FnOnce(&Slot)) {
        self.busy.store(true, SeqCst);
        self.wait_for_pins();
        work(self);
        self.busy.store(false, Release);
    }

    /// Takes the status word away from the handler, which continues to serve the range: the slot
    /// is never `busy` here, because other threads may be reading. The caller holds [`REGISTRY`].
    fn detach(&self) {
        self.id.store(ORPHAN, Relaxed);
        // Either a handler loads this, or its pin is seen below.
        self.status.store(null_mut(), SeqCst);
        self.wait_for_pins();
    }

    fn wait_for_pins(&self) {
        while self.pins.load(SeqCst) != 0 {
            // A handler is in its `mmap`, on another thread: this takes microseconds.
            std::thread::yield_now();
        }
    }
}

struct Block {
    slots: [Slot; SLOTS],
    next: AtomicPtr<Block>,
}

impl Block {
    const fn new() -> Block {
        Block { slots: [const { Slot::vacant() }; SLOTS], next: AtomicPtr::new(null_mut()) }
    }

    fn next(&self) -> Option<&'static Block> {
        // SAFETY: null, or a block that was leaked. Such a block lives forever, and is written
        // through its atomics only.
        unsafe { self.next.load(Acquire).as_ref() }
    }
}

static FIRST: Block = Block::new();

/// Locked by every thread that changes the registry; never by a signal handler.
static REGISTRY: Mutex<Registry> = Mutex::new(Registry {
    last_id: ORPHAN,
    taken: Vec::new(),
    vacant: Vec::new(),
    blocks: 0,
    orphans: 0,
    sweep_at: SWEEP_FROM,
});

/// An index of the slots for writers, so that they never walk over all of them.
pub(super) struct Registry {
    last_id: usize,
    /// Slots that have a range, from high addresses to low ones: kernels hand out address space
    /// downwards, so a new range usually goes to the end. The ranges are disjoint.
    taken: Vec<(usize, &'static Slot)>,
    /// Vacant slots. There is room for every slot of the registry.
    vacant: Vec<&'static Slot>,
    /// Blocks of slots.
    blocks: usize,
    orphans: usize,
    /// The number of orphans at which they are swept.
    sweep_at: usize,
}

/// The registry, locked.
pub(super) fn registry() -> MutexGuard<'static, Registry> {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All slots that exist, vacant ones included. Async-signal-safe.
pub(super) fn slots() -> impl Iterator<Item = &'static Slot> {
    std::iter::successors(Some(&FIRST), |block| block.next()).flat_map(|block| &block.slots)
}

/// A range in the registry: its slot, and the id that tells whether the slot is still its own.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    slot: &'static Slot,
    id: usize,
}

impl Entry {
    /// The slot, unless it was released because a later entry covers the range.
    fn slot(self) -> Option<&'static Slot> {
        (self.slot.id.load(Relaxed) == self.id).then_some(self.slot)
    }
}

impl Registry {
    /// Adds a range of whole pages. Ranges that overlap it are removed.
    pub(super) fn add(
        &mut self,
        range: Range<usize>,
        writable: bool,
        status: *const AtomicI32,
    ) -> Result<Entry> {
        self.release_overlapping(&range);
        let slot = self.claim(range.start)?;
        self.last_id += 1;
        let id = self.last_id;
        slot.change(|slot| {
            slot.writable.store(writable, Relaxed);
            slot.repeats.store(0, Relaxed);
            slot.end.store(range.end, Relaxed);
            slot.lost_from.store(range.end, Relaxed);
            slot.status.store(status.cast_mut(), Relaxed);
            slot.marker.store(0, Relaxed);
            slot.id.store(id, Relaxed);
            slot.start.store(range.start, Relaxed);
        });
        Ok(Entry { slot, id })
    }

    /// Extends a range to `length` bytes, which are whole pages and more than before.
    pub(super) fn extend(&mut self, entry: Entry, length: usize) {
        let Some(slot) = entry.slot() else { return };
        let before = slot.end.load(Relaxed);
        let end = slot.start.load(Relaxed) + length;
        self.release_overlapping(&(before..end));
        // A handler may see one of these two stores without the other. Then it either counts a
        // fault as a repetition that is none, or leaves the new pages alone. If pages were lost
        // already, `lost_from` stays where they begin.
        slot.lost_from.compare_exchange(before, end, Relaxed, Relaxed).ok();
        slot.end.store(end, Release);
    }

    /// Sets the page with the marker of foreign memory, or 0 for none.
    #[cfg(target_os = "linux")]
    pub(super) fn set_marker(&mut self, entry: Entry, page: usize) {
        if let Some(slot) = entry.slot() {
            slot.change(|slot| slot.marker.store(page, Relaxed));
        }
    }

    /// Removes a range, or makes an orphan of it if it has a marker.
    pub(super) fn remove(&mut self, entry: Entry) {
        let Some(slot) = entry.slot() else { return };
        if slot.marker.load(Relaxed) == 0 {
            self.release(slot);
            return;
        }
        // Whether the memory still exists is asked for many orphans at once.
        slot.detach();
        self.orphans += 1;
        if self.orphans >= self.sweep_at {
            self.sweep();
        }
    }

    /// Slots that no entry refers to, although their memory may still be mapped.
    #[cfg(test)]
    pub(super) fn orphans(&self) -> usize {
        self.orphans
    }

    /// Releases the slots whose ranges overlap `range`. Where something new is mapped, nothing old
    /// can be: the engine that owned the memory of such a range has freed it, and reports that
    /// later or never.
    fn release_overlapping(&mut self, range: &Range<usize>) {
        let from = self.index_of(range.end - 1);
        while let Some(&(_, slot)) =
            self.taken.get(from).filter(|(_, slot)| slot.end.load(Relaxed) > range.start)
        {
            self.release(slot);
        }
    }

    /// The index in `taken` of the first slot whose range begins at `address` or below.
    fn index_of(&self, address: usize) -> usize {
        self.taken.partition_point(|&(start, _)| start > address)
    }

    /// Takes a vacant slot and enters it for a range that begins at `start`.
    fn claim(&mut self, start: usize) -> Result<&'static Slot> {
        if self.vacant.is_empty() {
            self.add_block()?;
        }
        self.taken.try_reserve(1)?;
        let index = self.index_of(start);
        let slot = self.vacant.pop().ok_or_else(|| Error::new(ErrorKind::Oom, "no slot for a mapping"))?;
        self.taken.insert(index, (start, slot));
        Ok(slot)
    }

    fn add_block(&mut self) -> Result<()> {
        self.vacant.try_reserve_exact((self.blocks + 1) * SLOTS)?;
        let block: &'static Block = if self.blocks == 0 {
            &FIRST
        } else {
            let mut memory: Vec<Block> = Vec::new();
            memory.try_reserve_exact(1)?;
            memory.push(Block::new());
            // Leaked, because a handler may walk over it at any later time.
            let block = &memory.leak()[0];
            // Inserted after the first block, so that nothing has to find the end of the chain.
            block.next.store(FIRST.next.load(Relaxed), Relaxed);
            FIRST.next.store(std::ptr::from_ref(block).cast_mut(), Release);
            block
        };
        self.blocks += 1;
        self.vacant.extend(block.slots.iter().rev());
        Ok(())
    }

    /// Releases the orphans whose memory was freed.
    fn sweep(&mut self) {
        let mut taken = std::mem::take(&mut self.taken);
        taken.retain(|&(_, slot)| {
            let gone = slot.is_orphan() && !slot.is_alive();
            if gone {
                self.free(slot);
            }
            !gone
        });
        self.taken = taken;
        self.sweep_at = (2 * self.orphans).max(SWEEP_FROM);
    }

    /// Gives a claimed slot back.
    fn release(&mut self, slot: &'static Slot) {
        let index = self.index_of(slot.start.load(Relaxed));
        debug_assert!(std::ptr::eq(self.taken[index].1, slot));
        self.taken.remove(index);
        self.free(slot);
    }

    /// [`Registry::release`] for a slot that is not in `taken` any more.
    fn free(&mut self, slot: &'static Slot) {
        self.orphans -= usize::from(slot.is_orphan());
        slot.clear();
        // An entry that still refers to the slot finds that it is not its own.
        slot.id.store(ORPHAN, Relaxed);
        self.vacant.push(slot);
    }
}
