//! Does every link in the docs lead somewhere?
//!
//! In pages, three kinds are followed: `[text](file)`, a file of the repository in backticks, and
//! `file.rs:name` in backticks, which must be defined there; in comments, every page named. Addresses
//! on the web are not asked.

use super::{File, House};
use std::path::{Component, Path, PathBuf};

pub(super) fn check(house: &House) -> Vec<String> {
    let mut broken = unknown_pages(house);
    for file in &house.files {
        let is_ours = !file.path.contains("/tests/") && !file.path.starts_with("rules/");
        if !is_ours || file.ending() != "md" {
            continue;
        }
        for (at, line) in file.text.lines().enumerate() {
            for why in wrong_links(house, file, line) {
                broken.push(format!("{}:{}: {why}", file.path, at + 1));
            }
        }
    }
    broken
}

/// Pages that comments of the code name and that are not here.
fn unknown_pages(house: &House) -> Vec<String> {
    let mut broken = Vec::new();
    for file in &house.files {
        let Some(source) = &file.source else { continue };
        for (at, line) in source.comments.lines().enumerate() {
            let words = line.split(|c: char| !(c.is_alphanumeric() || "._-/".contains(c)));
            for page in words.filter(|word| is_page(word)) {
                let is_here = house
                    .files
                    .iter()
                    .any(|other| other.path == page || other.path.ends_with(&format!("/{page}")));
                if !is_here && !is_pattern(page) {
                    broken.push(format!("{}:{}: there is no page `{page}`", file.path, at + 1));
                }
            }
        }
    }
    broken
}

fn is_page(word: &str) -> bool {
    word.rsplit_once('.').is_some_and(|(stem, ending)| !stem.is_empty() && ending == "md")
}

/// Names that stand for many pages.
fn is_pattern(page: &str) -> bool {
    ["about.md", "README.md"].contains(&page)
}

fn wrong_links(house: &House, file: &File, line: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for target in linked(line) {
        let path = target.split('#').next().unwrap_or_default();
        let from = Path::new(&file.path).parent().unwrap_or(Path::new(""));
        if !path.is_empty() && !house.root.join(normal(&from.join(path))).exists() {
            wrong.push(format!("`{target}` leads nowhere"));
        }
    }
    for word in quoted(line) {
        if let Some((path, symbol)) = word.split_once(".rs:") {
            let path = format!("{path}.rs");
            let source = house.files.iter().find(|other| other.path == path);
            match source.and_then(|file| file.source.as_ref()) {
                None => wrong.push(format!("there is no `{path}`")),
                Some(source) if !defines(&source.code, symbol) => {
                    wrong.push(format!("`{path}` defines no `{symbol}`"));
                }
                Some(_) => {}
            }
        } else if is_path(word) && !house.root.join(word).exists() {
            wrong.push(format!("there is no `{word}`"));
        }
    }
    wrong
}

/// Targets of `[text](target)` that stay inside the repository.
fn linked(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("](").filter_map(move |(at, open)| {
        let rest = &line[at + open.len()..];
        let target = &rest[..rest.find(')')?];
        (!target.contains("://") && !target.starts_with("mailto:")).then_some(target)
    })
}

/// What stands in backticks.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// Whether the words in backticks are meant as a file or folder of the repository.
fn is_path(word: &str) -> bool {
    let ours = ["crates/", "docs/", "xtask/", "rules/", "fuzz/", ".ci/"];
    ours.iter().any(|folder| word.starts_with(folder))
        && !word.contains(|c: char| c.is_whitespace() || "*{}<>…".contains(c))
}

/// Whether Rust code defines a function, type, constant, module or macro of that name.
fn defines(code: &str, symbol: &str) -> bool {
    let name = symbol.rsplit("::").next().unwrap_or(symbol).trim_end_matches("()");
    let words: Vec<&str> = code
        .split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '!')))
        .filter(|word| !word.is_empty())
        .collect();
    let heads = ["fn", "struct", "enum", "trait", "const", "static", "mod", "type", "macro_rules!"];
    words.windows(2).any(|pair| heads.contains(&pair[0]) && pair[1] == name)
}

/// Without `.` and `..`, so that a link out of a folder that does not exist still resolves.
fn normal(path: &Path) -> PathBuf {
    let mut parts = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                parts.pop();
            }
            Component::CurDir => {}
            other => parts.push(other),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    fn house() -> House {
        let text = "pub fn walk() {}\nstruct Gate;\n";
        House {
            root: crate::shell::root(),
            metadata: serde_json::Value::Null,
            files: vec![File {
                path: "crates/x/src/a.rs".into(),
                text: text.into(),
                source: Some(Source::scan(text)),
            }],
        }
    }

    fn wrong(line: &str) -> usize {
        let page = File { path: "docs/page.md".into(), text: String::new(), source: None };
        wrong_links(&house(), &page, line).len()
    }

    #[test]
    fn links_that_lead_somewhere_pass() {
        assert_eq!(wrong("[a](../Cargo.toml#x) [b](#here) [c](https://example.org/x)"), 0);
        assert_eq!(
            wrong("`crates/x/src/a.rs:walk`, `crates/x/src/a.rs:Gate`, `.ci/run`, `a: b`"),
            0
        );
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        assert_eq!(wrong("[a](gone.md) and [b](../gone/x.md)"), 2);
        assert_eq!(wrong("`crates/x/src/a.rs:flee` `crates/x/src/b.rs:walk` `docs/none.md`"), 3);
    }
}
