//! One writer for each file.
//!
//! The lock is advisory and belongs to the open file, not to the process (`flock` on Unix,
//! `LockFileEx` on Windows, both through the standard library): a second handle is refused in the
//! same process as in any other, and the system releases the lock when its process ends.
//!
//! **Fork.** A child inherits the open file, and the lock with it, and would write concurrently
//! with its parent. A lock therefore records the fork count of its process when it was taken: in
//! the child the count differs, and [`WriterLock::check`] refuses. This costs one load.

use crate::region::fork;
use crate::{Error, ErrorKind, Result};
use std::fs::{File, TryLockError};
use std::path::Path;

/// The right to write to a file, as long as the open file on which it was taken stays open.
#[derive(Debug)]
pub struct WriterLock {
    forks: u32,
}

impl WriterLock {
    /// Takes the lock. `Locked` if another handle has it.
    pub fn take(file: &File, path: &Path) -> Result<WriterLock> {
        let forks = fork::count();
        match file.try_lock() {
            Ok(()) => Ok(WriterLock { forks }),
            Err(TryLockError::WouldBlock) => {
                Err(Error::new(ErrorKind::Locked, format!("{} is already open for writing", path.display())))
            }
            Err(TryLockError::Error(error)) => {
                let error = Error::from(error);
                Err(Error::new(error.kind(), format!("cannot lock {}: {}", path.display(), error.message())))
            }
        }
    }

    /// Refuses, with `Locked`, in a child of the process that took the lock.
    #[inline]
    pub fn check(&self) -> Result<()> {
        if self.forks == fork::current() { Ok(()) } else { Err(inherited()) }
    }
}

#[cold]
fn inherited() -> Error {
    Error::new(ErrorKind::Locked, "this file was opened for writing by the parent of this process")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_handle_is_refused_until_the_first_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let first = File::create(&path).unwrap();
        let lock = WriterLock::take(&first, &path).unwrap();
        lock.check().unwrap();
        let second = File::open(&path).unwrap();
        let error = WriterLock::take(&second, &path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Locked);
        assert!(error.message().contains("file"), "{error}");
        drop(first);
        WriterLock::take(&second, &path).unwrap();
    }

    #[cfg(unix)]
    #[test]
    #[cfg_attr(miri, ignore = "forks")]
    fn a_child_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let file = File::create(&path).unwrap();
        let lock = WriterLock::take(&file, &path).unwrap();
        // SAFETY: the child only loads an atomic and exits.
        let status = unsafe {
            let child = libc::fork();
            if child == 0 {
                let locked = matches!(lock.check(), Err(error) if error.kind() == ErrorKind::Locked);
                libc::_exit(i32::from(!locked));
            }
            let mut status = -1;
            libc::waitpid(child, &raw mut status, 0);
            status
        };
        assert_eq!(status, 0);
        lock.check().unwrap();
    }
}
