//! Do the pages that people write keep their length and shape?

use super::House;

const ARCHITECTURE_LINES_MAX: usize = 300;
const DECISION_LINES_MAX: usize = 40;

/// Every record answers these.
const DECISION_PARTS: &[&str] =
    &["**Context.**", "**Decision.**", "**What we gave up.**", "**What would change our mind.**"];

const CHANGELOG_PARTS: &[&str] =
    &["## Unreleased", "### Breaking", "### New", "### Fixed", "### Detection"];

pub(super) fn check(house: &House) -> Vec<String> {
    let mut broken = Vec::new();
    for file in &house.files {
        let (lines_max, parts): (usize, &[&str]) = match file.path.as_str() {
            "ARCHITECTURE.md" => (ARCHITECTURE_LINES_MAX, &["## The picture", "**Invariants.**"]),
            "CHANGELOG.md" => (usize::MAX, CHANGELOG_PARTS),
            path if path.starts_with("docs/decisions/") => (DECISION_LINES_MAX, DECISION_PARTS),
            path if path.ends_with("/about.md") => (usize::MAX, &[]),
            _ => continue,
        };
        let lines = file.text.lines().count();
        if lines > lines_max {
            broken.push(format!("{} has {lines} lines; at most {lines_max}", file.path));
        }
        for part in parts.iter().filter(|part| !file.text.contains(**part)) {
            broken.push(format!("{} lacks `{part}`", file.path));
        }
        if file.text.trim().is_empty() {
            broken.push(format!("{} is empty", file.path));
        }
    }
    broken.extend(wrong_numbers(house));
    broken
}

/// Decisions are numbered without a gap or a double.
fn wrong_numbers(house: &House) -> Vec<String> {
    let names = house.files.iter().filter_map(|file| file.path.strip_prefix("docs/decisions/"));
    let numbers: Vec<usize> =
        names.map(|name| name.get(..4).and_then(|text| text.parse().ok()).unwrap_or(0)).collect();
    let wanted: Vec<usize> = (1..=numbers.len()).collect();
    if numbers == wanted { Vec::new() } else { vec![format!("decisions are numbered {numbers:?}")] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::File;

    fn broken(path: &str, text: &str) -> usize {
        let file = File { path: path.into(), text: text.into(), source: None };
        let metadata = serde_json::Value::Null;
        check(&House { root: "/".into(), metadata, files: vec![file] }).len()
    }

    #[test]
    fn a_decision_has_its_parts_its_number_and_no_more_than_its_lines() {
        let whole = DECISION_PARTS.join("\n");
        assert_eq!(broken("docs/decisions/0001-a.md", &whole), 0);
        assert_eq!(broken("docs/decisions/0002-a.md", &whole), 1);
        assert_eq!(broken("docs/decisions/0001-a.md", &format!("{whole}{}", "\n".repeat(40))), 1);
        assert_eq!(broken("docs/decisions/0001-a.md", "**Context.**"), 3);
    }
}
