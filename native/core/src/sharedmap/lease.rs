//! Leases: of all threads and processes, one computes the value of a key while the others wait.
//!
//! A lease is an entry with the flag _pending_, which counts as absent. Its value is the holder's
//! word of a lock, and its time of expiry the end of the lease. Storing a value replaces it.
//! Another participant takes a lease over when it has ended, or when the holder has terminated.

use super::entry::{Draft, Entry, Key, Value, bytes_head};
use super::lock::Holder;
use super::read::is_live;
use super::{Event, Map};
use crate::{Error, ErrorKind, Result};

/// The outcome of asking for a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lease {
    /// The key is present.
    Present,
    /// The caller has the lease.
    Acquired,
    /// Another participant has it.
    Held,
}

impl Map {
    /// Asks for the lease of an absent key until `ends_at` (milliseconds since 1970).
    pub fn lease(&self, key: &Key<'_>, ends_at: f64, now: f64) -> Result<Lease> {
        self.check_key(key)?;
        let hash = key.hash(&self.seeds);
        let shard = self.shard_of(hash);
        for _ in 0..2 {
            {
                let _guard = self.lock(shard)?;
                let found = self.home(shard, hash).and_then(|home| self.find_in(home, hash, key));
                if let Some((_, entry)) = found {
                    if is_live(&entry, now) {
                        return Ok(Lease::Present);
                    }
                    if entry.is_pending()
                        && !entry.is_expired(now)
                        && self.is_alive(self.lease_holder(&entry))
                    {
                        return Ok(Lease::Held);
                    }
                }
                let word = self.holder.0.to_le_bytes();
                let value = match self.geometry.schema.value_width() {
                    Some(4) => Value::Narrow(self.holder.0),
                    Some(_) => Value::Wide(u64::from(self.holder.0)),
                    None => Value::Blob { head: bytes_head(4), bytes: &word },
                };
                let draft = Draft {
                    key: *key,
                    value,
                    value_type: 0,
                    expires_at: ends_at,
                    is_pending: true,
                    birth: self.next_birth(shard, hash),
                    count: 1,
                    is_new: self.is_after_snapshot(shard, hash),
                };
                let block = self.store_entry(shard, hash, &draft, 0, now)?;
                if let Some(block) = block
                    && self.publish(shard, hash, key, block)?
                {
                    // The lease is taken: without memory for a split, the next change makes it.
                    self.adjust_buckets(shard).ok();
                    return Ok(Lease::Acquired);
                }
            }
            if self.reclaim(shard, 1, now)? == 0 {
                break;
            }
        }
        Err(Error::new(ErrorKind::Full, "the map has no room for a lease"))
    }

    /// Gives up the lease of a key, if this participant has it.
    pub fn end_lease(&self, key: &Key<'_>) -> Result<()> {
        let hash = key.hash(&self.seeds);
        let shard = self.shard_of(hash);
        let _guard = self.lock(shard)?;
        let found = self.home(shard, hash).and_then(|home| self.find_in(home, hash, key));
        if let Some((place, entry)) = found
            && entry.is_pending()
            && self.lease_holder(&entry) == self.holder
        {
            self.remove(shard, place, &entry, Event::Expire);
        }
        Ok(())
    }

    fn lease_holder(&self, entry: &Entry) -> Holder {
        Holder(self.words.load(entry.value_at))
    }
}
