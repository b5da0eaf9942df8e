//! A checked view of a NumaPool's region: alloc, free, and the placement of pages.

use super::LOCATE_EVERY;
use super::layout::{Options, Policy, Shape, node, word};
use crate::pools::errors::{foreign, freed};
use crate::pools::fixed::raw::RawFixedPool;
use crate::region::advise::populate;
use crate::region::attach::RegionKind;
use crate::region::memory::Memory;
use crate::region::numa::place::{self, place};
use crate::region::numa::query::{count_pages, current_node};
use crate::region::numa::{self, topology};
use crate::{Error, ErrorKind, Result};

/// A pool in borrowed memory.
#[derive(Clone, Debug)]
pub struct RawNumaPool {
    pub(super) memory: Memory,
    pub(super) shape: Shape,
    /// The pool of each section.
    pub(super) books: Vec<RawFixedPool>,
    /// The largest request that a section can serve.
    largest: u64,
    /// The section of the node where this thread was last found to run, and the number of requests
    /// for which it is used.
    cached_section: usize,
    requests_left: u32,
}

/// Statistics of a pool. Sizes are in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Total size that blocks can have.
    pub capacity: u64,
    /// Total size of the allocated blocks.
    pub used: u64,
    /// Number of allocated blocks.
    pub blocks: u64,
    /// Requests that found no room on any node, modulo 2^32.
    pub failures: u32,
    /// Requests that were served by the node that they tried first.
    pub hits: u64,
    /// Requests that were served by another node, because the first one had no room.
    pub misses: u64,
}

/// Statistics of one node of a pool. Sizes are in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeStats {
    /// The node's number.
    pub id: u32,
    /// Total size that blocks can have.
    pub capacity: u64,
    /// Total size of the allocated blocks.
    pub used: u64,
    /// The maximum of `used`.
    pub peak: u64,
    /// Number of allocated blocks.
    pub blocks: u32,
    /// Requests for this node that were served here.
    pub hits: u64,
    /// Requests for other nodes that were served here.
    pub misses: u64,
    /// Requests for this node that were served by another one.
    pub foreign: u64,
}

/// The locations of the pages of a node's section.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    /// The node's number.
    pub id: u32,
    /// Pages on that node.
    pub here: u64,
    /// Pages on other nodes.
    pub elsewhere: u64,
    /// Pages that were never written to.
    pub nowhere: u64,
}

impl RawNumaPool {
    /// Attaches to the pool in `len` bytes at `base`: checks the header in constant time.
    ///
    /// # Safety
    /// While the view is used, `base` is valid for reading and writing `len` bytes, and no other
    /// thread allocates or frees in this pool.
    pub unsafe fn attach(base: *mut u8, len: usize) -> Result<RawNumaPool> {
        // SAFETY: `base` is valid for `len` bytes, guaranteed by the caller.
        let memory = unsafe { Memory::new(base, len) }?;
        let (_, shape) = Shape::read(memory)?;
        RawNumaPool::new(memory, shape)
    }

