//! The fuzz targets' work (`native/fuzz`) on inputs from a generator: a short, repeatable form of
//! it.
#![expect(clippy::expect_used, reason = "a failed expectation is a failed test")]

#[path = "../../fuzz/src/filters.rs"]
mod drive;
mod random;

// libsais is C, which Miri cannot run.
#[cfg(not(miri))]
mod rounds {
    use super::drive;
    use super::random::Random;

    const ROUNDS: usize = 1500;

    #[test]
    fn damaged_regions_are_harmless() {
        let mut random = Random(1);
        for _ in 0..ROUNDS {
            drive::region(&random.bytes(200));
        }
    }

    #[test]
    fn operations_agree_with_models() {
        let mut random = Random(2);
        for round in 0..ROUNDS {
            let mut data = random.bytes(600);
            // Texts of few letters repeat themselves.
            if round % 2 == 0 {
                data.iter_mut().for_each(|byte| *byte %= 3);
            }
            drive::operations(&data);
        }
    }

    #[test]
    fn any_bytes_are_harmless() {
        let mut random = Random(3);
        for round in 0..ROUNDS {
            let mut data = random.bytes(2000);
            let kind = if round % 2 == 0 { 15 } else { 16 };
            let magic = [b"OFHP".as_slice(), &[1, 0, 0, 0, kind, 0, 0, 0, 1, 0, 0, 0]].concat();
            if data.len() > magic.len() && random.next().is_multiple_of(2) {
                data[..magic.len()].copy_from_slice(&magic);
            }
            drive::raw(&data);
        }
    }
}
