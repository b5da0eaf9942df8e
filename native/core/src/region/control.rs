//! How a long operation reports its progress, and receives the request to stop.
//!
//! A [`Control`] is in memory that two threads share: the one that works, and the one that waits.
//! Its layout is fixed, because the other side may be C or JavaScript (`oh_control`,
//! `src/region/background.ts`). Checking it costs a load, so workers check it once every few
//! thousand elements.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// The state of an operation that two threads share. It begins as zeros.
#[derive(Debug, Default)]
#[repr(C, align(8))]
pub struct Control {
    cancel: AtomicU32,
    reserved: AtomicU32,
    done: AtomicU64,
    total: AtomicU64,
}

impl Control {
    /// Requests the operation to stop soon, without any change.
    pub fn cancel(&self) {
        self.cancel.store(1, Relaxed);
    }

    /// Whether the operation was requested to stop.
    #[inline]
    #[must_use]
    pub fn is_canceled(&self) -> bool {
        self.cancel.load(Relaxed) != 0
    }

    /// The steps done, and all steps. Both are 0 until the operation has counted them.
    #[must_use]
    pub fn progress(&self) -> (u64, u64) {
        (self.done.load(Relaxed), self.total.load(Relaxed))
    }
}

/// The worker's side: a control, or none.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a>(Option<&'a Control>);

impl<'a> Progress<'a> {
    /// Progress that is not reported anywhere.
    pub const NONE: Progress<'static> = Progress(None);

    /// Reports to `control`, if there is one.
    #[must_use]
    pub fn new(control: Option<&'a Control>) -> Progress<'a> {
        Progress(control)
    }

    /// Sets the total number of steps.
    pub fn expect(self, total: u64) {
        if let Some(control) = self.0 {
            control.done.store(0, Relaxed);
            control.total.store(total, Relaxed);
        }
    }

    /// Adds `steps` to the steps done.
    ///
    /// # Errors
    /// [`Canceled`] if the operation was requested to stop.
    #[inline]
    pub fn advance(self, steps: usize) -> Result<(), Canceled> {
        let Some(control) = self.0 else { return Ok(()) };
        control.done.fetch_add(steps as u64, Relaxed);
        if control.is_canceled() { Err(Canceled) } else { Ok(()) }
    }
}

/// The operation was requested to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Canceled;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_add_up_until_the_operation_is_canceled() {
        let control = Control::default();
        let progress = Progress::new(Some(&control));
        progress.expect(10);
        progress.advance(3).unwrap();
        progress.advance(4).unwrap();
        assert_eq!(control.progress(), (7, 10));
        control.cancel();
        assert_eq!(progress.advance(1), Err(Canceled));
        assert_eq!(Progress::NONE.advance(1), Ok(()));
    }

    #[test]
    fn the_layout_is_that_of_oh_control() {
        assert_eq!((size_of::<Control>(), align_of::<Control>()), (24, 8));
        assert_eq!(std::mem::offset_of!(Control, done), 8);
        assert_eq!(std::mem::offset_of!(Control, total), 16);
    }
}
