//! Forks of the process: how a child notices that it is one, and does not keep what belongs to its
//! parent.
//!
//! A child inherits open files, with their locks, and shared memory. An object that only one
//! process may use therefore records [`count`] when it is made: in a child the count differs.
//!
//! A lock of an open file description ends when the last descriptor that refers to it is closed. A
//! child would keep the locks of its parent alive, even if the parent terminated. So descriptors in
//! a [`Guarded`] are closed in every child, by a handler that `fork` calls. Children that are made
//! without it (`vfork`, `posix_spawn`) call `exec`, which closes them as well.
//!
//! Cost: a load for each check. There are at most [`GUARDED`] guarded descriptors; further ones are
//! inherited until the child calls `exec` or ends.

use std::fs::File;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::sync::Once;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};

/// The number of forks that led to this process, since the first call of [`count`].
static FORKS: AtomicU32 = AtomicU32::new(0);
/// Descriptors to close in a child; −1 for none.
static DESCRIPTORS: [AtomicI32; GUARDED] = [const { AtomicI32::new(-1) }; GUARDED];
/// The number of descriptors that can be guarded.
const GUARDED: usize = 4096;

/// The number of forks that led to this process. It stays the same, except in children.
pub fn count() -> u32 {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        #[cfg(unix)]
        {
            extern "C" fn in_child() {
                FORKS.fetch_add(1, Ordering::Relaxed);
                for descriptor in &DESCRIPTORS {
                    let descriptor = descriptor.swap(-1, Ordering::Relaxed);
                    if descriptor >= 0 {
                        // SAFETY: the child's copy of a descriptor whose owner does not close it in
                        // a child (`Guarded`). The call is async-signal-safe.
                        unsafe { libc::close(descriptor) };
                    }
                }
            }
            // SAFETY: the handler accesses atomics and closes descriptors only. Registering it
            // fails only without memory, and then forks are not detected, as without it.
            unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
        }
    });
    current()
}

/// The same, in a load, if [`count`] was called before.
#[inline]
pub fn current() -> u32 {
    FORKS.load(Ordering::Relaxed)
}

/// An open file that children do not inherit.
#[derive(Debug)]
pub struct Guarded {
    file: ManuallyDrop<File>,
    forks: u32,
    place: Option<usize>,
}

impl Guarded {
    /// Takes over the file.
    #[must_use]
    pub fn new(file: File) -> Guarded {
        let forks = count();
        #[cfg(unix)]
        let place = {
            use std::os::fd::AsRawFd;
            let number = file.as_raw_fd();
            DESCRIPTORS.iter().position(|descriptor| {
                descriptor.compare_exchange(-1, number, Ordering::Relaxed, Ordering::Relaxed).is_ok()
            })
        };
        #[cfg(not(unix))]
        let place = None;
        Guarded { file: ManuallyDrop::new(file), forks, place }
    }

    /// Whether this process opened the file, rather than one of its ancestors.
    #[inline]
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.forks == current()
    }
}

impl Deref for Guarded {
    type Target = File;

    fn deref(&self) -> &File {
        &self.file
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        if !self.is_own() {
            // Closed already, and its number may belong to another file.
            return;
        }
        if let Some(place) = self.place {
            // Before it is closed: a child that is made in between inherits it, which is harmless.
            DESCRIPTORS[place].store(-1, Ordering::Relaxed);
        }
        // SAFETY: the file is not used again.
        unsafe { ManuallyDrop::drop(&mut self.file) };
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;

    #[test]
    #[cfg_attr(miri, ignore = "forks")]
    fn a_child_does_not_inherit_guarded_files() {
        let guarded = Guarded::new(tempfile::tempfile().unwrap());
        let plain = tempfile::tempfile().unwrap();
        let is_open = |file: &File| {
            // SAFETY: the call accesses no memory.
            unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETFD) >= 0 }
        };
        assert!(guarded.is_own() && is_open(&guarded) && is_open(&plain));
        // SAFETY: the child makes system calls and exits.
        let status = unsafe {
            let child = libc::fork();
            if child == 0 {
                let right = !guarded.is_own() && !is_open(&guarded) && is_open(&plain);
                libc::_exit(i32::from(!right));
            }
            let mut status = -1;
            libc::waitpid(child, &raw mut status, 0);
            status
        };
        assert_eq!(status, 0);
        assert!(guarded.is_own() && is_open(&guarded));
    }
}
