//! Status codes and the last error message.

use crate::guard::guard_value;
use offheap_core::ErrorKind;
use std::cell::Cell;
use std::ffi::{CStr, c_char};

/// The outcome of a call. The numbers are fixed: they are part of the ABI.
///
/// Every function that can fail returns one of these. It writes its outputs only if it returns
/// `OH_OK`, and a refused operation changes nothing. `oh_last_error` returns a message.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum oh_status {
    /// Success.
    OH_OK = 0,
    /// A number is outside the allowed range, or not an integer.
    OH_ERR_RANGE = 1,
    /// A value has the wrong type, a pointer is NULL or misaligned, or an option is unknown.
    OH_ERR_TYPE = 2,
    /// The structure was closed.
    OH_ERR_CLOSED = 3,
    /// The bytes of a region or file are inconsistent.
    OH_ERR_CORRUPT = 4,
    /// The bytes have a version, or contain a kind of structure, that this library cannot read.
    OH_ERR_VERSION = 5,
    /// The structure cannot grow any further in its memory.
    OH_ERR_FULL = 6,
    /// Out of memory.
    OH_ERR_OOM = 7,
    /// Another writer has locked the file or structure.
    OH_ERR_LOCKED = 8,
    /// The operating system refused a file operation.
    OH_ERR_IO = 9,
    /// The entry of a handle, id or offset was removed.
    OH_ERR_STALE = 10,
    /// This platform, runtime or schema does not support the operation.
    OH_ERR_UNSUPPORTED = 11,
    /// An internal error of this library. The message says where; please report it.
    OH_ERR_NATIVE = 12,
    /// Others changed the same keys during every attempt.
    OH_ERR_CONFLICT = 13,
}

impl From<ErrorKind> for oh_status {
    fn from(kind: ErrorKind) -> oh_status {
        match kind {
            ErrorKind::Range => oh_status::OH_ERR_RANGE,
            ErrorKind::Type => oh_status::OH_ERR_TYPE,
            ErrorKind::Closed => oh_status::OH_ERR_CLOSED,
            ErrorKind::Corrupt => oh_status::OH_ERR_CORRUPT,
            ErrorKind::Version => oh_status::OH_ERR_VERSION,
            ErrorKind::Full => oh_status::OH_ERR_FULL,
            ErrorKind::Oom => oh_status::OH_ERR_OOM,
            ErrorKind::Locked => oh_status::OH_ERR_LOCKED,
            ErrorKind::Io => oh_status::OH_ERR_IO,
            ErrorKind::Stale => oh_status::OH_ERR_STALE,
            ErrorKind::Unsupported => oh_status::OH_ERR_UNSUPPORTED,
            ErrorKind::Conflict => oh_status::OH_ERR_CONFLICT,
            // A kind that this table does not know is a defect of the library; a test finds it.
            _ => oh_status::OH_ERR_NATIVE,
        }
    }
}

/// Returns the name of a status, such as `"OH_ERR_CORRUPT"`, or `"unknown"` for an invalid number.
/// The string is valid as long as the library is loaded.
#[unsafe(no_mangle)]
pub extern "C" fn oh_status_name(status: i32) -> *const c_char {
    guard_value(c"unknown".as_ptr(), || {
        let name: &'static CStr = match status {
            0 => c"OH_OK",
            1 => c"OH_ERR_RANGE",
            2 => c"OH_ERR_TYPE",
            3 => c"OH_ERR_CLOSED",
            4 => c"OH_ERR_CORRUPT",
            5 => c"OH_ERR_VERSION",
            6 => c"OH_ERR_FULL",
            7 => c"OH_ERR_OOM",
            8 => c"OH_ERR_LOCKED",
            9 => c"OH_ERR_IO",
            10 => c"OH_ERR_STALE",
            11 => c"OH_ERR_UNSUPPORTED",
            12 => c"OH_ERR_NATIVE",
            13 => c"OH_ERR_CONFLICT",
            _ => c"unknown",
        };
        name.as_ptr()
    })
}

