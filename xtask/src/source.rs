//! Which part of a Rust file is code, which is words, and which is test?
//!
//! A scanner, not a parser: enough to search code without being fooled by a comment or a string.

/// A file taken apart; `code` and `comments` keep every line where it stood.
#[derive(Debug)]
pub(crate) struct Source {
    /// Comments, text of strings and characters blanked.
    pub(crate) code: String,
    /// Everything but comments blanked.
    pub(crate) comments: String,
}

/// A stretch of code in braces that some head leads into.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) line: usize,
    pub(crate) lines: usize,
}

impl Source {
    pub(crate) fn scan(text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let mut scan = Scan { chars: &chars, at: 0, code: String::new(), comments: String::new() };
        while scan.at < chars.len() {
            scan.step();
        }
        Self { code: scan.code, comments: scan.comments }
    }

    /// The code without items under `#[cfg(test)]`.
    pub(crate) fn shipped_code(&self) -> String {
        let mut code = self.code.clone();
        while let Some(start) = code.find("#[cfg(test)]") {
            let end = item_end(&code, start + "#[cfg(test)]".len());
            let blank: String =
                code[start..end].chars().map(|c| if c == '\n' { c } else { ' ' }).collect();
            code.replace_range(start..end, &blank);
        }
        code
    }

    /// Every function with its length, the lines of its head and braces counted.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(at) = self.code[from..].find("fn ").map(|at| at + from) {
            from = at + 3;
            let before = self.code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
                continue;
            }
            let name: String = self.code[from..]
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            let end = item_end(&self.code, from);
            if !name.is_empty() {
                let line = self.code[..at].matches('\n').count() + 1;
                let lines = self.code[at..end].matches('\n').count() + 1;
                found.push(Function { name, line, lines });
            }
        }
        found
    }
}

/// Byte after the item that begins at `from`: its closing brace, or its semicolon.
fn item_end(code: &str, from: usize) -> usize {
    let mut braces = 0_usize;
    let mut others = 0_usize;
    for (at, c) in code[from..].char_indices() {
        let end = from + at + c.len_utf8();
        match c {
            '{' => braces += 1,
            '}' => {
                braces = braces.saturating_sub(1);
                if braces == 0 {
                    return end;
                }
            }
            '(' | '[' => others += 1,
            ')' | ']' => others = others.saturating_sub(1),
            ';' if braces == 0 && others == 0 => return end,
            _ => {}
        }
    }
    code.len()
}

struct Scan<'a> {
    chars: &'a [char],
    at: usize,
    code: String,
    comments: String,
}

impl Scan<'_> {
    fn step(&mut self) {
        let rest = &self.chars[self.at..];
        match rest {
            ['/', '/', ..] => {
                let length = rest.iter().take_while(|c| **c != '\n').count();
                self.take(length, Part::Comment);
            }
            ['/', '*', ..] => self.take(block_comment_length(rest), Part::Comment),
            ['"', ..] | ['\'', '\\', ..] => self.take(string_length(rest), Part::Text),
            ['r', '"' | '#', ..] | ['b', 'r', '"' | '#', ..] if !self.in_word() => {
                match raw_string_length(rest) {
                    Some(length) => self.take(length, Part::Text),
                    None => self.take(1, Part::Code),
                }
            }
            ['\'', _, '\'', ..] => self.take(3, Part::Text),
            _ => self.take(1, Part::Code),
        }
    }

    fn in_word(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.chars.get(at));
        before.is_some_and(|c| c.is_alphanumeric() || *c == '_')
    }

    fn take(&mut self, length: usize, part: Part) {
        let end = (self.at + length.max(1)).min(self.chars.len());
        for &c in &self.chars[self.at..end] {
            let blank = if c == '\n' { '\n' } else { ' ' };
            self.code.push(if part == Part::Code { c } else { blank });
            self.comments.push(if part == Part::Comment { c } else { blank });
        }
        self.at = end;
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Part {
    Code,
    Comment,
    Text,
}

fn block_comment_length(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// Length of a string or character literal that the quote it begins with ends.
fn string_length(rest: &[char]) -> usize {
    let quote = rest[0];
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            '\\' => at += 2,
            c if c == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn raw_string_length(rest: &[char]) -> Option<usize> {
    let prefix = rest.iter().take_while(|c| matches!(c, 'b' | 'r')).count();
    let hashes = rest[prefix..].iter().take_while(|c| **c == '#').count();
    if rest.get(prefix + hashes) != Some(&'"') {
        return None;
    }
    let body = prefix + hashes + 1;
    let ends = |at: usize| {
        rest[at] == '"' && rest[at + 1..].iter().take_while(|c| **c == '#').count() >= hashes
    };
    let end = (body..rest.len()).find(|&at| ends(at)).map_or(rest.len(), |at| at + 1 + hashes);
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_code_are_told_apart() {
        let source = Source::scan("let a = \"// std::fs\"; // why: std::net\nlet b = 'x';\n");
        assert!(!source.code.contains("std::"), "{}", source.code);
        assert!(source.comments.contains("std::net") && !source.comments.contains("std::fs"));
        assert_eq!(source.code.lines().count(), 2);
    }

    #[test]
    fn raw_strings_lifetimes_and_escapes_do_not_derail() {
        let source =
            Source::scan("fn a<'x>(b: &'x str) { r#\"fn no( \"#; '\\''; \"\\\"\" } fn c() {}");
        let names: Vec<String> = source.functions().into_iter().map(|f| f.name).collect();
        assert_eq!(names, ["a", "c"]);
    }

    #[test]
    fn tests_are_no_shipped_code() {
        let source = Source::scan(
            "fn a() {}\n#[cfg(test)]\nmod tests { fn b() { std::fs::x(); } }\nfn c() {}",
        );
        let shipped = source.shipped_code();
        assert!(!shipped.contains("std::fs") && shipped.contains("fn c"), "{shipped}");
    }

    #[test]
    fn a_functions_length_counts_its_lines() {
        let source = Source::scan("fn a(\n  b: [u8; 3],\n) {\n  { }\n}\nfn d() {}");
        assert_eq!(
            source.functions(),
            [
                Function { name: "a".into(), line: 1, lines: 5 },
                Function { name: "d".into(), line: 6, lines: 1 }
            ]
        );
    }
}
