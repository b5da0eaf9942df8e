//! The locks of a file: one byte for each participant, and the gate.
//!
//! They are locks of an open file description (`F_OFD_SETLK`, Linux 3.15): the kernel releases them
//! when the process ends, in whatever way, and a waiter in another PID namespace sees them too.
//! Unlike classic POSIX locks, they are not lost when the process closes another descriptor of the
//! file. The bytes are past the end of any file, so they conflict with nothing else.

use crate::region::fork::Guarded;
use crate::{Error, ErrorKind, Result};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

/// The byte of slot 0.
const SLOTS: i64 = 1 << 62;
/// The byte of the gate.
const GATE: i64 = SLOTS - 1;

/// The locks of one attachment.
#[derive(Debug)]
pub(super) struct Locks(Guarded);

/// The gate, locked until this is dropped.
pub(super) struct Gate<'a>(&'a Locks);

impl Drop for Gate<'_> {
    fn drop(&mut self) {
        self.0.unlock(GATE);
    }
}

impl Locks {
    /// Locks through a description of their own: `file` has no other descriptor, and is not mapped.
    pub(super) fn new(file: File) -> Locks {
        Locks(Guarded::new(file))
    }

    /// The file.
    pub(super) fn file(&self) -> &File {
        &self.0
    }

    /// Whether this process opened the file, rather than one of its ancestors.
    #[inline]
    pub(super) fn is_own(&self) -> bool {
        self.0.is_own()
    }

    /// Locks the byte of a slot. `false` if another attachment has it.
    pub(super) fn claim(&self, slot: usize) -> Result<bool> {
        self.lock(SLOTS + slot as i64)
    }

    /// Unlocks the byte of a slot.
    pub(super) fn release(&self, slot: usize) {
        self.unlock(SLOTS + slot as i64);
    }

    /// Whether another attachment has locked the byte of a slot.
    pub(super) fn is_claimed(&self, slot: usize) -> Result<bool> {
        is_locked(self.file(), SLOTS + slot as i64, 1)
    }

    /// Waits for the gate, for at most `limit`. `None` if that did not suffice.
    pub(super) fn gate(&self, limit: Duration) -> Result<Option<Gate<'_>>> {
        let start = Instant::now();
        let mut pause = Duration::from_micros(50);
        // Not F_OFD_SETLKW: it could not be limited, and a stopped process may have the gate.
        while !self.lock(GATE)? {
            if start.elapsed() > limit {
                return Ok(None);
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(2));
        }
        Ok(Some(Gate(self)))
    }

    fn lock(&self, byte: i64) -> Result<bool> {
        let mut request = request(libc::F_WRLCK, byte, 1);
        loop {
            // SAFETY: the descriptor is open, and `request` is valid for the duration of the call.
            if unsafe { libc::fcntl(self.file().as_raw_fd(), libc::F_OFD_SETLK, &raw mut request) } == 0 {
                return Ok(true);
            }
            let error = io::Error::last_os_error();
            match error.raw_os_error() {
                Some(libc::EAGAIN | libc::EACCES) => return Ok(false),
                Some(libc::EINTR) => {}
                _ => return Err(refused(&error)),
            }
        }
    }

    fn unlock(&self, byte: i64) {
        if !self.is_own() {
            return;
        }
        let mut request = request(libc::F_UNLCK, byte, 1);
        // SAFETY: as in `lock`. Unlocking fails only for want of memory; the lock then ends with
        // the description.
        unsafe { libc::fcntl(self.file().as_raw_fd(), libc::F_OFD_SETLK, &raw mut request) };
    }
}

/// Whether any of the first `count` slots is locked by an attachment that uses another description
/// than `file`.
pub(super) fn any_claimed(file: &File, count: usize) -> Result<bool> {
    is_locked(file, SLOTS, count as i64)
}

fn is_locked(file: &File, byte: i64, count: i64) -> Result<bool> {
    let mut request = request(libc::F_WRLCK, byte, count);
    // SAFETY: the descriptor is open, and `request` is valid for the duration of the call.
    if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_GETLK, &raw mut request) } != 0 {
        return Err(refused(&io::Error::last_os_error()));
    }
    Ok(i32::from(request.l_type) != libc::F_UNLCK)
}

fn request(kind: i32, byte: i64, count: i64) -> libc::flock {
    // SAFETY: integers, for which all zeros are valid.
    let mut request: libc::flock = unsafe { std::mem::zeroed() };
    request.l_type = kind as libc::c_short;
    request.l_whence = libc::SEEK_SET as libc::c_short;
    request.l_start = byte;
    request.l_len = count;
    request
}

#[cold]
fn refused(error: &io::Error) -> Error {
    let unsupported = [libc::EINVAL, libc::ENOSYS, libc::EOPNOTSUPP, libc::ENOTTY, libc::EBADF].map(Some);
    if unsupported.contains(&error.raw_os_error()) {
        return Error::unsupported(format!(
            "the file system has no locks of open file descriptions, which a shared map needs: {error}"
        ));
    }
    Error::new(ErrorKind::Io, format!("cannot lock the file of a map: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "locks files")]
    fn a_slot_belongs_to_one_description_until_it_is_closed() {
        let named = tempfile::NamedTempFile::new().unwrap();
        let open = || Locks::new(File::options().read(true).write(true).open(named.path()).unwrap());
        let (first, second) = (open(), open());
        assert!(first.claim(3).unwrap() && !second.claim(3).unwrap() && second.claim(4).unwrap());
        assert!(second.is_claimed(3).unwrap() && !first.is_claimed(3).unwrap());
        assert!(any_claimed(second.file(), 4).unwrap() && !any_claimed(second.file(), 3).unwrap());
        drop(first);
        assert!(!second.is_claimed(3).unwrap() && second.claim(3).unwrap());
        second.release(3);
        assert!(open().claim(3).unwrap());
    }

    #[test]
    #[cfg_attr(miri, ignore = "locks files")]
    fn the_gate_is_waited_for_and_reopened() {
        let named = tempfile::NamedTempFile::new().unwrap();
        let open = || Locks::new(File::options().read(true).write(true).open(named.path()).unwrap());
        let (first, second) = (open(), open());
        let gate = first.gate(Duration::ZERO).unwrap().unwrap();
        assert!(second.gate(Duration::from_millis(1)).unwrap().is_none());
        drop(gate);
        assert!(second.gate(Duration::ZERO).unwrap().is_some());
    }

    #[test]
    #[cfg_attr(miri, ignore = "forks")]
    fn a_child_does_not_keep_the_locks_of_its_parent() {
        let named = tempfile::NamedTempFile::new().unwrap();
        let open = || Locks::new(File::options().read(true).write(true).open(named.path()).unwrap());
        let (parent, other) = (open(), open());
        assert!(parent.claim(0).unwrap());
        // SAFETY: the child only waits to be killed.
        let child = unsafe { libc::fork() };
        if child == 0 {
            loop {
                std::thread::sleep(Duration::from_secs(1));
            }
        }
        assert!(other.is_claimed(0).unwrap());
        drop(parent);
        // The handler of the child may not have run yet.
        let start = Instant::now();
        while other.is_claimed(0).unwrap() && start.elapsed() < Duration::from_secs(10) {
            std::thread::yield_now();
        }
        let is_claimed = other.is_claimed(0).unwrap();
        // SAFETY: the child of this test.
        unsafe {
            libc::kill(child, libc::SIGKILL);
            libc::waitpid(child, std::ptr::null_mut(), 0);
        }
        assert!(!is_claimed);
    }
}