/// Returns the version of the loaded library, such as `"0.1.0"`. The string is valid as long as the
/// library is loaded.
#[unsafe(no_mangle)]
pub extern "C" fn oh_version() -> *const c_char {
    guard_value(c"unknown".as_ptr(), || {
        const VERSION: &CStr =
            match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
                Ok(version) => version,
                Err(_) => panic!("a version has no NUL inside"),
            };
        VERSION.as_ptr()
    })
}

/// The maximum length of a message in bytes. Longer ones are cut at a character.
const CAPACITY: usize = 512;

/// The maximum length of a failure as JSON: each byte of a message takes at most 6.
const JSON_CAPACITY: usize = CAPACITY * 6 + 64;

/// The message of a thread. It has a fixed size: recording an error never allocates, so it works
/// when memory has run out, and thread exit has no destructor to run.
#[derive(Clone, Copy)]
struct Message {
    status: i32,
    len: usize,
    bytes: [u8; CAPACITY],
}

thread_local! {
    static LAST: Cell<Message> = const { Cell::new(Message { status: 0, len: 0, bytes: [0; CAPACITY] }) };
}

/// Keeps a failure for `oh_last_error` on this thread.
#[cold]
pub(crate) fn record(status: oh_status, text: &str) {
    let mut len = text.len().min(CAPACITY);
    while !text.is_char_boundary(len) {
        len -= 1;
    }
    let mut message = Message { status: status as i32, len, bytes: [0; CAPACITY] };
    message.bytes[..len].copy_from_slice(&text.as_bytes()[..len]);
    LAST.set(message);
}

/// Copies the message of this thread's last failed call to `buffer`, terminated by a NUL and
/// truncated to `capacity` bytes in total. Returns the length of the whole message without the NUL
/// (at most 512), like `snprintf`, so that a first call with `(NULL, 0)` returns the required
/// length.
///
/// A successful call does not change the message: check the status first.
///
/// # Safety
/// `buffer` is NULL, or points to `capacity` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_last_error(buffer: *mut c_char, capacity: usize) -> usize {
    guard_value(0, || {
        let message = LAST.get();
        if !buffer.is_null() && capacity > 0 {
            let len = message.len.min(capacity - 1);
            // SAFETY: the caller guarantees `capacity` bytes, of which `len + 1` are written.
            unsafe {
                buffer.cast::<u8>().copy_from_nonoverlapping(message.bytes.as_ptr(), len);
                buffer.add(len).write(0);
            }
        }
        message.len
    })
}

/// Copies this thread's last message to `buffer`, and returns it.
pub(crate) fn last_message(buffer: &mut [u8; CAPACITY]) -> &[u8] {
    let message = LAST.get();
    *buffer = message.bytes;
    &buffer[..message.len]
}

/// Runs `body`, and then restores this thread's last failure.
pub(crate) fn keeping_message(body: impl FnOnce()) {
    let message = LAST.get();
    body();
    LAST.set(message);
}

/// Text that is written to a buffer as far as it has room, and counted.
struct Output<'a> {
    buffer: &'a mut [u8],
    length: usize,
}

impl Output<'_> {
    fn put(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if let Some(place) = self.buffer.get_mut(self.length) {
                *place = byte;
            }
            self.length += 1;
        }
    }

    /// The contents of a JSON string: quotes, backslashes and control characters are escaped.
    fn put_escaped(&mut self, text: &[u8]) {
        for &byte in text {
            match byte {
                b'"' => self.put(b"\\\""),
                b'\\' => self.put(b"\\\\"),
                b'\n' => self.put(b"\\n"),
                0..0x20 | 0x7F => {
                    let digit = |nibble: u8| b"0123456789abcdef"[usize::from(nibble)];
                    self.put(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
                }
                _ => self.put(&[byte]),
            }
        }
    }
}

