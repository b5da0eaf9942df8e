//! Interned strings: each is stored once in the heap, and keys and values refer to it by its id.

use super::layout::{FREE_REF, word};
use super::raw::RawArena;
use super::write::RawArenaMut;
use crate::region::element::Type;
use crate::table::blob::{Blob, size_of_blob};
use crate::table::group::Native;
use crate::table::hash::tag;
use crate::{Error, Result};

impl RawArena {
    /// String ids ever used.
    #[inline(always)]
    pub(super) fn ids_used(&self) -> u32 {
        self.memory.word(word::IDS_USED).min(self.shape.ids)
    }

    /// Number of strings.
    #[inline]
    #[must_use]
    pub fn strings(&self) -> u32 {
        self.memory.word(word::STRINGS)
    }

    #[inline(always)]
    pub(super) fn ref_of(&self, id: u32) -> u32 {
        assert!(id < self.shape.ids, "there is no string {id}");
        // SAFETY: the section has a word for each id below the capacity.
        unsafe { self.memory.load_u32(self.layout.refs + id as usize * 4) }
    }

    /// The head word and the bytes of the blob at a ref; `None` if it is not entirely within the
    /// heap.
    ///
    /// # Safety
    /// While `'a` lasts, the region's memory stays valid and the arena is not rebuilt.
    #[inline]
    pub(super) unsafe fn blob<'a>(&self, reference: u32) -> Option<(u32, &'a [u8])> {
        let at = u64::from(reference) * 4;
        if at + 4 > self.shape.heap {
            return None;
        }
        // SAFETY: the word is within the heap, which is within the memory.
        let head = unsafe { self.memory.load_u32(self.layout.heap + at as usize) };
        if at + size_of_blob(head) > self.shape.heap {
            return None;
        }
        // SAFETY: the bytes are also within the heap, and stay valid for `'a`, guaranteed by the
        // caller.
        let bytes = unsafe {
            std::slice::from_raw_parts(
                self.memory.at(self.layout.heap + at as usize + 4),
                (head >> 2) as usize,
            )
        };
        Some((head, bytes))
    }

    /// The bytes (UTF-8, or WTF-8 if it has lone surrogates) of a string; `None` for an invalid id.
    ///
    /// # Safety
    /// While `'a` lasts, the region's memory stays valid and the arena is not rebuilt.
    #[must_use]
    pub unsafe fn string<'a>(&self, id: u32) -> Option<&'a [u8]> {
        if !self.has_string(id.into()) {
            return None;
        }
        // SAFETY: the memory stays valid for `'a`, guaranteed by the caller.
        unsafe { self.blob(self.ref_of(id)) }.map(|(_, bytes)| bytes)
    }

    /// Rejects bits of a string key or value that are not the id of a string.
    #[inline(always)]
    pub(super) fn check_string(&self, ty: Type, bits: u64) -> Result<()> {
        if ty != Type::String || self.has_string(bits) {
            return Ok(());
        }
        Err(Error::stale(format!("invalid or stale string id: {bits}")))
    }

    fn has_string(&self, bits: u64) -> bool {
        u32::try_from(bits).is_ok_and(|id| id < self.ids_used() && self.ref_of(id) & FREE_REF == 0)
    }

    /// The id of a string, if it is in the arena.
    #[must_use]
    pub fn find_string(&self, text: Blob<'_>) -> Option<u32> {
        self.find_hashed(text, self.seeds.blob(text.content()))
    }

    fn find_hashed(&self, text: Blob<'_>, hash: u32) -> Option<u32> {
        if self.shape.ids == 0 {
            return None;
        }
        let used = self.ids_used();
        let same = |id: u32| {
            // SAFETY: the bytes are compared immediately and not kept.
            id < used && unsafe { self.blob(self.ref_of(id)) } == Some((text.head(), text.content()))
        };
        self.string_index.find::<Native>(self.string_home.of(hash), tag(hash), same).map(|(_, id)| id)
    }
}

impl RawArenaMut {
    #[inline(always)]
    pub(super) fn set_ref(&mut self, id: u32, reference: u32) {
        assert!(id < self.shape.ids, "there is no string {id}");
        // SAFETY: the section has a word for each id below the capacity; this is the only writer.
        unsafe { self.memory.store_u32(self.layout.refs + id as usize * 4, reference) };
    }

    /// The id of a string, which is added if it is not in the arena. `None` if there is no room.
    pub fn intern(&mut self, text: Blob<'_>) -> Result<Option<u32>> {
        if !self.shape.has_strings() {
            return Err(Error::wrong_type("this arena has no strings"));
        }
        let hash = self.seeds.blob(text.content());
        if let Some(id) = self.find_hashed(text, hash) {
            return Ok(Some(id));
        }
        let (free, used) = (self.memory.word(word::FREE_ID), self.ids_used());
        let heap_used = self.memory.double_word(word::HEAP_USED);
        let size = text.heap_bytes();
        if (free == 0 && used == self.shape.ids) || heap_used.saturating_add(size) > self.shape.heap {
            return Ok(None);
        }
        let id = if free == 0 { used } else { free - 1 };
        let next = if free == 0 { 0 } else { self.ref_of(id) };
        if free != 0 && (id >= used || next & FREE_REF == 0 || next & !FREE_REF > used) {
            return Err(Error::corrupt("the free list of the arena's strings contains an invalid id"));
        }
        let home = self.string_home.of(hash);
        let Some(lane) = self.string_index.first_empty::<Native>(home) else {
            return Err(Error::corrupt("the index of the arena's strings has no empty lane"));
        };
        // SAFETY: the heap has room; this is the only writer.
        unsafe {
            let at = self.layout.heap + heap_used as usize;
            self.memory.store_u32(at, text.head());
            let bytes = self.memory.at(at + 4);
            std::ptr::copy(text.content().as_ptr(), bytes, text.content().len());
            bytes.add(text.content().len()).write_bytes(0, text.content().len().wrapping_neg() % 4);
            self.memory.set_double_word(word::HEAP_USED, heap_used + size);
        }
        if free != 0 {
            self.set_word(word::FREE_ID, next & !FREE_REF);
        }
        self.set_ref(id, (heap_used / 4) as u32);
        if free == 0 {
            self.set_word(word::IDS_USED, used + 1);
        }
        // SAFETY: this is the only writer.
        unsafe {
            self.string_index.adjust_overflow(home, lane, true);
            self.string_index.set(lane, tag(hash), id);
        }
        self.set_word(word::STRINGS, (self.memory.word(word::STRINGS) + 1).min(self.shape.ids));
        Ok(Some(id))
    }
}
