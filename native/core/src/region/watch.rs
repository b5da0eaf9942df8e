//! Which ranges are watched: the registry of [`super::lost`], where the protocol is.

use super::lost::install;
use super::pages::page_size;
use crate::{Error, ErrorKind, Result};
use std::ptr::null_mut;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU32, AtomicUsize};
use std::sync::{Mutex, MutexGuard, PoisonError};

const SLOTS: usize = 64;

/// Orphans are not looked through while they are fewer.
const SWEEP_FROM: usize = SLOTS;

/// One watched range. `start == 0` is a vacant slot.
#[repr(align(64))]
pub(super) struct Slot {
    /// How many handlers are looking at this slot.
    pins: AtomicUsize,
    /// A writer is changing the fields below.
    busy: AtomicBool,
    pub(super) writable: AtomicBool,
    /// Faults that came after the whole rest was replaced.
    pub(super) repeats: AtomicU32,
    start: AtomicUsize,
    pub(super) end: AtomicUsize,
    /// From here on there are zeros; `end` while nothing is lost.
    pub(super) lost_from: AtomicUsize,
    status: AtomicPtr<AtomicI32>,
    /// The page with the marker of foreign memory; 0 for pages of our own.
    marker: AtomicUsize,
    /// Which [`Watch`] filled the slot, or [`ORPHAN`]. Only writers look at it.
    id: AtomicUsize,
}

