//! Do files and crates say what they are, in the house's spelling?

use super::House;

/// Module names that answer no question.
const EMPTY_NAMES: &[&str] =
    &["common", "handler", "helper", "helpers", "manager", "misc", "types2", "util", "utils"];

pub(super) fn check(house: &House) -> Vec<String> {
    let mut broken = Vec::new();
    for file in &house.files {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        if file.path.ends_with("/Cargo.toml") && file.path.starts_with("crates/") {
            let folder = file.path.split('/').nth(1).unwrap_or_default();
            if !file.text.lines().any(|line| line == format!("name = \"{folder}\"")) {
                broken.push(format!("{} names another crate than its folder", file.path));
            }
            if !file.text.contains("[lints]\nworkspace = true") {
                broken.push(format!("{} does not take the workspace's lints", file.path));
            }
        }
        if let Some(stem) = name.strip_suffix(".rs") {
            broken.extend(wrong_stem(stem).map(|why| format!("{} {why}", file.path)));
        }
        if file.ending() == "sh" {
            broken.push(format!("{} is a shell script; automation lives in xtask", file.path));
        }
    }
    broken
}

fn wrong_stem(stem: &str) -> Option<&'static str> {
    let is_snake = stem.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
    if !is_snake {
        return Some("is not in snake_case");
    }
    EMPTY_NAMES.contains(&stem).then_some("has a name that answers no question")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_name_says_something() {
        assert_eq!(wrong_stem("mass_read"), None);
        assert!(wrong_stem("MassRead").is_some() && wrong_stem("utils").is_some());
    }
}
