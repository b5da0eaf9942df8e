//! The lock of a shard, and the big lock (`docs/formats/sharedmap.md`, "Locks").
//!
//! The word is 0, or identifies the holder: participant + 1 in the bits 0 to 9, generation from bit
//! 11 on. Bit 10 says that threads may be asleep. A waiter spins for about a microsecond, then
//! sleeps for at most [`NAP`] at a time, and after each nap asks whether the holder's process is
//! alive. Only the kernel's answer counts: a holder that was stopped (SIGSTOP, a debugger) keeps
//! the lock for as long as it takes.
//!
//! Cost: a compare-and-exchange and an exchange, about 20 ns together, if nobody waits.
//!
//! The protocol is written over [`LockWords`], so that `native/core/tests/sharedmap_loom.rs` runs
//! it under every interleaving.

use super::futex;
use super::words::Words;
use crate::log;
use std::time::{Duration, Instant};

/// Bits of the participant + 1.
const SLOT_MASK: u32 = (1 << 10) - 1;
/// Threads may be asleep.
pub(crate) const SLEEPERS: u32 = 1 << 10;
/// The shift of the generation.
pub(crate) const GENERATION_SHIFT: u32 = 11;
/// The most time between two checks of the holder.
const NAP: Duration = Duration::from_millis(20);

/// Words of which one is a lock.
pub trait LockWords {
    /// Attempts before a waiter sleeps.
    const SPINS: u32;
    /// Loads a word.
    fn load(&self, index: usize) -> u32;
    /// Loads a word before everything that is read after it.
    fn acquire(&self, index: usize) -> u32;
    /// Stores `new` if the word is `old`; everything written before is visible to who sees it.
    fn swap(&self, index: usize, old: u32, new: u32) -> bool;
    /// As `swap`, whatever the word is. Returns it.
    fn exchange(&self, index: usize, value: u32) -> u32;
    /// Sleeps until the word is woken, for at most `limit`, unless it is not `expected`.
    fn wait(&self, index: usize, expected: u32, limit: Duration);
    /// Wakes one thread that waits for the word.
    fn wake_one(&self, index: usize);
}

impl LockWords for Words {
    const SPINS: u32 = 100;

    #[inline(always)]
    fn load(&self, index: usize) -> u32 {
        (*self).load(index)
    }

    #[inline(always)]
    fn acquire(&self, index: usize) -> u32 {
        (*self).acquire(index)
    }

    #[inline(always)]
    fn swap(&self, index: usize, old: u32, new: u32) -> bool {
        (*self).swap(index, old, new)
    }

    #[inline(always)]
    fn exchange(&self, index: usize, value: u32) -> u32 {
        (*self).exchange(index, value)
    }

    fn wait(&self, index: usize, expected: u32, limit: Duration) {
        if let Some(place) = self.address(index) {
            futex::wait(place, expected, limit);
        }
    }

    fn wake_one(&self, index: usize) {
        if let Some(place) = self.address(index) {
            futex::wake_one(place);
        }
    }
}

/// The word of a lock that a participant holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder(pub(crate) u32);

impl Holder {
    /// Slot and generation of a participant.
    #[must_use]
    pub fn new(slot: usize, generation: u32) -> Holder {
        Holder((slot as u32 + 1) & SLOT_MASK | generation << GENERATION_SHIFT)
    }

    /// The slot, if the word can be one.
    pub(crate) fn slot(self) -> Option<usize> {
        (self.0 & SLOT_MASK).checked_sub(1).map(|slot| slot as usize)
    }

    /// The generation.
    pub(crate) fn generation(self) -> u32 {
        self.0 >> GENERATION_SHIFT
    }
}

/// A wait for a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waited {
    /// Who held the lock at first.
    pub holder: Holder,
    /// How long; 0 if the log is off.
    pub nanoseconds: u64,
}

/// How a lock was obtained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obtained {
    /// It was free.
    Free {
        /// The wait, if the thread had to wait.
        waited: Option<Waited>,
    },
    /// From a holder that terminated: the protected data may be half-changed.
    TakenOver(Holder),
}

/// Takes the lock at word `at` for `me`. `is_alive` tells whether a holder may still release it.
#[inline]
pub fn acquire<W: LockWords>(
    words: &W,
    at: usize,
    me: Holder,
    is_alive: &dyn Fn(Holder) -> bool,
) -> Obtained {
    if words.swap(at, 0, me.0) {
        return Obtained::Free { waited: None };
    }
    wait(words, at, me, is_alive)
}

#[cold]
fn wait<W: LockWords>(words: &W, at: usize, me: Holder, is_alive: &dyn Fn(Holder) -> bool) -> Obtained {
    let holder = Holder(words.load(at) & !SLEEPERS);
    let start = log::is_enabled().then(Instant::now);
    let obtained = || {
        let nanoseconds = start.map_or(0, |start| start.elapsed().as_nanos() as u64);
        Obtained::Free { waited: Some(Waited { holder, nanoseconds }) }
    };
    for _ in 0..W::SPINS {
        std::hint::spin_loop();
        if words.load(at) == 0 && words.swap(at, 0, me.0) {
            return obtained();
        }
    }
    loop {
        let word = words.acquire(at);
        if word == 0 {
            // Others may be asleep, which only the bit would tell the next one to release it.
            if words.swap(at, 0, me.0 | SLEEPERS) {
                return obtained();
            }
            continue;
        }
        let holder = Holder(word & !SLEEPERS);
        if word & SLEEPERS == 0 && !words.swap(at, word, word | SLEEPERS) {
            continue;
        }
        words.wait(at, word | SLEEPERS, NAP);
        // Nobody waits for a lock of their own: then the region was overwritten.
        if words.acquire(at) == word | SLEEPERS
            && (holder == me || !is_alive(holder))
            && words.swap(at, word | SLEEPERS, me.0 | SLEEPERS)
        {
            return Obtained::TakenOver(holder);
        }
    }
}

/// Releases a lock. `leave` is its word afterward: 0, or a holder that terminated.
#[inline]
pub fn release(words: &impl LockWords, at: usize, leave: u32) {
    if words.exchange(at, leave) & SLEEPERS != 0 {
        words.wake_one(at);
    }
}
