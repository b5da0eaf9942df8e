//! The layers of the crate: the imports that each module may have, and no import cycles between
//! files.
//!
//! `cpu` and `error` are at the bottom, then `region`, then `simd` and `table`, then the
//! structures. A structure imports no other structure, apart from those listed in [`SIBLINGS`].

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The modules of the crate that are not structures, and their allowed imports.
const BASE: [(&str, &[&str]); 6] = [
    ("cpu", &[]),
    ("error", &[]),
    ("log", &[]),
    ("region", &["cpu", "error"]),
    ("simd", &["cpu", "error", "region"]),
    ("table", &["cpu", "error", "region"]),
];

/// A structure that imports another one, and why.
const SIBLINGS: [(&str, &str, &str); 2] = [
    ("compress", "succinct", "a RecordStore contains an EliasFano with the ends of its records"),
    ("sharedmap", "mmap", "a SharedMap in a file is mapped by a window, and created as a vector's file is"),
];

/// One source file: its path in the crate, such as `region::sigbus::handler`, and the paths it
/// imports.
struct Source {
    path: Vec<String>,
    imports: Vec<Vec<String>>,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files
        .iter()
        .map(|file| {
            let path = module_path(file.strip_prefix(&root).unwrap());
            let text = without_tests(&std::fs::read_to_string(file).unwrap());
            let imports = imports(&text, &path);
            Source { path, imports }
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && path.file_name().is_some_and(|name| name != "tests.rs")
        {
            files.push(path);
        }
    }
}

/// `region/sigbus/mod.rs` -> `region::sigbus`; `lib.rs` -> the empty path.
fn module_path(file: &Path) -> Vec<String> {
    let mut path: Vec<String> =
        file.with_extension("").iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    if path.last().is_some_and(|last| last == "mod" || last == "lib") {
        path.pop();
    }
    path
}

/// The text up to the module of unit tests, which may import anything, and without comments.
fn without_tests(text: &str) -> String {
    let end = ["\n#[cfg(test)]\nmod tests", "\n#[cfg(all(test"]
        .iter()
        .filter_map(|start| text.find(start))
        .min()
        .unwrap_or(text.len());
    text[..end].lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

/// Every path in the text that begins with `crate::`, `super::` or, in an import, `self::`, as a
/// path from the crate's root. Braces are expanded.
fn imports(text: &str, module: &[String]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("::") {
        let start = text[..at].rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |i| i + 1);
        let word = &text[start..at];
        if !matches!(word, "crate" | "super" | "self") || text[..start].ends_with("::") {
            continue;
        }
        let statement = text[start..].split(';').next().unwrap_or("");
        for path in expand(statement) {
            found.extend(resolve(&path, module));
        }
    }
    found
}

/// `a::{b, c::{d, e}}` -> `a::b`, `a::c::d`, `a::c::e`.
fn expand(tree: &str) -> Vec<Vec<String>> {
    let name_end = tree.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(tree.len());
    let name = tree[..name_end].to_owned();
    let Some(rest) = tree[name_end..].strip_prefix("::") else { return vec![vec![name]] };
    let children = if let Some(list) = rest.strip_prefix('{') {
        split_list(list).iter().flat_map(|item| expand(item)).collect()
    } else {
        expand(rest)
    };
    children
        .into_iter()
        .map(|mut path| {
            path.insert(0, name.clone());
            path
        })
        .collect()
}

/// The items of a list in braces, up to the brace that closes it.
fn split_list(list: &str) -> Vec<String> {
    let (mut depth, mut items) = (0, vec![String::new()]);
    for c in list.chars().filter(|c| !c.is_whitespace()) {
        match c {
            '}' if depth == 0 => break,
            ',' if depth == 0 => items.push(String::new()),
            _ => {
                depth += i32::from(c == '{') - i32::from(c == '}');
                items.last_mut().unwrap().push(c);
            }
        }
    }
    items
}

/// A path from the crate's root. `None` if it leads out of it.
fn resolve(path: &[String], module: &[String]) -> Option<Vec<String>> {
    let (mut base, mut rest) = (module.to_vec(), path);
    while let Some((first, tail)) = rest.split_first() {
        match first.as_str() {
            "crate" => base.clear(),
            "super" => drop(base.pop()?),
            "self" => {}
            _ => break,
        }
        rest = tail;
    }
    base.extend(rest.iter().cloned());
    Some(base)
}

#[test]
fn modules_import_only_lower_layers() {
    let sources = sources();
    let modules: BTreeSet<&String> = sources.iter().filter_map(|source| source.path.first()).collect();
    let mut wrong = BTreeSet::new();
    for Source { path, imports } in &sources {
        let Some(module) = path.first() else { continue };
        for import in imports {
            // Macros and re-exports of the crate's root, such as `crate::Result`, are no modules.
            let Some(other) = import.first().filter(|&other| other != module && modules.contains(other))
            else {
                continue;
            };
            let allowed = match BASE.iter().find(|(name, _)| name == module) {
                Some((_, allowed)) => allowed.contains(&other.as_str()),
                None => {
                    BASE.iter().any(|&(name, _)| name == other)
                        || SIBLINGS
                            .iter()
                            .any(|&(from, to, _)| (from, to) == (module.as_str(), other.as_str()))
                }
            };
            if !allowed {
                wrong.insert(format!("{} imports {}", path.join("::"), import.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_exception_is_needed() {
    let sources = sources();
    for (from, to, _) in SIBLINGS {
        let used = sources.iter().any(|source| {
            source.path.first().is_some_and(|module| module == from)
                && source.imports.iter().any(|import| import.first().is_some_and(|module| module == to))
        });
        assert!(used, "{from} does not import {to} any more: remove it from the list");
    }
}

#[test]
fn no_files_import_each_other_in_a_cycle() {
    let sources = sources();
    let files: BTreeSet<&[String]> = sources.iter().map(|source| source.path.as_slice()).collect();
    // The file that a path leads to: the longest part of it that is one.
    let file_of = |path: &[String]| (1..=path.len()).rev().find_map(|len| files.get(&path[..len]).copied());
    let mut graph: BTreeMap<&[String], BTreeSet<&[String]>> = BTreeMap::new();
    for Source { path, imports } in &sources {
        let targets = imports.iter().filter_map(|import| file_of(import)).filter(|&target| {
            // A folder's `mod.rs` declares and re-exports its files, which refer to it by `super`.
            target != path.as_slice() && !path.starts_with(target) && !target.starts_with(path)
        });
        graph.entry(path).or_default().extend(targets);
    }
    // Files without imports are removed until none is left, or only files of cycles.
    loop {
        let leaves: Vec<_> =
            graph.iter().filter(|(_, targets)| targets.is_empty()).map(|(&file, _)| file).collect();
        if leaves.is_empty() {
            break;
        }
        graph.retain(|file, _| !leaves.contains(file));
        graph.values_mut().for_each(|targets| targets.retain(|target| !leaves.contains(target)));
    }
    // Files that are imported by none of the rest only lead to a cycle.
    loop {
        let imported: BTreeSet<_> = graph.values().flatten().copied().collect();
        let before = graph.len();
        graph.retain(|file, _| imported.contains(file));
        if graph.len() == before {
            break;
        }
    }
    let rest: Vec<_> = graph
        .iter()
        .map(|(file, targets)| {
            let targets: Vec<_> = targets.iter().map(|target| target.join("::")).collect();
            format!("{} -> {}", file.join("::"), targets.join(", "))
        })
        .collect();
    assert!(rest.is_empty(), "{rest:#?}");
}

#[test]
fn import_paths_are_expanded_and_resolved() {
    let module = ["a", "b"].map(str::to_owned);
    let text = "use super::{c, d::{self, E}};\nfn f() { crate::g::h() }\nuse std::fmt;";
    let found: Vec<_> = imports(text, &module).iter().map(|path| path.join("::")).collect();
    assert_eq!(found, ["a::c", "a::d::self", "a::d::E", "g::h"]);
}
