//! Rounds of the fuzz targets that every structure which changes has: damaged regions, operations,
//! and bytes of any kind.

use crate::random::Random;

const ROUNDS: usize = if cfg!(miri) { 12 } else { 3000 };

pub(crate) fn damaged_regions(drive: fn(&[u8])) {
    let mut random = Random(1);
    for _ in 0..ROUNDS {
        let mut data = random.bytes(100);
        // Many with little damage: those get furthest.
        if random.next().is_multiple_of(2) {
            data.truncate(15);
        }
        drive(&data);
    }
}

pub(crate) fn operations(drive: fn(&[u8])) {
    let mut random = Random(2);
    for _ in 0..ROUNDS {
        drive(&random.bytes(600));
    }
}

/// Half of them begin as a region of this kind does.
pub(crate) fn any_bytes(kind: u8, drive: fn(&[u8])) {
    let mut random = Random(3);
    let magic = [b"OFHP".as_slice(), &[1, 0, 0, 0, kind, 0, 0, 0, 1, 0, 0, 0]].concat();
    for _ in 0..ROUNDS {
        let mut data = random.bytes(2000);
        if data.len() > magic.len() && random.next().is_multiple_of(2) {
            data[..magic.len()].copy_from_slice(&magic);
        }
        drive(&data);
    }
}
