//! SharedMap: a hash map that every thread and process reads and writes, within a bound in bytes.
//!
//! `docs/formats/sharedmap.md` specifies the bytes and the protocol. In short: the lanes of the
//! index are the only source of truth; entries are immutable; readers take no lock and validate;
//! writers hold the lock of one shard, which is taken over and repaired if its holder's process
//! terminated.
//!
//! - [`words`]: atomic, bounds-checked access to the region; the only unsafe code
//! - [`layout`]: where everything is
//! - [`lock`], [`participants`]: who holds a lock, and whether they are alive
//! - `pages`, `blocks`, `evacuate`: memory
//! - [`entry`], `index`: entries and buckets
//! - `read`, `write`, `change`, `scan`: operations
//! - `evict`, [`policy`], `choose`: room for new entries
//! - `repair`, `validate`, `stats`, `watch`
//! - [`file`](mod@file): maps that processes open by path
//!
//! A [`Map`] is one attachment, for one thread. Cost: a read is a hash and two or three cache
//! misses; a write adds a lock and an allocation, about 100 ns.

mod blocks;
mod change;
mod choose;
pub mod entry;
mod evacuate;
mod events;
mod evict;
pub mod file;
mod futex;
mod index;
pub mod layout;
mod lease;
pub mod lock;
mod pages;
pub mod participants;
pub mod policy;
mod read;
mod repair;
mod scan;
pub mod snapshot;
mod stats;
mod transaction;
mod validate;
mod watch;
pub mod words;
mod write;

pub use self::change::{Number, Taken};
pub use self::entry::{Key, Value};
pub use self::events::Positions;
pub use self::layout::{Geometry, Schema};
pub use self::lease::Lease;
pub use self::participants::{Backing, ProcessMemory};
pub use self::read::Info;
pub use self::repair::Repaired;
pub use self::scan::{Cursor, Visited};
pub use self::snapshot::Saved;
pub use self::stats::Stats;
pub use self::transaction::{Change, Read};
pub use self::words::Words;
pub use self::write::{Expiry, Mode, Write, Written};

use self::entry::Entry;
use self::layout::{control, page::Use, shard};
use self::lock::{Holder, Obtained};
use crate::region::header::random_seeds;
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::table::hash::Seeds;
use crate::{Error, ErrorKind, Result, log};
use std::cell::{Cell, RefCell};

/// How to create a map.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Types, policy and flags.
    pub schema: Schema,
    /// The bound in bytes.
    pub max_bytes: u64,
    /// Number of shards, or the default.
    pub shards: Option<u32>,
    /// Milliseconds after which entries expire; 0: never.
    pub ttl: f64,
    /// The key of the hash function, or a random one.
    pub seeds: Option<[u32; 2]>,
}

/// What happened to an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Event {
    /// Evicted for want of room.
    Evict = 1,
    /// Removed because it had expired.
    Expire = 2,
    /// Deleted.
    Delete = 4,
    /// Stored.
    Set = 8,
}

/// One attachment of a map, for one thread.
pub struct Map {
    words: Words,
    geometry: Geometry,
    seeds: Seeds,
    backing: Box<dyn Backing>,
    slot: usize,
    holder: Holder,
    default_ttl: f64,
    /// Bytes of keys.
    scratch: RefCell<Vec<u8>>,
    /// The entry that is written.
    draft: RefCell<Vec<u8>>,
    /// Pages with blocks that are not published yet.
    pinned: RefCell<Vec<usize>>,
    /// Evictions of the last second, if the log is on.
    evictions: Cell<watch::Evictions>,
    /// Locks that this attachment took of shards that are being saved.
    saving_turn: Cell<u32>,
    /// Why the disk refused the last page that could not be allocated.
    refusal: RefCell<Option<Error>>,
}

/// A shard: its number and its first word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    id: usize,
    at: usize,
}

/// The current time in milliseconds since 1970.
#[must_use]
pub fn now() -> f64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0.0, |time| time.as_secs_f64() * 1000.0)
        .floor()
}

impl Map {
    /// The bytes that a map with these options needs, at most `max_bytes`.
    pub fn region_size(options: &Options) -> Result<u64> {
        Ok(options.plan()?.length())
    }

