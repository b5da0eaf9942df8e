//! The log: a callback for rare events, such as repairs and slow operations.
//!
//! The core keeps the events of an operation for its thread (`offheap_core::log`). The outermost
//! [`guard`](crate::guard) reports them when the operation has ended and no lock of a structure is
//! held, so the callback may use the library. A read-write lock makes sure that a callback which
//! was replaced is not running any more.

use crate::guard::guard;
use crate::options::{option_struct, read_optional_struct};
use crate::status::{keeping_message, last_message, oh_status};
use offheap_core::log::{self, Event};
use offheap_core::{Error, ErrorKind};
use std::cell::Cell;
use std::ffi::{c_char, c_void};
use std::io::{Cursor, Write};
use std::sync::{PoisonError, RwLock};

/// An internal error of the library, or a repair that failed.
pub const OH_LOG_ERROR: u32 = 1;
/// Something that an operator should know: a repair, or a map that evicts many entries.
pub const OH_LOG_WARNING: u32 = 2;
/// Slow operations.
pub const OH_LOG_INFO: u32 = 3;

/// A panic was caught; the call returned `OH_ERR_NATIVE`. Level: error.
pub const OH_LOG_EVENT_INTERNAL: u32 = 1;
/// The lock of a shard was taken over from a participant whose process terminated, and the shard
/// was repaired; `count` is the number of its entries. Level: warning, or error if the repair
/// failed for want of memory.
pub const OH_LOG_EVENT_TAKEOVER: u32 = 2;
/// A map in a file was repaired on request; `count` is the number of its entries. Level: warning.
pub const OH_LOG_EVENT_REPAIR: u32 = 3;
/// An attachment evicted `count` entries within `milliseconds`. Reported at most once per second
/// for each attachment. Level: warning.
pub const OH_LOG_EVENT_EVICTIONS: u32 = 4;
/// A thread waited `milliseconds` for the lock of a shard. Level: info.
pub const OH_LOG_EVENT_LOCK_WAIT: u32 = 5;
/// A function took `milliseconds`. Level: info.
pub const OH_LOG_EVENT_SLOW: u32 = 6;

/// What to report. Set all bytes to 0, and then `struct_size` and what differs.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_log_options {
    /// `sizeof(oh_log_options)`
    pub struct_size: usize,
    /// Milliseconds from which on operations and waits for locks are slow; 0: 10.
    pub slow_milliseconds: f64,
    /// Evictions by one attachment within one second from which on they are reported; 0: 10,000.
    pub evictions: u64,
    /// The least severe level that is reported: `OH_LOG_ERROR`, …; 0: `OH_LOG_WARNING`.
    pub level: u32,
}
option_struct!(oh_log_options, through level: u32);

/// A report to the callback of the log. Valid during the call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_log_record {
    /// `OH_LOG_ERROR`, `OH_LOG_WARNING` or `OH_LOG_INFO`.
    pub level: u32,
    /// What happened: `OH_LOG_EVENT_…`.
    pub event: u32,
    /// A sentence in English, UTF-8, with a NUL at the end.
    pub message: *const c_char,
    /// Bytes of the message without the NUL.
    pub message_length: usize,
    /// How long it took; 0 for events without a duration.
    pub milliseconds: f64,
    /// Number of entries; 0 for events without a number.
    pub count: u64,
}

/// The callback of the log. It receives the context of `oh_log_set`, runs on the thread whose
/// operation is reported, perhaps on several threads at the same time, and must neither throw nor
/// unwind.
pub type oh_log_callback = Option<unsafe extern "C" fn(context: *mut c_void, record: *const oh_log_record)>;

#[derive(Clone, Copy)]
struct Sink {
    callback: unsafe extern "C" fn(*mut c_void, *const oh_log_record),
    context: *mut c_void,
    level: u32,
}

// SAFETY: the context is only passed to the callback, and the caller of `oh_log_set` guarantees
// that any thread may call it with this context.
unsafe impl Send for Sink {}
// SAFETY: as above, also for several threads at the same time.
unsafe impl Sync for Sink {}

static SINK: RwLock<Option<Sink>> = RwLock::new(None);

thread_local! {
    /// Whether this thread is in the callback.
    static REPORTING: Cell<bool> = const { Cell::new(false) };
}

