//! A checked view of a NumaPool's region: alloc, free, placing, and asking where pages are.

use super::ASK_AGAIN;
use super::layout::{Options, Policy, Shape, node, word};
use crate::pools::errors::{foreign, freed};
use crate::pools::fixed::raw::RawFixedPool;
use crate::region::advise::populate;
use crate::region::memory::Memory;
use crate::region::numa::place::{self, place};
use crate::region::numa::query::{count_pages, current_node};
use crate::region::numa::{self, topology};
use crate::{Error, ErrorKind, Result};

/// A pool in memory that something else owns.
#[derive(Clone, Debug)]
pub struct RawNumaPool {
    pub(super) memory: Memory,
    pub(super) shape: Shape,
    /// The pool of each section.
    pub(super) books: Vec<RawFixedPool>,
    /// The largest request that a section can serve.
    largest: u64,
    /// The section of the node where this thread ran when it was last asked, and for how many
    /// requests that is good.
    near: usize,
    good_for: u32,
}

/// What a pool holds. Sizes are in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Room for blocks in all.
    pub capacity: u64,
    /// In allocated blocks.
    pub used: u64,
    /// Allocated blocks.
    pub blocks: u64,
    /// Requests that found no room on any node, modulo 2^32.
    pub failures: u32,
    /// Requests that were served where they were to be.
    pub hits: u64,
    /// Requests that were served elsewhere, for lack of room there.
    pub misses: u64,
}

/// What one node of a pool holds. Sizes are in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeStats {
    /// The node's number.
    pub id: u32,
    /// Room for blocks.
    pub capacity: u64,
    /// In allocated blocks.
    pub used: u64,
    /// The most that has been.
    pub peak: u64,
    /// Allocated blocks.
    pub blocks: u32,
    /// Requests that were to be served here, and were.
    pub hits: u64,
    /// Requests that were to be served elsewhere, and were served here.
    pub misses: u64,
    /// Requests that were to be served here, and were served elsewhere.
    pub foreign: u64,
}

/// Where the pages of a node's section are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    /// The node's number.
    pub id: u32,
    /// Pages that are on that node.
    pub here: u64,
    /// Pages that are on another.
    pub elsewhere: u64,
    /// Pages that nobody has written to yet.
    pub nowhere: u64,
}

impl RawNumaPool {
    /// Attaches to the pool in `len` bytes at `base`: checks the header in constant time.
    ///
    /// # Safety
    /// While the view is used, `base` is valid for reading and writing `len` bytes, and no other
    /// thread allocates or frees in this pool.
    pub unsafe fn attach(base: *mut u8, len: usize) -> Result<RawNumaPool> {
        // SAFETY: the caller's word.
        let memory = unsafe { Memory::new(base, len) }?;
        RawNumaPool::new(memory, Shape::read(memory)?)
    }

    /// Makes an empty pool in `len` bytes at `base`, which it fills with zeros unless they are
    /// `zeroed`. Its pages are where they are: see [`RawNumaPool::place`]. `Full` if the bytes are
    /// too few.
    ///
    /// # Safety
    /// As for `attach`.
    pub unsafe fn init(
        base: *mut u8,
        len: usize,
        options: &Options<'_>,
        zeroed: bool,
    ) -> Result<RawNumaPool> {
        let (shape, nodes) = Shape::from_options(options)?;
        // SAFETY: the caller's word.
        let memory = unsafe { Memory::new(base, len) }?;
        if shape.length > len as u64 {
            return Err(Error::full(format!("a pool of {} bytes does not fit into {len}", shape.length)));
        }
        // SAFETY: the memory is long enough; the rest is the caller's word.
        unsafe { shape.write(memory, &nodes, zeroed) }?;
        RawNumaPool::new(memory, shape)
    }

    fn new(memory: Memory, shape: Shape) -> Result<RawNumaPool> {
        let mut books = Vec::new();
        books.try_reserve_exact(shape.nodes)?;
        for at in 0..shape.nodes {
            books.push(RawFixedPool::new(shape.memory_of(memory, at)?, shape.fixed(at)));
        }
        Ok(RawNumaPool { memory, shape, books, largest: shape.largest(), near: 0, good_for: 0 })
    }

    /// The sizes that never change.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The first byte of the data: offset 0.
    #[inline]
    #[must_use]
    pub fn data(&self) -> *mut u8 {
        // SAFETY: a checked shape's sections lie within the memory.
        unsafe { self.memory.at(self.shape.section(0)) }
    }

    /// A block of at least `bytes` bytes, on the node that the policy says, or the nearest one that
    /// has room: its offset. `Full` where none has.
    pub fn alloc(&mut self, bytes: u64) -> Result<u64> {
        self.try_alloc(bytes)?.ok_or_else(no_room)
    }