    /// Creates an empty map in zeroed memory.
    ///
    /// # Safety
    /// `base` is valid for reading and writing `length` bytes, which are 0 and which no other
    /// thread uses.
    pub unsafe fn init(base: *mut u8, length: usize, options: &Options) -> Result<()> {
        let geometry = options.plan()?;
        let needed = geometry.length();
        if (length as u64) < needed {
            return Err(Error::new(
                ErrorKind::Full,
                format!("the map needs {needed} bytes, but has {length}"),
            ));
        }
        // SAFETY: the caller guarantees valid memory that no other thread uses.
        let memory = unsafe { Memory::new(base, length) }?;
        // SAFETY: as above.
        unsafe {
            memory.begin_region(Kind::SharedMap, needed);
            memory.set_seeds(options.seeds.unwrap_or_else(random_seeds));
            geometry.write(memory, options.ttl);
        }
        // SAFETY: as above.
        let words = unsafe { Words::new(memory) };
        // The first page of each shard's index has its first bucket. The pages are taken directly,
        // because no participant has attached yet.
        for id in 0..geometry.shards() {
            let at = geometry.shards_at + id * geometry.shard_stride;
            words.store(at + shard::BUCKETS, 1);
            words.store(at + shard::INDEX_PAGES, 1);
            words.store(geometry.directories_at + id * geometry.directory_length, (id + 1) as u32);
            let entry = geometry.page_table_at + id * layout::page::WORDS;
            words.store(entry, Use::Index as u32 | (id as u32) << 8);
        }
        words.store(control::PAGE_HINT, geometry.shards() as u32);
        // SAFETY: as above.
        unsafe { memory.end_region() };
        Ok(())
    }

    /// Attaches to a map, as a new participant.
    ///
    /// # Safety
    /// `base` is valid for reading and writing `length` bytes until the map is dropped; other
    /// threads access them only as participants.
    pub unsafe fn attach(base: *mut u8, length: usize, backing: Box<dyn Backing>) -> Result<Map> {
        // SAFETY: the caller guarantees valid memory.
        let mut map = unsafe { Map::attach_reader(base, length, backing) }?;
        (map.slot, map.holder) = participants::join(map.words, &map.geometry, &*map.backing)?;
        Ok(map)
    }

    /// Attaches to a map without taking part in it: nothing is stored to the memory, so reads do
    /// not count, and operations that need a lock fail with `Unsupported`.
    ///
    /// # Safety
    /// `base` is valid for reading `length` bytes until the map is dropped; other threads write
    /// them only as participants.
    pub unsafe fn attach_reader(base: *mut u8, length: usize, backing: Box<dyn Backing>) -> Result<Map> {
        // SAFETY: the caller guarantees valid memory.
        let memory = unsafe { Memory::new(base, length) }?;
        let (geometry, head) = Geometry::read(memory)?;
        // SAFETY: the caller guarantees memory that others access as participants, through atomics.
        let words = unsafe { Words::new(memory) };
        Ok(Map {
            words,
            geometry,
            seeds: Seeds::current(head.seeds()),
            backing,
            slot: usize::MAX,
            holder: Holder(0),
            default_ttl: f64::from_bits(head.double_word(layout::header::DEFAULT_TTL)),
            scratch: RefCell::default(),
            draft: RefCell::default(),
            pinned: RefCell::default(),
            evictions: Cell::default(),
            saving_turn: Cell::default(),
            refusal: RefCell::default(),
        })
    }

    /// Whether this attachment only reads.
    #[inline]
    #[must_use]
    pub fn is_reader(&self) -> bool {
        self.slot == usize::MAX
    }

    fn is_alive(&self, holder: Holder) -> bool {
        participants::is_alive(self.words, &self.geometry, &*self.backing, holder)
    }

    /// Types, policy and flags.
    #[must_use]
    pub fn schema(&self) -> Schema {
        self.geometry.schema
    }

    /// The layout.
    #[must_use]
    pub fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// The participant's slot; `usize::MAX` for a reader.
    #[must_use]
    pub fn slot(&self) -> usize {
        self.slot
    }

