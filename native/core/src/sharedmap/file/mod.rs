//! A map in a file, which any number of processes open by path (`docs/formats/sharedmap.md`,
//! "Files").
//!
//! - [`MapFile::open`] finds or creates the file and checks it; the file appears complete or not at
//!   all.
//! - [`MapFile::map`] and [`MapFile::map_at`] bring it into memory: a [`SharedFile`], one for each
//!   process and opening. Every thread attaches to it ([`SharedFile::attach`]).
//! - `locks`: the locks that show which participants are alive, and the gate.
//! - `disk`: the bytes of the file: allocated before they are used, and returned.
//! - `attachment`: how an attachment begins and ends.
//!
//! **Descriptors.** Each opening has one for the mapping, and each attachment one of its own. A
//! lock belongs to an open file description, and a mapping keeps its description alive, so locks
//! need another one than the mapping. With a description for each attachment, its slot is free as
//! soon as it is closed, in whatever way its thread ended.
//!
//! **Fork.** A child can read through the memory that it inherits, and its changes are refused with
//! `Locked`: a participant belongs to one process. The descriptors with the locks are closed in the
//! child (`region::fork`), so that it does not keep the participants of a dead parent alive. The
//! child opens the file again to change it.
//!
//! **Gate.** An attachment locks one byte of the file while it begins or ends, so that the check
//! whether any participant is alive, and the changes that depend on it, are one step for all
//! others.
//!
//! **Power loss.** The control word `state` is 1 on the disk before the first change, and becomes 0
//! when the last participant has closed the map and everything is on the disk. A crash of processes
//! leaves it at 1, but loses nothing that the kernel has; so only another boot of the machine means
//! that pages may be missing.
//!
//! Cost: opening takes the same time for any size, unless the file is a copy of another one. The
//! first opening and the last closing wait for the disk, unless the file is on tmpfs.

#[cfg(target_os = "linux")]
mod attachment;
#[cfg(target_os = "linux")]
mod create;
#[cfg(target_os = "linux")]
mod disk;
#[cfg(target_os = "linux")]
mod locks;
#[cfg(not(target_os = "linux"))]
mod unsupported;

#[cfg(target_os = "linux")]
pub use self::attachment::SharedFile;
#[cfg(target_os = "linux")]
pub use self::create::MapFile;
#[cfg(not(target_os = "linux"))]
pub use self::unsupported::{MapFile, SharedFile};

use super::Options;
use super::repair::Repaired;
use crate::mmap::file::Mode;
use crate::region::element::Type;

/// How to open a file.
#[derive(Clone, Copy, Debug)]
pub struct OpenOptions {
    /// For reading, or also for changes.
    pub mode: Mode,
    /// The map to create if there is no file.
    pub create: Option<Options>,
    /// The type that the keys must have.
    pub key: Option<Type>,
    /// The type that the values must have.
    pub value: Option<Type>,
    /// The bound that the map must have.
    pub max_bytes: Option<u64>,
    /// Keep only entries whose checksums are right, instead of refusing a file that was open during
    /// a power loss.
    pub repair: bool,
}

impl OpenOptions {
    /// Opens an existing file, whatever the types are.
    #[must_use]
    pub fn new(mode: Mode) -> OpenOptions {
        OpenOptions { mode, create: None, key: None, value: None, max_bytes: None, repair: false }
    }
}

/// What opening a file did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// Whether the file was created.
    pub created: bool,
    /// The outcome of the repair, if one was asked for and this was the first attachment.
    pub repaired: Option<Repaired>,
}
