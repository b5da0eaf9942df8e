//! An allocator that refuses what a test says, on the thread of that test: each test program is its
//! own process, so it is the only one.
#![allow(dead_code, reason = "each program that has it uses some of it")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    /// Allocations of this size and more are refused on this thread.
    static LIMIT: Cell<usize> = const { Cell::new(usize::MAX) };
    /// How many more allocations this thread is granted.
    static GRANTED: Cell<usize> = const { Cell::new(usize::MAX) };
}

struct Refusing;

impl Refusing {
    /// A thread that ends has given its cells back before its last allocations: those are granted.
    fn refuses(size: usize) -> bool {
        let large = LIMIT.try_with(|limit| size >= limit.get()).unwrap_or(false);
        let granted = GRANTED.try_with(|granted| granted.replace(granted.get().saturating_sub(1)));
        large || granted.unwrap_or(usize::MAX) == 0
    }
}

// SAFETY: what is not refused goes to the system's allocator.
unsafe impl GlobalAlloc for Refusing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's word.
        if Refusing::refuses(layout.size()) { std::ptr::null_mut() } else { unsafe { System.alloc(layout) } }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if Refusing::refuses(layout.size()) {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller's word.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if Refusing::refuses(size) {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller's word.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's word.
        unsafe { System.dealloc(block, layout) };
    }
}

#[global_allocator]
static ALLOCATOR: Refusing = Refusing;

/// Runs with allocations of this size and more refused.
pub(crate) fn refusing<T>(limit: usize, body: impl FnOnce() -> T) -> T {
    let before = LIMIT.replace(limit);
    let result = body();
    LIMIT.set(before);
    result
}

/// Runs with the first so many allocations granted, and all after them refused.
pub(crate) fn granting<T>(allocations: usize, body: impl FnOnce() -> T) -> T {
    GRANTED.set(allocations);
    let result = body();
    GRANTED.set(usize::MAX);
    result
}

/// How many allocations `body` makes.
pub(crate) fn counted<T>(body: impl FnOnce() -> T) -> (usize, T) {
    const MANY: usize = 1 << 40;
    GRANTED.set(MANY);
    let result = body();
    (MANY - GRANTED.replace(usize::MAX), result)
}
