//! Is anything left for later, or switched off?

use super::House;
use crate::source::Source;

/// Code that stands for code not written, or for a test not run.
const CODE: &[&str] = &["todo!", "unimplemented!", "#[ignore", "#[should_panic"];

/// Words of a comment that promise it.
const WORDS: &[&str] = &["TODO", "FIXME", "XXX", "HACK"];

pub(super) fn check(house: &House) -> Vec<String> {
    let mut broken = Vec::new();
    for file in &house.files {
        let Some(source) = &file.source else { continue };
        for (line, what) in unfinished(source) {
            broken.push(format!("{}:{line} has `{what}`", file.path));
        }
    }
    broken
}

fn unfinished(source: &Source) -> Vec<(usize, &'static str)> {
    let mut found = Vec::new();
    for (at, (code, comment)) in source.code.lines().zip(source.comments.lines()).enumerate() {
        let in_code = CODE.iter().filter(|what| code.contains(**what));
        let in_words = WORDS.iter().filter(|word| {
            comment.split(|c: char| !c.is_alphanumeric()).any(|other| other == **word)
        });
        found.extend(in_code.chain(in_words).map(|what| (at + 1, *what)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promises_are_found_where_they_count() {
        let source = Source::scan("todo!();\n// FIXME later\nlet a = \"todo!\"; // a TODOlist\n");
        assert_eq!(unfinished(&source), [(1, "todo!"), (2, "FIXME")]);
    }
}
