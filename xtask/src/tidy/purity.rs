//! Do core and work stay free of files, sockets, clocks and chance?
//!
//! The compiler does not know this wall: `std` is open to every crate.

use super::{House, arrows};

/// Modules of `std` that are the edge's.
const STD_MODULES: &[&str] = &["env", "fs", "net", "process"];

/// Paths and names that bring the outside in by another door.
const NAMES: &[&str] = &[
    "Instant::now",
    "RandomState",
    "Rng::default",
    "Rng::new",
    "SystemTime",
    "fastrand::choice",
    "fastrand::seed",
    "fastrand::shuffle",
    "include_dir",
    "tokio::",
];

pub(super) fn check(house: &House) -> Vec<String> {
    let mut broken = Vec::new();
    for crate_name in arrows::PURE {
        for (file, source) in house.sources(crate_name) {
            for what in impurities(&source.shipped_code()) {
                if *crate_name != arrows::USES_FILES || what != "std::fs" {
                    broken.push(format!("{} uses `{what}`", file.path));
                }
            }
        }
    }
    broken
}

fn impurities(code: &str) -> Vec<String> {
    let tight: String = code.split_whitespace().collect();
    let mut found = Vec::new();
    for module in STD_MODULES {
        let path = format!("std::{module}");
        if mentions(&tight, &path) || in_use_group(&tight, module) {
            found.push(path);
        }
    }
    found.extend(NAMES.iter().filter(|name| mentions(&tight, name)).map(|name| (*name).to_owned()));
    found
}

/// Whether `path` stands there as a whole: `std::fs`, not `std::fsync`.
fn mentions(tight: &str, path: &str) -> bool {
    tight.match_indices(path).any(|(at, _)| {
        let after = tight[at + path.len()..].chars().next();
        path.ends_with(':') || !after.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

/// Whether a `use std::{…}` names the module, however deep the group.
fn in_use_group(tight: &str, module: &str) -> bool {
    tight.match_indices("std::{").any(|(at, start)| {
        let mut depth = 1;
        let mut word = String::new();
        for c in tight[at + start.len()..].chars() {
            if c.is_alphanumeric() || c == '_' {
                word.push(c);
                continue;
            }
            if depth == 1 && word == module {
                return true;
            }
            word.clear();
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_door_to_the_outside_is_seen() {
        assert_eq!(impurities("use std::fs::File;"), ["std::fs"]);
        assert_eq!(impurities("use std::{collections::HashMap, net};"), ["std::net"]);
        assert_eq!(impurities("let a = std :: env::args();"), ["std::env"]);
        assert_eq!(impurities("let b = std::time::Instant::now();"), ["Instant::now"]);
        assert_eq!(impurities("tokio::spawn(x)"), ["tokio::"]);
    }

    #[test]
    fn what_only_looks_alike_passes() {
        assert_eq!(
            impurities("use std::{fmt::{self, net}, io}; let fs = 1;"),
            Vec::<String>::new()
        );
        assert_eq!(impurities("let envelope = netting(fs);"), Vec::<String>::new());
    }
}
