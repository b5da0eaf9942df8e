//! The pool for Rust programs, which owns its memory.

use super::layout::{Options, Shape};
use super::raw::{NodeStats, Placement, RawNumaPool, Stats};
use super::validate;
use crate::region::advise::{Advice, advise};
use crate::{Error, ErrorKind, Result};
use memmap2::MmapMut;

/// Pools of at least this size use huge pages, unless the user specifies otherwise.
const HUGE_PAGES_FROM: u64 = 4 << 20;

/// A pool that owns its memory.
///
/// ```
/// use offheap_core::pools::numa::{NumaPool, Options, Policy};
///
/// let options = Options { policy: Policy::Local, nodes: &[], capacity: 1 << 20, flags: 0 };
/// let mut pool = NumaPool::new(&options, None, false)?;
/// let offset = pool.alloc(100)?;
/// pool.block(offset)?.fill(7);
/// assert_eq!(pool.stats().hits, 1);
/// pool.free(offset)?;
/// # Ok::<(), offheap_core::Error>(())
/// ```
#[derive(Debug)]
pub struct NumaPool {
    raw: RawNumaPool,
    _memory: MmapMut,
}

// SAFETY: the pool owns the memory, and changes it through `&mut self` only.
unsafe impl Send for NumaPool {}

impl NumaPool {
    /// An empty pool, with its sections on their nodes. Huge pages are requested from 4 MiB on,
    /// unless `huge_pages` says whether. With `bring_in` all memory is allocated now instead of at
    /// the first access.
    ///
    /// `Oom` if memory is refused; `Range` and `Unsupported` as for [`RawNumaPool::place`].
    pub fn new(options: &Options<'_>, huge_pages: Option<bool>, bring_in: bool) -> Result<NumaPool> {
        let (shape, _) = Shape::from_options(options)?;
        let mut memory = MmapMut::map_anon(shape.length as usize)
            .map_err(|error| Error::new(ErrorKind::Oom, format!("no memory for a pool: {error}")))?;
        let base = memory.as_mut_ptr();
        if huge_pages.unwrap_or(shape.length >= HUGE_PAGES_FROM) {
            // SAFETY: the mapping is ours and has this length. The advice affects nothing else, so
            // its outcome is ignored.
            let _ = unsafe { advise(base, shape.length as usize, Advice::HugePages) };
        }
        // SAFETY: the pool owns the memory as long as it lives; the memory is zeroed.
        let raw = unsafe { RawNumaPool::init(base, shape.length as usize, options, true) }?;
        raw.place(bring_in)?;
        Ok(NumaPool { raw, _memory: memory })
    }

    /// Allocates a block of at least `bytes` bytes on the node that the policy selects, or on the
    /// nearest node with room, and returns its offset. `Full` if no node has room.
    pub fn alloc(&mut self, bytes: u64) -> Result<u64> {
        self.raw.alloc(bytes)
    }

    /// As `alloc`, but `None` if there is no room.
    pub fn try_alloc(&mut self, bytes: u64) -> Result<Option<u64>> {
        self.raw.try_alloc(bytes)
    }

    /// As `alloc`, but tries this node first. `Range` if the pool has no memory on the node.
    pub fn alloc_on(&mut self, node: u32, bytes: u64) -> Result<u64> {
        self.raw.alloc_on(node, bytes)
    }

    /// Frees a block. Errors as for [`RawNumaPool::free`].
    pub fn free(&mut self, offset: u64) -> Result<()> {
        self.raw.free(offset)
    }

    /// The bytes of an allocated block.
    pub fn block(&mut self, offset: u64) -> Result<&mut [u8]> {
        let room = self.raw.room(offset)?;
        // SAFETY: an allocated block lies within the data, which is ours and initialized with
        // zeros.
        Ok(unsafe { std::slice::from_raw_parts_mut(self.raw.data().add(offset as usize), room as usize) })
    }

    /// The node of the section that contains an offset. `Range` past the end of the data.
    pub fn node_of(&self, offset: u64) -> Result<u32> {
        self.raw.node_of(offset)
    }

    /// The actual locations of each section's pages, according to the kernel.
    pub fn placement(&self) -> Result<Vec<Placement>> {
        (0..self.raw.shape().nodes).map(|at| self.raw.placement(at)).collect()
    }

    /// Statistics.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.raw.stats()
    }

    /// Statistics of each node.
    #[must_use]
    pub fn node_stats(&self) -> Vec<NodeStats> {
        (0..self.raw.shape().nodes).filter_map(|at| self.raw.node_stats(at).ok()).collect()
    }

    /// Checks the bookkeeping.
    pub fn validate(&self) -> Result<()> {
        validate::check(&self.raw)
    }

    /// The underlying view, for the region and its data.
    #[must_use]
    pub fn raw(&self) -> &RawNumaPool {
        &self.raw
    }
}
