//! Elements of vectors: Rust's numbers, the words they are stored as, and their sort order.
//!
//! Region memory is read and written as unsigned words ([`Word`]) through atomics ([`Slot`]),
//! because another thread may be writing it. The order is that of JavaScript's
//! `TypedArray.prototype.sort`: ascending, −0 before 0, NaN last regardless of its sign.
//! [`Element::encode`] maps it to the order of unsigned integers, by the well-known map of IEEE 754
//! numbers to sign-magnitude integers (Herf, "Radix tricks", 2001).

mod types;
mod word;

pub use self::types::Type;
pub use self::word::{Record, Slot, Word};
use std::fmt::Debug;

mod sealed {
    pub trait Sealed {}
}

/// A type of elements: `u8 i8 u16 i16 u32 i32 f32 f64 u64 i64`.
pub trait Element:
    Copy + PartialEq + PartialOrd + Default + Send + Sync + Debug + sealed::Sealed + 'static
{
    /// The code of the type in the format.
    const TYPE: Type;
    /// Whether the type is a float.
    const FLOAT: bool;
    /// The stored form.
    type Word: Word;
    /// A signed or unsigned integer whose order is that of the elements.
    type Rank: Copy + Ord + Debug;
    /// The least and the greatest rank.
    const RANKS: (Self::Rank, Self::Rank);

    /// The word of this element.
    fn to_word(self) -> Self::Word;
    /// The element of a word.
    fn from_word(word: Self::Word) -> Self;
    /// The rank of the element of a word, by which it is compared. The ranks of NaNs are outside
    /// those of numbers.
    fn rank(word: Self::Word) -> Self::Rank;
    /// The word with this rank.
    fn unrank(rank: Self::Rank) -> Self::Word;
    /// Whether the element of a word is NaN.
    fn is_nan(word: Self::Word) -> bool;
    /// The unsigned integer by which a word is sorted. NaNs lose their sign.
    fn encode(word: Self::Word) -> Self::Word;
    /// The inverse of [`Element::encode`].
    fn decode(key: Self::Word) -> Self::Word;
    /// [`Element::encode`] for searching: −0 equals 0, and all NaNs are equal.
    fn encode_for_search(word: Self::Word) -> Self::Word;
    /// The sum of integers, at most 2^31 of them; 0 for floats, which `simd` sums.
    fn sum(block: &[Self::Word]) -> i128;
}

macro_rules! integers {
    ($($type:ident $word:ident $ty:ident $flip:expr, $sum:ident;)+) => {$(
        impl sealed::Sealed for $type {}

        impl Element for $type {
            const TYPE: Type = Type::$ty;
            const FLOAT: bool = false;
            type Word = $word;
            type Rank = $type;
            const RANKS: ($type, $type) = ($type::MIN, $type::MAX);

            #[inline(always)]
            fn to_word(self) -> $word {
                self as $word
            }
            #[inline(always)]
            fn from_word(word: $word) -> $type {
                word as $type
            }
            #[inline(always)]
            fn rank(word: $word) -> $type {
                word as $type
            }
            #[inline(always)]
            fn unrank(rank: $type) -> $word {
                rank as $word
            }
            #[inline(always)]
            fn is_nan(_: $word) -> bool {
                false
            }
            #[inline(always)]
            fn encode(word: $word) -> $word {
                word ^ $flip
            }
            #[inline(always)]
            fn decode(key: $word) -> $word {
                key ^ $flip
            }
            #[inline(always)]
            fn encode_for_search(word: $word) -> $word {
                word ^ $flip
            }
            #[inline(always)]
            fn sum(block: &[$word]) -> i128 {
                $sum!($type, block)
            }
        }
    )+};
}

/// Up to 32 bits: the sum of 2^31 of them fits 64.
macro_rules! narrow {
    ($type:ident, $block:expr) => {
        i128::from($block.iter().fold(0i64, |sum, &word| sum.wrapping_add(i64::from(word as $type))))
    };
}

/// 64 bits: the two halves are summed separately.
macro_rules! wide {
    ($type:ident, $block:expr) => {{
        let low = $block.iter().fold(0u64, |sum, &word| sum.wrapping_add(word & 0xFFFF_FFFF));
        let high = $block.iter().fold(0 as $type, |sum, &word| sum.wrapping_add((word as $type) >> 32));
        (i128::from(high) << 32) + i128::from(low)
    }};
}

integers! {
    u8 u8 U8 0, narrow;
    i8 u8 I8 0x80, narrow;
    u16 u16 U16 0, narrow;
    i16 u16 I16 0x8000, narrow;
    u32 u32 U32 0, narrow;
    i32 u32 I32 0x8000_0000, narrow;
    u64 u64 U64 0, wide;
    i64 u64 I64 0x8000_0000_0000_0000, wide;
}

