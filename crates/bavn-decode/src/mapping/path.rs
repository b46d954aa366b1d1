//! Which values of a JSON record does a path name?
//!
//! `user.id`, `patients[].id` (each element), `agent[0].name`, and
//! `identifier[system=urn:oid:1.2].value` (the elements whose `system` is that text; the first `=`
//! parts key from text). A list met where the path names none is walked element by element. In a
//! flat record a key that contains dots is found as it stands.

use crate::tree::Value;

/// A path, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    text: String,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Each,
    Index(usize),
    Where { key: String, is: String },
}

/// The text is no path: an empty key, or a bracket that does not close.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a path")]
pub struct BadPath;

impl Path {
    pub fn parse(text: &str) -> Result<Self, BadPath> {
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(inside) = rest.strip_prefix('[') {
                let (selector, after) = inside.split_once(']').ok_or(BadPath)?;
                steps.push(step_of(selector)?);
                rest = after;
            } else {
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                let (key, after) = rest.split_at_checked(end).ok_or(BadPath)?;
                if key.is_empty() {
                    return Err(BadPath);
                }
                steps.push(Step::Key(key.to_owned()));
                rest = after;
            }
            if let Some(after) = rest.strip_prefix('.') {
                if after.is_empty() {
                    return Err(BadPath);
                }
                rest = after;
            }
        }
        if steps.is_empty() { Err(BadPath) } else { Ok(Self { text: text.to_owned(), steps }) }
    }

    /// The path of one key, whatever characters it holds.
    pub fn key(name: &str) -> Self {
        Self { text: name.to_owned(), steps: vec![Step::Key(name.to_owned())] }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Calls `found` with each value that the path names, in the order of the record.
    pub fn each<'v, 'a>(&self, root: &'v Value<'a>, found: &mut dyn FnMut(&'v Value<'a>)) {
        let whole = root.get(&self.text);
        if whole.is_null() {
            walk(root, &self.steps, found);
        } else {
            whole.items().iter().for_each(found);
        }
    }

    pub fn is_in(&self, root: &Value<'_>) -> bool {
        let mut any = false;
        self.each(root, &mut |_| any = true);
        any
    }
}

fn step_of(selector: &str) -> Result<Step, BadPath> {
    if selector.is_empty() {
        return Ok(Step::Each);
    }
    if let Some((key, is)) = selector.split_once('=') {
        return Ok(Step::Where { key: key.trim().to_owned(), is: is.trim().to_owned() });
    }
    selector.trim().parse().map(Step::Index).map_err(|_| BadPath)
}

fn walk<'v, 'a>(value: &'v Value<'a>, steps: &[Step], found: &mut dyn FnMut(&'v Value<'a>)) {
    let Some((step, rest)) = steps.split_first() else {
        value.items().iter().for_each(found);
        return;
    };
    match step {
        Step::Key(key) => {
            for item in value.items() {
                walk(item.get(key), rest, found);
            }
        }
        Step::Each => {
            for item in value.items() {
                walk(item, rest, found);
            }
        }
        Step::Index(index) => {
            if let Some(item) = value.items().get(*index) {
                walk(item, rest, found);
            }
        }
        Step::Where { key, is } => {
            for item in value.items().iter().filter(|item| item.get(key).str() == Some(is)) {
                walk(item, rest, found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, json: &str) -> Vec<String> {
        let value = crate::tree::parse(json.as_bytes()).unwrap();
        let mut texts = Vec::new();
        let path = Path::parse(path).unwrap();
        path.each(&value, &mut |value| texts.extend(value.str().map(ToOwned::to_owned)));
        texts
    }

    #[test]
    fn paths_name_values() {
        let json = r#"{"user":{"id":7},"a.b":"flat","list":[{"k":"x","v":1},{"k":"y","v":2}],
            "deep":[{"url":"http://a.b/c=d","v":["p","q"]}]}"#;
        for (path, expected) in [
            ("user.id", vec!["7"]),
            ("a.b", vec!["flat"]),
            ("list[].v", vec!["1", "2"]),
            ("list.v", vec!["1", "2"]),
            ("list[1].v", vec!["2"]),
            ("list[5].v", vec![]),
            ("list[k=y].v", vec!["2"]),
            ("deep[url=http://a.b/c=d].v", vec!["p", "q"]),
            ("absent.further[]", vec![]),
        ] {
            assert_eq!(found(path, json), expected, "{path}");
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["", "a.", ".a", "a..b", "a[", "a[x]", "a[1"] {
            assert_eq!(Path::parse(text), Err(BadPath), "{text}");
        }
    }
}
