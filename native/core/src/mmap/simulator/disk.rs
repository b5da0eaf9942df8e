//! A disk that crashes on demand.
//!
//! [`Disk`] keeps synced bytes separate from bytes that were only written. A crash image gives each
//! cell of 8 bytes one of the values that it had since the last sync, chosen independently for each
//! cell: unsynced writes are dropped, reordered and torn more randomly than on any real disk. The
//! file's length is treated the same way. This is what POSIX guarantees about a file after a crash:
//! nothing, except for synced data.
//!
//! A killed process is different: everything that it wrote stays, synced or not.

use super::super::commit::DATA_OFFSET;
use super::super::storage::Storage;
use crate::{Error, ErrorKind, Result};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

const CELL: usize = 8;

#[derive(Clone, Default)]
struct Inner {
    /// The contents that the kernel shows.
    now: Vec<u8>,
    /// The contents that are certainly on the disk.
    synced: Vec<u8>,
    /// For each cell that was written since the last sync, its values, oldest first.
    dirty: BTreeMap<usize, Vec<[u8; CELL]>>,
    lengths: Vec<usize>,
    /// The number of the sync, from now on, that fails and has no effect.
    fail_in: Option<usize>,
    /// Or of the one after which some of the written cells are considered synced although they are
    /// not.
    lose_in: Option<(usize, u64)>,
    syncs: usize,
}

/// See the module's documentation. Clones refer to the same disk.
#[derive(Clone, Default)]
pub(super) struct Disk(Rc<RefCell<Inner>>);

impl Inner {
    fn cell(bytes: &[u8], cell: usize) -> [u8; CELL] {
        std::array::from_fn(|i| bytes.get(cell * CELL + i).copied().unwrap_or(0))
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) {
        let end = offset + bytes.len();
        if end > self.now.len() {
            self.resize(end);
        }
        self.now[offset..end].copy_from_slice(bytes);
        for cell in offset / CELL..end.div_ceil(CELL) {
            let value = Inner::cell(&self.now, cell);
            self.dirty.entry(cell).or_default().push(value);
        }
    }

    fn resize(&mut self, len: usize) {
        self.now.resize(len, 0);
        self.lengths.push(len);
    }
}

impl Disk {
    /// A disk with these bytes, all of them synced.
    pub(super) fn of(bytes: Vec<u8>) -> Disk {
        Disk(Rc::new(RefCell::new(Inner { now: bytes.clone(), synced: bytes, ..Inner::default() })))
    }

    /// A separate disk in the same state.
    pub(super) fn copy(&self) -> Disk {
        Disk(Rc::new(RefCell::new(self.0.borrow().clone())))
    }

    /// Stores an element through the mapping.
    pub(super) fn store(&self, index: u64, value: u64) {
        let offset = (DATA_OFFSET + index * 8) as usize;
        self.0.borrow_mut().write(offset, &value.to_le_bytes());
    }

    /// The element that the kernel shows.
    pub(super) fn element(&self, index: u64) -> u64 {
        let mut bytes = [0; 8];
        self.read_at(DATA_OFFSET + index * 8, &mut bytes).unwrap();
        u64::from_le_bytes(bytes)
    }

    /// Makes sync number `sync`, from now on, fail; `None` cancels this.
    pub(super) fn fail_in(&self, sync: Option<usize>) {
        let mut inner = self.0.borrow_mut();
        (inner.fail_in, inner.lose_in) = (sync, None);
    }

    /// Makes sync number `sync`, from now on, fail, and the kernel forget the cells that did not
    /// reach the disk, as Linux does. `bits` determines which cells reach it.
    pub(super) fn lose_in(&self, sync: usize, bits: u64) {
        self.0.borrow_mut().lose_in = Some((sync, bits));
    }

    /// Number of syncs.
    pub(super) fn syncs(&self) -> usize {
        self.0.borrow().syncs
    }

    /// The contents that are certainly on the disk.
    pub(super) fn synced(&self) -> Vec<u8> {
        self.0.borrow().synced.clone()
    }

    /// One possible state after a crash now. `choose(n)` returns a number below n.
    pub(super) fn image(&self, choose: &mut dyn FnMut(usize) -> usize) -> Vec<u8> {
        let inner = self.0.borrow();
        let mut image = inner.synced.clone();
        let at = choose(inner.lengths.len() + 1);
        if at > 0 {
            image.resize(inner.lengths[at - 1], 0);
        }
        for (&cell, values) in &inner.dirty {
            let at = choose(values.len() + 1);
            if at == 0 {
                continue;
            }
            let from = cell * CELL;
            let end = (from + CELL).min(image.len());
            if from < end {
                image[from..end].copy_from_slice(&values[at - 1][..end - from]);
            }
        }
        image
    }
}

impl Storage for Disk {
    fn len(&self) -> Result<u64> {
        Ok(self.0.borrow().now.len() as u64)
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> Result<()> {
        let inner = self.0.borrow();
        let from = offset as usize;
        let found = inner.now.get(from..from + bytes.len());
        bytes.copy_from_slice(found.ok_or_else(|| Error::new(ErrorKind::Io, "the end of the file"))?);
        Ok(())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.0.borrow_mut().write(offset as usize, bytes);
        Ok(())
    }

    fn allocate(&self, len: u64) -> Result<()> {
        let mut inner = self.0.borrow_mut();
        if len as usize > inner.now.len() {
            inner.resize(len as usize);
        }
        Ok(())
    }

    fn truncate(&self, len: u64) -> Result<()> {
        self.0.borrow_mut().resize(len as usize);
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        let mut inner = self.0.borrow_mut();
        if let Some(left) = &mut inner.fail_in {
            *left -= 1;
            if *left == 0 {
                inner.fail_in = None;
                return Err(Error::new(ErrorKind::Io, "the disk failed"));
            }
        }
        let mut arrive = u64::MAX;
        if let Some((left, bits)) = inner.lose_in {
            inner.lose_in = (left > 1).then_some((left - 1, bits));
            if left == 1 {
                arrive = bits;
            }
        }
        let Inner { now, synced, dirty, .. } = &mut *inner;
        synced.resize(now.len(), 0);
        for (number, (cell, _)) in std::mem::take(dirty).into_iter().enumerate() {
            let bytes = cell * CELL..(cell * CELL + CELL).min(now.len());
            if arrive >> (number % 64) & 1 != 0 && !bytes.is_empty() {
                synced[bytes.clone()].copy_from_slice(&now[bytes]);
            }
        }
        inner.lengths.clear();
        if arrive != u64::MAX {
            return Err(Error::new(ErrorKind::Io, "the disk failed"));
        }
        inner.syncs += 1;
        Ok(())
    }
}
