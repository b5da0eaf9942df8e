//! The layout of a NumaPool's region: its computation from options, and the check of its header.

use crate::pools::fixed;
use crate::pools::guard::GUARD_BYTES;
use crate::region::attach::RegionKind;
use crate::region::header::{HEADER_BYTES, Header};
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::region::numa::{self, topology};
use crate::{Error, Result};

pub use crate::pools::fixed::layout::{GUARDS, ZERO_ON_FREE};

/// The largest number of nodes.
pub const MAX_NODES: usize = 64;
/// The largest section, in bytes: the most smallest blocks that a FixedPool can have.
pub const MAX_CAPACITY: u64 = fixed::layout::MAX_UNITS * CLASSES[0];
/// Alignment and granularity of sections: whole pages on every machine that runs Linux.
pub const SECTION_ALIGN: u64 = 65_536;
/// Sizes of blocks: powers of 2 where blocks are many, so that at most half of one is wasted;
/// powers of 4 where they are large. A section has the classes up to half of its own size.
pub const CLASSES: [u64; fixed::layout::MAX_CLASSES] = [
    1 << 6,
    1 << 7,
    1 << 8,
    1 << 9,
    1 << 10,
    1 << 11,
    1 << 12,
    1 << 14,
    1 << 16,
    1 << 18,
    1 << 20,
    1 << 22,
    1 << 24,
    1 << 26,
    1 << 28,
    1 << 30,
];

/// Words of the header.
pub mod word {
    /// Option bits.
    pub const OPTIONS: usize = 16;
    /// Number of nodes.
    pub const NODES: usize = 17;
    /// The policy's number.
    pub const POLICY: usize = 18;
    /// The next section under the policy *interleave*.
    pub const TURN: usize = 19;
    /// Bytes of a section (two words).
    pub const CAPACITY: usize = 20;
    /// Requests that found no room on any node, modulo 2^32.
    pub const FAILURES: usize = 22;
    /// The first unused word.
    pub const END: usize = 23;
}

/// Bytes of a node's record.
pub const NODE_BYTES: usize = 128;
/// Fields of a node's record, in bytes from its start.
pub mod node {
    /// The node's number.
    pub const ID: usize = 0;
    /// Requests for this node that were served here (64 bits, as the next two).
    pub const HITS: usize = 8;
    /// Requests for other nodes that were served here.
    pub const MISSES: usize = 16;
    /// Requests for this node that were served by another one.
    pub const FOREIGN: usize = 24;
    /// The first unused byte; those up to `ORDER` are unused.
    pub const END: usize = 32;
    /// The sections in the order in which they are tried, a byte each: this one, then the nearest.
    pub const ORDER: usize = 64;
}

/// The first node that a request tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Policy {
    /// The first node of the list.
    First = 1,
    /// The node where the thread runs.
    Local = 2,
    /// All nodes in turn.
    Interleave = 3,
}

impl Policy {
    /// The policy with this number.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Policy> {
        [Policy::First, Policy::Local, Policy::Interleave].into_iter().find(|&policy| policy as u32 == number)
    }
}

/// Options of a new pool.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// The first node that a request tries.
    pub policy: Policy,
    /// The nodes, each once, up to [`MAX_NODES`]; if empty, all nodes with memory.
    pub nodes: &'a [u32],
    /// Bytes of blocks on each node, rounded up; see `Shape::new`.
    pub capacity: u64,
    /// Option bits.
    pub flags: u32,
}

/// The properties of a pool that never change.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// The first node that a request tries.
    pub policy: Policy,
    /// Option bits.
    pub options: u32,
    /// Number of nodes.
    pub nodes: usize,
    /// Bytes of a section.
    pub capacity: u64,
    /// Position of the first section.
    pub data: u64,
    /// Bytes of the region.
    pub length: u64,
    /// The shape of a FixedPool that has the size of a section.
    book: fixed::layout::Shape,
}

/// The classes of a section.
fn classes(capacity: u64) -> &'static [u64] {
    let count = CLASSES.iter().take_while(|&&size| size <= capacity / 2).count();
    &CLASSES[..count.max(1)]
}

/// Rounds a capacity up to whole blocks of the largest class, and to whole pages.
fn rounded(capacity: u64) -> u64 {
    let whole = capacity.next_multiple_of(SECTION_ALIGN);
    // If this reaches the size at which a larger class begins, it is twice that class, so it is a
    // multiple of it.
    whole.next_multiple_of(*classes(whole).last().unwrap_or(&1))
}

