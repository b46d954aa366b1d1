//! Does every detector say what it sees, and is it tried on both kinds of day?
//!
//! A detector is a file in `detectors/`; it needs its headings (which become the manual), its
//! registration, and test folders of which at least one must alarm and one must stay quiet.

use super::{File, House};
use std::collections::BTreeMap;

const FOLDER: &str = "crates/bavn-detect/src/detectors/";
const CASES: &str = "crates/bavn-detect/tests/data/detectors/";

/// Headings of a detector's module doc, in this order.
pub(crate) const HEADINGS: &[&str] = &[
    "What it sees",
    "Why it matters",
    "What makes it harmless",
    "First thing to do",
    "Memory",
    "Source",
];

pub(super) fn check(house: &House) -> Vec<String> {
    let mut broken = Vec::new();
    let registry = house.files.iter().find(|file| file.path == format!("{FOLDER}mod.rs"));
    let registry = registry.and_then(|file| file.source.as_ref()).map(|source| source.code.clone());
    for file in files(house) {
        let name = name(file);
        for heading in HEADINGS {
            if section(&file.text, heading).is_none_or(|text| text.is_empty()) {
                broken.push(format!("{} says nothing under `## {heading}`", file.path));
            }
        }
        let is_registered = registry.as_deref().is_some_and(|code| {
            code.contains(&format!("mod {name};")) && code.contains(&format!("{name}::"))
        });
        if !is_registered {
            broken.push(format!("{} is not registered in {FOLDER}mod.rs", file.path));
        }
        let cases = cases(house, &name);
        for (wanted, what) in [(true, "must alarm"), (false, "must stay quiet")] {
            if !cases.values().any(|alarms| *alarms == wanted) {
                broken.push(format!("{CASES}{name}/ has no case that {what}"));
            }
        }
    }
    broken
}

/// The files of the detectors, by name.
pub(crate) fn files(house: &House) -> impl Iterator<Item = &File> {
    house.files.iter().filter(|file| {
        file.path
            .strip_prefix(FOLDER)
            .and_then(|name| name.strip_suffix(".rs"))
            .is_some_and(|name| name != "mod" && !name.contains('/'))
    })
}

/// The detector's name: that of its file.
pub(crate) fn name(file: &File) -> String {
    let name = file.path.rsplit('/').next().unwrap_or_default();
    name.trim_end_matches(".rs").to_owned()
}

/// The module doc without its slashes.
pub(crate) fn module_doc(text: &str) -> String {
    let lines = text.lines().take_while(|line| line.starts_with("//!"));
    let stripped = lines.map(|line| line.trim_start_matches("//!"));
    stripped.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

/// What stands under one heading of the module doc.
pub(crate) fn section(text: &str, heading: &str) -> Option<String> {
    let doc = module_doc(text);
    let mut lines = doc.lines().skip_while(|line| *line != format!("## {heading}"));
    lines.next()?;
    let body: Vec<&str> = lines.take_while(|line| !line.starts_with("## ")).collect();
    Some(body.join("\n").trim().to_owned())
}

/// Each test folder of a detector, and whether it must alarm: `expected.txt` says which, a claim a
/// line, and `about.md` what it is.
fn cases(house: &House, name: &str) -> BTreeMap<String, bool> {
    let folder = format!("{CASES}{name}/");
    let expected = house.files.iter().filter_map(|file| {
        let case = file.path.strip_prefix(&folder)?.strip_suffix("/expected.txt")?;
        let about = format!("{folder}{case}/about.md");
        house.files.iter().any(|other| other.path == about).then_some((case.to_owned(), &file.text))
    });
    expected.filter_map(|(case, text)| Some((case, must_alarm(name, text)?))).collect()
}

/// Whether the claims want this detector to find somebody, or nobody to be alarmed on; none where
/// they want neither.
fn must_alarm(name: &str, expected: &str) -> Option<bool> {
    let mut claims = expected.lines().filter(|line| !line.trim().is_empty()).peekable();
    claims.peek()?;
    let claims: Vec<Vec<&str>> = claims.map(|line| line.split_whitespace().collect()).collect();
    let finds = |claim: &Vec<&str>| matches!(claim.as_slice(), ["alarm" | "finding", by, _, ..] if *by == name);
    if claims.iter().any(finds) {
        return Some(true);
    }
    claims.iter().all(|claim| matches!(claim.as_slice(), ["quiet", _, ..])).then_some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_ends_at_the_next_heading() {
        let text = "//! One.\n//!\n//! ## What it sees\n//! a\n//! b\n//! ## Source\n//!\nuse x;\n";
        assert_eq!(section(text, "What it sees").as_deref(), Some("a\nb"));
        assert_eq!(section(text, "Source").as_deref(), Some(""));
        assert_eq!(section(text, "Memory"), None);
    }

    #[test]
    fn claims_say_which_kind_a_case_is() {
        assert_eq!(must_alarm("burst", "alarm burst s4\nquiet s5\n"), Some(true));
        assert_eq!(must_alarm("burst", "quiet s4\n"), Some(false));
        assert_eq!(must_alarm("burst", "alarm leaver s4\n"), None);
        assert_eq!(must_alarm("burst", ""), None);
    }

    #[test]
    fn a_bare_detector_breaks_every_part_of_the_rule() {
        let file = File {
            path: format!("{FOLDER}mass_read.rs"),
            text: "//! One.\n".into(),
            source: Some(crate::source::Source::scan("")),
        };
        let house =
            House { root: "/".into(), metadata: serde_json::Value::Null, files: vec![file] };
        assert_eq!(check(&house).len(), HEADINGS.len() + 1 + 2);
    }
}
