//! An allocator that refuses the allocations that a test specifies, on the thread of that test.
//! Each test program is a process of its own, so this is its only allocator.
#![allow(dead_code, reason = "each program that has it uses some of it")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    /// Allocations of this size and more are refused on this thread.
    static LIMIT: Cell<usize> = const { Cell::new(usize::MAX) };
    /// Number of further allocations that are granted to this thread.
    static GRANTED: Cell<usize> = const { Cell::new(usize::MAX) };
}

struct Refusing;

impl Refusing {
    /// The thread-local cells of a thread that ends are destroyed before its last allocations,
    /// which are granted.
    fn refuses(size: usize) -> bool {
        let large = LIMIT.try_with(|limit| size >= limit.get()).unwrap_or(false);
        let granted = GRANTED.try_with(|granted| granted.replace(granted.get().saturating_sub(1)));
        large || granted.unwrap_or(usize::MAX) == 0
    }
}

// SAFETY: allocations that are not refused are passed to the system's allocator.
unsafe impl GlobalAlloc for Refusing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the layout is valid, guaranteed by the caller.
        if Refusing::refuses(layout.size()) { std::ptr::null_mut() } else { unsafe { System.alloc(layout) } }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if Refusing::refuses(layout.size()) {
            return std::ptr::null_mut();
        }
        // SAFETY: the layout is valid, guaranteed by the caller.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if Refusing::refuses(size) {
            return std::ptr::null_mut();
        }
        // SAFETY: the block and the layout are valid, guaranteed by the caller.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block and the layout are valid, guaranteed by the caller.
        unsafe { System.dealloc(block, layout) };
    }
}

#[global_allocator]
static ALLOCATOR: Refusing = Refusing;

/// Runs `body` while allocations of this size and more are refused.
pub(crate) fn refusing<T>(limit: usize, body: impl FnOnce() -> T) -> T {
    let before = LIMIT.replace(limit);
    let result = body();
    LIMIT.set(before);
    result
}

/// Runs `body` while the first `allocations` allocations are granted and all later ones refused.
pub(crate) fn granting<T>(allocations: usize, body: impl FnOnce() -> T) -> T {
    GRANTED.set(allocations);
    let result = body();
    GRANTED.set(usize::MAX);
    result
}

/// Counts the allocations that `body` makes.
pub(crate) fn counted<T>(body: impl FnOnce() -> T) -> (usize, T) {
    const MANY: usize = 1 << 40;
    GRANTED.set(MANY);
    let result = body();
    (MANY - GRANTED.replace(usize::MAX), result)
}