impl Shape {
    /// The shape of a pool of `nodes` nodes with `capacity` bytes each, rounded up to a multiple of
    /// 64 KiB and of the largest block, which has between an eighth and a half of it. `Range` for
    /// invalid numbers.
    pub fn new(policy: Policy, nodes: usize, capacity: u64, options: u32) -> Result<Shape> {
        if nodes == 0 || nodes > MAX_NODES {
            return Err(Error::range(format!("a pool has 1 to {MAX_NODES} nodes, not {nodes}")));
        }
        if capacity == 0 || capacity > MAX_CAPACITY {
            return Err(Error::range(format!(
                "a node of a pool has 1 to {MAX_CAPACITY} bytes, not {capacity}"
            )));
        }
        if options & !(ZERO_ON_FREE | GUARDS) != 0 {
            return Err(Error::wrong_type("unknown options"));
        }
        let capacity = rounded(capacity);
        let book = fixed::layout::Shape::tiled(classes(capacity), capacity, options)?;
        let books = (HEADER_BYTES + NODE_BYTES * nodes) as u64 + book.data as u64 * nodes as u64;
        let data = books.next_multiple_of(SECTION_ALIGN);
        let length = data + capacity * nodes as u64;
        if usize::try_from(length).is_err() {
            return Err(Error::range("the pool is larger than memory"));
        }
        Ok(Shape { policy, options, nodes, capacity, data, length, book })
    }

    /// The shape of a new pool, and its nodes: those of the options, or all nodes with memory.
    pub fn from_options(options: &Options<'_>) -> Result<(Shape, Vec<u32>)> {
        let mut nodes = Vec::new();
        nodes.try_reserve_exact(MAX_NODES + 1)?;
        if options.nodes.is_empty() {
            nodes.extend(topology::memory_nodes().iter().take(MAX_NODES));
        } else {
            // One node too many is enough for the check below to fail.
            nodes.extend(options.nodes.iter().take(MAX_NODES + 1));
        }
        let shape = Shape::new(options.policy, nodes.len(), options.capacity, options.flags)?;
        for (at, id) in nodes.iter().enumerate() {
            if *id as usize >= numa::MAX_NODES {
                return Err(Error::range(format!("invalid node: {id}")));
            }
            if nodes[..at].contains(id) {
                return Err(Error::range(format!("node {id} is in the list twice")));
            }
        }
        Ok((shape, nodes))
    }

    /// Writes an empty pool for these nodes, whose number is that of the shape. Zeros the memory
    /// first, unless it is `zeroed`.
    ///
    /// # Safety
    /// The memory has `length` bytes, and no other thread uses them.
    pub unsafe fn write(&self, memory: Memory, ids: &[u32], zeroed: bool) -> Result<()> {
        debug_assert_eq!(ids.len(), self.nodes);
        let topology = topology::Topology::get();
        // SAFETY: the memory is writable, long enough and not otherwise used, guaranteed by the
        // caller; records and books lie before the data.
        unsafe {
            if !zeroed {
                memory.base().write_bytes(0, self.length as usize);
            }
            memory.begin_region(Kind::NumaPool, self.length);
            memory.set_word(word::OPTIONS, self.options);
            memory.set_word(word::NODES, self.nodes as u32);
            memory.set_word(word::POLICY, self.policy as u32);
            memory.set_double_word(word::CAPACITY, self.capacity);
            for (at, &id) in ids.iter().enumerate() {
                memory.store_u32(Shape::record(at) + node::ID, id);
                let order = order(at, ids, &topology.nearest(id));
                for (place, &section) in order[..ids.len()].iter().enumerate() {
                    memory.store_u8(Shape::record(at) + node::ORDER + place, section);
                }
                self.book.write(self.memory_of(memory, at)?, true);
            }
            memory.end_region();
        }
        Ok(())
    }

    /// The position of a node's record.
    #[inline(always)]
    #[must_use]
    pub fn record(at: usize) -> usize {
        HEADER_BYTES + NODE_BYTES * at
    }

    /// The position of a node's book.
    #[inline(always)]
    #[must_use]
    pub fn book(&self, at: usize) -> usize {
        Shape::record(self.nodes) + self.book.data * at
    }

    /// The position of a node's section.
    #[inline(always)]
    #[must_use]
    pub fn section(&self, at: usize) -> usize {
        (self.data + self.capacity * at as u64) as usize
    }

    /// The largest request that a node can serve.
    #[must_use]
    pub fn largest(&self) -> u64 {
        let largest = self.book.classes().last().map_or(0, |class| u64::from(class.size));
        largest - if self.options & GUARDS != 0 { GUARD_BYTES } else { 0 }
    }

    /// The shape of the FixedPool that consists of a book and its section.
    pub(super) fn fixed(&self, at: usize) -> fixed::layout::Shape {
        let mut shape = self.book;
        shape.data = self.section(at) - self.book(at);
        shape
    }

    /// The shape of a FixedPool with the size of a section, as stored in the books.
    pub(super) fn alone(&self) -> &fixed::layout::Shape {
        &self.book
    }

    /// The memory from a book on, which is the region of its FixedPool.
    pub(super) fn memory_of(&self, memory: Memory, at: usize) -> Result<Memory> {
        let book = self.book(at);
        // SAFETY: a book lies within the region and before all data, so at least as many bytes
        // follow as its header states.
        unsafe { Memory::new(memory.at(book), memory.len() - book) }
    }
}

