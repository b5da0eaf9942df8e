//! Systems without the locks that a map in a file needs.

use super::{OpenOptions, Opened};
use crate::mmap::file::Mode;
use crate::sharedmap::{Geometry, Map};
use crate::{Error, Result};
use std::path::Path;
use std::sync::Arc;

/// The file of a map. It cannot be opened on this system.
#[derive(Debug)]
pub enum MapFile {}

/// A mapped file. It cannot be opened on this system.
#[derive(Debug)]
pub enum SharedFile {}

impl MapFile {
    /// `Unsupported`.
    pub fn open(path: &Path, _: &OpenOptions) -> Result<MapFile> {
        let path = path.display();
        Err(Error::unsupported(format!("cannot open {path}: maps in files require Linux")))
    }

    /// The number of bytes that are mapped.
    #[must_use]
    pub fn length(&self) -> usize {
        match *self {}
    }

    /// The types and sizes.
    #[must_use]
    pub fn geometry(&self) -> &Geometry {
        match *self {}
    }

    /// Maps the file into new address space.
    pub fn map(self) -> Result<Arc<SharedFile>> {
        match self {}
    }

    /// Maps the file at `base`.
    ///
    /// # Safety
    /// There is no value of this type.
    pub unsafe fn map_at(self, _: *mut u8, _: usize) -> Result<Arc<SharedFile>> {
        match self {}
    }
}

impl SharedFile {
    /// `None`.
    #[must_use]
    pub fn at(_: *const u8) -> Option<Arc<SharedFile>> {
        None
    }

    /// The address and the number of the bytes.
    #[must_use]
    pub fn bytes(&self) -> (*mut u8, usize) {
        match *self {}
    }

    /// The mode in which it was opened.
    #[must_use]
    pub fn mode(&self) -> Mode {
        match *self {}
    }

    /// What opening the file did.
    #[must_use]
    pub fn opened(&self) -> Opened {
        match *self {}
    }

    /// Attaches the calling thread.
    pub fn attach(self: &Arc<SharedFile>) -> Result<Map> {
        match **self {}
    }
}
