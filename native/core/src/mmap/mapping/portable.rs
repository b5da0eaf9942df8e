//! The window for systems on which address space cannot be reserved in pieces: each growth creates
//! a new mapping.
//!
//! Written for Windows; checked by its compiler (`cargo check --target x86_64-pc-windows-gnu`), not
//! run there.

use super::Access;
use crate::{Error, ErrorKind, Result};
use memmap2::{MmapOptions, MmapRaw};
use std::fs::File;
use std::sync::atomic::AtomicI32;

/// The bytes of a file from `offset` on. See `mapping/mod.rs`.
#[derive(Debug)]
pub struct Window {
    pages: Option<MmapRaw>,
    len: usize,
    offset: u64,
    access: Access,
    status: AtomicI32,
}

impl Window {
    /// An empty window onto a file from `offset` on.
    pub fn new(offset: u64, access: Access) -> Result<Window> {
        Ok(Window { pages: None, len: 0, offset, access, status: AtomicI32::new(0) })
    }

    /// Never supported: foreign address space cannot be mapped over.
    ///
    /// # Safety
    /// There are no preconditions.
    pub unsafe fn within(_base: *mut u8, _reserved: usize, _offset: u64, _access: Access) -> Result<Window> {
        Err(Error::unsupported("files cannot be mapped into foreign memory on this system"))
    }

    /// The status word that [`Window::is_lost`] reads.
    #[must_use]
    pub fn status(&self) -> &AtomicI32 {
        &self.status
    }

    /// The first byte; valid for [`Window::len`] bytes until the window grows or is dropped.
    #[must_use]
    pub fn base(&self) -> *mut u8 {
        self.pages.as_ref().map_or(std::ptr::NonNull::<u64>::dangling().as_ptr().cast(), MmapRaw::as_mut_ptr)
    }

    /// Bytes that can be used.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is mapped yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Always false: a mapped file cannot be truncated on these systems.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        false
    }

    /// Extends the window to `len` bytes; a shorter length changes nothing. The file must have that
    /// many bytes.
    pub fn grow(&mut self, file: &File, len: usize) -> Result<()> {
        if len <= self.len {
            return Ok(());
        }
        let mut options = MmapOptions::new();
        options.offset(self.offset).len(len);
        let pages = match self.access {
            Access::Read => options.map_raw_read_only(file),
            // SAFETY: the bytes are accessed through raw pointers only, whose users ensure
            // validity.
            Access::Private => unsafe { options.map_copy(file) }.map(MmapRaw::from),
            Access::Write => options.map_raw(file),
        };
        let pages = pages
            .map_err(|error| Error::new(ErrorKind::Oom, format!("the file cannot be mapped: {error}")))?;
        self.pages = Some(pages);
        self.len = len;
        Ok(())
    }

    /// Writes stores back to the file.
    pub fn sync(&self) -> Result<()> {
        match &self.pages {
            Some(pages) if self.access == Access::Write => Ok(pages.flush()?),
            _ => Ok(()),
        }
    }
}
