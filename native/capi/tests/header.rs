//! `include/offheap.h` is committed, so that C users need no Rust tool; this test keeps it true.
//!
//! `OFFHEAP_BLESS=1 cargo test -p offheap-capi --test header` (or `npm run header`) rewrites it.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::path::{Path, PathBuf};

/// The sources in the order in which their declarations shall stand in the header: the base first,
/// then one module after another. A file that is not named here comes last, by name.
const ORDER: &[&str] = &["status.rs", "cpu.rs", "region.rs"];

fn sources(dir: &Path) -> Vec<PathBuf> {
    fn collect(dir: &Path, into: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, into);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("lib.rs")
            {
                into.push(path);
            }
        }
    }
    let mut files = Vec::new();
    collect(dir, &mut files);
    files.sort_by_key(|path| {
        let name = path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
        (ORDER.iter().position(|&first| first == name).unwrap_or(ORDER.len()), name)
    });
    files
}

fn generate(root: &Path) -> String {
    // Files are listed rather than the crate named, because reading a crate runs `cargo metadata`,
    // which would download the benchmarks' dependencies; and lib.rs is left out, because cbindgen
    // follows its `mod` lines and would meet every file twice.
    let mut builder = cbindgen::Builder::new()
        .with_config(cbindgen::Config::from_file(root.join("cbindgen.toml")).unwrap());
    for source in sources(&root.join("src")) {
        builder = builder.with_src(source);
    }
    let mut bytes = Vec::new();
    builder.generate().expect("cbindgen").write(&mut bytes);
    // Rust's heading for what the caller must see to means little to a C reader.
    String::from_utf8(bytes).unwrap().replace(" * # Safety\n *", " * Requires:")
}

#[test]
fn the_committed_header_is_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("include/offheap.h");
    let generated = generate(root);
    if std::env::var_os("OFFHEAP_BLESS").is_some() {
        std::fs::write(&path, &generated).unwrap();
        return;
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    if let Some((line, (want, have))) = generated
        .lines()
        .zip(committed.lines().chain(std::iter::repeat("(end of file)")))
        .enumerate()
        .find(|(_, (want, have))| want != have)
    {
        panic!(
            "offheap.h is out of date at line {}:\n  generated: {want}\n  committed: {have}\nrun: npm run header",
            line + 1
        );
    }
    assert_eq!(committed, generated, "offheap.h is out of date; run: npm run header");
}

#[test]
fn every_exported_function_is_in_the_header() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let header = generate(root);
    let mut count = 0;
    for source in sources(&root.join("src")) {
        let text = std::fs::read_to_string(&source).unwrap();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if line.trim() != "#[unsafe(no_mangle)]" {
                continue;
            }
            let declaration = lines.find(|line| line.contains("fn ")).unwrap();
            let name = declaration.split("fn ").nth(1).unwrap().split(['(', '<']).next().unwrap();
            assert!(header.contains(&format!("{name}(")), "{name} of {} is not declared", source.display());
            assert!(name.starts_with("oh_"), "{name} has no oh_ prefix");
            count += 1;
        }
    }
    assert!(count >= 5, "found only {count} exported functions");
}
