//! The kinds of region: one for each structure that has a format of its own.

use std::fmt;

/// Defines [`Kind`] from one list: name, code and version of the format.
macro_rules! kinds {
    ($($(#[$doc:meta])+ $name:ident = $code:literal, version $oldest:literal to $version:literal;)+) => {
        /// Which structure a region contains. The discriminants are the codes stored in headers.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u32)]
        pub enum Kind {
            $($(#[$doc])+ $name = $code,)+
        }

        impl Kind {
            /// Every kind, in the order of its code.
            pub const ALL: &[Kind] = &[$(Kind::$name,)+];

            /// The version of the kind's format that this library writes for new structures.
            #[inline]
            #[must_use]
            pub const fn version(self) -> u32 {
                match self {
                    $(Kind::$name => $version,)+
                }
            }

            /// The oldest version of the kind's format that this library reads.
            #[inline]
            #[must_use]
            pub const fn oldest_version(self) -> u32 {
                match self {
                    $(Kind::$name => $oldest,)+
                }
            }

            /// The structure's name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Kind::$name => stringify!($name),)+
                }
            }
        }
    };
}

kinds! {
    // generated (npm run generate): kinds
    /// A hash map.
    HashMap = 1, version 1 to 2;
    /// Many small maps.
    SmallMapArena = 2, version 1 to 2;
    /// Numbers of one type.
    Vector = 3, version 1 to 1;
    /// A pool of blocks in size classes, for one thread.
    FixedPool = 4, version 1 to 1;
    /// A pool of blocks that many threads allocate from.
    LockFreePool = 5, version 1 to 1;
    /// A bump allocator.
    BumpArena = 6, version 1 to 1;
    /// A pool with a section on each NUMA node.
    NumaPool = 7, version 1 to 1;
    /// Bits.
    BitVector = 8, version 1 to 1;
    /// Bits with an index for rank and select.
    RankSelect = 9, version 1 to 1;
    /// Sorted integers.
    EliasFano = 10, version 1 to 1;
    /// Integers of 1 to 64 bits.
    PackedInts = 11, version 1 to 1;
    /// The file of a vector that is larger than memory.
    MmapVector = 12, version 1 to 1;
    /// A dictionary for compression.
    Dictionary = 13, version 1 to 1;
    /// Compressed records.
    RecordStore = 14, version 1 to 1;
    /// A Bloom filter.
    BloomFilter = 15, version 1 to 2;
    /// A suffix array.
    SuffixArray = 16, version 1 to 1;
    /// A map that many threads and processes write.
    SharedMap = 17, version 1 to 1;
    // end of generated: kinds
}

impl Kind {
    /// The code stored in a region's header.
    #[inline]
    #[must_use]
    pub const fn code(self) -> u32 {
        self as u32
    }

    /// The kind with this code, if there is one.
    #[must_use]
    pub fn from_code(code: u32) -> Option<Kind> {
        Kind::ALL.get(code.wrapping_sub(1) as usize).copied()
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_count_from_1_without_gaps() {
        for (index, &kind) in Kind::ALL.iter().enumerate() {
            assert_eq!(kind.code() as usize, index + 1);
            assert_eq!(Kind::from_code(kind.code()), Some(kind));
        }
        assert_eq!(Kind::from_code(0), None);
        assert_eq!(Kind::from_code(Kind::ALL.len() as u32 + 1), None);
    }
}
