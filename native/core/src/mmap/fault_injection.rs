//! The steps of the commit protocol that look as if they could be left out.
//!
//! Each is there for a crash that is rare. So that one can see the simulator find that crash, a
//! test can have a step left out on its thread; outside of tests [`Step::taken`] is constantly
//! true.

/// A step. Where it stands, a comment says what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Opening compares the tail of a record with its checksum.
    CheckTail,
    /// Whoever will write stores what was found once more, for the system may wrongly take it for
    /// written,
    StoreAnew,
    /// and syncs it.
    SyncFound,
    /// It puts a record of its own in the place of one that was refused,
    Mend,
    /// and syncs that.
    SyncMended,
    /// The elements of a commit too large to be checked are synced before its record is written.
    SyncLarge,
    /// A commit returns after its record was synced.
    SyncRecord,
}

impl Step {
    #[cfg(not(test))]
    #[inline(always)]
    pub(super) const fn taken(self) -> bool {
        let _ = self;
        true
    }

    #[cfg(test)]
    pub(super) fn taken(self) -> bool {
        LEFT_OUT.get() != Some(self)
    }
}

#[cfg(test)]
thread_local! {
    /// The step that this thread leaves out.
    pub(super) static LEFT_OUT: std::cell::Cell<Option<Step>> = const { std::cell::Cell::new(None) };
}