impl RegionKind for Shape {
    const KIND: Kind = Kind::NumaPool;
    const END: usize = word::END;

    fn check(header: &Header, _: Memory) -> Result<Shape> {
        let [low, high] = [0, 1].map(|at| u64::from(header.word(word::CAPACITY + at)));
        let capacity = low | high << 32;
        if let Some(policy) = Policy::from_number(header.word(word::POLICY))
            && let nodes = header.word(word::NODES) as usize
            && let Ok(shape) = Shape::new(policy, nodes, capacity, header.word(word::OPTIONS))
            && shape.capacity == capacity
            && shape.length == header.length()
        {
            return Ok(shape);
        }
        Err(Error::corrupt("the pool's nodes, policy, options and sizes contradict each other"))
    }

    fn length(&self) -> u64 {
        self.length
    }
}

/// The sections in the order in which a request for section `at` tries them: itself, then those of
/// the `nearest` nodes, then the others. There are as many as ids; zeros follow.
fn order(at: usize, ids: &[u32], nearest: &[u32]) -> [u8; MAX_NODES] {
    let mut order = [0; MAX_NODES];
    let mut count = 0;
    let near = nearest.iter().filter_map(|id| ids.iter().position(|other| other == id));
    for section in std::iter::once(at).chain(near).chain(0..ids.len()) {
        if !order[..count].contains(&(section as u8)) {
            order[count] = section as u8;
            count += 1;
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn capacities_are_whole_pages_and_whole_blocks() {
        for (asked, given, largest) in [
            (1, 1 << 16, 1 << 14),
            (1 << 16, 1 << 16, 1 << 14),
            ((1 << 16) + 1, 1 << 17, 1 << 16),
            (1 << 20, 1 << 20, 1 << 18),
            (64 << 20, 64 << 20, 16 << 20),
            (100 << 20, 112 << 20, 16 << 20),
            (127 << 20, 128 << 20, 64 << 20),
            (MAX_CAPACITY, MAX_CAPACITY, 1 << 30),
        ] {
            let shape = Shape::new(Policy::Local, 2, asked, 0).unwrap();
            assert_eq!((shape.capacity, shape.largest()), (given, largest), "{asked}");
            assert_eq!(Shape::new(Policy::Local, 2, given, 0).unwrap().capacity, given);
            assert_eq!((shape.data % SECTION_ALIGN, shape.length), (0, shape.data + 2 * given));
            assert!(shape.book(2) as u64 <= shape.data);
        }
        // Every capacity up to 256 MiB, in steps of a page: the result of `rounded` is valid for
        // `read`.
        for pages in 1..4096 {
            let capacity = rounded(pages * SECTION_ALIGN);
            assert_eq!(rounded(capacity), capacity);
            assert_eq!(capacity % classes(capacity).last().unwrap(), 0);
        }
    }

    #[test]
    fn invalid_pools_are_refused() {
        let kind =
            |nodes, capacity, flags| Shape::new(Policy::First, nodes, capacity, flags).unwrap_err().kind();
        assert_eq!(kind(0, 1, 0), ErrorKind::Range);
        assert_eq!(kind(65, 1, 0), ErrorKind::Range);
        assert_eq!(kind(1, 0, 0), ErrorKind::Range);
        assert_eq!(kind(1, MAX_CAPACITY + 1, 0), ErrorKind::Range);
        assert_eq!(kind(1, u64::MAX, 0), ErrorKind::Range);
        assert_eq!(kind(1, 1, 4), ErrorKind::Type);
        let of =
            |nodes| Shape::from_options(&Options { policy: Policy::Local, nodes, capacity: 1, flags: 0 });
        assert_eq!(of(&[0, 1, 0]).unwrap_err().kind(), ErrorKind::Range);
        assert_eq!(of(&[1024]).unwrap_err().kind(), ErrorKind::Range);
        assert_eq!(of(&[7; 100]).unwrap_err().kind(), ErrorKind::Range);
        assert_eq!(of(&[5, 3]).unwrap().1, [5, 3]);
        assert!(!of(&[]).unwrap().1.is_empty());
    }

    #[test]
    fn orders_begin_with_the_node_itself() {
        assert_eq!(order(1, &[4, 2, 0], &[2, 4, 0])[..3], [1, 0, 2]);
        assert_eq!(order(2, &[4, 2, 0], &[9, 0, 2, 4, 4])[..3], [2, 1, 0]);
        assert_eq!(order(0, &[4, 2, 0], &[])[..3], [0, 1, 2]);
        assert_eq!(order(0, &[4], &[4]), [0; MAX_NODES]);
        let all: Vec<u32> = (0..64).rev().collect();
        let mut whole = order(63, &all, &[0, 5]);
        assert_eq!(whole[..2], [63, 58]);
        whole.sort_unstable();
        assert!(whole.iter().enumerate().all(|(at, &section)| at == section as usize));
    }
}
