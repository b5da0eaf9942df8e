//! A window onto a file that grows with it.
//!
//! [`Window`] maps the bytes of a file from some offset on, shared with every other user of the
//! file. On Unix it reserves address space first, so growth maps more pages after the existing ones
//! and the base stays the same until the reservation is used up; on other systems each growth
//! creates a new mapping.
//!
//! | file | system | run there |
//! | --- | --- | --- |
//! | `unix.rs` | Linux, macOS, BSDs | Linux only |
//! | `portable.rs` | Windows and others, over `memmap2` | not run |

#[cfg(not(unix))]
mod portable;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub use portable::Window;
#[cfg(unix)]
pub use unix::Window;

/// The accesses that a window allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads. A store faults.
    Read,
    /// Reads; stores stay in this window, page by page. For memory to which others can store,
    /// although they should not.
    Private,
    /// Reads, and stores that reach the file, which was opened for writing.
    Write,
}

#[cfg(unix)]
impl Access {
    fn stores(self) -> bool {
        self != Access::Read
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use std::io::{Read, Seek, SeekFrom, Write};

    const OFFSET: u64 = 65_536;

    #[test]
    #[cfg_attr(miri, ignore = "maps files")]
    fn a_window_grows_and_its_stores_reach_the_file() {
        let mut file = tempfile::tempfile().unwrap();
        let mut window = Window::new(OFFSET, Access::Write).unwrap();
        assert_eq!(window.len(), 0);
        let mut written = 0u64;
        for len in [8u64, 4096, 4104, 1 << 20, 40 << 20] {
            file.set_len(OFFSET + len).unwrap();
            window.grow(&file, len as usize).unwrap();
            assert!(window.len() as u64 >= len && window.base().addr().is_multiple_of(64));
            // SAFETY: the range is within the window and the file.
            unsafe {
                while (written + 1) * 8 <= len {
                    window.base().cast::<u64>().add(written as usize).write(written ^ 0xABCD);
                    written += 1;
                }
            }
        }
        assert!(!window.is_lost());
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(OFFSET)).unwrap();
        file.read_to_end(&mut bytes).unwrap();
        let numbers: Vec<u64> =
            bytes.chunks_exact(8).map(|b| u64::from_le_bytes(b.try_into().unwrap())).collect();
        assert_eq!(numbers.len() as u64, written);
        assert!((0..written).all(|i| numbers[i as usize] == i ^ 0xABCD));
        // Writes to the file are also visible in the window.
        file.seek(SeekFrom::Start(OFFSET + 16)).unwrap();
        file.write_all(&7u64.to_le_bytes()).unwrap();
        // SAFETY: the range is within the window.
        assert_eq!(unsafe { window.base().cast::<u64>().add(2).read_volatile() }, 7);
    }

    #[cfg(unix)]
    #[test]
    #[cfg_attr(miri, ignore = "maps files")]
    fn growth_past_the_reservation_moves_the_window_and_keeps_its_contents() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(OFFSET + (4 << 20)).unwrap();
        let mut window = Window::with_reservation(OFFSET, Access::Write, 1 << 16).unwrap();
        window.grow(&file, 1 << 16).unwrap();
        // SAFETY: the byte is within the window.
        unsafe { window.base().add(9).write(42) };
        let before = window.base();
        window.grow(&file, 4 << 20).unwrap();
        assert_ne!(window.base(), before);
        // SAFETY: the bytes are within the window.
        unsafe {
            assert_eq!(window.base().add(9).read(), 42);
            window.base().add((4 << 20) - 1).write(1);
        }
        assert_eq!(window.grow(&file, usize::MAX / 2).unwrap_err().kind(), ErrorKind::Oom);
        // SAFETY: the byte is within the window, because a refused growth changes nothing.
        assert_eq!(unsafe { window.base().add(9).read() }, 42);
    }

    #[cfg(unix)]
    #[test]
    #[cfg_attr(miri, ignore = "maps files")]
    fn a_truncated_file_reads_as_zeros_and_is_marked_lost() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(OFFSET + (1 << 20)).unwrap();
        let mut window = Window::new(OFFSET, Access::Write).unwrap();
        window.grow(&file, 1 << 20).unwrap();
        // SAFETY: the byte is within the window.
        unsafe { window.base().add(1 << 19).write(42) };
        file.set_len(OFFSET).unwrap();
        // SAFETY: the bytes are within the window; pages past the end of the file are replaced by
        // zeros.
        unsafe {
            assert_eq!(window.base().add(1 << 19).read_volatile(), 0);
            window.base().add((1 << 20) - 1).write_volatile(3);
        }
        assert!(window.is_lost());
    }

    #[cfg(target_os = "linux")]
    #[test]
    #[cfg_attr(miri, ignore = "maps files")]
    fn a_refused_growth_leaves_the_pages_watched() {
        let named = tempfile::NamedTempFile::new().unwrap();
        let file = named.reopen().unwrap();
        file.set_len(OFFSET + (1 << 20)).unwrap();
        let mut window = Window::new(OFFSET, Access::Write).unwrap();
        window.grow(&file, 1 << 16).unwrap();
        // This one cannot be mapped for writing.
        let other = std::fs::File::open(named.path()).unwrap();
        assert_eq!(window.grow(&other, 1 << 20).unwrap_err().kind(), ErrorKind::Io);
        assert_eq!(window.len(), 1 << 16);
        file.set_len(OFFSET).unwrap();
        // SAFETY: the byte is within the window; pages past the end of the file are replaced by
        // zeros.
        assert_eq!(unsafe { window.base().read_volatile() }, 0);
        assert!(window.is_lost());
    }

    #[cfg(target_os = "linux")]
    #[test]
    #[cfg_attr(miri, ignore = "maps files")]
    fn a_thread_may_lose_pages_while_the_window_grows() {
        for _ in 0..2000 {
            let file = tempfile::tempfile().unwrap();
            file.set_len(OFFSET + (1 << 16)).unwrap();
            let mut window = Window::with_reservation(OFFSET, Access::Write, 1 << 20).unwrap();
            window.grow(&file, 1 << 12).unwrap();
            file.set_len(OFFSET).unwrap();
            let base = window.base().expose_provenance();
            let ready = std::sync::Barrier::new(2);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    ready.wait();
                    // SAFETY: the byte is within the window, whose base stays the same.
                    unsafe { std::ptr::with_exposed_provenance::<u8>(base).read_volatile() };
                });
                ready.wait();
                for pages in 2..10 {
                    window.grow(&file, pages << 12).unwrap();
                }
            });
            assert!(window.is_lost());
        }
    }
}
