//! The map for Rust programs: typed, and growing by itself.
//!
//! [`HashMap<K, V>`] owns its memory; [`HashMapRef`] and [`HashMapMut`] work on memory that
//! something else owns (a mapped file, a buffer of JavaScript's). All are one type, [`Map`], over
//! three kinds of [`Storage`]. Keys are `u32`, `i32`, `u64`, `i64`, `f64`, `str` or `[u8]`; values
//! are numbers, `bool`, `str` or `[u8]`.
//!
//! ```
//! use offheap_core::hashmap::HashMap;
//!
//! let mut ports: HashMap<str, u16> = HashMap::new()?;
//! ports.insert("http", 80)?;
//! ports.insert("https", 443)?;
//! assert_eq!(ports.get("https"), Some(443));
//! assert_eq!(ports.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["http", "https"]);
//! # Ok::<(), offheap_core::Error>(())
//! ```
//!
//! Iteration is in insertion order; a value that is replaced keeps its place. `insert` is fallible
//! because memory is; everything else can not fail on sound bytes, and on damaged ones gives
//! answers that are wrong but never unsound (a string that is not UTF-8 reads as missing).

mod key;
mod map;
mod storage;
mod value;

pub use self::key::Key;
pub use self::map::{HashMap, HashMapMut, HashMapRef, Map};
pub use self::storage::{Exclusive, Owned, Shared, Storage, StorageMut};
pub use self::value::Value;