/// Writes the failure of this thread's last failed call to `buffer` as JSON, with a NUL at the end:
/// `{"code":"ERR_OFFHEAP_FULL","status":6,"message":"the map has no room"}`, or `null` if no call
/// has failed. The codes are those of the Node.js package. Returns the length without the NUL. If
/// that is not less than `capacity`, `buffer` receives an empty string instead of a part of the
/// JSON, so a first call with `(NULL, 0)` returns the required length. 3,200 bytes are enough for
/// every failure.
///
/// A successful call does not change the failure: check the status first.
///
/// # Safety
/// `buffer` is NULL, or points to `capacity` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_last_error_json(buffer: *mut c_char, capacity: usize) -> usize {
    guard_value(0, || {
        let message = LAST.get();
        let mut text = [0u8; JSON_CAPACITY];
        let mut out = Output { buffer: &mut text, length: 0 };
        match ErrorKind::from_number(message.status) {
            Some(kind) => {
                out.put(b"{\"code\":\"");
                out.put(kind.code().as_bytes());
                out.put(b"\",\"status\":");
                if message.status >= 10 {
                    out.put(&[b'0' + (message.status / 10) as u8]);
                }
                out.put(&[b'0' + (message.status % 10) as u8]);
                out.put(b",\"message\":\"");
                out.put_escaped(&message.bytes[..message.len]);
                out.put(b"\"}");
            }
            None => out.put(b"null"),
        }
        let length = out.length;
        if !buffer.is_null() && capacity > 0 {
            let written = if length < capacity { length } else { 0 };
            // SAFETY: the caller guarantees `capacity` bytes, of which `written + 1` are written.
            unsafe {
                buffer.cast::<u8>().copy_from_nonoverlapping(text.as_ptr(), written);
                buffer.add(written).write(0);
            }
        }
        length
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(status: i32) -> String {
        // SAFETY: oh_status_name returns a static string for every number.
        unsafe { CStr::from_ptr(oh_status_name(status)) }.to_str().unwrap().to_owned()
    }

    #[test]
    fn numbers_and_names_are_those_of_the_core() {
        for &kind in ErrorKind::ALL {
            let status = oh_status::from(kind);
            assert_eq!(status as i32, kind as i32, "{kind:?}");
            assert_eq!(name(status as i32), kind.code().replace("ERR_OFFHEAP", "OH_ERR"));
            assert_eq!(name(status as i32), format!("{status:?}"));
        }
        assert_eq!(name(0), "OH_OK");
        assert_eq!(name(-1), "unknown");
        assert_eq!(name(ErrorKind::ALL.len() as i32 + 1), "unknown");
    }

    fn last(capacity: usize) -> (usize, Vec<u8>) {
        let mut buffer = vec![0x55u8; capacity];
        // SAFETY: the buffer has `capacity` bytes.
        let len = unsafe { oh_last_error(buffer.as_mut_ptr().cast::<c_char>(), capacity) };
        (len, buffer)
    }

    #[test]
    fn messages_are_cut_to_the_buffer_and_at_a_character() {
        record(oh_status::OH_ERR_RANGE, "größer");
        assert_eq!(last(4), (8, b"gr\xc3\0".to_vec()));
        assert_eq!(last(0), (8, vec![]));
        assert_eq!(&last(16).1[..9], "größer\0".as_bytes());
        // SAFETY: a null buffer is allowed.
        assert_eq!(unsafe { oh_last_error(std::ptr::null_mut(), 0) }, 8);

        record(oh_status::OH_ERR_RANGE, &"é".repeat(400));
        assert_eq!(last(1000).0, 512);
        record(oh_status::OH_ERR_RANGE, &format!("x{}", "é".repeat(400)));
        assert_eq!(last(1000).0, 511, "never half a character");
    }

    #[test]
    fn threads_have_their_own_message() {
        record(oh_status::OH_ERR_RANGE, "mine");
        std::thread::spawn(|| assert_eq!(last(8).0, 0)).join().unwrap();
        assert_eq!(last(8).0, 4);
    }
}
