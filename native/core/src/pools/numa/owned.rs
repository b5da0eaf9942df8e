//! The pool for Rust programs: owns its memory.

use super::layout::{Options, Shape};
use super::raw::{NodeStats, Placement, RawNumaPool, Stats};
use super::validate;
use crate::region::advise::{Advice, advise};
use crate::{Error, ErrorKind, Result};
use memmap2::MmapMut;

/// Pools from this size on are backed with huge pages, unless the user said otherwise.
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

// SAFETY: it owns the memory that it points into, and changes it through `&mut self` only.
unsafe impl Send for NumaPool {}

impl NumaPool {
    /// An empty pool, with its sections on their nodes. Huge pages are advised from 4 MiB on unless
    /// `huge_pages` says whether; `bring_in` takes all memory now instead of at the first touch.
    ///
    /// `Oom` where memory is refused; `Range` and `Unsupported` as [`RawNumaPool::place`].
    pub fn new(options: &Options<'_>, huge_pages: Option<bool>, bring_in: bool) -> Result<NumaPool> {
        let (shape, _) = Shape::from_options(options)?;
        let mut memory = MmapMut::map_anon(shape.length as usize)
            .map_err(|error| Error::new(ErrorKind::Oom, format!("no memory for a pool: {error}")))?;
        let base = memory.as_mut_ptr();
        if huge_pages.unwrap_or(shape.length >= HUGE_PAGES_FROM) {
            // SAFETY: a mapping of this length, which is ours. Whether the advice is taken changes
            // nothing else.
            let _ = unsafe { advise(base, shape.length as usize, Advice::HugePages) };
        }
        // SAFETY: the memory is ours, as long as the pool lives, and zeroed.
        let raw = unsafe { RawNumaPool::init(base, shape.length as usize, options, true) }?;
        raw.place(bring_in)?;
        Ok(NumaPool { raw, _memory: memory })
    }

    /// A block of at least `bytes` bytes, where the policy says or the nearest node has room: its
    /// offset. `Full` where none has.
    pub fn alloc(&mut self, bytes: u64) -> Result<u64> {
        self.raw.alloc(bytes)
    }

    /// As `alloc`, but `None` where there is no room.
    pub fn try_alloc(&mut self, bytes: u64) -> Result<Option<u64>> {
        self.raw.try_alloc(bytes)
    }

    /// As `alloc`, but on this node first. `Range` if the pool has no such node.
    pub fn alloc_on(&mut self, node: u32, bytes: u64) -> Result<u64> {
        self.raw.alloc_on(node, bytes)
    }

    /// Gives a block back. Errors as for [`RawNumaPool::free`].
    pub fn free(&mut self, offset: u64) -> Result<()> {
        self.raw.free(offset)
    }

    /// The bytes of an allocated block.
    pub fn block(&mut self, offset: u64) -> Result<&mut [u8]> {
        let room = self.raw.room(offset)?;
        // SAFETY: an allocated block lies within the data, which is ours, and initialised with
        // zeros.
        Ok(unsafe { std::slice::from_raw_parts_mut(self.raw.data().add(offset as usize), room as usize) })
    }

    /// The number of the node to which the memory at an offset belongs. `Range` behind the data.
    pub fn node_of(&self, offset: u64) -> Result<u32> {
        self.raw.node_of(offset)
    }

    /// Where the kernel says the pages of each node's section are.
    pub fn placement(&self) -> Result<Vec<Placement>> {
        (0..self.raw.shape().nodes).map(|at| self.raw.placement(at)).collect()
    }

    /// Counts and sizes.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.raw.stats()
    }

    /// Counts and sizes of each node.
    #[must_use]
    pub fn node_stats(&self) -> Vec<NodeStats> {
        (0..self.raw.shape().nodes).filter_map(|at| self.raw.node_stats(at).ok()).collect()
    }

    /// Proves that the bookkeeping is sound.
    pub fn validate(&self) -> Result<()> {
        validate::prove(&self.raw)
    }

    /// The view that the pool works through, for its region and data.
    #[must_use]
    pub fn raw(&self) -> &RawNumaPool {
        &self.raw
    }
}
