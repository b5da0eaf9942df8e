//! A mapped file, and how a thread attaches to it.

use super::locks::{Gate, Locks, any_claimed};
use super::{Opened, disk};
use crate::mmap::file::Mode;
use crate::mmap::mapping::Window;
use crate::region::memory::Memory;
use crate::sharedmap::Map;
use crate::sharedmap::layout::{Geometry, control, page, page::Use, shard};
use crate::sharedmap::participants::{self, Backing};
use crate::sharedmap::words::Words;
use crate::{Error, ErrorKind, Result, log};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

/// How long opening waits for another process that opens, repairs or closes the file.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long closing waits for it. Then the file is left in use, which is not wrong.
const CLOSING: Duration = Duration::from_millis(500);
/// No slot.
const NONE: usize = usize::MAX;

/// The files that are mapped in this process. Threads find them by the address of their bytes.
static MAPPED: Mutex<Vec<Weak<SharedFile>>> = Mutex::new(Vec::new());

/// A mapped file: one opening of this process, to which its threads attach.
pub struct SharedFile {
    window: Window,
    file: File,
    path: PathBuf,
    geometry: Geometry,
    mode: Mode,
    /// Whether the next attachment repairs the map.
    repair: AtomicBool,
    opened: Mutex<Opened>,
}

impl std::fmt::Debug for SharedFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedFile")
            .field("path", &self.path)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

impl SharedFile {
    pub(super) fn new(
        window: Window,
        file: File,
        path: PathBuf,
        geometry: Geometry,
        mode: Mode,
        repair: bool,
        created: bool,
    ) -> Result<Arc<SharedFile>> {
        let opened = Mutex::new(Opened { created, repaired: None });
        let repair = AtomicBool::new(repair);
        let shared = Arc::new(SharedFile { window, file, path, geometry, mode, repair, opened });
        let mut mapped = locked(&MAPPED);
        mapped.retain(|file| file.strong_count() > 0);
        mapped.try_reserve(1)?;
        mapped.push(Arc::downgrade(&shared));
        Ok(shared)
    }

    /// The file whose bytes start at an address, if one of its attachments, or its opening, is
    /// still open in this process.
    #[must_use]
    pub fn at(base: *const u8) -> Option<Arc<SharedFile>> {
        let found: Vec<_> = locked(&MAPPED).iter().filter_map(Weak::upgrade).collect();
        found.into_iter().find(|file| std::ptr::eq(file.window.base(), base))
    }

    /// The address and the number of the bytes.
    #[must_use]
    pub fn bytes(&self) -> (*mut u8, usize) {
        (self.window.base(), self.window.len())
    }

    /// The mode in which it was opened.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// What opening the file did, the repair by the first attachment included.
    #[must_use]
    pub fn opened(&self) -> Opened {
        *locked(&self.opened)
    }

    /// Attaches the calling thread, as a new participant if the file was opened for writing.
    ///
    /// `Corrupt` if the file was open during a power loss and is not to be repaired; `Full` if all
    /// participants' slots are in use; `Locked` if another process has been opening, repairing or
    /// closing the file for 30 seconds; `Unsupported` if the file system has no locks.
    pub fn attach(self: &Arc<SharedFile>) -> Result<Map> {
        let result = match self.check_length() {
            Err(error) => Err(error),
            Ok(()) if self.mode == Mode::Write => self.join(),
            Ok(()) => self.read(),
        };
        result.map_err(|error| disk::named(&self.path, &error))
    }

