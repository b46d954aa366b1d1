//! Does any file name a folder of the machine that it was written on?

use super::House;

/// Where people's and build machines' folders begin; none is a path of this project or of a
/// hospital's source.
const FOLDERS: &[&str] = &["home", "root", "Users", "work", "workspace", "builds"];

pub(super) fn check(house: &House) -> Vec<String> {
    let root = house.root.to_string_lossy().into_owned();
    let mut broken = Vec::new();
    for file in &house.files {
        for (at, line) in file.text.lines().enumerate() {
            if let Some(path) = machine_path(line, &root) {
                broken.push(format!("{}:{} names `{path}`", file.path, at + 1));
            }
        }
    }
    broken
}

fn machine_path(line: &str, root: &str) -> Option<String> {
    if root.len() > 1 && line.contains(root) {
        return Some(root.to_owned());
    }
    let named = FOLDERS.iter().map(|folder| format!("/{folder}/"));
    named.into_iter().find(|path| {
        line.match_indices(path.as_str()).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            !before.is_some_and(|c| {
                c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '}' | '*')
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_a_machine_are_found() {
        let line = ["see /", "home/kari/bavn"].concat();
        assert_eq!(machine_path(&line, "/"), Some(["/", "home/"].concat()));
        assert_eq!(machine_path("built in C:/x/bavn", "C:/x"), Some("C:/x".to_owned()));
    }

    #[test]
    fn addresses_and_relative_paths_are_none() {
        assert_eq!(machine_path("https://example.org/home/page and docs/work/a.md", "/x"), None);
    }
}
