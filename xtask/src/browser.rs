//! Are the console's pages fit for everybody, in a real browser?
//!
//! Starts `bavn demo` and walks every page that it has, as each of its roles, with
//! `xtask/data/walk/main.mjs`: in both languages, light and dark, on a phone and on a desk. Then does
//! what people come for, by keys alone, and prints what was measured beside the bars.

use crate::{product, shell};
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What the walk needs beside Rust.
pub(crate) struct Tools {
    node: PathBuf,
    chromium: PathBuf,
    modules: PathBuf,
}

impl Tools {
    /// Installed where that is possible; else what is missing.
    pub(crate) fn ready() -> Result<std::result::Result<Self, &'static str>> {
        let Some(node) = found(&["node"]) else {
            return Ok(Err("node is not installed; the browser tests need node 18 or later"));
        };
        let Some(chromium) = chromium() else {
            let why =
                "Chromium is not installed and could not be (Debian: apt-get install chromium)";
            return Ok(Err(why));
        };
        let Some(modules) = modules()? else {
            return Ok(Err("npm could not install playwright-core and axe-core"));
        };
        Ok(Ok(Self { node, chromium, modules }))
    }
}

/// Every combination of language, colours and width, and pictures if a folder is named.
pub(crate) fn walk(pictures: Option<&str>) -> Result<bool> {
    match Tools::ready()? {
        Ok(tools) => walk_with(&tools, true, pictures),
        Err(missing) => bail!(missing),
    }
}

/// Whether nothing is wrong.
pub(crate) fn walk_with(tools: &Tools, full: bool, pictures: Option<&str>) -> Result<bool> {
    let bavn = product::built()?;
    let truth = folder()?.join("truth.json");
    let mut demo = Demo::start(&bavn, &truth)?;
    let address = demo.ready()?;
    let mut walk = Command::new(&tools.node);
    walk.arg(shell::root().join("xtask/data/walk/main.mjs"));
    walk.arg(&address).args([&tools.chromium, &tools.modules, &truth]);
    if full {
        walk.arg("--full");
    }
    if let Some(folder) = pictures {
        std::fs::create_dir_all(folder)?;
        walk.args(["--screenshots", folder]);
    }
    shell::succeeds(&mut walk)
}

/// A running demo, ended with this value.
struct Demo(Child);

impl Demo {
    fn start(bavn: &Path, truth: &Path) -> Result<Self> {
        // A port that was free a moment ago.
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let mut demo = Command::new(bavn);
        demo.args(["demo", "--port", &port.to_string(), "--truth"]).arg(truth);
        demo.stdout(Stdio::piped());
        Ok(Self(demo.spawn().context("`bavn demo` could not be started")?))
    }

    /// The address, once the theft has been told to its end.
    fn ready(&mut self) -> Result<String> {
        // It stays open: the demo has more to say, and ends when nobody can hear it.
        let told = self.0.stdout.as_mut().context("the demo has no output")?;
        for line in BufReader::new(told).lines() {
            let line = line?;
            if line.contains("until Ctrl-C") {
                let address = line.split_whitespace().find(|word| word.starts_with("http://"));
                return address.map(str::to_owned).context("the demo names no address");
            }
        }
        bail!("the demo ended before its story did")
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Where Chromium is; on Debian, as root, it is installed if need be.
fn chromium() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    if let Some(path) = found(&names) {
        return Some(path);
    }
    let quiet = |arguments: &[&str]| {
        let mut apt = Command::new("apt-get");
        apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null());
        apt.status().is_ok_and(|status| status.success())
    };
    let installed = quiet(&["--quiet", "update"])
        && quiet(&["--quiet", "--yes", "--no-install-recommends", "install", "chromium"]);
    installed.then(|| found(&names)).flatten()
}

/// The folder that holds both packages, of the versions that the walk was written for.
fn modules() -> Result<Option<PathBuf>> {
    let folder = folder()?;
    let modules = folder.join("node_modules");
    let held = |package: &str| modules.join(package).is_dir();
    if !held("playwright-core") || !held("axe-core") {
        let mut npm = Command::new("npm");
        npm.current_dir(&folder).args(["install", "--no-save", "--no-audit", "--no-fund"]);
        npm.args(["--ignore-scripts", "--silent", PLAYWRIGHT, AXE]);
        if !npm.status().is_ok_and(|status| status.success()) {
            return Ok(None);
        }
    }
    Ok(Some(modules))
}

fn folder() -> Result<PathBuf> {
    let metadata = shell::metadata()?;
    let target = metadata["target_directory"].as_str().context("no target directory")?;
    let folder = Path::new(target).join("xtask/browser");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn found(names: &[&str]) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    let paths = std::env::split_paths(&folders)
        .flat_map(|folder| names.iter().map(move |name| folder.join(name)).collect::<Vec<_>>());
    paths.into_iter().find(|path| path.is_file())
}

const PLAYWRIGHT: &str = "playwright-core@1.64";
const AXE: &str = "axe-core@4";
