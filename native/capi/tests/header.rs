//! `include/offheap.h` is committed, so that C users need no Rust toolchain. This test fails if it
//! is out of date.
//!
//! `OFFHEAP_BLESS=1 cargo test -p offheap-capi --test header` (or `npm run header`) rewrites it.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::path::{Path, PathBuf};

/// The sections of the header, by audience: a title, and the sources whose functions it contains. A
/// name that ends in `/` means the files of a folder, by name. A file without a section fails
/// the test.
const SECTIONS: &[(&str, &[&str])] = &[
    ("Errors, versions, types", &["status.rs", "types.rs", "log.rs", "cpu.rs"]),
    ("Maps", &["hashmap/", "standalone_smallmap.rs", "smallmap_arena/"]),
    ("Maps with many writers", &["sharedmap/"]),
    ("Vectors", &["vector.rs", "owned_vector.rs"]),
    (
        "Bits and sorted data",
        &["bitvector.rs", "rankselect.rs", "packedints.rs", "eliasfano.rs", "suffixarray.rs"],
    ),
    ("Compression and hashing", &["compress/", "bloomfilter.rs", "rollinghash.rs"]),
    ("Pools", &["fixedpool.rs", "bumparena.rs", "lockfreepool/", "numapool.rs"]),
    ("Files", &["mappedfile.rs", "mmapvector.rs", "cursor.rs"]),
    ("Regions and memory of any kind", &["region.rs", "memory.rs", "numa.rs"]),
    ("For language bindings, which map files into buffers of their runtime", &["binding/"]),
];

/// Sources that export no functions.
const SHARED: &[&str] = &["access.rs", "args.rs", "control.rs", "guard.rs", "handle.rs", "options.rs"];

/// The section of a source, and its place there.
fn place(name: &str) -> Option<(usize, usize)> {
    SECTIONS.iter().enumerate().find_map(|(section, (_, names))| {
        let found = |entry: &&str| name == *entry || (entry.ends_with('/') && name.starts_with(*entry));
        Some((section, names.iter().position(found)?))
    })
}

fn name_of(path: &Path, dir: &Path) -> String {
    path.strip_prefix(dir).unwrap().to_str().unwrap().replace('\\', "/")
}

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
        let name = name_of(path, dir);
        (place(&name).unwrap_or((SECTIONS.len(), 0)), name)
    });
    files
}

/// The names of the functions that a source exports, in order.
fn exports(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() == "#[unsafe(no_mangle)]" {
            let declaration = lines.find(|line| line.contains("fn ")).unwrap();
            names.push(declaration.split("fn ").nth(1).unwrap().split(['(', '<']).next().unwrap().to_owned());
        }
    }
    names
}

/// Puts the title of each section before its first function.
fn add_titles(mut header: String, dir: &Path) -> String {
    let mut titled = 0;
    for path in sources(dir) {
        let text = std::fs::read_to_string(&path).unwrap();
        let (Some((section, _)), Some(first)) =
            (place(&name_of(&path, dir)), exports(&text).into_iter().next())
        else {
            continue;
        };
        if section < titled {
            continue;
        }
        titled = section + 1;
        let at = header.find(&format!("{first}(")).unwrap();
        let at = header[..at].rfind("/**").unwrap();
        let title = SECTIONS[section].0;
        header.insert_str(at, &format!("/*\n * ---- {title} ----\n */\n\n"));
    }
    header
}

fn generate(root: &Path) -> String {
    // Files are listed rather than the crate named, because reading a crate runs `cargo metadata`,
    // which would download the benchmarks' dependencies. cbindgen follows `mod` lines, and would
    // emit every function twice if it was also given the files that they name. So lib.rs is left
    // out, and so are the files next to a mod.rs.
    let mut builder = cbindgen::Builder::new()
        .with_config(cbindgen::Config::from_file(root.join("cbindgen.toml")).unwrap());
    for source in sources(&root.join("src")) {
        let is_submodule = !source.ends_with("mod.rs") && source.with_file_name("mod.rs").exists();
        if !is_submodule {
            builder = builder.with_src(source);
        }
    }
    let mut bytes = Vec::new();
    builder.generate().expect("cbindgen").write(&mut bytes);
    // `# Safety` is Rust's heading for the preconditions; a C reader would not know it.
    let header = String::from_utf8(bytes).unwrap().replace(" * # Safety\n", " * Requires:\n");
    add_titles(header, &root.join("src"))
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
        for name in exports(&std::fs::read_to_string(&source).unwrap()) {
            assert!(header.contains(&format!("{name}(")), "{name} of {} is not declared", source.display());
            assert!(name.starts_with("oh_"), "{name} has no oh_ prefix");
            count += 1;
        }
    }
    assert!(count > 300, "found only {count} exported functions");
}

#[test]
fn every_source_has_a_section_of_the_header() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for source in sources(&dir) {
        let name = name_of(&source, &dir);
        let known = place(&name).is_some() || SHARED.contains(&name.as_str()) || name == "lib.rs";
        assert!(known, "{name} is in no section of the header");
    }
}
