//! The steps of the commit protocol that may seem unnecessary.
//!
//! Each guards against a rare crash. To show that the simulator finds that crash, a test can leave
//! out a step on its thread; outside of tests, [`Step::taken`] is constantly true.

/// A step of the protocol. A comment at its use explains it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Opening compares the tail of a record with its checksum.
    CheckTail,
    /// Opening for writing rewrites the record that was found, because the system may wrongly
    /// consider it written,
    RewriteFound,
    /// and syncs it.
    SyncFound,
    /// Opening for writing replaces a record that was rejected,
    ReplaceRejected,
    /// and syncs that.
    SyncReplacement,
    /// The elements of a commit that is too large to be checked are synced before its record is
    /// written.
    SyncLarge,
    /// A commit returns only after its record was synced.
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
