//! LockFreePool and ThreadLocalPool: one region of memory for all threads. `docs/formats/pools.md`
//! has the bytes.
//!
//! # The protocol
//!
//! The data is an array of **chunks**. A chunk is free, or cut into blocks of one **class** (a
//! power of two), or part of a large block of several chunks. Its **descriptor**, one word, says
//! which. So blocks never overlap.
//!
//! Sixteen blocks of a chunk share one **group** word, which says all there is to know of them:
//! their class, which are free (a bit each), and a tag: a count that goes up with every free, or
//! who owns the group. So
//!
//! - *alloc* finds a group of its class with a free bit and clears the bit: one compare-and-swap;
//! - *free* sets the bit: one compare-and-swap, which is refused for a block that is free already.
//!
//! A list of free blocks, of sixteen at most, is its own head here, and this is why there is **no
//! ABA problem**: a word that equals what was read means the same as it meant then, whatever
//! happened between. The head of a linked list does not, as what it points to may have changed
//! (Treiber 1986; the remedy there, a tag beside the pointer, is as good as its bits are many, and
//! JavaScript swaps 32 bits well, 64 at three times the price). The class stands in the word so
//! that whoever is slow can not take a block of a chunk that was cut anew in between.
//!
//! **Chunks.** A free chunk is *claimed* by swapping its descriptor; nobody else acts upon it then.
//! To cut it, the descriptor says *changing* and the class, the groups are opened, then it says
//! *cut*. A chunk all of whose blocks are free is *retired*: its descriptor says changing, each
//! group is closed by a swap that succeeds only if all its blocks are free, and if one fails, those
//! that were closed are opened again. A closed group gives nothing. Large blocks claim or retire
//! neighbouring chunks one by one, and give them back if they do not get all.
//!
//! **Contention.** A handle goes on where it allocated last, then looks into its own chunks (the
//! descriptor says whose), then claims a free one, and only then helps itself elsewhere. So threads
//! meet only where memory is short. Words that different threads write lie on different cache
//! lines: slots, and the groups of each chunk (unless the pool is compact).
//!
//! **Hints.** An odd hint word says that a chunk may have a free block. A free sets the bit, then
//! the hint. Who finds nothing takes the hint back, then looks again with read-modify-writes. Those
//! and the free's swap of the same group are in one order: if the swap is first, it is seen; if
//! not, its thread sees the hint that was taken back, and sets it.
//!
//! **Full.** A search can miss blocks that others free behind it while they take blocks before it.
//! So descriptors, hints and, of chunks of other classes, the group that keeps each from being
//! retired are noted before and after a search that found nothing. Hints and groups count up: if
//! nothing changed there was no room at a moment in between. If something did, others made
//! progress, and the search begins anew; 1,000 times at most, with pauses.
//!
//! **Caches.** A ThreadLocalPool *owns* groups: the owner's slot takes the count's place in the
//! word, and a second word, written by the owner alone, has the blocks in its cache. Allocating and
//! freeing in groups of one's own takes plain loads and stores. Other threads' frees set the bit in
//! the group word as ever; in an owned group that means *come home*: when the owner has nothing
//! left there, it takes such bits over, first into its own word, then out of the group word. To
//! give a group back: bits into the group word, own word to 0, owner out. The union of both words
//! is what is free, at every moment.
//!
//! **Costs.** In JavaScript a compare-and-swap that nobody contends takes some 11 ns, a plain load
//! or store less than one. An alloc and a free are one each, all else is plain loads; so a pair
//! takes 22 ns and what it computes, and the two in a cache's own groups take a third of that. To
//! let every handle own groups, and others take them back, would save the swaps, but owner and
//! taker would have to agree by a store and a load each that may not pass each other: a fence,
//! which JavaScript has no cheaper than a swap. (The taker could pay for both by `membarrier`,
//! where the system has it. But then the owner's plain accesses would have to happen in the order
//! in which they are written, and JavaScript's memory model promises no such thing.)
//!
//! **Ends.** Each handle has a **slot**. Every step above leaves the pool sound, and an owner may
//! end after any. JavaScript, which `terminate()` stops between any two statements, takes and gives
//! blocks only; chunks, caches and slots change within native calls, which it waits for. When a
//! thread ends, Node runs the finaliser of its handle, which gives back what the slot owns. What
//! can be lost is the one block that a thread had just taken and not yet handed to its program. The
//! slot's *intent* word, written before the swap, names it, and `possibly_leaked` tells those that are
//! allocated still. (A cache of a Rust program keeps that to itself until it is abandoned; a call
//! from JavaScript or C writes it before it returns.)
//!
//! What a free refuses: offsets where no block begins, blocks that are free, blocks in anybody's
//! cache. Of two frees of one block at the same moment one succeeds; in an owned group, between its
//! owner and another thread, both may, which leaves the block free once.
//!
//! Waiting: alloc and free never wait for a thread; a swap that fails is another thread's success.
//! Only a search that found no room while a chunk changes hands waits, some 100 ms at most, before
//! it says that there is none.
//!
//! `tests/pools_loom.rs` runs this under every interleaving of small cases (`scripts/loom.sh`).
//!
//! | file | what |
//! | --- | --- |
//! | [`layout`] | sizes and sections, and the numbers in the words |
//! | [`words`] | the words that threads share, and what stands in for them under loom |
//! | [`shared`] | alloc and free by one compare-and-swap |
//! | `search` | finding a group, and being sure that there is none |
//! | `chunks` | claiming, retiring, large blocks |
//! | [`slots`] | slots, and what is done for threads that ended |
//! | [`thread_cache`] | caches |
//! | [`pool`] | the pools for Rust programs and for C |
//! | [`validate`](mod@validate) | the proof that a pool at rest is sound |

mod chunks;
pub mod layout;
pub mod pool;
mod search;
pub mod shared;
pub mod slots;
pub mod thread_cache;
pub mod validate;
pub mod words;

pub use self::pool::{Handle, LockFreePool, ThreadLocalPool};
