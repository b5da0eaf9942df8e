//! The window where address space can not be reserved in pieces: each growth maps the file anew.
//!
//! Written for Windows; checked by its compiler (`cargo check --target x86_64-pc-windows-gnu`), not
//! run there.

use super::Access;
use crate::{Error, ErrorKind, Result};
use memmap2::{MmapOptions, MmapRaw};
use std::fs::File;
use std::sync::atomic::AtomicI32;

/// The bytes of a file from `offset` on. See the head of `mapping/mod.rs`.
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

    /// Never here: address space of someone else's can not be mapped over.
    ///
    /// # Safety
    /// None is needed.
    pub unsafe fn within(_base: *mut u8, _reserved: usize, _offset: u64, _access: Access) -> Result<Window> {
        Err(Error::unsupported("files can not be laid into memory of someone else's on this system"))
    }

    /// The word behind [`Window::is_lost`].
    #[must_use]
    pub fn status(&self) -> &AtomicI32 {
        &self.status
    }

    /// The first byte; valid for [`Window::len`] bytes until the window grows, or goes.
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

    /// Never: here a mapped file can not be cut short.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        false
    }

    /// Makes the window `len` bytes long; a shorter length changes nothing. The file must have
    /// them.
    pub fn grow(&mut self, file: &File, len: usize) -> Result<()> {
        if len <= self.len {
            return Ok(());
        }
        let mut options = MmapOptions::new();
        options.offset(self.offset).len(len);
        let pages = match self.access {
            Access::Read => options.map_raw_read_only(file),
            // SAFETY: the bytes are reached through raw pointers, for which the window's users
            // answer.
            Access::Private => unsafe { options.map_copy(file) }.map(MmapRaw::from),
            Access::Write => options.map_raw(file),
        };
        let pages = pages
            .map_err(|error| Error::new(ErrorKind::Oom, format!("the file can not be mapped: {error}")))?;
        self.pages = Some(pages);
        self.len = len;
        Ok(())
    }

    /// Has the stores reach the file.
    pub fn sync(&self) -> Result<()> {
        match &self.pages {
            Some(pages) if self.access == Access::Write => Ok(pages.flush()?),
            _ => Ok(()),
        }
    }
}