    fn check_length(&self) -> Result<()> {
        if !self.window.is_lost() && self.file.metadata()?.len() >= self.window.len() as u64 {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Io, "the file was truncated, or could not be read, while it was open"))
    }

    fn read(self: &Arc<SharedFile>) -> Result<Map> {
        let is_alive = any_claimed(&self.file, self.geometry.participants)?;
        self.check_state(self.words()?, is_alive)?;
        let attachment = Box::new(Attachment::new(self.clone(), Locks::new(self.reopen()?)));
        // SAFETY: the attachment keeps the bytes mapped; others access them as participants.
        unsafe { Map::attach_reader(self.window.base(), self.window.len(), attachment) }
    }

    fn join(self: &Arc<SharedFile>) -> Result<Map> {
        let attachment = Box::new(Attachment::new(self.clone(), Locks::new(self.reopen()?)));
        // The gate needs locks that live longer than the attachment's box is moved.
        let gates = Locks::new(self.reopen()?);
        let Some(_gate) = gates.gate(PATIENCE)? else {
            return Err(Error::new(ErrorKind::Locked, "another process is opening or closing the map"));
        };
        let words = self.words()?;
        let is_alive = any_claimed(gates.file(), self.geometry.participants)?;
        let repair = self.repair.swap(false, Ordering::Relaxed);
        let result = self.enter(words, is_alive, repair, attachment);
        if result.is_err() && repair {
            self.repair.store(true, Ordering::Relaxed);
        }
        result
    }

    /// Attaches while the gate is locked.
    fn enter(
        self: &Arc<SharedFile>,
        words: Words,
        is_alive: bool,
        repair: bool,
        attachment: Box<Attachment>,
    ) -> Result<Map> {
        if !repair {
            self.check_state(words, is_alive)?;
        }
        let boot = disk::boot();
        let is_clean = words.load(control::STATE) == 0;
        let is_same_boot = boot != 0 && words.load_double(control::BOOT) == boot;
        if !is_alive {
            self.prepare(words, repair && !is_same_boot && !is_clean)?;
        }
        let joined = attachment.joined.clone();
        // SAFETY: the attachment keeps the bytes mapped; others access them as participants.
        let map = unsafe { Map::attach(self.window.base(), self.window.len(), attachment) }?;
        if repair {
            let repaired = map.salvage()?;
            log::push(log::Event::Repair { kept: repaired.kept, lost: repaired.lost });
            locked(&self.opened).repaired = Some(repaired);
        }
        if is_clean || !is_same_boot {
            // After the repair: one that is cut off is repeated.
            words.store_double(control::BOOT, boot);
            words.release(control::STATE, 1);
            self.sync()?;
        }
        joined.store(true, Ordering::Relaxed);
        Ok(map)
    }

    /// Refuses a file that was open during a power loss.
    fn check_state(&self, words: Words, is_alive: bool) -> Result<()> {
        let state = words.acquire(control::STATE);
        let boot = disk::boot();
        if state == 0 || is_alive || (boot != 0 && words.load_double(control::BOOT) == boot) {
            return Ok(());
        }
        Err(Error::corrupt(
            "the map was open when the machine stopped, so entries may be incomplete; \
             open it with repair to keep those that are not",
        ))
    }

    /// Prepares a file that no one else uses. `reset`: forgets everything that the words say about
    /// changes in progress, because they may never have been on the disk together.
    fn prepare(&self, words: Words, reset: bool) -> Result<()> {
        let geometry = &self.geometry;
        for slot in 0..geometry.participants {
            // Locks keep the generation of their dead holder, which is not that of a free slot.
            words.store(participants::at(geometry, slot), 0);
        }
        words.store(control::EVENTS, 0);
        if reset {
            for word in [control::SNAPSHOT, control::BIG_LOCK, control::COMMIT] {
                words.store(word, 0);
            }
            for id in 0..geometry.shards() {
                words.store(geometry.shards_at + id * geometry.shard_stride + shard::LOCK, 0);
            }
        }
        let identity = disk::identity(&self.file);
        if words.load_double(control::FILE) != identity {
            self.fill_holes(words)?;
            words.store_double(control::FILE, identity);
        }
        Ok(())
    }

    /// Allocates the bytes of the tables and of all pages in use: a copy of the file may have holes
    /// where the original has zeros. On tmpfs this takes 40 ms for 1 GiB.
    fn fill_holes(&self, words: Words) -> Result<()> {
        let geometry = &self.geometry;
        let (mut start, mut end) = (0, geometry.fixed_bytes());
        for page in 0..geometry.pages {
            let entry = geometry.page_table_at + page * page::WORDS;
            if words.load(entry) == Use::Free as u32 {
                continue;
            }
            let at = geometry.fixed_bytes() + ((page as u64) << geometry.page_shift);
            if at != end {
                disk::try_allocate(&self.file, start, end - start)?;
                start = at;
            }
            end = at + (1 << geometry.page_shift);
        }
        // Where that is not supported, a full disk is noticed as lost bytes.
        disk::try_allocate(&self.file, start, end - start)?;
        Ok(())
    }

    fn words(&self) -> Result<Words> {
        // SAFETY: the window exists as long as `self`, of which no copy of the result outlives an
        // attachment; it is writable in the mode in which anything is stored.
        let memory = unsafe { Memory::new(self.window.base(), self.window.len()) }?;
        // SAFETY: as above; all participants use atomics.
        Ok(unsafe { Words::new(memory) })
    }

    /// Another description of the same file, even if it was renamed or removed.
    fn reopen(&self) -> Result<File> {
        let mut options = File::options();
        options.read(true).write(self.mode == Mode::Write).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
        if let Ok(file) = options.open(format!("/proc/self/fd/{}", self.file.as_raw_fd())) {
            return Ok(file);
        }
        // Without /proc, or at the limit of descriptors, whose error is that of the second attempt.
        let file = options.open(&self.path)?;
        let (here, there) = (self.file.metadata()?, file.metadata()?);
        if (here.dev(), here.ino()) != (there.dev(), there.ino()) {
            return Err(Error::new(ErrorKind::Io, "the file was replaced after it was opened"));
        }
        Ok(file)
    }

    /// Waits until everything is on the disk.
    fn sync(&self) -> Result<()> {
        if !disk::is_volatile(&self.file) {
            self.window.sync()?;
            self.file.sync_data()?;
        }
        Ok(())
    }
}

