//! The one list of things that can go wrong.
//!
//! [`ErrorKind`] has a fixed number for each kind, and the same name in every layer:
//! `ErrorKind::Corrupt` here, `OH_ERR_CORRUPT` (4) in C, `ERR_OFFHEAP_CORRUPT` in JavaScript. A
//! number, once given, is never used for anything else, because C callers compile it in.
//!
//! An [`Error`] is a kind and a sentence. The sentence is a [`Cow`], so that the errors of hot
//! paths cost no allocation and those that name an offset or a length can.

use std::borrow::Cow;
use std::fmt;

/// What the core's fallible functions return.
pub type Result<T> = std::result::Result<T, Error>;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident = $number:literal, $code:literal;)+) => {
        /// What kind of failure an [`Error`] is.
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
    /// A number is outside the range that is allowed here, or not an integer.
    Range = 1, "RANGE";
    /// A value is of the wrong type, a pointer is null, or an option is unknown.
    Type = 2, "TYPE";
    /// The structure was closed.
    Closed = 3, "CLOSED";
    /// The bytes of a region or file contradict themselves.
    Corrupt = 4, "CORRUPT";
    /// The bytes were written by a version, or hold a kind of structure, that this code can not
    /// read.
    Version = 5, "VERSION";
    /// The structure can not grow any further where it lives.
    Full = 6, "FULL";
    /// Memory was refused.
    Oom = 7, "OOM";
    /// Another writer holds the file or structure.
    Locked = 8, "LOCKED";
    /// The operating system refused a file operation.
    Io = 9, "IO";
    /// A handle, id or offset is of something that was since removed.
    Stale = 10, "STALE";
    /// This platform, runtime or schema can not do that.
    Unsupported = 11, "UNSUPPORTED";
    /// The native code failed: a panic that was caught, or an addon that does not load.
    Native = 12, "NATIVE";
}

impl ErrorKind {
    /// The kind with this number, if there is one.
    #[must_use]
    pub fn from_number(number: i32) -> Option<ErrorKind> {
        ErrorKind::ALL.iter().copied().find(|&kind| kind as i32 == number)
    }
}

/// A kind of failure, and a sentence for a person.
#[derive(Clone, Debug)]
pub struct Error {
    kind: ErrorKind,
    message: Cow<'static, str>,
}

impl Error {
    /// An error of this kind. The message says what was wrong and names the value that was.
    #[cold]
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Error {
        Error { kind, message: message.into() }
    }

    /// What kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The sentence.
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
    /// A number outside what is allowed.
    range => Range;
    /// A value of the wrong type.
    wrong_type => Type;
    /// Memory was refused.
    oom => Oom;
    /// Bytes that contradict themselves.
    corrupt => Corrupt;
    /// Bytes of another version or kind.
    version => Version;
    /// No room left, and none to be had.
    full => Full;
    /// A handle that is no longer valid.
    stale => Stale;
    /// Something this platform or schema can not do.
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
