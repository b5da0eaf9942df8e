//! Rules for the sources of the C ABI that the compiler does not check.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::path::{Path, PathBuf};

/// Modules that every other module may import: they read arguments and write results, and name no
/// structure.
const SHARED: &[&str] =
    &["access", "args", "control", "guard", "handle", "log", "options", "status", "types"];

struct Source {
    /// Path in `src`, such as `hashmap/bulk.rs`.
    name: String,
    /// The text without comments and unit tests.
    code: String,
}

fn files(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, into) } else { into.push(path) }
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    files(&root, &mut paths);
    let read = |path: PathBuf| Source {
        name: path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(),
        code: code(&std::fs::read_to_string(&path).unwrap()),
    };
    paths.into_iter().map(read).collect()
}

fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect()
}

/// Name and body of each function that C can call.
fn entries(code: &str) -> Vec<(&str, &str)> {
    let found = code.split("#[unsafe(no_mangle)]\n").skip(1).map(|rest| {
        let name = rest.split("extern \"C\" fn ").nth(1).unwrap().split('(').next().unwrap();
        let body = &rest[rest.find("{\n").unwrap() + 2..rest.find("\n}\n").unwrap()];
        (name, body)
    });
    found.collect()
}

/// Whether a body is one call of a guard, perhaps in an unsafe block, and nothing else.
fn is_guarded(body: &str) -> bool {
    let mut rest = body.trim().trim_end_matches(';');
    if let Some(inner) = rest.strip_prefix("unsafe {") {
        rest = inner.strip_suffix('}').unwrap_or("").trim().trim_end_matches(';');
    }
    let guard = ["guard(", "guard_out(", "guard_value("].into_iter().find(|guard| rest.starts_with(guard));
    let Some(guard) = guard else { return false };
    let mut depth = 1;
    for (at, byte) in rest.bytes().enumerate().skip(guard.len()) {
        depth += match byte {
            b'(' => 1,
            b')' => -1,
            _ => 0,
        };
        if depth == 0 {
            return at + 1 == rest.len();
        }
    }
    false
}

#[test]
fn every_entry_runs_inside_a_guard() {
    let mut count = 0;
    for source in sources() {
        for (name, body) in entries(&source.code) {
            assert!(is_guarded(body), "{name} of {} does more than call a guard:\n{body}", source.name);
            count += 1;
        }
    }
    assert!(count > 300, "found only {count} entries");
}

#[test]
fn a_body_with_code_outside_its_guard_is_noticed() {
    for good in
        ["    guard(|| Ok(()))", "    unsafe { guard_out(out, || Ok(f(1))) }", "    guard_value((), f);"]
    {
        assert!(is_guarded(good), "{good}");
    }
    for bad in [
        "    f();\n    guard(|| Ok(()))",
        "    guard(|| Ok(()));\n    f()",
        "    unsafe { f(1) }",
        "    guard_value(f(), g).h()",
    ] {
        assert!(!is_guarded(bad), "{bad}");
    }
}

/// Text and name of each struct.
fn structs(code: &str) -> Vec<(&str, &str)> {
    let found = code.split("pub struct ").skip(1).filter_map(|rest| {
        let name = rest.split([' ', '(', '<', ';']).next().unwrap();
        Some((name, &rest[..rest.find("\n}\n")?]))
    });
    found.collect()
}

#[test]
fn option_structs_can_grow_and_hold_no_bool() {
    let mut count = 0;
    for source in sources() {
        for (name, text) in structs(&source.code) {
            if !text.contains("pub struct_size: usize") {
                assert!(!name.ends_with("_options"), "{name} of {} has no struct_size", source.name);
                continue;
            }
            assert!(!text.contains(": bool"), "{name}: C may store any byte in a bool, so it must be a Flag");
            assert!(
                source.code.contains(&format!("option_struct!({name},")),
                "{name} is not an option_struct!"
            );
            assert!(!source.code.contains(".struct_size"), "{}: read_struct reads struct_size", source.name);
            count += 1;
        }
    }
    assert_eq!(count, 13, "option structs that were found");
}

/// Modules outside its own folder that a source imports, by their first name.
fn imports(code: &str) -> Vec<&str> {
    let paths = code.split("crate::").skip(1);
    paths
        .map(|rest| rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next().unwrap())
        .collect()
}

#[test]
fn modules_of_structures_do_not_import_each_other() {
    let mut count = 0;
    for source in sources() {
        let module = source.name.split(['/', '.']).next().unwrap();
        for import in imports(&source.code) {
            assert!(
                import == module || SHARED.contains(&import),
                "{} imports {import}, a sibling: what both need belongs in {SHARED:?}",
                source.name
            );
            count += 1;
        }
    }
    assert!(count > 50, "found only {count} imports");
}

#[test]
fn shared_modules_have_no_entries_for_a_structure() {
    for source in sources() {
        let module = source.name.split(['/', '.']).next().unwrap();
        if ["access", "args", "control", "guard", "handle", "options"].contains(&module) {
            assert!(entries(&source.code).is_empty(), "{} exports functions", source.name);
        }
    }
}
