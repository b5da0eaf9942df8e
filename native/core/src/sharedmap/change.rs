//! Changes of one entry that depend on it: deletion, arithmetic, expiry, and writes by handle.

use super::entry::{Entry, Key, Value, read_value};
use super::index::Place;
use super::read::{Info, is_live, split_handle};
use super::write::{Expiry, Mode, Write, Written};
use super::{Event, Map, Shard};
use crate::region::element::Type;
use crate::table::blob::Blob;
use crate::{Error, ErrorKind, Result};

/// A number to add, or a sum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// For values of the types up to 32 bits and `f64`.
    Float(f64),
    /// For `u64` and `i64`.
    Integer(i128),
}

/// A value that was removed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Taken {
    /// The key is absent.
    Absent,
    /// The value needs that many bytes, more than allowed; it is still in the map.
    TooLong(usize),
    /// The value was appended to the output.
    Value(Info),
}

impl Map {
    /// Deletes a key. Returns whether it was present.
    pub fn remove_key(&self, key: &Key<'_>, now: f64) -> Result<bool> {
        let hash = key.hash(&self.seeds);
        self.remove_where(hash, now, |map, home| map.find_in(home, hash, key))
    }

    /// Deletes the entry of a handle.
    pub fn remove_by_handle(&self, handle: u64, now: f64) -> Result<bool> {
        let (hash, birth) = split_handle(handle);
        self.remove_where(hash, now, |map, home| map.find_birth(home, hash, birth))
    }

    fn remove_where(
        &self,
        hash: u32,
        now: f64,
        find: impl Fn(&Map, usize) -> Option<(Place, Entry)>,
    ) -> Result<bool> {
        let shard = self.shard_of(hash);
        let _guard = self.lock(shard)?;
        let Some((place, entry)) = self.home(shard, hash).and_then(|home| find(self, home)) else {
            return Ok(false);
        };
        let was_live = is_live(&entry, now);
        self.remove(shard, place, &entry, if entry.is_expired(now) { Event::Expire } else { Event::Delete });
        // The change is made: without memory for a split or a merge, the next change makes it.
        self.adjust_buckets(shard).ok();
        Ok(was_live)
    }

    /// Appends the value of a key to `out`, if it has at most `room` bytes, and deletes the key.
    pub fn take(&self, key: &Key<'_>, now: f64, room: usize, out: &mut Vec<u8>) -> Result<Taken> {
        let hash = key.hash(&self.seeds);
        let shard = self.shard_of(hash);
        let _guard = self.lock(shard)?;
        let found = self.home(shard, hash).and_then(|home| self.find_in(home, hash, key));
        let Some((place, entry)) = found.filter(|(_, entry)| is_live(entry, now)) else {
            return Ok(Taken::Absent);
        };
        if entry.value_length > room {
            return Ok(Taken::TooLong(entry.value_length));
        }
        self.append_value(&entry, out)?;
        let info = Info::of(self, &entry);
        self.remove(shard, place, &entry, Event::Delete);
        // As in `remove_where`: an error would lose the value.
        self.adjust_buckets(shard).ok();
        Ok(Taken::Value(info))
    }

    /// Appends a value, under the lock of its shard.
    pub(super) fn append_value(&self, entry: &Entry, out: &mut Vec<u8>) -> Result<()> {
        if entry.value_length > self.words.count() * 4 {
            return Err(Error::corrupt("an entry contains an invalid length"));
        }
        out.try_reserve(entry.value_length)?;
        if read_value(self.words, entry, out) {
            return Ok(());
        }
        Err(Error::corrupt("the chunks of a value do not have its length"))
    }

