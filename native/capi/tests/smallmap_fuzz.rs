//! The fuzz targets' work (`native/fuzz`) on inputs from a generator: a short, repeatable form of it.
#![expect(clippy::expect_used, reason = "a failed expectation is a failed test")]

#[path = "../../fuzz/src/smallmap.rs"]
mod drive;

/// xorshift64*: the same inputs every time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn bytes(&mut self, most: u64) -> Vec<u8> {
        let count = self.next() % most;
        (0..count).map(|_| (self.next() >> 32) as u8).collect()
    }
}

const ROUNDS: usize = if cfg!(miri) { 12 } else { 3000 };

#[test]
fn damaged_regions_are_harmless() {
    let mut random = Random(1);
    for _ in 0..ROUNDS {
        let mut data = random.bytes(100);
        // Many with little damage: those get furthest.
        if random.next().is_multiple_of(2) {
            data.truncate(15);
        }
        drive::region(&data);
    }
}

#[test]
fn operations_agree_with_a_model() {
    let mut random = Random(2);
    for _ in 0..ROUNDS {
        drive::operations(&random.bytes(600));
    }
}

#[test]
fn any_bytes_are_harmless() {
    let mut random = Random(3);
    for _ in 0..ROUNDS {
        let mut data = random.bytes(2000);
        let magic = [b"OFHP".as_slice(), &[1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0]].concat();
        if data.len() > magic.len() && random.next().is_multiple_of(2) {
            data[..magic.len()].copy_from_slice(&magic);
        }
        drive::raw(&data);
    }
}
