//! The map for Rust programs: typed, and growing by itself.
//!
//! [`HashMap<K, V>`] owns its memory; [`HashMapRef`] and [`HashMapMut`] work on memory that
//! something else owns (a mapped file, a JavaScript buffer). All are one type, [`Map`], over
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
//! Iteration is in insertion order; replacing a value does not change it. `insert` is fallible,
//! because allocation is. Other operations cannot fail on valid bytes; on damaged ones, their
//! results may be wrong, but they are memory-safe (a string that is not UTF-8 reads as missing).

mod key;
mod map;
mod storage;
mod value;

pub use self::key::Key;
pub use self::map::{HashMap, HashMapMut, HashMapRef, Map};
pub use self::storage::{Exclusive, Owned, Shared, Storage, StorageMut};
pub use self::value::Value;