    /// As `alloc`, but `None` where there is no room. Fails on damaged bytes only.
    pub fn try_alloc(&mut self, bytes: u64) -> Result<Option<u64>> {
        let first = match self.shape.policy {
            Policy::First => 0,
            Policy::Local => self.local(),
            Policy::Interleave => self.turn(),
        };
        self.try_alloc_in(first, bytes)
    }

    /// As `alloc`, but on this node first, whatever the policy. `Range` if the pool has no such
    /// node.
    pub fn alloc_on(&mut self, node: u32, bytes: u64) -> Result<u64> {
        self.try_alloc_on(node, bytes)?.ok_or_else(no_room)
    }

    /// As `alloc_on`, but `None` where there is no room.
    pub fn try_alloc_on(&mut self, node: u32, bytes: u64) -> Result<Option<u64>> {
        let section = self.section_of(node);
        let first = section.ok_or_else(|| Error::range(format!("this pool has no memory on node {node}")))?;
        self.try_alloc_in(first, bytes)
    }

    fn try_alloc_in(&mut self, first: usize, bytes: u64) -> Result<Option<u64>> {
        if bytes <= self.largest {
            for place in 0..self.shape.nodes {
                let section = self.ordered(first, place)?;
                let Some(offset) = self.books[section].try_alloc(bytes)? else { continue };
                if section == first {
                    self.count(section, node::HITS);
                } else {
                    self.count(section, node::MISSES);
                    self.count(first, node::FOREIGN);
                }
                let at = self.shape.section(section) + offset as usize;
                // Its page gets its place now, so that it can be asked for.
                // SAFETY: a block that nobody has yet, within its section.
                unsafe { self.memory.store_u8(at, self.memory.load_u8(at)) };
                return Ok(Some(section as u64 * self.shape.capacity + offset));
            }
        }
        let failures = self.memory.word(word::FAILURES).wrapping_add(1);
        // SAFETY: attaching vouched that this thread may write.
        unsafe { self.memory.set_word(word::FAILURES, failures) };
        Ok(None)
    }

    /// Gives a block back. `Stale` for one that is free already, `Range` for an offset where none
    /// begins, `Corrupt` for one whose guard was overwritten: it stays allocated.
    pub fn free(&mut self, offset: u64) -> Result<()> {
        let (section, within) = self.split(offset)?;
        self.books[section].free(within).map_err(|error| self.told(error, section, offset))
    }

    /// How many bytes the allocated block at `offset` has for its user. Errors as for `free`.
    pub fn room(&self, offset: u64) -> Result<u64> {
        let (section, within) = self.split(offset)?;
        self.books[section].room(within).map_err(|error| self.told(error, section, offset))
    }

    /// The number of the node to which the memory at an offset belongs. `Range` behind the data.
    pub fn node_of(&self, offset: u64) -> Result<u32> {
        Ok(self.id(self.split(offset)?.0))
    }

    /// Puts each section on its node: pages that are there already move, the others go there at the
    /// first touch. With `bring_in` all are touched now. Errors as for [`place`](place::place).
    /// Where there is one node there is nothing to place.
    pub fn place(&self, bring_in: bool) -> Result<()> {
        let usable = topology::memory_nodes();
        let only = usable.iter().count() == 1;
        for section in 0..self.shape.nodes {
            let (base, length) = self.bytes(section);
            let id = self.id(section);
            // SAFETY: attaching vouched for the memory, and the section lies in it.
            unsafe {
                if !(only && usable.contains(id)) {
                    place(base, length, place::Policy::Prefer(id))?;
                }
                if bring_in {
                    populate(base, length)?;
                }
            }
        }
        Ok(())
    }

    /// Asks the kernel where the pages of section `at` are: the section of the node that is `at` in
    /// the list. About 0.1 µs a page. `Unsupported` where it does not say.
    pub fn placement(&self, at: usize) -> Result<Placement> {
        self.check_index(at)?;
        let (base, length) = self.bytes(at);
        let mut counts = [0; numa::MAX_NODES];
        // SAFETY: attaching vouched for the memory, and the section lies in it.
        let nowhere = unsafe { count_pages(base, length, &mut counts) }?;
        let id = self.id(at);
        let here = counts.get(id as usize).copied().unwrap_or(0);
        Ok(Placement { id, here, elsewhere: counts.iter().sum::<u64>() - here, nowhere })
    }