    /// Adds to the number of a key, which counts as 0 if the key is absent. Returns the sum.
    /// `Range`, and nothing changed, if the type cannot represent the sum.
    pub fn increment(&self, key: &Key<'_>, by: Number, expiry: Expiry, now: f64) -> Result<Number> {
        let hash = key.hash(&self.seeds);
        let mut sum = None;
        self.replace_where(
            hash,
            now,
            |map, home| map.find_in(home, hash, key),
            |map, shard, found| {
                let value = match found {
                    Some(entry) => map.number_of(entry)?,
                    None => match by {
                        Number::Float(_) => Number::Float(0.0),
                        Number::Integer(_) => Number::Integer(0),
                    },
                };
                let (result, value_type) = map.add(value, by)?;
                sum = Some(result);
                let bits = map.encode(result)?;
                let wide = match bits {
                    Value::Wide(bits) => bits.to_le_bytes(),
                    _ => [0; 8],
                };
                let value = match bits {
                    Value::Wide(_) if map.schema().value == Type::Mixed => {
                        Value::Blob { head: super::entry::bytes_head(8), bytes: &wide }
                    }
                    other => other,
                };
                let write = Write { key: *key, value, value_type, mode: Mode::Set, expiry, now };
                map.write_locked(shard, hash, &write)
            },
        )?;
        sum.ok_or_else(|| Error::new(ErrorKind::Full, "the map has no room for the value"))
    }

    /// Runs `change` under the lock with the live entry that `find` finds, and again if it found no
    /// room and other shards could give some.
    fn replace_where(
        &self,
        hash: u32,
        now: f64,
        find: impl Fn(&Map, usize) -> Option<(Place, Entry)>,
        mut change: impl FnMut(&Map, Shard, Option<&Entry>) -> Result<Option<Written>>,
    ) -> Result<Written> {
        let shard = self.shard_of(hash);
        loop {
            {
                let _guard = self.lock(shard)?;
                let found = self.home(shard, hash).and_then(|home| find(self, home));
                let live = found.filter(|(_, entry)| is_live(entry, now));
                if let Some(written) = change(self, shard, live.as_ref().map(|(_, entry)| entry))? {
                    return Ok(written);
                }
            }
            if self.reclaim(shard, 1, now)? == 0 {
                let bound = self.geometry.max_bytes;
                return Err(Error::new(ErrorKind::Full, format!("the map of {bound} bytes has no room")));
            }
        }
    }

    /// Gives an entry a new time of expiry. Returns whether the key is present.
    pub fn touch(&self, key: &Key<'_>, expires_at: f64, now: f64) -> Result<bool> {
        let hash = key.hash(&self.seeds);
        let written = self.replace_where(
            hash,
            now,
            |map, home| map.find_in(home, hash, key),
            |map, shard, found| {
                let Some(entry) = found else {
                    return Ok(Some(Written { stored: false, existed: false, version: 0 }));
                };
                let mut bytes = Vec::new();
                map.append_value(entry, &mut bytes)?;
                let write = Write {
                    key: *key,
                    value: map.value_of(entry, &bytes),
                    value_type: entry.value_type(),
                    mode: Mode::Replace,
                    expiry: if expires_at > 0.0 { Expiry::At(expires_at) } else { Expiry::Never },
                    now,
                };
                map.write_locked(shard, hash, &write)
            },
        )?;
        Ok(written.existed)
    }

    /// Stores a value in the entry of a handle. `stored` is false if the handle is stale.
    pub fn write_by_handle(
        &self,
        handle: u64,
        value: Value<'_>,
        value_type: u32,
        expiry: Expiry,
        now: f64,
    ) -> Result<Written> {
        let (partial_hash, birth) = split_handle(handle);
        self.replace_where(
            partial_hash,
            now,
            |map, home| map.find_birth(home, partial_hash, birth),
            |map, shard, found| {
                let Some(entry) = found else {
                    return Ok(Some(Written { stored: false, existed: false, version: 0 }));
                };
                let mut bytes = Vec::new();
                bytes.try_reserve(entry.key_length)?;
                map.words.read_bytes(entry.key_at, entry.key_length, &mut bytes);
                let key = map.key_of(entry, &bytes)?;
                if !map.fits(key.length(), value.length()) {
                    return Err(map.never_fits(value.length()));
                }
                let write = Write { key, value, value_type, mode: Mode::Replace, expiry, now };
                map.write_locked(shard, key.hash(&map.seeds), &write)
            },
        )
    }