/// The id of slots that no [`Watch`] has.
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

    fn vacate(&self) {
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

    /// Whether the range is still what it was: always for pages of our own, which nobody else
    /// unmaps.
    fn stands(&self) -> bool {
        match self.marker.load(Relaxed) {
            0 => true,
            #[cfg(target_os = "linux")]
            page => super::marker::stands(page),
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
            && self.stands();
        let result = ours.then(|| work(self));
        self.pins.fetch_sub(1, Release);
        result
    }

    /// The status word, which lives at least as long as the slot is pinned; `None` for an orphan.
    pub(super) fn status(&self) -> Option<&AtomicI32> {
        // SAFETY: the word outlives the watch, which does not end while its slot is pinned.
        unsafe { self.status.load(SeqCst).as_ref() }
    }

    /// Changes the slot while no handler looks at it. Writers hold [`WRITERS`].
    fn change(&self, work: impl FnOnce(&Slot)) {
        self.busy.store(true, SeqCst);
        self.wait_for_pins();
        work(self);
        self.busy.store(false, Release);
    }

    /// Takes the status word away from the handler, which goes on to look after the range: it is
    /// never `busy` here, because other threads may be reading. Writers hold [`WRITERS`].
    fn orphan(&self) {
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
        // SAFETY: null, or a block that was leaked, so it lives for ever and is never written but
        // through its atomics.
        unsafe { self.next.load(Acquire).as_ref() }
    }
}

static FIRST: Block = Block::new();

/// Held by whoever changes the registry; never by a signal handler.
static WRITERS: Mutex<Books> = Mutex::new(Books {
    last_id: ORPHAN,
    taken: Vec::new(),
    vacant: Vec::new(),
    blocks: 0,
    orphans: 0,
    sweep_at: SWEEP_FROM,
});

/// What writers know of the slots, so that none of them walks over all.
pub(super) struct Books {
    last_id: usize,
    /// Slots that have a range, from high addresses to low ones: kernels give out address space
    /// downwards, so what is new mostly belongs at the end. The ranges are disjoint.
    taken: Vec<(usize, &'static Slot)>,
    /// Room for all slots that there are.
    vacant: Vec<&'static Slot>,
    /// Blocks of slots.
    blocks: usize,
    orphans: usize,
    /// So many orphans are looked through.
    sweep_at: usize,
}

pub(super) fn writers() -> MutexGuard<'static, Books> {
    WRITERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All slots that there ever were. Async-signal-safe.
pub(super) fn slots() -> impl Iterator<Item = &'static Slot> {
    std::iter::successors(Some(&FIRST), |block| block.next()).flat_map(|block| &block.slots)
}

/// A range that is watched until this is dropped, or until its addresses are watched anew; in
/// foreign memory until that is freed.
pub(crate) struct Watch {
    slot: &'static Slot,
    id: usize,
}

impl Watch {
    /// Watches `[start, start + length)`, rounded up to whole pages, and installs the handler if it
    /// is the first. `status` becomes 1 when a page is lost.
    ///
    /// # Safety
    /// `start` is the first byte of a mapping of `length` bytes, `writable` or not, that is
    /// unmapped only after this is dropped. `status` is valid until then.
    pub(crate) unsafe fn new(
        start: usize,
        length: usize,
        writable: bool,
        status: *const AtomicI32,
    ) -> Result<Watch> {
        install()?;
        let mut books = writers();
        let end = start + length.next_multiple_of(page_size());
        books.clear(start, end);
        let slot = books.take(start)?;
        books.last_id += 1;
        let id = books.last_id;
        slot.change(|slot| {
            slot.writable.store(writable, Relaxed);
            slot.repeats.store(0, Relaxed);
            slot.end.store(end, Relaxed);
            slot.lost_from.store(end, Relaxed);
            slot.status.store(status.cast_mut(), Relaxed);
            slot.marker.store(0, Relaxed);
            slot.id.store(id, Relaxed);
            slot.start.store(start, Relaxed);
        });
        Ok(Watch { slot, id })
    }

    /// Watches so many bytes from the same start, which are more than before. There is no moment at
    /// which those of before are not watched: other threads may be reading them. The new ones are
    /// not read before this returns.
    pub(crate) fn extend(&self, length: usize) {
        let mut books = writers();
        let slot = self.slot;
        if slot.id.load(Relaxed) != self.id {
            return; // Someone else's by now.
        }
        let before = slot.end.load(Relaxed);
        let end = slot.start.load(Relaxed) + length.next_multiple_of(page_size());
        books.clear(before, end);
        // A handler that sees one of the two only takes a page that it replaces for one that it
        // replaced before, or does not replace the new ones. If some are lost already, that is what
        // it goes by.
        slot.lost_from.compare_exchange(before, end, Relaxed, Relaxed).ok();
        slot.end.store(end, Release);
    }

    /// Says that the range is foreign memory, and where its marker was set. From now on the
    /// watching goes on after this is dropped, while the marker stands.
    #[cfg(target_os = "linux")]
    pub(crate) fn mark(&self, page: usize) {
        let _books = writers();
        if self.slot.id.load(Relaxed) == self.id {
            self.slot.change(|slot| slot.marker.store(page, Relaxed));
        }
    }

    /// Says that nothing of the file is left in the range: dropping this ends the watching, marker
    /// or not.
    #[cfg(target_os = "linux")]
    pub(super) fn unmark(&self) {
        self.mark(0);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut books = writers();
        let slot = self.slot;
        if slot.id.load(Relaxed) != self.id {
            return; // The addresses are watched anew.
        }
        if slot.marker.load(Relaxed) == 0 {
            books.vacate(slot);
            return;
        }
        // Whether the memory is still there is asked of many at once.
        slot.orphan();
        books.orphans += 1;
        if books.orphans >= books.sweep_at {
            books.sweep();
        }
    }
}

impl Books {
    /// Forgets ranges that reach into `[start, end)`. Where something new is mapped, nothing old
    /// can be: such a range was freed by the engine whose memory it lay in, which told nobody, or
    /// will only tell later.
    fn clear(&mut self, start: usize, end: usize) {
        let from = self.place(end - 1);
        while let Some(&(_, slot)) = self.taken.get(from).filter(|(_, slot)| slot.end.load(Relaxed) > start) {
            self.vacate(slot);
        }
    }

    /// Where the slots begin whose ranges begin at `address` or below it.
    fn place(&self, address: usize) -> usize {
        self.taken.partition_point(|&(start, _)| start > address)
    }

    /// A vacant slot, entered for a range that begins at `start`.
    fn take(&mut self, start: usize) -> Result<&'static Slot> {
        if self.vacant.is_empty() {
            self.add_block()?;
        }
        self.taken.try_reserve(1)?;
        let place = self.place(start);
        let slot = self.vacant.pop().ok_or_else(|| Error::new(ErrorKind::Oom, "no slot for a mapping"))?;
        self.taken.insert(place, (start, slot));
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
            // Leaked: a handler may be walking over it at any later time.
            let block = &memory.leak()[0];
            // Second in the chain, whose end is not looked for.
            block.next.store(FIRST.next.load(Relaxed), Relaxed);
            FIRST.next.store(std::ptr::from_ref(block).cast_mut(), Release);
            block
        };
        self.blocks += 1;
        self.vacant.extend(block.slots.iter().rev());
        Ok(())
    }

    /// Vacates the orphans whose memory was freed.
    fn sweep(&mut self) {
        let mut taken = std::mem::take(&mut self.taken);
        taken.retain(|&(_, slot)| {
            let gone = slot.is_orphan() && !slot.stands();
            if gone {
                self.free(slot);
            }
            !gone
        });
        self.taken = taken;
        self.sweep_at = (2 * self.orphans).max(SWEEP_FROM);
    }

    fn vacate(&mut self, slot: &'static Slot) {
        let place = self.place(slot.start.load(Relaxed));
        debug_assert!(std::ptr::eq(self.taken[place].1, slot));
        self.taken.remove(place);
        self.free(slot);
    }

    /// The same with a slot that is not entered any more.
    fn free(&mut self, slot: &'static Slot) {
        self.orphans -= usize::from(slot.is_orphan());
        slot.vacate();
        // Its watch, if that is still to be dropped, finds nothing of its own then.
        slot.id.store(ORPHAN, Relaxed);
        self.vacant.push(slot);
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::region::{lost::put_zeros, marker};

    #[test]
    #[cfg_attr(miri, ignore = "no futex of this kind")]
    fn orphans_go_when_their_memory_goes() {
        let page = page_size();
        let blocks = || slots().count() / SLOTS;
        let orphans = || writers().orphans;
        let before = (blocks(), orphans());
        // Ten at a time stay, out of thousands.
        let mut alive = std::collections::VecDeque::new();
        for _ in 0..5000 {
            let mut memory = memmap2::MmapOptions::new().len(2 * page).map_anon().unwrap();
            let start = memory.as_mut_ptr().expose_provenance();
            // SAFETY: memory of our own, whose last page is given up; nobody looks at the status.
            unsafe {
                let watch = Watch::new(start, page, true, std::ptr::null()).unwrap();
                assert!(marker::set(start + page));
                watch.mark(start + page);
            }
            assert!(slots().any(|slot| slot.pinned(start, |_| ()).is_some()));
            alive.push_back(memory);
            if alive.len() > 10 {
                alive.pop_front();
            }
        }
        for memory in &mut alive {
            let start = memory.as_mut_ptr().expose_provenance();
            assert!(slots().any(|slot| slot.pinned(start, |_| ()).is_some()));
            // SAFETY: memory of our own.
            unsafe { put_zeros(start + page, page, true) };
            assert!(slots().all(|slot| slot.pinned(start, |_| ()).is_none()));
        }
        // Other tests watch files meanwhile.
        assert!(blocks() <= before.0 + 4, "{before:?} {} {}", blocks(), orphans());
        assert!(orphans() <= before.1 + SWEEP_FROM + 20);
    }

    #[test]
    #[cfg_attr(miri, ignore = "asks the kernel")]
    fn what_is_watched_anew_is_watched_once() {
        let page = page_size();
        let mut memory = memmap2::MmapOptions::new().len(8 * page).map_anon().unwrap();
        let start = memory.as_mut_ptr().expose_provenance();
        let watched =
            |at: usize| slots().filter(|slot| slot.pinned(start + at * page, |_| ()).is_some()).count();
        // SAFETY: memory of our own, that outlives the watches; nobody looks at the status.
        let watch = |from: usize, to: usize| unsafe {
            Watch::new(start + from * page, (to - from) * page, true, std::ptr::null()).unwrap()
        };
        let pages: Vec<Watch> = (0..8).map(|at| watch(at, at + 1)).collect();
        assert!((0..8).all(|at| watched(at) == 1));
        // Over some of them, whose own watches are dropped afterwards; the slots were given to
        // others meanwhile.
        let middle = watch(2, 6);
        let others: Vec<Watch> = [(3, 4), (4, 5)].map(|(from, to)| watch(from, to)).into();
        assert_eq!((0..8).map(watched).collect::<Vec<_>>(), [1, 1, 0, 1, 1, 0, 1, 1]);
        drop(middle);
        drop(pages);
        assert_eq!((0..8).map(watched).collect::<Vec<_>>(), [0, 0, 0, 1, 1, 0, 0, 0]);
        drop(others);
        assert!((0..8).all(|at| watched(at) == 0));
    }
}