    /// Counts and sizes.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let failures = self.memory.word(word::FAILURES);
        (0..self.shape.nodes).fold(Stats { failures, ..Stats::default() }, |sum, at| {
            let node = self.stats_at(at);
            Stats {
                capacity: sum.capacity + node.capacity,
                used: sum.used + node.used,
                blocks: sum.blocks + u64::from(node.blocks),
                hits: sum.hits.wrapping_add(node.hits),
                misses: sum.misses.wrapping_add(node.misses),
                ..sum
            }
        })
    }

    /// What the node that is `at` in the list holds. `Range` if there is none.
    pub fn node_stats(&self, at: usize) -> Result<NodeStats> {
        self.check_index(at)?;
        Ok(self.stats_at(at))
    }

    fn stats_at(&self, at: usize) -> NodeStats {
        let book = self.books[at].stats();
        NodeStats {
            id: self.id(at),
            capacity: book.capacity,
            used: book.used,
            peak: book.peak,
            blocks: book.blocks,
            hits: self.counter(at, node::HITS),
            misses: self.counter(at, node::MISSES),
            foreign: self.counter(at, node::FOREIGN),
        }
    }

    // ---- which section

    /// The section of the node where this thread runs, or the nearest one to it.
    #[inline]
    fn local(&mut self) -> usize {
        if self.shape.nodes == 1 {
            return 0;
        }
        if self.good_for == 0 {
            self.ask();
        }
        self.good_for -= 1;
        self.near
    }

    #[cold]
    fn ask(&mut self) {
        self.good_for = ASK_AGAIN;
        self.near = self.nearest();
    }

    /// The section of the node where this thread runs now, or the nearest one to it.
    #[must_use]
    pub fn nearest(&self) -> usize {
        let node = current_node();
        let section = self.section_of(node).or_else(|| {
            // A node without memory, or one that the pool leaves out.
            topology::Topology::get().nearest(node).into_iter().find_map(|near| self.section_of(near))
        });
        section.unwrap_or(0)
    }

    /// The section whose turn it is.
    fn turn(&mut self) -> usize {
        let turn = self.memory.word(word::TURN) as usize;
        let turn = if turn < self.shape.nodes { turn } else { 0 };
        let next = if turn + 1 < self.shape.nodes { turn + 1 } else { 0 };
        // SAFETY: attaching vouched that this thread may write.
        unsafe { self.memory.set_word(word::TURN, next as u32) };
        turn
    }

    /// The section of a node.
    fn section_of(&self, node: u32) -> Option<usize> {
        (0..self.shape.nodes).find(|&at| self.id(at) == node)
    }

    /// The section that a request for section `first` tries in place `place`.
    pub(super) fn ordered(&self, first: usize, place: usize) -> Result<usize> {
        // SAFETY: a record has a byte for each of `MAX_NODES` places, and both numbers are below
        // the number of nodes.
        let section = unsafe { self.memory.load_u8(Shape::record(first) + node::ORDER + place) } as usize;
        if section < self.shape.nodes {
            Ok(section)
        } else {
            Err(Error::corrupt("a pool's order of nodes names one too many"))
        }
    }

    /// The section of an offset, and the offset within it.
    fn split(&self, offset: u64) -> Result<(usize, u64)> {
        let section = offset / self.shape.capacity;
        if section >= self.shape.nodes as u64 {
            return Err(foreign(offset));
        }
        Ok((section as usize, offset % self.shape.capacity))
    }

    fn check_index(&self, at: usize) -> Result<()> {
        let nodes = self.shape.nodes;
        if at < nodes {
            Ok(())
        } else {
            Err(Error::range(format!("the pool has {nodes} nodes, so none at {at}")))
        }
    }

    /// An error of a section's pool, with the offset that the caller knows.
    #[cold]
    fn told(&self, error: Error, section: usize, offset: u64) -> Error {
        match error.kind() {
            ErrorKind::Range => foreign(offset),
            ErrorKind::Stale => freed(offset),
            kind => Error::new(
                kind,
                format!("offset {offset}, on node {}: {}", self.id(section), error.message()),
            ),
        }
    }

    // ---- words

    /// Where a section is, and how long.
    fn bytes(&self, at: usize) -> (*mut u8, usize) {
        // SAFETY: a checked shape's sections lie within the memory.
        (unsafe { self.memory.at(self.shape.section(at)) }, self.shape.capacity as usize)
    }

    /// The number of the node that is `at` in the list.
    pub(super) fn id(&self, at: usize) -> u32 {
        debug_assert!(at < self.shape.nodes);
        // SAFETY: there is a record for each node.
        unsafe { self.memory.load_u32(Shape::record(at) + node::ID) }
    }

    fn counter(&self, at: usize, counter: usize) -> u64 {
        debug_assert!(at < self.shape.nodes);
        // SAFETY: as for `id`; counters are at multiples of 8.
        unsafe { self.memory.load_u64(Shape::record(at) + counter) }
    }

    #[inline]
    fn count(&mut self, at: usize, counter: usize) {
        let value = self.counter(at, counter).wrapping_add(1);
        // SAFETY: as for `counter`; attaching vouched that this thread may write.
        unsafe { self.memory.store_u64(Shape::record(at) + counter, value) };
    }
}

#[cold]
fn no_room() -> Error {
    Error::full("no node of the pool has room for so many bytes")
}
