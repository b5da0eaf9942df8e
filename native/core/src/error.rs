//! The single list of errors.
//!
//! [`ErrorKind`] has a fixed number for each kind, and the same name in every layer:
//! `ErrorKind::Corrupt` here, `OH_ERR_CORRUPT` (4) in C, `ERR_OFFHEAP_CORRUPT` in JavaScript.
//! Numbers are never reused, because they are compiled into C callers.
//!
//! An [`Error`] is a kind and a message. The message is a [`Cow`], so that the errors of hot paths
//! need no allocation, while others can name an offset or a length.

use std::borrow::Cow;
use std::fmt;

/// The result of the core's fallible functions.
pub type Result<T> = std::result::Result<T, Error>;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident = $number:literal, $code:literal;)+) => {
        /// The kind of an [`Error`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(i32)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[doc = $doc])+ $name = $number,)+
        }

        impl ErrorKind {
            /// Every kind, in the order of its number.
            pub const ALL: &'static [ErrorKind] = &[$(ErrorKind::$name,)+];

            /// The code that JavaScript sees: `ERR_OFFHEAP_` and the name.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(ErrorKind::$name => concat!("ERR_OFFHEAP_", $code),)+ }
            }
        }
    };
}

kinds! {
    /// A number is out of range, or not an integer.
    Range = 1, "RANGE";
    /// A value is of the wrong type, a pointer is null, or an option is unknown.
    Type = 2, "TYPE";
    /// The structure was closed.
    Closed = 3, "CLOSED";
    /// The bytes of a region or file contradict themselves.
    Corrupt = 4, "CORRUPT";
    /// The bytes were written by another version, or contain a kind of structure that this code
    /// cannot read.
    Version = 5, "VERSION";
    /// The structure cannot grow in its memory.
    Full = 6, "FULL";
    /// Memory could not be allocated.
    Oom = 7, "OOM";
    /// Another writer has locked the file or structure.
    Locked = 8, "LOCKED";
    /// The operating system refused a file operation.
    Io = 9, "IO";
    /// A handle, id or offset refers to something that has been removed.
    Stale = 10, "STALE";
    /// This platform, runtime or schema does not support the operation.
    Unsupported = 11, "UNSUPPORTED";
    /// The native code failed: a panic was caught, or the addon could not be loaded.
    Native = 12, "NATIVE";
    /// Others changed the same keys during every attempt.
    Conflict = 13, "CONFLICT";
}

impl ErrorKind {
    /// The kind with this number, if there is one.
    #[must_use]
    pub fn from_number(number: i32) -> Option<ErrorKind> {
        ErrorKind::ALL.iter().copied().find(|&kind| kind as i32 == number)
    }
}

/// A kind of failure, and a message for people.
#[derive(Clone, Debug)]
pub struct Error {
    kind: ErrorKind,
    message: Cow<'static, str>,
}

impl Error {
    /// An error of this kind. The message describes the failure and names the invalid value.
    #[cold]
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Error {
        Error { kind, message: message.into() }
    }

    /// The kind of failure.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The message.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

macro_rules! constructors {
    ($($(#[doc = $doc:literal])+ $function:ident => $kind:ident;)+) => {
        impl Error {
            $($(#[doc = $doc])+
            #[cold]
            pub fn $function(message: impl Into<Cow<'static, str>>) -> Error {
                Error::new(ErrorKind::$kind, message)
            })+
        }
    };
}

constructors! {
    /// A number that is out of range.
    range => Range;
    /// A value of the wrong type.
    wrong_type => Type;
    /// Memory could not be allocated.
    oom => Oom;
    /// Bytes that contradict each other.
    corrupt => Corrupt;
    /// Bytes of another version or kind.
    version => Version;
    /// No room left, and no way to grow.
    full => Full;
    /// A handle that is no longer valid.
    stale => Stale;
    /// An operation that this platform or schema does not support.
    unsupported => Unsupported;
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.kind.code())
    }
}

impl std::error::Error for Error {}

impl From<std::collections::TryReserveError> for Error {
    #[cold]
    fn from(_: std::collections::TryReserveError) -> Error {
        Error::new(ErrorKind::Oom, "out of memory")
    }
}

impl From<std::io::Error> for Error {
    #[cold]
    fn from(error: std::io::Error) -> Error {
        let kind = match error.kind() {
            std::io::ErrorKind::OutOfMemory => ErrorKind::Oom,
            std::io::ErrorKind::Unsupported => ErrorKind::Unsupported,
            _ => ErrorKind::Io,
        };
        Error::new(kind, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_dense_and_round_trip() {
        for (index, &kind) in ErrorKind::ALL.iter().enumerate() {
            assert_eq!(kind as usize, index + 1, "{kind:?}");
            assert_eq!(ErrorKind::from_number(kind as i32), Some(kind));
            assert_eq!(kind.code(), format!("ERR_OFFHEAP_{}", format!("{kind:?}").to_uppercase()));
        }
        assert_eq!(ErrorKind::from_number(0), None);
        assert_eq!(ErrorKind::from_number(ErrorKind::ALL.len() as i32 + 1), None);
    }

    #[test]
    fn errors_of_the_standard_library_keep_their_meaning() {
        let mut huge: Vec<u8> = Vec::new();
        let refused = huge.try_reserve(usize::MAX).unwrap_err();
        assert_eq!(Error::from(refused).kind(), ErrorKind::Oom);
        let missing = std::fs::File::open("/nonexistent/offheap").unwrap_err();
        let error = Error::from(missing);
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.to_string().ends_with("(ERR_OFFHEAP_IO)"), "{error}");
    }
}
