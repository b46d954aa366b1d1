//! How does the tool run the program that it checks?

use crate::shell;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What `bavn decode` made of one input.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub(crate) events: Vec<Value>,
    pub(crate) rejects: Vec<Value>,
}

/// Builds the program for checking, with the features that the tests use, and says where it lies.
pub(crate) fn built() -> Result<PathBuf> {
    // The same units as `cargo test --workspace`, so that nothing is built twice.
    let built = ["build", "--quiet", "--workspace", "--bins", "--tests"];
    program(&built, "debug")
}

/// Builds the program as a hospital runs it, and says where it lies.
pub(crate) fn released() -> Result<PathBuf> {
    program(&["build", "--quiet", "--release", "--package", "bavn"], "release")
}

fn program(arguments: &[&str], profile: &str) -> Result<PathBuf> {
    if !shell::succeeds(&mut shell::cargo(arguments))? {
        bail!("bavn could not be built");
    }
    let metadata = shell::metadata()?;
    let target = metadata["target_directory"].as_str().context("no target directory")?;
    let path =
        Path::new(target).join(profile).join(format!("bavn{}", std::env::consts::EXE_SUFFIX));
    if path.is_file() { Ok(path) } else { bail!("`{}` was not built", path.display()) }
}

/// A folder of its own under cargo's, emptied.
pub(crate) fn scratch(bavn: &Path, name: &str) -> Result<PathBuf> {
    let target = bavn.parent().and_then(Path::parent).context("no target directory")?;
    let folder = target.join("xtask").join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Runs `bavn decode` over one file.
pub(crate) fn decode(bavn: &Path, input: &Path) -> Result<Decoded> {
    let rejects = scratch(bavn, "decode")?.join("rejects.ndjson");
    let mut command = Command::new(bavn);
    command.arg("decode").arg("--rejects").arg(&rejects).arg(input);
    let events = shell::output(&mut command)?;
    Ok(Decoded { events: lines(&events)?, rejects: lines(&std::fs::read_to_string(&rejects)?)? })
}

/// JSON, one value a line.
pub(crate) fn lines(text: &str) -> Result<Vec<Value>> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| serde_json::from_str(line).context("a line is no JSON")).collect()
}