    /// Creates an empty pool in `len` bytes at `base`, which it fills with zeros unless they are
    /// `zeroed`. The pages are not placed: see [`RawNumaPool::place`]. `Full` if the bytes are too
    /// few.
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
        // SAFETY: `base` is valid for `len` bytes, guaranteed by the caller.
        let memory = unsafe { Memory::new(base, len) }?;
        if shape.length > len as u64 {
            return Err(Error::full(format!("a pool of {} bytes does not fit into {len}", shape.length)));
        }
        // SAFETY: the memory is long enough, and the caller guarantees that no other thread uses
        // it.
        unsafe { shape.write(memory, &nodes, zeroed) }?;
        RawNumaPool::new(memory, shape)
    }

    fn new(memory: Memory, shape: Shape) -> Result<RawNumaPool> {
        let mut books = Vec::new();
        books.try_reserve_exact(shape.nodes)?;
        for at in 0..shape.nodes {
            books.push(RawFixedPool::new(shape.memory_of(memory, at)?, shape.fixed(at)));
        }
        Ok(RawNumaPool {
            memory,
            shape,
            books,
            largest: shape.largest(),
            cached_section: 0,
            requests_left: 0,
        })
    }

    /// The properties that never change.
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

    /// Allocates a block of at least `bytes` bytes on the node that the policy selects, or on the
    /// nearest node with room, and returns its offset. `Full` if no node has room.
    pub fn alloc(&mut self, bytes: u64) -> Result<u64> {
        self.try_alloc(bytes)?.ok_or_else(no_room)
    }

    /// As `alloc`, but `None` if there is no room. Fails only if bytes are damaged.
    pub fn try_alloc(&mut self, bytes: u64) -> Result<Option<u64>> {
        let first = match self.shape.policy {
            Policy::First => 0,
            Policy::Local => self.local(),
            Policy::Interleave => self.turn(),
        };
        self.try_alloc_in(first, bytes)
    }

    /// As `alloc`, but tries this node first, regardless of the policy. `Range` if the pool has no
    /// memory on the node.
    pub fn alloc_on(&mut self, node: u32, bytes: u64) -> Result<u64> {
        self.try_alloc_on(node, bytes)?.ok_or_else(no_room)
    }

    /// As `alloc_on`, but `None` if there is no room.
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
                // Touch the page now, so that it is placed and its location can be queried.
                // SAFETY: the block lies within its section, and no thread uses it yet.
                unsafe { self.memory.store_u8(at, self.memory.load_u8(at)) };
                return Ok(Some(section as u64 * self.shape.capacity + offset));
            }
        }
        let failures = self.memory.word(word::FAILURES).wrapping_add(1);
        // SAFETY: `attach` requires writable memory that no other thread changes.
        unsafe { self.memory.set_word(word::FAILURES, failures) };
        Ok(None)
    }

    /// Frees a block. `Stale` if it is already free, `Range` for an offset at which no block
    /// begins, `Corrupt` if its guard was overwritten; the block then stays allocated.
    pub fn free(&mut self, offset: u64) -> Result<()> {
        let (section, within) = self.split(offset)?;
        self.books[section].free(within).map_err(|error| self.with_offset(error, section, offset))
    }

    /// The number of bytes of the allocated block at `offset` that belong to its user. Errors as
    /// for `free`.
    pub fn room(&self, offset: u64) -> Result<u64> {
        let (section, within) = self.split(offset)?;
        self.books[section].room(within).map_err(|error| self.with_offset(error, section, offset))
    }

    /// The node of the section that contains an offset. `Range` past the end of the data.
    pub fn node_of(&self, offset: u64) -> Result<u32> {
        Ok(self.id(self.split(offset)?.0))
    }

    /// Places each section on its node: pages that exist are moved, the others are allocated there
    /// at the first access. With `bring_in` all pages are touched now. Errors as for
    /// [`place`](place::place). On a machine with one node nothing is done.
    pub fn place(&self, bring_in: bool) -> Result<()> {
        let usable = topology::memory_nodes();
        let only = usable.iter().count() == 1;
        for section in 0..self.shape.nodes {
            let (base, length) = self.bytes(section);
            let id = self.id(section);
            // SAFETY: `attach` requires valid memory, and the section lies within it.
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

    /// Queries the kernel for the locations of the pages of section `at`, which belongs to the node
    /// at that index of the list. About 0.1 µs a page. `Unsupported` if the kernel does not report
    /// them.
    pub fn placement(&self, at: usize) -> Result<Placement> {
        self.check_index(at)?;
        let (base, length) = self.bytes(at);
        let mut counts = [0; numa::MAX_NODES];
        // SAFETY: `attach` requires valid memory, and the section lies within it.
        let nowhere = unsafe { count_pages(base, length, &mut counts) }?;
        let id = self.id(at);
        let here = counts.get(id as usize).copied().unwrap_or(0);
        Ok(Placement { id, here, elsewhere: counts.iter().sum::<u64>() - here, nowhere })
    }

    /// Statistics.
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

    /// Statistics of the node at index `at` of the list. `Range` if there is none.
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

    // ---- choosing a section

    /// The section of the node where this thread runs, or the one nearest to it.
    #[inline]
    fn local(&mut self) -> usize {
        if self.shape.nodes == 1 {
            return 0;
        }
        if self.requests_left == 0 {
            self.locate();
        }
        self.requests_left -= 1;
        self.cached_section
    }

    #[cold]
    fn locate(&mut self) {
        self.requests_left = LOCATE_EVERY;
        self.cached_section = self.nearest();
    }

    /// The section of the node where this thread runs now, or the one nearest to it.
    #[must_use]
    pub fn nearest(&self) -> usize {
        let node = current_node();
        let section = self.section_of(node).or_else(|| {
            // The node has no memory, or the pool does not include it.
            topology::Topology::get().nearest(node).into_iter().find_map(|near| self.section_of(near))
        });
        section.unwrap_or(0)
    }

    /// The next section in turn.
    fn turn(&mut self) -> usize {
        let turn = self.memory.word(word::TURN) as usize;
        let turn = if turn < self.shape.nodes { turn } else { 0 };
        let next = if turn + 1 < self.shape.nodes { turn + 1 } else { 0 };
        // SAFETY: `attach` requires writable memory that no other thread changes.
        unsafe { self.memory.set_word(word::TURN, next as u32) };
        turn
    }

    /// The section of a node.
    fn section_of(&self, node: u32) -> Option<usize> {
        (0..self.shape.nodes).find(|&at| self.id(at) == node)
    }

    /// The section that a request for section `first` tries at index `place` of its order.
    pub(super) fn ordered(&self, first: usize, place: usize) -> Result<usize> {
        // SAFETY: a record has a byte for each of `MAX_NODES` indices, and both numbers are below
        // the number of nodes.
        let section = unsafe { self.memory.load_u8(Shape::record(first) + node::ORDER + place) } as usize;
        if section < self.shape.nodes {
            Ok(section)
        } else {
            Err(Error::corrupt("the pool's order of nodes contains an invalid index"))
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
            Err(Error::range(format!("invalid index of a node: {at}; the pool has {nodes}")))
        }
    }

    /// Rewrites the error of a section's pool in terms of an offset of this pool.
    #[cold]
    fn with_offset(&self, error: Error, section: usize, offset: u64) -> Error {
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

    /// The address and length of a section.
    fn bytes(&self, at: usize) -> (*mut u8, usize) {
        // SAFETY: a checked shape's sections lie within the memory.
        (unsafe { self.memory.at(self.shape.section(at)) }, self.shape.capacity as usize)
    }

    /// The number of the node at index `at` of the list.
    pub(super) fn id(&self, at: usize) -> u32 {
        debug_assert!(at < self.shape.nodes);
        // SAFETY: there is a record for each node.
        unsafe { self.memory.load_u32(Shape::record(at) + node::ID) }
    }

    fn counter(&self, at: usize, counter: usize) -> u64 {
        debug_assert!(at < self.shape.nodes);
        // SAFETY: as for `id`; counters are aligned to 8.
        unsafe { self.memory.load_u64(Shape::record(at) + counter) }
    }

    #[inline]
    fn count(&mut self, at: usize, counter: usize) {
        let value = self.counter(at, counter).wrapping_add(1);
        // SAFETY: as for `counter`; `attach` requires writable memory that no other thread changes.
        unsafe { self.memory.store_u64(Shape::record(at) + counter, value) };
    }
}

#[cold]
fn no_room() -> Error {
    Error::full("no node of the pool has room for that many bytes")
}
