//! What grows too long to be read in one go?
//!
//! Warnings, not errors: a long file may be right, but somebody should say so in a review.

use super::House;

const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 60;

pub(super) fn warnings(house: &House) -> Vec<String> {
    let mut warnings = Vec::new();
    for file in &house.files {
        let Some(source) = &file.source else { continue };
        let lines = file.text.lines().count();
        if lines > FILE_LINES_MAX {
            warnings.push(format!("{} has {lines} lines", file.path));
        }
        for function in source.functions() {
            if function.lines > FUNCTION_LINES_MAX {
                let (name, line, lines) = (function.name, function.line, function.lines);
                warnings.push(format!("{}:{line} `{name}` has {lines} lines", file.path));
            }
        }
    }
    warnings
}
