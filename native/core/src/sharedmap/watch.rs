//! What a map tells the log: waits for locks, takeovers, and evictions.

use super::lock::{Holder, Waited};
use super::repair::Repaired;
use super::{Map, Shard};
use crate::log::{self, Event};

/// A window of time in which evictions are counted, in milliseconds.
const WINDOW: f64 = 1000.0;

/// The evictions of an attachment since some time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Evictions {
    since: f64,
    count: u64,
}

impl Map {
    /// Counts an eviction. In each second at most one event is reported.
    #[cold]
    pub(super) fn watch_eviction(&self) {
        let now = super::now();
        let mut evictions = self.evictions.get();
        if !(0.0..WINDOW).contains(&(now - evictions.since)) {
            evictions = Evictions { since: now, count: 0 };
        }
        evictions.count += 1;
        if evictions.count == log::evictions() {
            log::push(Event::Evictions {
                count: evictions.count,
                milliseconds: (now - evictions.since) as u64,
                max_bytes: self.geometry.max_bytes,
            });
        }
        self.evictions.set(evictions);
    }

    /// Reports a wait for the lock of a shard, if it was long.
    #[cold]
    pub(super) fn watch_wait(&self, shard: Shard, waited: Waited) {
        if waited.nanoseconds >= log::slow_nanoseconds().max(1) {
            let slot = waited.holder.slot();
            log::push(Event::LockWait { shard: shard.id, slot, nanoseconds: waited.nanoseconds });
        }
    }

    /// Reports that the lock of a shard was taken over, and what the repair did.
    #[cold]
    pub(super) fn watch_take_over(&self, shard: Shard, dead: Holder, repaired: Option<Repaired>) {
        log::push(match repaired {
            Some(Repaired { kept, lost }) => {
                Event::TakeOver { shard: shard.id, slot: dead.slot().unwrap_or(0), kept, lost }
            }
            None => Event::Unrepaired { shard: shard.id },
        });
    }
}
