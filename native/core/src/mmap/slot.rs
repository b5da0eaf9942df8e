//! A commit record: 64 bytes that contain the number of committed elements.
//!
//! `docs/formats/mmapvector.md`, "Commit slots". The seal covers the file's random seeds, so a
//! record of another file, or of an earlier file on the same blocks, is not valid here.

/// Bytes of a record.
pub const SLOT_BYTES: usize = 64;
const MAGIC: u32 = 0x4D43_464F;
const SEAL: usize = 60;

/// The contents of a commit record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its number: one more than that of the previous commit.
    pub sequence: u64,
    /// Number of elements.
    pub length: u64,
    /// CRC-32C of their bytes.
    pub checksum: u32,
    /// The number of elements that were on the disk before this record was written, at most
    /// `length`. The record is valid only if the elements after them, its **tail**, match `tail`.
    pub synced: u64,
    /// XXH3 of the tail's bytes, with the file's seeds as its seed; 0 if there is no tail.
    pub tail: u64,
}

impl Commit {
    /// Whether some elements were written to the disk together with the record.
    #[must_use]
    pub fn has_tail(&self) -> bool {
        self.synced < self.length
    }
}

/// The contents of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The slot was never written.
    Empty,
    /// An invalid record: an interrupted commit, or damage.
    Broken,
    /// A valid record.
    Sealed(Commit),
}

impl Commit {
    /// Encodes the record for the file with these seeds.
    #[must_use]
    pub fn encode(&self, seeds: [u32; 2]) -> [u8; SLOT_BYTES] {
        let mut bytes = [0; SLOT_BYTES];
        bytes[0..4].copy_from_slice(&MAGIC.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.length.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.checksum.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.synced.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.tail.to_le_bytes());
        let seal = seal(&bytes, seeds);
        bytes[SEAL..].copy_from_slice(&seal.to_le_bytes());
        bytes
    }
}

impl Slot {
    /// The record, if it is valid.
    #[must_use]
    pub fn sealed(&self) -> Option<Commit> {
        if let Slot::Sealed(commit) = *self { Some(commit) } else { None }
    }

    /// Decodes slot `index` (0 or 1) of the file with these seeds.
    #[must_use]
    pub fn decode(bytes: &[u8; SLOT_BYTES], index: usize, seeds: [u32; 2]) -> Slot {
        if bytes.iter().all(|&byte| byte == 0) {
            return Slot::Empty;
        }
        let commit = Commit {
            sequence: u64::from_le_bytes(field(bytes, 8)),
            length: u64::from_le_bytes(field(bytes, 16)),
            checksum: u32::from_le_bytes(field(bytes, 24)),
            synced: u64::from_le_bytes(field(bytes, 32)),
            tail: u64::from_le_bytes(field(bytes, 40)),
        };
        // All other bits are fixed, so a record is intact if encoding it again gives the same
        // bytes.
        let intact = commit.encode(seeds) == *bytes
            && commit.sequence % 2 == index as u64
            && commit.synced <= commit.length
            && (commit.has_tail() || commit.tail == 0);
        if intact { Slot::Sealed(commit) } else { Slot::Broken }
    }
}

fn field<const N: usize>(bytes: &[u8; SLOT_BYTES], at: usize) -> [u8; N] {
    std::array::from_fn(|i| bytes[at + i])
}

fn seal(bytes: &[u8; SLOT_BYTES], seeds: [u32; 2]) -> u32 {
    let mut crc = 0;
    for seed in seeds {
        crc = crc32c::crc32c_append(crc, &seed.to_le_bytes());
    }
    crc32c::crc32c_append(crc, &bytes[..SEAL])
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEDS: [u32; 2] = [7, 9];

    #[test]
    fn a_record_round_trips_and_every_flipped_bit_is_detected() {
        let commit = Commit {
            sequence: 5,
            length: 1 << 40,
            checksum: 0xDEAD_BEEF,
            synced: 1 << 39,
            tail: u64::MAX / 3,
        };
        let bytes = commit.encode(SEEDS);
        assert_eq!(Slot::decode(&bytes, 1, SEEDS), Slot::Sealed(commit));
        assert_eq!(Slot::decode(&bytes, 0, SEEDS), Slot::Broken, "in the wrong slot");
        assert_eq!(Slot::decode(&bytes, 1, [7, 8]), Slot::Broken, "of another file");
        for bit in 0..SLOT_BYTES * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Slot::decode(&flipped, 1, SEEDS), Slot::Broken, "bit {bit}");
        }
        assert_eq!(Slot::decode(&[0; SLOT_BYTES], 0, SEEDS), Slot::Empty);
    }

    #[test]
    fn a_sealed_record_that_contradicts_itself_is_broken() {
        let sound = Commit { sequence: 4, length: 10, checksum: 1, synced: 10, tail: 0 };
        assert!(!sound.has_tail());
        assert_eq!(Slot::decode(&sound.encode(SEEDS), 0, SEEDS), Slot::Sealed(sound));
        for odd in [Commit { synced: 11, ..sound }, Commit { tail: 1, ..sound }] {
            assert_eq!(Slot::decode(&odd.encode(SEEDS), 0, SEEDS), Slot::Broken, "{odd:?}");
        }
    }

    #[test]
    fn a_mixture_of_two_records_is_broken() {
        let old = Commit { sequence: 3, length: 1000, checksum: 1, synced: 1000, tail: 0 }.encode(SEEDS);
        let new = Commit { sequence: 5, length: 2000, checksum: 2, synced: 1000, tail: 9 }.encode(SEEDS);
        for cut in 1..SLOT_BYTES {
            let mut torn = new;
            torn[..cut].copy_from_slice(&old[..cut]);
            if torn != old && torn != new {
                assert_eq!(Slot::decode(&torn, 1, SEEDS), Slot::Broken, "cut at {cut}");
            }
        }
    }
}