/// The backing of one attachment.
struct Attachment {
    shared: Arc<SharedFile>,
    locks: Locks,
    /// The slot of this attachment, or [`NONE`].
    slot: AtomicUsize,
    /// Whether attaching has finished, so that giving up the slot is the end of the attachment.
    joined: Arc<AtomicBool>,
}

impl Attachment {
    fn new(shared: Arc<SharedFile>, locks: Locks) -> Attachment {
        Attachment { shared, locks, slot: AtomicUsize::new(NONE), joined: Arc::default() }
    }

    /// If this was the last participant, everything is written to the disk, and the file is clean.
    fn finish(&self, slot: usize, _gate: &Gate<'_>) -> Result<()> {
        self.locks.release(slot);
        let shared = &self.shared;
        let is_used = any_claimed(self.locks.file(), shared.geometry.participants)?;
        if is_used || shared.window.is_lost() {
            return Ok(());
        }
        shared.sync()?;
        shared.words()?.release(control::STATE, 0);
        shared.sync()
    }
}

impl Backing for Attachment {
    fn claim(&self, slot: usize) -> Result<bool> {
        let claimed = self.locks.claim(slot)?;
        if claimed {
            self.slot.store(slot, Ordering::Relaxed);
        }
        Ok(claimed)
    }

    fn release(&self, slot: usize) {
        self.slot.store(NONE, Ordering::Relaxed);
        if self.joined.load(Ordering::Relaxed)
            && let Ok(Some(gate)) = self.locks.gate(CLOSING)
        {
            // A file that could not be written to the disk stays in use, which is true.
            self.finish(slot, &gate).ok();
        }
        self.locks.release(slot);
    }

    fn is_alive(&self, slot: usize) -> bool {
        // One's own locks do not conflict with oneself. If the system does not answer, no lock is
        // taken over.
        slot == self.slot.load(Ordering::Relaxed) || self.locks.is_claimed(slot).unwrap_or(true)
    }

    #[inline]
    fn check(&self) -> Result<()> {
        if self.locks.is_own() && !self.shared.window.is_lost() { Ok(()) } else { Err(self.refused()) }
    }

    fn allocate(&self, offset: u64, length: u64) -> Result<()> {
        disk::allocate(self.locks.file(), offset, length)
    }

    fn discard(&self, offset: u64, length: u64) {
        disk::punch(self.locks.file(), offset, length);
    }
}

impl Attachment {
    #[cold]
    fn refused(&self) -> Error {
        let path = self.shared.path.display();
        if self.locks.is_own() {
            Error::new(
                ErrorKind::Io,
                format!("{path} was truncated, or could not be read, while it was open"),
            )
        } else {
            Error::new(
                ErrorKind::Locked,
                format!("{path} was opened by the parent of this process: open it again here"),
            )
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
