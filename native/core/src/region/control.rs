//! How a long operation tells how far it has come, and learns that it is to stop.
//!
//! A [`Control`] lies in memory that two threads share: the one that works, and the one that waits.
//! Its layout is fixed, because the other side may be C or JavaScript (`oh_control`,
//! `src/region/background.ts`). Looking at it costs a load, so workers look once for each few
//! thousand elements.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// What two threads tell each other about an operation. All zero is the beginning.
#[derive(Debug, Default)]
#[repr(C, align(8))]
pub struct Control {
    cancel: AtomicU32,
    reserved: AtomicU32,
    done: AtomicU64,
    total: AtomicU64,
}

impl Control {
    /// Asks the operation to stop soon, with nothing changed.
    pub fn cancel(&self) {
        self.cancel.store(1, Relaxed);
    }

    /// Whether someone asked.
    #[inline]
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancel.load(Relaxed) != 0
    }

    /// Steps done, and steps in all. Both are 0 before the operation has counted them.
    #[must_use]
    pub fn progress(&self) -> (u64, u64) {
        (self.done.load(Relaxed), self.total.load(Relaxed))
    }
}

/// The worker's end: a control, or none.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a>(Option<&'a Control>);

impl<'a> Progress<'a> {
    /// Nobody watches.
    pub const NONE: Progress<'static> = Progress(None);

    /// Someone may.
    #[must_use]
    pub fn new(control: Option<&'a Control>) -> Progress<'a> {
        Progress(control)
    }

    /// Says how many steps there are in all.
    pub fn expect(self, total: u64) {
        if let Some(control) = self.0 {
            control.done.store(0, Relaxed);
            control.total.store(total, Relaxed);
        }
    }

    /// Says that so many more steps were done.
    ///
    /// # Errors
    /// [`Cancelled`] if the operation is to stop.
    #[inline]
    pub fn advance(self, steps: usize) -> Result<(), Cancelled> {
        let Some(control) = self.0 else { return Ok(()) };
        control.done.fetch_add(steps as u64, Relaxed);
        if control.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }
}

/// The operation was asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancelled;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_add_up_until_someone_cancels() {
        let control = Control::default();
        let progress = Progress::new(Some(&control));
        progress.expect(10);
        progress.advance(3).unwrap();
        progress.advance(4).unwrap();
        assert_eq!(control.progress(), (7, 10));
        control.cancel();
        assert_eq!(progress.advance(1), Err(Cancelled));
        assert_eq!(Progress::NONE.advance(1), Ok(()));
    }

    #[test]
    fn the_layout_is_the_one_that_others_know() {
        assert_eq!((size_of::<Control>(), align_of::<Control>()), (24, 8));
        assert_eq!(std::mem::offset_of!(Control, done), 8);
        assert_eq!(std::mem::offset_of!(Control, total), 16);
    }
}
