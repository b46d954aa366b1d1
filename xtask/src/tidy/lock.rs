//! Does the number of foreign packages stay below a written one?
//!
//! Raising it is a commit of its own, which says what the new packages save.

use super::House;

/// Packages in `Cargo.lock`, our own included.
const PACKAGES_MAX: usize = 252;

pub(super) fn check(house: &House) -> Vec<String> {
    let lock = house.files.iter().find(|file| file.path == "Cargo.lock");
    let packages =
        lock.map_or(0, |file| file.text.lines().filter(|line| *line == "[[package]]").count());
    match packages {
        0 => vec!["Cargo.lock is missing or empty".to_owned()],
        1..=PACKAGES_MAX => Vec::new(),
        _ => vec![format!("{packages} packages are locked; at most {PACKAGES_MAX} are allowed")],
    }
}
