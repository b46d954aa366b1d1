//! From what was typed to the list of files, always in the same order.

use crate::error::{CommandError, CommandResult};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One file to read, or standard input.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Input {
    File(PathBuf),
    Stdin,
    /// Look-ups of this program's own users, out of the store.
    Own(Arc<[u8]>),
}

impl Input {
    /// None of what has no length, or is not there.
    pub fn bytes(&self) -> Option<u64> {
        match self {
            Self::File(path) => std::fs::metadata(path)
                .ok()
                .filter(std::fs::Metadata::is_file)
                .map(|file| file.len()),
            Self::Stdin => None,
            Self::Own(bytes) => Some(bytes.len() as u64),
        }
    }

    /// As messages and `origin.file` show it.
    pub fn label(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Stdin => "-".to_owned(),
            Self::Own(_) => "bavn.json".to_owned(),
        }
    }
}

/// Files, folders (all files below them, hidden ones left out), globs and `-`, in a fixed order and
/// each once. A name that matches nothing is an error: silence would look like a clean log.
pub fn expand(arguments: &[String]) -> CommandResult<Vec<Input>> {
    let mut inputs = Vec::new();
    for argument in arguments {
        if argument == "-" {
            inputs.push(Input::Stdin);
        } else if Path::new(argument).exists() {
            add_path(Path::new(argument), &mut inputs);
        } else {
            let mut matches: Vec<PathBuf> = glob::glob(argument)
                .map_err(|error| CommandError::usage(format!("`{argument}`: {error}")))?
                .filter_map(Result::ok)
                .collect();
            if matches.is_empty() {
                return Err(CommandError::usage(format!(
                    "`{argument}` is no file, folder or glob"
                ))
                .hint("check the path; a glob must be quoted and match at least one file"));
            }
            matches.sort();
            for path in matches {
                add_path(&path, &mut inputs);
            }
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    inputs.retain(|input| seen.insert(input.clone()));
    Ok(inputs)
}

/// A folder that cannot be listed stays in the list as itself, so that reading it says why.
fn add_path(path: &Path, inputs: &mut Vec<Input>) {
    let listed = if path.is_dir() { std::fs::read_dir(path).ok() } else { None };
    let Some(entries) = listed else {
        inputs.push(Input::File(path.to_owned()));
        return;
    };
    let mut below: Vec<PathBuf> =
        entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    below.sort();
    for entry in below {
        let hidden = entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !hidden {
            add_path(&entry, inputs);
        }
    }
}