macro_rules! floats {
    ($($type:ident $word:ident $signed:ident $ty:ident;)+) => {$(
        impl sealed::Sealed for $type {}

        impl Element for $type {
            const TYPE: Type = Type::$ty;
            const FLOAT: bool = true;
            type Word = $word;
            type Rank = $signed;
            const RANKS: ($signed, $signed) = ($signed::MIN, $signed::MAX);

            #[inline(always)]
            fn to_word(self) -> $word {
                self.to_bits()
            }
            #[inline(always)]
            fn from_word(word: $word) -> $type {
                $type::from_bits(word)
            }
            #[inline(always)]
            fn rank(word: $word) -> $signed {
                let bits = word as $signed;
                // All bits of negative numbers except for the sign are flipped, because a larger
                // magnitude makes them less.
                bits ^ ((bits >> ($word::BITS - 1)) & $signed::MAX)
            }
            #[inline(always)]
            fn unrank(rank: $signed) -> $word {
                (rank ^ ((rank >> ($word::BITS - 1)) & $signed::MAX)) as $word
            }
            #[inline(always)]
            fn is_nan(word: $word) -> bool {
                word & ($word::MAX >> 1) > $type::INFINITY.to_bits()
            }
            #[inline(always)]
            fn encode(word: $word) -> $word {
                let magnitude = word & ($word::MAX >> 1);
                let word = if magnitude > $type::INFINITY.to_bits() { magnitude } else { word };
                Self::rank(word) as $word ^ (1 << ($word::BITS - 1))
            }
            #[inline(always)]
            fn decode(key: $word) -> $word {
                Self::unrank((key ^ (1 << ($word::BITS - 1))) as $signed)
            }
            #[inline(always)]
            fn encode_for_search(word: $word) -> $word {
                let magnitude = word & ($word::MAX >> 1);
                if magnitude > $type::INFINITY.to_bits() {
                    return $word::MAX;
                }
                Self::encode(if magnitude == 0 { 0 } else { word })
            }
            #[inline(always)]
            fn sum(_: &[$word]) -> i128 {
                0
            }
        }
    )+};
}

floats! {
    f32 u32 i32 F32;
    f64 u64 i64 F64;
}

/// Evaluates an expression with the Rust type of a [`Type`], which must be numeric.
macro_rules! with_element {
    ($ty:expr, $T:ident => $body:expr) => {
        match $ty {
            Type::U8 => {
                type $T = u8;
                $body
            }
            Type::I8 => {
                type $T = i8;
                $body
            }
            Type::U16 => {
                type $T = u16;
                $body
            }
            Type::I16 => {
                type $T = i16;
                $body
            }
            Type::U32 => {
                type $T = u32;
                $body
            }
            Type::I32 => {
                type $T = i32;
                $body
            }
            Type::F32 => {
                type $T = f32;
                $body
            }
            Type::U64 => {
                type $T = u64;
                $body
            }
            Type::I64 => {
                type $T = i64;
                $body
            }
            _ => {
                type $T = f64;
                $body
            }
        }
    };
}
pub(crate) use with_element;

#[cfg(test)]
mod tests {
    use super::*;

    fn order_of<T: Element>(sorted: &[T]) {
        let keys: Vec<_> = sorted.iter().map(|x| T::encode(x.to_word())).collect();
        assert!(keys.is_sorted(), "{sorted:?}");
        for &x in sorted {
            let word = x.to_word();
            assert_eq!(T::unrank(T::rank(word)), word);
            assert_eq!(T::decode(T::encode(word)), word);
            assert_eq!(T::is_nan(word), x.partial_cmp(&x).is_none());
        }
    }

    #[test]
    fn encoded_keys_have_the_order_of_the_elements() {
        order_of(&[0u8, 1, 127, 128, 255]);
        order_of(&[i8::MIN, -1, 0, 1, i8::MAX]);
        order_of(&[i16::MIN, -1, 0, 1, i16::MAX]);
        order_of(&[i32::MIN, -1, 0, 1, i32::MAX]);
        order_of(&[i64::MIN, -1, 0, 1, i64::MAX]);
        order_of(&[0u64, 1, u64::MAX]);
        order_of(&[f32::NEG_INFINITY, -1.5, -f32::from_bits(1), -0.0, 0.0, 1.5, f32::INFINITY, f32::NAN]);
        order_of(&[f64::NEG_INFINITY, -1.5, -f64::from_bits(1), -0.0, 0.0, 1.5, f64::INFINITY, f64::NAN]);
    }

    #[test]
    fn nans_come_last_regardless_of_their_sign() {
        let negative = 0xFFF8_0000_0000_0001;
        assert!(f64::encode(negative) > f64::encode(f64::INFINITY.to_bits()));
        assert_eq!(f64::encode_for_search(negative), f64::encode_for_search(f64::NAN.to_bits()));
        assert_eq!(f32::encode_for_search((-0.0f32).to_bits()), f32::encode_for_search(0));
    }
}
