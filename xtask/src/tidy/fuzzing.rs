//! Is everything that is fuzzed also tried without the fuzzer?
//!
//! A function `fuzz_x` has a target `fuzz/fuzz_targets/x.rs`, for whoever has the time, and a test
//! that calls it on mutated samples, for everybody.

use super::House;

pub(super) fn check(house: &House) -> Vec<String> {
    let mut broken = Vec::new();
    for file in house.files.iter().filter(|file| file.path.starts_with("crates/")) {
        let Some(source) = &file.source else { continue };
        let functions = source.functions();
        for name in functions.iter().filter_map(|function| function.name.strip_prefix("fuzz_")) {
            let target = format!("fuzz/fuzz_targets/{name}.rs");
            if !calls(house, name, |path| path == target) {
                broken.push(format!("`fuzz_{name}` has no target {target}"));
            }
            if !calls(house, name, |path| path.contains("/tests/")) {
                broken.push(format!("`fuzz_{name}` is called by no test"));
            }
        }
    }
    broken
}

fn calls(house: &House, name: &str, is_there: impl Fn(&str) -> bool) -> bool {
    let call = format!("fuzz_{name}");
    house.files.iter().any(|file| {
        is_there(&file.path)
            && file.source.as_ref().is_some_and(|source| {
                source.code.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|w| w == call)
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;
    use crate::tidy::File;

    fn file(path: &str, text: &str) -> File {
        File { path: path.into(), text: text.into(), source: Some(Source::scan(text)) }
    }

    #[test]
    fn a_fuzzed_function_without_target_or_test_is_found() {
        let mut house = House {
            root: "/".into(),
            metadata: serde_json::Value::Null,
            files: vec![file("crates/a/src/fuzz.rs", "pub fn fuzz_xml(bytes: &[u8]) {}")],
        };
        assert_eq!(check(&house).len(), 2);
        house.files.push(file("fuzz/fuzz_targets/xml.rs", "a::fuzz_xml(bytes)"));
        house.files.push(file("crates/a/tests/it/mutated.rs", "check(fuzz_xml);"));
        assert_eq!(check(&house).len(), 0);
    }
}