    /// The number of entries. Entries that have expired count until they are removed.
    #[must_use]
    pub fn len(&self) -> usize {
        let count = |id| {
            let at = self.shard(id).at;
            self.words.load(at + shard::ENTRIES).saturating_sub(self.words.load(at + shard::PENDING)) as usize
        };
        (0..self.geometry.shards()).map(count).sum()
    }

    /// Whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes in use, at most the bound: header, tables, and all pages of the shards.
    #[must_use]
    pub fn used_bytes(&self) -> u64 {
        self.geometry.fixed_bytes() + ((self.used_pages() as u64) << self.geometry.page_shift)
    }

    /// The number of pages that shards have.
    fn used_pages(&self) -> usize {
        let pages = |id| {
            let at = self.shard(id).at;
            [shard::PAGE_COUNT, shard::INDEX_PAGES, shard::OVERFLOW_COUNT]
                .iter()
                .map(|word| self.words.load(at + word) as usize)
                .sum::<usize>()
        };
        (0..self.geometry.shards()).map(pages).sum::<usize>().min(self.geometry.pages)
    }

    fn shard(&self, id: usize) -> Shard {
        let id = id % self.geometry.shards();
        Shard { id, at: self.geometry.shards_at + id * self.geometry.shard_stride }
    }

    #[inline]
    fn shard_of(&self, hash: u32) -> Shard {
        self.shard(hash as usize & (self.geometry.shards() - 1))
    }

    /// Takes the lock of a shard, and repairs the shard if the former holder's process terminated.
    fn lock(&self, shard: Shard) -> Result<Guard<'_>> {
        self.backing.check()?;
        if self.is_reader() {
            return Err(Error::unsupported("the map was opened for reading"));
        }
        let at = shard.at + shard::LOCK;
        let obtained = lock::acquire(&self.words, at, self.holder, &|holder| self.is_alive(holder));
        let guard = Guard { map: self, shard, leave: Cell::new(0) };
        match obtained {
            Obtained::Free { waited: None } => {}
            Obtained::Free { waited: Some(waited) } => {
                self.words.count_up(shard.at + shard::counter::LOCK_WAITS, 1);
                self.watch_wait(shard, waited);
            }
            Obtained::TakenOver(dead) => self.take_over(&guard, dead)?,
        }
        if self.is_saving(shard) {
            self.abandon_snapshot(shard);
        }
        Ok(guard)
    }

    /// Reports an event to subscribers and to the log, if there are any.
    fn report(&self, shard: Shard, event: Event, entry: &Entry) {
        if self.words.load(control::EVENTS) & event as u32 != 0 {
            self.record(shard, event, entry);
        }
        if event == Event::Evict && log::is_enabled() {
            self.watch_eviction();
        }
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        if self.slot != usize::MAX {
            let at = participants::at(&self.geometry, self.slot);
            if self.words.load(at + layout::participant::EVENTS) != 0 {
                self.unsubscribe();
            }
            participants::leave(self.words, &self.geometry, &*self.backing, self.slot);
        }
    }
}

impl Options {
    fn plan(&self) -> Result<Geometry> {
        if !(self.ttl >= 0.0 && self.ttl.is_finite()) {
            return Err(Error::range(format!("invalid time to live: {}", self.ttl)));
        }
        Geometry::plan(self.schema.check()?, self.max_bytes, self.shards)
    }
}

/// The lock of a shard, held until it is dropped.
struct Guard<'a> {
    map: &'a Map,
    shard: Shard,
    /// The lock's word afterward: 0, or a holder that terminated and whose changes could not be
    /// repaired, so that the next one tries again.
    leave: Cell<u32>,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.map.unpin();
        // In unit tests a panic represents a process that was killed.
        if cfg!(test) && std::thread::panicking() {
            return;
        }
        let is_whole = !std::thread::panicking() || self.map.repair(self.shard).is_ok();
        debug_assert!(is_whole, "a repair failed");
        lock::release(&self.map.words, self.shard.at + shard::LOCK, self.leave.get());
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_attacks;
