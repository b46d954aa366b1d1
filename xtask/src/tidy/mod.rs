//! Does the repository keep the rules that no compiler knows?
//!
//! One file per rule. A rule returns what breaks it, as sentences; an empty list is a pass.

mod arrows;
pub(crate) mod detectors;
mod fuzzing;
mod licences;
mod links;
mod lock;
mod machine_paths;
mod names;
mod national_numbers;
mod pages;
mod purity;
mod sizes;
mod unfinished;

use crate::shell;
use crate::source::Source;
use anyhow::{Context as _, Result};
use serde_json::Value;
use std::path::PathBuf;

/// What the rules look at, read once.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) root: PathBuf,
    pub(crate) metadata: Value,
    pub(crate) files: Vec<File>,
}

/// One text file of the repository.
#[derive(Debug)]
pub(crate) struct File {
    /// From the root, with forward slashes.
    pub(crate) path: String,
    pub(crate) text: String,
    /// For Rust files.
    pub(crate) source: Option<Source>,
}

/// A rule: its name, and what breaks it.
type Rule = (&'static str, fn(&House) -> Vec<String>);

const RULES: &[Rule] = &[
    ("dependencies point down", arrows::check),
    ("core and work are pure", purity::check),
    ("names say what things are", names::check),
    ("a detector is whole", detectors::check),
    ("what is fuzzed is tested", fuzzing::check),
    ("nothing is left unfinished", unfinished::check),
    ("people are synthetic", national_numbers::check),
    ("links lead somewhere", links::check),
    ("pages keep their shape", pages::check),
    ("no path of a machine", machine_paths::check),
    ("licences are allowed", licences::check),
    ("few packages are locked", lock::check),
];

/// Prints what breaks a rule, and warns of what grows too long; whether all rules hold.
pub(crate) fn run() -> Result<bool> {
    let house = House::read()?;
    for warning in sizes::warnings(&house) {
        println!("warning: {warning}");
    }
    let broken = broken(&house);
    for line in &broken {
        println!("error: {line}");
    }
    println!("tidy: {} rules, {} broken", RULES.len(), broken.len());
    Ok(broken.is_empty())
}

fn broken(house: &House) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, check) in RULES {
        lines.extend(check(house).into_iter().map(|what| format!("{name}: {what}")));
    }
    lines
}

impl File {
    /// What follows the last point of the name; empty without one.
    pub(crate) fn ending(&self) -> &str {
        self.path.rsplit_once('.').map_or("", |(_, ending)| ending)
    }
}

impl House {
    pub(crate) fn read() -> Result<Self> {
        let root = shell::root();
        let mut files = Vec::new();
        for path in shell::files(&root)? {
            let bytes = std::fs::read(&path)
                .with_context(|| format!("`{}` could not be read", path.display()))?;
            let Ok(text) = String::from_utf8(bytes) else { continue };
            let relative = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy();
            let path = relative.replace('\\', "/");
            let mut file = File { path, text, source: None };
            if file.ending() == "rs" {
                file.source = Some(Source::scan(&file.text));
            }
            files.push(file);
        }
        Ok(Self { root, metadata: shell::metadata()?, files })
    }

    /// Rust files under `src/` of one crate, with their scanned source.
    pub(crate) fn sources<'h>(
        &'h self,
        crate_name: &str,
    ) -> impl Iterator<Item = (&'h File, &'h Source)> {
        let folder = format!("crates/{crate_name}/src/");
        self.files
            .iter()
            .filter(move |file| file.path.starts_with(&folder))
            .filter_map(|file| Some((file, file.source.as_ref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_repository_is_tidy() {
        let house = House::read().unwrap();
        assert!(!house.files.is_empty());
        assert_eq!(broken(&house), Vec::<String>::new());
    }
}