    /// The key of an entry whose bytes were copied.
    pub(super) fn key_of<'a>(&self, entry: &Entry, bytes: &'a [u8]) -> Result<Key<'a>> {
        let word = |at: usize| {
            let mut word = [0; 4];
            if let Some(part) = bytes.get(at..at + 4) {
                word.copy_from_slice(part);
            }
            u32::from_le_bytes(word)
        };
        Ok(match self.geometry.schema.key_width() {
            Some(4) => Key::Narrow(word(0)),
            Some(_) => Key::Wide(u64::from(word(0)) | u64::from(word(4)) << 32),
            None => {
                let blob = Blob::of_type(bytes, self.geometry.schema.key)
                    .map_err(|_| Error::corrupt("a key contains invalid text"))?;
                if blob.head() != entry.key_head {
                    return Err(Error::corrupt("a key has an invalid encoding"));
                }
                Key::Blob(blob)
            }
        })
    }

    /// The key with these bytes, of any encoding.
    pub(super) fn key_of_bytes<'a>(&self, bytes: &'a [u8]) -> Result<Key<'a>> {
        let invalid = || Error::corrupt("a key has an invalid length");
        Ok(match self.geometry.schema.key_width() {
            Some(4) => Key::Narrow(u32::from_le_bytes(bytes.try_into().map_err(|_| invalid())?)),
            Some(_) => Key::Wide(u64::from_le_bytes(bytes.try_into().map_err(|_| invalid())?)),
            None => Key::Blob(
                Blob::of_type(bytes, self.geometry.schema.key)
                    .map_err(|_| Error::corrupt("a key contains invalid text"))?,
            ),
        })
    }

    /// The value with these bytes.
    pub(super) fn value_of_bytes<'a>(&self, head: u32, bytes: &'a [u8]) -> Result<Value<'a>> {
        let invalid = || Error::corrupt("a value has an invalid length");
        Ok(match self.geometry.schema.value_width() {
            Some(4) => Value::Narrow(u32::from_le_bytes(bytes.try_into().map_err(|_| invalid())?)),
            Some(_) => Value::Wide(u64::from_le_bytes(bytes.try_into().map_err(|_| invalid())?)),
            None if (head >> 2) as usize == bytes.len() => Value::Blob { head, bytes },
            None => return Err(invalid()),
        })
    }

    /// The value of an entry whose bytes were copied.
    pub(super) fn value_of<'a>(&self, entry: &Entry, bytes: &'a [u8]) -> Value<'a> {
        let mut wide = [0; 8];
        match self.geometry.schema.value_width() {
            Some(width) => {
                wide[..width].copy_from_slice(bytes.get(..width).unwrap_or(&[0; 8][..width]));
                let bits = u64::from_le_bytes(wide);
                if width == 4 { Value::Narrow(bits as u32) } else { Value::Wide(bits) }
            }
            None => Value::Blob { head: entry.value_head, bytes },
        }
    }

    /// The number in an entry.
    fn number_of(&self, entry: &Entry) -> Result<Number> {
        let mut bytes = Vec::new();
        self.append_value(entry, &mut bytes)?;
        bytes.resize(8, 0);
        let mut wide = [0; 8];
        wide.copy_from_slice(&bytes[..8]);
        let bits = u64::from_le_bytes(wide);
        let ty = match self.schema().value {
            Type::Mixed => Type::from_number(entry.value_type()).unwrap_or(Type::Mixed),
            ty => ty,
        };
        Ok(match ty {
            Type::U8 | Type::U16 | Type::U32 => Number::Float(f64::from(bits as u32)),
            Type::I8 | Type::I16 | Type::I32 => Number::Float(f64::from(bits as u32 as i32)),
            Type::F32 => Number::Float(f64::from(f32::from_bits(bits as u32))),
            Type::F64 => Number::Float(f64::from_bits(bits)),
            Type::U64 => Number::Integer(i128::from(bits)),
            Type::I64 => Number::Integer(i128::from(bits as i64)),
            _ => return Err(Error::wrong_type("the value is not a number")),
        })
    }

    /// A sum, and the code of its type in a map of mixed values.
    fn add(&self, value: Number, by: Number) -> Result<(Number, u32)> {
        let is_mixed = self.schema().value == Type::Mixed;
        let (sum, ty) = match (value, by) {
            (Number::Float(value), Number::Float(by)) => (Number::Float(value + by), Type::F64),
            (Number::Integer(value), Number::Integer(by)) => (Number::Integer(value + by), Type::I64),
            _ => return Err(Error::wrong_type("the increment must be of the value's kind of number")),
        };
        Ok((sum, if is_mixed { ty as u32 } else { 0 }))
    }

    /// The bits of a number as the map's value type.
    fn encode(&self, number: Number) -> Result<Value<'static>> {
        let out_of_range =
            || Error::range(format!("the sum {number:?} is outside the range of the value type"));
        let integer = |least: f64, most: f64| match number {
            Number::Float(sum) if sum >= least && sum <= most && sum.fract() == 0.0 => {
                Ok(Value::Narrow(sum as i64 as u32))
            }
            _ => Err(out_of_range()),
        };
        match (self.schema().value, number) {
            (Type::U8, _) => integer(0.0, 255.0),
            (Type::I8, _) => integer(-128.0, 127.0),
            (Type::U16, _) => integer(0.0, 65535.0),
            (Type::I16, _) => integer(-32768.0, 32767.0),
            (Type::U32, _) => integer(0.0, 4_294_967_295.0),
            (Type::I32, _) => integer(-2_147_483_648.0, 2_147_483_647.0),
            (Type::F32, Number::Float(sum)) => Ok(Value::Narrow((sum as f32).to_bits())),
            (Type::F64 | Type::Mixed, Number::Float(sum)) => Ok(Value::Wide(sum.to_bits())),
            (Type::U64, Number::Integer(sum)) => {
                u64::try_from(sum).map(Value::Wide).map_err(|_| out_of_range())
            }
            (Type::I64 | Type::Mixed, Number::Integer(sum)) => {
                i64::try_from(sum).map(|sum| Value::Wide(sum as u64)).map_err(|_| out_of_range())
            }
            _ => Err(Error::wrong_type("the values of this map are not numbers")),
        }
    }

    /// Removes all entries. Each shard is emptied on its own.
    pub fn clear(&self) -> Result<()> {
        for id in 0..self.geometry.shards() {
            let shard = self.shard(id);
            let _guard = self.lock(shard)?;
            for index in 0..self.buckets(shard) {
                let Some(home) = self.bucket_at(shard, index) else { continue };
                while let Some((place, reference)) = self.lanes(home).next() {
                    match super::entry::parse(self.words, &self.geometry, reference) {
                        Some(entry) => self.remove(shard, place, &entry, Event::Delete),
                        None => self.remove_lane(shard, place),
                    }
                }
            }
            while self.buckets(shard) > 1 {
                let before = self.buckets(shard);
                self.adjust_buckets(shard)?;
                if self.buckets(shard) == before {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Removes entries that have expired: of about `budget` buckets, or of all. Returns their
    /// number.
    pub fn purge_expired(&self, budget: usize, now: f64) -> Result<usize> {
        let shards = self.geometry.shards();
        let mut removed = 0;
        for id in 0..shards {
            let shard = self.shard(id);
            if self.words.load(shard.at + super::layout::shard::EXPIRING) == 0 {
                continue;
            }
            let mut left = self.buckets(shard).min(budget.div_ceil(shards).max(1));
            // In parts, so that others wait for microseconds only.
            while left > 0 {
                let part = left.min(16);
                left -= part;
                let _guard = self.lock(shard)?;
                removed += self.sweep(shard, part, now);
                self.adjust_buckets(shard)?;
            }
        }
        Ok(removed)
    }
}
