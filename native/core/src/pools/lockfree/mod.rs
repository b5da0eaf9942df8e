//! LockFreePool and ThreadLocalPool: one region of memory for all threads. `docs/formats/pools.md`
//! specifies the bytes.
//!
//! # The protocol
//!
//! The data is an array of **chunks**. A chunk is free, cut into blocks of one **class** (a power
//! of two), or part of a large block of several chunks. Its **descriptor**, one word, records
//! which. Blocks therefore never overlap.
//!
//! Sixteen blocks of a chunk share one **group** word with all of their state: their class, which
//! of them are free (a bit each), and a tag, which is the owner of the group or else a count that
//! every free increments. Therefore
//!
//! - *alloc* finds a group of its class with a free bit and clears the bit: one compare-and-swap;
//! - *free* sets the bit: one compare-and-swap, which is refused if the block is already free.
//!
//! A list of at most sixteen free blocks fits into its own head here, which rules out the **ABA
//! problem**: a word that equals the value read before has the same meaning, regardless of any
//! changes in between. The head of a linked list does not have this property, because the node to
//! which it points may have changed (Treiber 1986; his remedy, a tag next to the pointer, is only
//! as good as its number of bits, and in JavaScript a swap of 64 bits costs three times as much as
//! one of 32). The word contains the class so that a slow thread cannot take a block of a chunk
//! that was cut again in between.
//!
//! **Chunks.** A handle *claims* a free chunk by swapping its descriptor; no other thread then
//! changes the chunk. To cut a chunk, a handle sets the descriptor to *changing* and the class,
//! opens the groups, and sets the descriptor to *cut*. A chunk whose blocks are all free can be
//! *retired*: its descriptor is set to *changing*, and each group is closed by a swap that succeeds
//! only if all its blocks are free. If one swap fails, the closed groups are opened again. A closed
//! group gives no blocks. Allocating a large block claims or retires adjacent chunks one by one,
//! and returns them if not all are available.
//!
//! **Contention.** A handle continues where it allocated last, then searches its own chunks (the
//! descriptor contains the slot that prefers the chunk), then claims a free chunk, and only then
//! takes blocks of other chunks. Threads therefore meet only where memory is short. Words that
//! different threads write are on different cache lines: slots, and the groups of each chunk
//! (unless the pool is compact).
//!
//! **Hints.** An odd hint word means that a chunk may have a free block. A free sets the bit, then
//! the hint. A thread that finds no free block clears the hint and scans again, this time with
//! read-modify-write operations. These and the free's swap of the same group are totally ordered:
//! if the swap comes first, the scan sees the block; otherwise the freeing thread sees the cleared
//! hint, and sets it.
//!
//! **Full.** A search can miss blocks that other threads free in chunks that it has passed while
//! they take blocks in chunks that it has not reached. Therefore the following words are compared
//! before and after a search that found nothing: descriptors, hints, and, for chunks of other
//! classes, the group that keeps each from being retired. Hints and groups contain counts: if no
//! word changed, there was no room at a moment in between. If a word changed, other threads made
//! progress, and the search is repeated, at most 1,000 times, with pauses.
//!
//! **Caches.** A ThreadLocalPool *owns* groups: the owner's slot replaces the count in the group
//! word, and a second word, the cache word, which the owner alone writes, contains the free blocks
//! of the cache. Allocating and freeing in owned groups takes plain loads and stores. Frees by
//! other threads set the bit in the group word as usual. When the owner has no free block left in
//! the group, it *reclaims* such bits: it sets them in its own word first, and then clears them in
//! the group word. To release a group, the owner sets its bits in the group word, sets its own word
//! to 0, and removes itself as the owner. The union of both words is the set of free blocks at
//! every moment.
//!
//! **Costs.** In JavaScript an uncontended compare-and-swap takes about 11 ns, a plain load or
//! store less than one. An alloc and a free are one swap each, and everything else is plain loads;
//! so a pair takes 22 ns plus its arithmetic, and the two in a cache's own groups take a third of
//! that. If every handle owned groups and other handles could revoke them, the swaps would be
//! saved, but owner and revoker would have to agree by a store and a load each that must not be
//! reordered: this needs a fence, which is as expensive as a swap in JavaScript. (The revoker could
//! pay for both with `membarrier`, where the system has it. But then the owner's plain accesses
//! would have to be executed in program order, which JavaScript's memory model does not promise.)
//!
//! **Termination.** Each handle has a **slot**. Every step above leaves the pool valid, and an
//! owner may end after any of them. JavaScript, which `terminate()` stops between any two
//! statements, only takes and frees blocks; chunks, caches and slots change within native calls,
//! and `terminate()` waits for these. When a thread ends, Node runs the finalizer of its handle,
//! which returns everything that belongs to the slot. Only one block can be lost: the one that the
//! thread had just taken and not yet passed to its program. The slot's *intent* word, written
//! before the swap, names it, and `possibly_leaked` reports those of these blocks that are still
//! allocated. (The cache of a Rust program writes the intent word only when it is abandoned; a call
//! from JavaScript or C writes it before it returns.)
//!
//! **Invalid frees.** A free refuses offsets where no block begins, blocks that are free, and
//! blocks in any thread's cache. Of two simultaneous frees of one block one succeeds; in an owned
//! group, if one of them is the owner's, both may succeed, and the block is then free once.
//!
//! **Progress.** Alloc and free never wait for another thread; a failed swap is another thread's
//! success. Only a search that found no room while a chunk changes hands waits, for about 100 ms at
//! most, before it reports that there is none.
//!
//! `tests/pools_loom.rs` runs this protocol under every interleaving of small cases
//! (`scripts/loom.sh`).
//!
//! | file | contents |
//! | --- | --- |
//! | [`layout`] | sizes and sections, and the fields of the words |
//! | [`words`] | the words that threads share, replaceable by loom's |
//! | [`shared`] | alloc and free by one compare-and-swap |
//! | `search` | the search for a group, and the proof that there is none |
//! | `chunks` | claiming, cutting and retiring chunks; large blocks |
//! | [`slots`] | joining and leaving a pool, also on behalf of threads that ended |
//! | [`thread_cache`] | caches |
//! | [`pool`] | the pools for Rust and C programs |
//! | [`validate`](mod@validate) | validation of a pool at rest |

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
