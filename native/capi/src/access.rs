//! How memory and files are going to be accessed: advice, patterns and strategies.

use offheap_core::mmap::strategy::{Pattern, Strategy, Thresholds};
use offheap_core::region::advise::Advice;
use offheap_core::{Error, Result};

/// How the bytes of a file are reached.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum oh_strategy {
    /// Read at once: small files.
    OH_STRATEGY_BUFFERED = 0,
    /// Mapped.
    OH_STRATEGY_MMAP = 1,
    /// Mapped, in huge pages: hugetlbfs, or tmpfs mounted with `huge=`.
    OH_STRATEGY_HUGEPAGE = 2,
    /// Read at once on request: no truncation can touch it.
    OH_STRATEGY_COPY = 3,
    /// In options: choose by size.
    OH_STRATEGY_AUTO = 4,
}

/// How a file will be read.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum oh_pattern {
    /// Nothing is known.
    OH_PATTERN_UNKNOWN = 0,
    /// From front to back.
    OH_PATTERN_SEQUENTIAL = 1,
    /// Here and there.
    OH_PATTERN_RANDOM = 2,
    /// Runs of some length, here and there.
    OH_PATTERN_MIXED = 3,
}

/// Advice for `oh_region_advise`: back this with huge pages. Fewer TLB misses under random access,
/// at the price of memory in whole pieces (2 MiB on x86-64).
pub const OH_ADVICE_HUGE_PAGES: u32 = 1;
/// Advice for `oh_region_advise`: back this with small pages only.
pub const OH_ADVICE_SMALL_PAGES: u32 = 2;
/// Advice for `oh_region_advise`: reads will jump around, do not read ahead.
pub const OH_ADVICE_RANDOM: u32 = 3;
/// Advice for `oh_region_advise`: reads go from front to back.
pub const OH_ADVICE_SEQUENTIAL: u32 = 4;
/// Advice for `oh_region_advise`: no pattern; undoes the two above.
pub const OH_ADVICE_NORMAL: u32 = 5;
/// Advice for `oh_region_advise`: this will be read soon, start now.
pub const OH_ADVICE_WILL_NEED: u32 = 6;
/// Advice for `oh_region_advise`: give the pages back. What stood only in memory IS GONE: a page
/// reads as zero afterwards, or, in a mapped file, as the file has it.
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
        let strategy = Strategy::from_number(strategy);
        limits.strategy = Some(strategy.ok_or_else(|| Error::range("there is no such strategy"))?);
    }
    Ok(limits)
}

pub(crate) fn pattern_of(number: u32) -> Result<Pattern> {
    Pattern::from_number(number).ok_or_else(|| Error::range(format!("{number} is no pattern of access")))
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
