//! The test of the commit protocol, on a disk that crashes on demand.
//!
//! A history is a random sequence of appends, overwrites of uncommitted elements, commits of longer
//! and shorter lengths, closings, kills and crashes, after each of which another handle continues
//! with the surviving state. At each of its sync points (before the call, half-way through it,
//! after it) and after each operation, the test makes images of the disk, opens them, and compares
//! them with the promises: [`world`].
//!
//! To show that the test is effective, each step of the protocol is left out in turn, and a history
//! must be found that breaks a promise.

mod disk;
mod files;
mod world;

use super::fault_injection::{LEFT_OUT, Step};
use world::{Broken, World};

/// xorshift64*, which is good enough here.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize) % n
    }
}

/// Runs a history, and returns the first broken promise.
fn history(seed: u64, steps: usize, images: usize) -> Result<(), Broken> {
    let mut world = World::new(seed, images);
    for step in 0..steps {
        world.step().map_err(|broken| format!("seed {seed}, step {step}: {broken}"))?;
    }
    Ok(())
}

#[test]
fn no_crash_tears_a_committed_element() {
    let (seeds, steps, images) = if cfg!(miri) { (2, 6, 2) } else { (60, 40, 6) };
    for seed in 0..seeds {
        history(seed, steps, images).unwrap();
    }
}

/// `cargo test --release -p offheap-core many_crashes -- --ignored`
#[test]
#[ignore = "minutes"]
fn many_crashes() {
    for seed in 1000..20_000 {
        history(seed, 60, 10).unwrap();
    }
}

#[test]
#[cfg_attr(miri, ignore = "too many histories")]
fn every_step_of_the_protocol_is_necessary() {
    let steps = [
        Step::CheckTail,
        Step::RewriteFound,
        Step::SyncFound,
        Step::ReplaceRejected,
        Step::SyncReplacement,
        Step::SyncLarge,
        Step::SyncRecord,
    ];
    for step in steps {
        LEFT_OUT.set(Some(step));
        let found = (0..2000).find_map(|seed| history(seed, 40, 6).err().map(|broken| (seed, broken)));
        LEFT_OUT.set(None);
        let (seed, broken) = found.unwrap_or_else(|| panic!("nothing breaks without {step:?}"));
        println!("without {step:?}: history {seed}: {broken}");
    }
}
