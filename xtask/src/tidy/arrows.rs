//! Does every dependency point down?
//!
//! The table is the picture of `ARCHITECTURE.md`; an arrow that is not in it needs a change here,
//! and with it a reason.

use super::House;
use std::collections::BTreeSet;

/// Each crate of the workspace, and those of the workspace that it may name.
const ARROWS: &[(&str, &[&str])] = &[
    ("bavn-model", &[]),
    ("bavn-decode", &["bavn-model"]),
    ("bavn-detect", &["bavn-model"]),
    ("bavn-store", &["bavn-model"]),
    ("bavn-share", &[]),
    ("bavn-drill", &["bavn-model", "bavn-decode"]),
    ("bavn-console", &["bavn-model", "bavn-detect", "bavn-share"]),
    (
        "bavn",
        &[
            "bavn-model",
            "bavn-decode",
            "bavn-detect",
            "bavn-store",
            "bavn-share",
            "bavn-drill",
            "bavn-console",
        ],
    ),
    ("xtask", &[]),
];

/// Crates that only the edge may use: runtimes, servers, clocks, randomness, command lines.
const EDGE_ONLY: &[&str] = &[
    "anyhow",
    "async-std",
    "axum",
    "chrono",
    "clap",
    "fastrand",
    "getrandom",
    "hyper",
    "mio",
    "rand",
    "rand_core",
    "rayon",
    "reqwest",
    "signal-hook",
    "smol",
    "socket2",
    "tempfile",
    "time",
    "tiny_http",
    "tokio",
    "walkdir",
];

/// Chance that comes from a seed is none: who may use such a crate, which `purity` holds to seeds.
const SEEDED: &[(&str, &str)] = &[("bavn-drill", "fastrand")];

/// Crates of the core and work rows: no clock, file, socket or chance in them.
pub(super) const PURE: &[&str] =
    &["bavn-model", "bavn-decode", "bavn-detect", "bavn-drill", "bavn-store", "bavn-share"];

/// The one of them that may use files.
pub(super) const USES_FILES: &str = "bavn-store";

pub(super) fn check(house: &House) -> Vec<String> {
    let members: BTreeSet<&str> = house.metadata["workspace_members"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|id| id.as_str())
        .collect();
    let mut broken = Vec::new();
    for package in house.metadata["packages"].as_array().into_iter().flatten() {
        if !package["id"].as_str().is_some_and(|id| members.contains(id)) {
            continue;
        }
        let name = package["name"].as_str().unwrap_or_default();
        let uses: Vec<(&str, bool)> = package["dependencies"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|dependency| {
                Some((dependency["name"].as_str()?, dependency["kind"].as_str() == Some("dev")))
            })
            .collect();
        broken.extend(wrong_arrows(name, &uses));
    }
    broken
}

/// `uses`: each dependency, and whether it is one of tests only. A test may look sideways (a
/// detector tested on decoded records), but never at the edge's crates.
fn wrong_arrows(name: &str, uses: &[(&str, bool)]) -> Vec<String> {
    let Some((_, allowed)) = ARROWS.iter().find(|(from, _)| *from == name) else {
        return vec![format!("crate `{name}` is not in the table of xtask/src/tidy/arrows.rs")];
    };
    let mut broken = Vec::new();
    for &(used, in_tests) in uses {
        let ours = ARROWS.iter().any(|(crate_name, _)| *crate_name == used);
        if ours && !allowed.contains(&used) && !in_tests {
            broken.push(format!("`{name}` must not depend on `{used}`"));
        }
        let is_impure = EDGE_ONLY.contains(&used) && !SEEDED.contains(&(name, used));
        if PURE.contains(&name) && is_impure && !in_tests {
            broken.push(format!("`{name}` is pure and must not depend on `{used}`"));
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrow_that_points_up_or_sideways_is_refused() {
        assert_eq!(wrong_arrows("bavn-detect", &[("bavn-model", false)]), Vec::<String>::new());
        assert_eq!(wrong_arrows("bavn-detect", &[("bavn-decode", false)]).len(), 1);
        assert_eq!(wrong_arrows("bavn-model", &[("bavn", false)]).len(), 1);
        assert_eq!(wrong_arrows("bavn-decode", &[("tokio", false)]).len(), 1);
        assert_eq!(wrong_arrows("bavn-unheard-of", &[]).len(), 1);
    }

    #[test]
    fn no_table_entry_makes_a_circle() {
        for (at, (name, allowed)) in ARROWS.iter().enumerate() {
            for used in *allowed {
                let below = ARROWS.iter().position(|(other, _)| other == used);
                assert!(below.is_some_and(|below| below < at), "`{name}` -> `{used}`");
            }
        }
    }
}
