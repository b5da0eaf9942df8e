//! How memory and files will be accessed: strategies, patterns and advice.

use offheap_core::mmap::strategy::{Pattern, Strategy, Thresholds};
use offheap_core::region::advise::Advice;
use offheap_core::{Error, Result};

/// How the bytes of a file are accessed.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum oh_strategy {
    /// Read into memory when the file is opened: for small files.
    OH_STRATEGY_BUFFERED = 0,
    /// Mapped.
    OH_STRATEGY_MMAP = 1,
    /// Mapped with huge pages: hugetlbfs, or tmpfs mounted with `huge=`.
    OH_STRATEGY_HUGEPAGE = 2,
    /// Read into memory whatever the size, so that a later truncation has no effect.
    OH_STRATEGY_COPY = 3,
    /// In options: choose by the size of the file.
    OH_STRATEGY_AUTO = 4,
}

/// The expected access pattern.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum oh_pattern {
    /// Unknown.
    OH_PATTERN_UNKNOWN = 0,
    /// From front to back.
    OH_PATTERN_SEQUENTIAL = 1,
    /// Random accesses.
    OH_PATTERN_RANDOM = 2,
    /// Sequential runs at random places.
    OH_PATTERN_MIXED = 3,
}

/// Advice of `oh_region_advise`: use huge pages. This reduces TLB misses of random accesses, but
/// allocates memory in large units (2 MiB on x86-64).
pub const OH_ADVICE_HUGE_PAGES: u32 = 1;
/// Advice of `oh_region_advise`: use small pages only.
pub const OH_ADVICE_SMALL_PAGES: u32 = 2;
/// Advice of `oh_region_advise`: accesses will be random, do not read ahead.
pub const OH_ADVICE_RANDOM: u32 = 3;
/// Advice of `oh_region_advise`: accesses will go from front to back.
pub const OH_ADVICE_SEQUENTIAL: u32 = 4;
/// Advice of `oh_region_advise`: no particular pattern. Reverts the previous two.
pub const OH_ADVICE_NORMAL: u32 = 5;
/// Advice of `oh_region_advise`: the bytes will be accessed soon, start to read them.
pub const OH_ADVICE_WILL_NEED: u32 = 6;
/// Advice of `oh_region_advise`: free the pages. CONTENTS THAT EXIST ONLY IN MEMORY ARE LOST: the
/// pages contain zeros afterward, or, in a mapped file, the contents of the file.
pub const OH_ADVICE_DISCARD: u32 = 7;

pub(crate) fn thresholds(strategy: u32, buffered_up_to: u64, huge_from: u64) -> Result<Thresholds> {
    let mut limits = Thresholds::default();
    if buffered_up_to != 0 {
        limits.buffered_up_to = buffered_up_to;
    }
    if huge_from != 0 {
        limits.huge_from = huge_from;
    }
    if strategy != oh_strategy::OH_STRATEGY_AUTO as u32 {
        let found = Strategy::from_number(strategy);
        limits.strategy =
            Some(found.ok_or_else(|| Error::range(format!("invalid oh_strategy: {strategy}")))?);
    }
    Ok(limits)
}

pub(crate) fn pattern_of(number: u32) -> Result<Pattern> {
    Pattern::from_number(number).ok_or_else(|| Error::range(format!("invalid access pattern: {number}")))
}

pub(crate) fn strategy_number(strategy: Strategy) -> oh_strategy {
    match strategy {
        Strategy::Buffered => oh_strategy::OH_STRATEGY_BUFFERED,
        Strategy::Mmap => oh_strategy::OH_STRATEGY_MMAP,
        Strategy::HugePage => oh_strategy::OH_STRATEGY_HUGEPAGE,
        Strategy::Copy => oh_strategy::OH_STRATEGY_COPY,
    }
}

pub(crate) fn advice_of(advice: u32) -> Result<Advice> {
    Ok(match advice {
        OH_ADVICE_HUGE_PAGES => Advice::HugePages,
        OH_ADVICE_SMALL_PAGES => Advice::SmallPages,
        OH_ADVICE_RANDOM => Advice::Random,
        OH_ADVICE_SEQUENTIAL => Advice::Sequential,
        OH_ADVICE_NORMAL => Advice::Normal,
        OH_ADVICE_WILL_NEED => Advice::WillNeed,
        OH_ADVICE_DISCARD => Advice::Discard,
        _ => return Err(Error::range(format!("invalid OH_ADVICE number: {advice}"))),
    })
}
