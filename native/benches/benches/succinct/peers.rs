//! The compared structures with a common interface, and an allocator that counts, so that
//! "overhead" is the memory that each structure keeps.

use super::bit_vec;
use offheap_core::succinct::RankSelect;
use offheap_core::succinct::rankselect::Variant;
use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use sucds::bit_vectors::{Rank as _, Select as _};

/// The system allocator, with a count of the bytes in use.
struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all calls go to the system allocator, and only the count is added.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Relaxed);
        // SAFETY: the preconditions of `alloc` are guaranteed by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Relaxed);
        // SAFETY: the preconditions of `alloc_zeroed` are guaranteed by the caller.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the preconditions of `dealloc` are guaranteed by the caller.
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        LIVE.fetch_add(size, Relaxed);
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the preconditions of `realloc` are guaranteed by the caller.
        unsafe { System.realloc(ptr, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes that are allocated and not freed.
pub(super) fn live_bytes() -> usize {
    LIVE.load(Relaxed)
}

/// Runs a round of queries and sums the results.
pub(super) type Asks = Box<dyn Fn(&[u64]) -> u64>;
/// Runs a round of queries in one call.
pub(super) type Many = Box<dyn Fn(&[u64], &mut [u64])>;

/// One structure, ready for queries.
#[derive(Default)]
pub(super) struct Subject {
    /// In a loop, and in a chain.
    pub(super) ranks: Option<[Asks; 2]>,
    pub(super) selects: Option<[Asks; 2]>,
    pub(super) many_ranks: Option<Many>,
    pub(super) many_selects: Option<Many>,
}

fn asks<S: 'static>(of: &Rc<S>, query: impl Fn(&S, u64) -> u64 + Copy + 'static) -> Option<[Asks; 2]> {
    let (free, bound) = (Rc::clone(of), Rc::clone(of));
    Some([
        Box::new(move |asked| asked.iter().fold(0, |sum, &at| sum.wrapping_add(query(&free, at)))),
        Box::new(move |asked| {
            // The next query does not really depend on the previous result, but the compiler does
            // not know that.
            let nothing = black_box(0);
            asked.iter().fold(0, |last, &at| query(&bound, at ^ (last & nothing)))
        }),
    ])
}

/// A peer that answers both kinds of queries one by one.
fn peer<S: 'static>(
    structure: S,
    rank: impl Fn(&S, u64) -> u64 + Copy + 'static,
    select: impl Fn(&S, u64) -> u64 + Copy + 'static,
) -> Subject {
    let shared = Rc::new(structure);
    Subject { ranks: asks(&shared, rank), selects: asks(&shared, select), ..Subject::default() }
}

fn ours(words: &[u64], bits: u64, variant: Variant) -> Subject {
    let made = RankSelect::with_variant(&bit_vec(words, bits), Some(variant)).expect("there is memory");
    let shared = Rc::new(made);
    let (ranked, selected) = (Rc::clone(&shared), Rc::clone(&shared));
    Subject {
        ranks: asks(&shared, |ours, at| ours.rank1(at)),
        selects: asks(&shared, |ours, k| ours.select1(k).unwrap_or(0)),
        many_ranks: Some(Box::new(move |asked, out| ranked.rank1_many(asked, out).expect("positions"))),
        many_selects: Some(Box::new(move |asked, out| selected.select1_many(asked, out).expect("numbers"))),
    }
}

fn sux_bits(words: Vec<u64>, bits: u64) -> sux::bits::BitVec<Vec<u64>> {
    // SAFETY: the words have at least this many bits.
    unsafe { sux::bits::BitVec::from_raw_parts(words, bits as usize) }
}

/// Peers of sux in which one structure wraps another.
fn sux<S: sux::traits::Rank + sux::traits::Select + 'static>(structure: S) -> Subject {
    peer(structure, |s, at| s.rank(at as usize) as u64, |s, k| s.select(k as usize).unwrap_or(0) as u64)
}

fn sucds_bits(words: &[u64], bits: u64) -> sucds::bit_vectors::BitVector {
    let mut made = sucds::bit_vectors::BitVector::with_capacity(bits as usize);
    for (index, &word) in words.iter().enumerate() {
        let left = (bits - 64 * index as u64).min(64);
        made.push_bits(word, left as usize).expect("at most 64");
    }
    made
}

/// Builds a structure from the words, which it may keep.
pub(super) type Make = fn(Vec<u64>, u64) -> Subject;

/// Our structures, then the peers' fastest and smallest.
pub(super) fn structures() -> [(&'static str, Make); 9] {
    [
        ("offheap flat", |words, bits| ours(&words, bits, Variant::Flat)),
        ("offheap interleaved", |words, bits| ours(&words, bits, Variant::Interleaved)),
        ("offheap sparse", |words, bits| ours(&words, bits, Variant::Sparse)),
        ("sux Rank9+SelectAdapt", |words, bits| {
            sux(sux::rank_sel::SelectAdapt::new(sux::rank_sel::Rank9::new(sux_bits(words, bits))))
        }),
        ("sux RankSmall3+SelectSmall", |words, bits| {
            sux(sux::rank_sel::SelectSmall::<1, 11, _>::new(sux::rank_small![u64: 3; sux_bits(words, bits)]))
        }),
        ("sux RankSmall4+SelectAdapt", |words, bits| {
            sux(sux::rank_sel::SelectAdapt::new(sux::rank_small![u64: 4; sux_bits(words, bits)]))
        }),
        ("vers-vecs RsVec", |words, bits| {
            let mut made = vers_vecs::BitVec::from_vec(words);
            made.drop_last((made.len() as u64 - bits) as usize);
            peer(
                vers_vecs::RsVec::from_bit_vec(made),
                |s, at| s.rank1(at as usize) as u64,
                |s, k| s.select1(k as usize) as u64,
            )
        }),
        ("sucds Rank9Sel", |words, bits| {
            peer(
                sucds::bit_vectors::Rank9Sel::new(sucds_bits(&words, bits)).select1_hints(),
                |s, at| s.rank1(at as usize).unwrap_or(0) as u64,
                |s, k| s.select1(k as usize).unwrap_or(0) as u64,
            )
        }),
        ("sucds DArray", |words, bits| {
            let each = (0..bits).map(|at| words[(at / 64) as usize] >> (at % 64) & 1 == 1);
            peer(
                sucds::bit_vectors::DArray::from_bits(each).enable_rank(),
                |s, at| s.rank1(at as usize).unwrap_or(0) as u64,
                |s, k| s.select1(k as usize).unwrap_or(0) as u64,
            )
        }),
    ]
}

/// Whether a structure can be built from this many bits in seconds: one takes them singly, and one
/// stores the positions of half of them.
pub(super) fn takes(name: &str, bits: u64) -> bool {
    bits < 1 << 32 || !["sucds DArray", "offheap sparse"].contains(&name)
}
