//! Rare events of operations, for the log of the C ABI.
//!
//! They happen while locks are held, under which no callback may run. So [`push`] keeps them for
//! the thread, and the C ABI takes them ([`take`]) when the operation has ended and reports them.
//! Neither allocates, so both work when memory has run out, and a thread that ends has nothing to
//! free. While the log is off, an operation pays for one relaxed load.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// An event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A panic was caught. The C ABI has its message.
    Internal,
    /// The lock of a shard was taken over from a participant whose process terminated, and the
    /// shard was repaired.
    TakeOver {
        /// The shard.
        shard: usize,
        /// The participant's slot.
        slot: usize,
        /// Entries that are still in the shard.
        kept: usize,
        /// Entries that are not.
        lost: usize,
    },
    /// The repair of a shard failed; the next one who locks it tries again.
    Unrepaired {
        /// The shard.
        shard: usize,
    },
    /// A map in a file was repaired on request.
    Repair {
        /// Entries that are still in the map.
        kept: usize,
        /// Entries that are not.
        lost: usize,
    },
    /// One attachment evicted many entries within a second.
    Evictions {
        /// How many.
        count: u64,
        /// In how many milliseconds.
        milliseconds: u64,
        /// The bound of the map.
        max_bytes: u64,
    },
    /// A thread waited long for the lock of a shard.
    LockWait {
        /// The shard.
        shard: usize,
        /// The slot of the participant that held the lock when it was asked for, if it still did.
        slot: Option<usize>,
        /// How long.
        nanoseconds: u64,
    },
    /// A call of the C ABI took long.
    Slow {
        /// The name of the function.
        name: &'static str,
        /// How long.
        nanoseconds: u64,
    },
}

/// Events of one operation; the first ones are kept.
const CAPACITY: usize = 4;

#[derive(Clone, Copy)]
struct Queue {
    length: usize,
    events: [Event; CAPACITY],
}

thread_local! {
    static QUEUE: Cell<Queue> =
        const { Cell::new(Queue { length: 0, events: [Event::Internal; CAPACITY] }) };
}

/// Whether anything is reported.
static ENABLED: AtomicU32 = AtomicU32::new(0);
/// Nanoseconds from which on waits and calls are slow.
static SLOW: AtomicU64 = AtomicU64::new(0);
/// Evictions by one attachment within a second from which on they are reported.
static EVICTIONS: AtomicU64 = AtomicU64::new(0);

/// Whether anything is reported.
#[inline]
#[must_use]
pub fn is_enabled() -> bool {
    ENABLED.load(Ordering::Relaxed) != 0
}

/// Turns the log on, with its thresholds.
pub fn enable(slow_nanoseconds: u64, evictions: u64) {
    SLOW.store(slow_nanoseconds, Ordering::Relaxed);
    EVICTIONS.store(evictions, Ordering::Relaxed);
    ENABLED.store(1, Ordering::Relaxed);
}

/// Turns the log off.
pub fn disable() {
    ENABLED.store(0, Ordering::Relaxed);
}

/// Nanoseconds from which on waits and calls are slow.
#[must_use]
pub fn slow_nanoseconds() -> u64 {
    SLOW.load(Ordering::Relaxed)
}

/// Evictions by one attachment within a second from which on they are reported.
#[must_use]
pub fn evictions() -> u64 {
    EVICTIONS.load(Ordering::Relaxed)
}

/// Keeps an event until the operation has ended, if the log is on and there is room.
#[cold]
pub fn push(event: Event) {
    if !is_enabled() {
        return;
    }
    let mut queue = QUEUE.get();
    if let Some(place) = queue.events.get_mut(queue.length) {
        *place = event;
        queue.length += 1;
        QUEUE.set(queue);
    }
}

/// Whether this thread has events.
#[inline]
#[must_use]
pub fn has_events() -> bool {
    QUEUE.get().length > 0
}

/// Takes the events of this thread: their number, and an array that begins with them.
#[cold]
#[must_use]
pub fn take() -> (usize, [Event; CAPACITY]) {
    let queue = QUEUE.get();
    QUEUE.set(Queue { length: 0, ..queue });
    (queue.length, queue.events)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_events_of_an_operation_are_kept_while_the_log_is_on() {
        push(Event::Unrepaired { shard: 1 });
        assert!(!has_events());
        enable(5, 6);
        assert_eq!((slow_nanoseconds(), evictions()), (5, 6));
        for shard in 0..10 {
            push(Event::Unrepaired { shard });
        }
        disable();
        let (count, events) = take();
        assert_eq!(count, CAPACITY);
        for (shard, event) in events.into_iter().enumerate() {
            assert_eq!(event, Event::Unrepaired { shard });
        }
        assert_eq!(take().0, 0);
    }
}