/// Sets the callback that receives rare events of all structures in this process, or (NULL) none.
/// It is called after the operation of its thread, with no lock of a structure held, so it may use
/// the library; events of these calls are not reported. When this function returns, the former
/// callback is not running in any other thread and is not called again; so a callback must not wait
/// for a thread that sets the log. `options` may be NULL. Without a callback, a call
/// costs one load more.
///
/// `OH_ERR_RANGE` for an option outside its range. `OH_ERR_LOCKED` if it is called by the callback.
///
/// # Safety
/// Any thread may call `callback` with `context`, also several at the same time, until another
/// callback was set; `options` is NULL or points to as many readable bytes as its `struct_size`
/// says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_log_set(
    callback: oh_log_callback,
    context: *mut c_void,
    options: *const oh_log_options,
) -> oh_status {
    guard(|| {
        // SAFETY: the caller guarantees `options`.
        let options = unsafe { read_optional_struct(options, "options") }?;
        let (level, slow, evictions) =
            options.map_or((0, 0.0, 0), |given| (given.level, given.slow_milliseconds, given.evictions));
        if level > OH_LOG_INFO {
            return Err(Error::range(format!("invalid level of the log: {level}")));
        }
        if !(0.0..=1e9).contains(&slow) {
            return Err(Error::range(format!("slow_milliseconds must be from 0 to 1e9: {slow}")));
        }
        if REPORTING.get() {
            return Err(Error::new(ErrorKind::Locked, "the callback of the log must not set the log"));
        }
        let mut sink = SINK.write().unwrap_or_else(PoisonError::into_inner);
        log::disable();
        *sink = callback.map(|callback| Sink {
            callback,
            context,
            level: if level == 0 { OH_LOG_WARNING } else { level },
        });
        if sink.is_some() {
            let slow = if slow == 0.0 { 10.0 } else { slow };
            log::enable((slow * 1e6) as u64, if evictions == 0 { 10_000 } else { evictions });
        }
        Ok(())
    })
}

/// Reports the events of this thread's operation, which has ended.
#[cold]
pub(crate) fn report() {
    let (count, events) = log::take();
    if REPORTING.replace(true) {
        // An operation of the callback.
        return;
    }
    // A panic on another thread cannot leave it half-changed: it is one assignment.
    let sink = SINK.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(sink) = &*sink {
        // The caller has yet to read the message of its call.
        keeping_message(|| events[..count.min(events.len())].iter().for_each(|event| send(sink, event)));
    }
    drop(sink);
    REPORTING.set(false);
}

fn send(sink: &Sink, event: &Event) {
    let (level, code) = match event {
        Event::Internal => (OH_LOG_ERROR, OH_LOG_EVENT_INTERNAL),
        Event::TakeOver { .. } => (OH_LOG_WARNING, OH_LOG_EVENT_TAKEOVER),
        Event::Unrepaired { .. } => (OH_LOG_ERROR, OH_LOG_EVENT_TAKEOVER),
        Event::Repair { .. } => (OH_LOG_WARNING, OH_LOG_EVENT_REPAIR),
        Event::Evictions { .. } => (OH_LOG_WARNING, OH_LOG_EVENT_EVICTIONS),
        Event::LockWait { .. } => (OH_LOG_INFO, OH_LOG_EVENT_LOCK_WAIT),
        Event::Slow { .. } => (OH_LOG_INFO, OH_LOG_EVENT_SLOW),
    };
    if level > sink.level {
        return;
    }
    let milliseconds = |nanoseconds: u64| nanoseconds as f64 / 1e6;
    let (took, count) = match *event {
        Event::TakeOver { kept, .. } | Event::Repair { kept, .. } => (0.0, kept as u64),
        Event::Evictions { count, milliseconds, .. } => (milliseconds as f64, count),
        Event::LockWait { nanoseconds, .. } | Event::Slow { nanoseconds, .. } => {
            (milliseconds(nanoseconds), 0)
        }
        Event::Internal | Event::Unrepaired { .. } => (0.0, 0),
    };
    // The messages are shorter; the last byte is the NUL.
    let mut text = [0u8; 600];
    let mut out = Cursor::new(&mut text[..599]);
    let written = match *event {
        Event::Internal => out.write_all(last_message(&mut [0; 512])),
        Event::TakeOver { shard, slot, kept, lost } => write!(
            out,
            "participant {slot} terminated while it changed shard {shard}: repaired, \
             {kept} entries kept, {lost} lost"
        ),
        Event::Unrepaired { shard } => write!(out, "the repair of shard {shard} failed; it is tried again"),
        Event::Repair { kept, lost } => write!(out, "a file was repaired: {kept} entries kept, {lost} lost"),
        Event::Evictions { count, milliseconds, max_bytes } => {
            write!(out, "a map of {max_bytes} bytes evicted {count} entries within {milliseconds} ms")
        }
        Event::LockWait { shard, slot, .. } => {
            write!(out, "waited {took:.3} ms for the lock of shard {shard}").and_then(|()| match slot {
                Some(slot) => write!(out, ", which participant {slot} held"),
                None => Ok(()),
            })
        }
        Event::Slow { name, .. } => write!(out, "{name} took {took:.3} ms"),
    };
    // A message that does not fit is cut.
    written.ok();
    let length = out.position() as usize;
    let record = oh_log_record {
        level,
        event: code,
        message: text.as_ptr().cast(),
        message_length: length,
        milliseconds: took,
        count,
    };
    // SAFETY: the caller of `oh_log_set` guarantees that any thread may call the callback with this
    // context until it is replaced, which waits for the lock that this thread holds.
    unsafe { (sink.callback)(sink.context, &raw const record) };
}
