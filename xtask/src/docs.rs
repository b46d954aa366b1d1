//! Which pages of the manual are written by the code itself?
//!
//! The detectors' page comes from the headings of their files, the command line's from `--help`.
//! `cargo xtask docs` writes them; `cargo xtask test` fails when they are not what it would write.

use crate::tidy::{House, detectors};
use crate::{product, shell};
use anyhow::Result;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

/// One generated page: its path from the root, and its text.
struct Page {
    path: &'static str,
    text: String,
}

/// Writes every page anew.
pub(crate) fn write() -> Result<bool> {
    for page in pages()? {
        let path = shell::root().join(page.path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&path, &page.text)?;
        println!("wrote {}", page.path);
    }
    Ok(true)
}

/// Whether every page stands as it would be written.
pub(crate) fn are_current() -> Result<bool> {
    let mut current = true;
    for page in pages()? {
        let held = std::fs::read_to_string(shell::root().join(page.path)).unwrap_or_default();
        if held.replace("\r\n", "\n") != page.text {
            println!("error: {} is out of date: run `cargo xtask docs`", page.path);
            current = false;
        }
    }
    Ok(current)
}

fn pages() -> Result<Vec<Page>> {
    let bavn = product::built()?;
    Ok(vec![
        Page { path: "docs/manual/detectors.md", text: detectors_page(&House::read()?) },
        Page { path: "docs/manual/cli.md", text: cli_page(&bavn)? },
    ])
}

fn detectors_page(house: &House) -> String {
    let mut page = String::from(
        "# What bavn looks for\n\n\
         One section a detector, written in its own source file, from which this page is made \
         (`cargo xtask docs`).\n\n",
    );
    for file in detectors::files(house) {
        let name = detectors::name(file);
        let _ = writeln!(page, "- [`{name}`](#{name}): {}", first_sentence(&file.text));
    }
    for file in detectors::files(house) {
        let name = detectors::name(file);
        let doc = detectors::module_doc(&file.text);
        let intro = doc.split("\n## ").next().unwrap_or_default().trim();
        let _ = write!(page, "\n## {name}\n\n{}\n", unlinked(intro));
        for heading in detectors::HEADINGS {
            let body = detectors::section(&file.text, heading).unwrap_or_default();
            let _ = write!(page, "\n### {heading}\n\n{}\n", unlinked(&body));
        }
        let _ = write!(page, "\nSource file: [`{}`](../../{})\n", file.path, file.path);
    }
    page
}

/// The first paragraph of a module doc, on one line.
fn first_sentence(text: &str) -> String {
    let doc = detectors::module_doc(text);
    let words = doc.trim().split("\n\n").next().unwrap_or_default();
    unlinked(&words.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Rustdoc's links by name mean nothing outside rustdoc: their brackets go.
fn unlinked(text: &str) -> String {
    text.replace("[`", "`").replace("`]", "`")
}

fn cli_page(bavn: &Path) -> Result<String> {
    let mut page = String::from(
        "# The command line\n\nAs `bavn --help` says it, command by command (`cargo xtask docs` \
         writes this page).\n",
    );
    add_command(bavn, &[], &mut page)?;
    Ok(page)
}

/// The help of one command, then of the commands below it.
fn add_command(bavn: &Path, words: &[String], page: &mut String) -> Result<()> {
    let help = shell::output(Command::new(bavn).args(words).arg("--help"))?;
    let name = [&["bavn".to_owned()], words].concat().join(" ");
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    let _ = write!(page, "\n## {name}\n\n```text\n{}\n```\n", lines.join("\n").trim_end());
    for command in commands(&help) {
        add_command(bavn, &[words, &[command]].concat(), page)?;
    }
    Ok(())
}

/// The commands that a help text lists.
fn commands(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = listed.take_while(|line| !line.trim().is_empty());
    lines
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;
    use crate::tidy::File;

    #[test]
    fn commands_are_read_from_help() {
        let help = "Guards.\n\nCommands:\n  decode  Print\n          more words\n  watch   Read\n  \
                    help    Print this\n\nOptions:\n  -h  no\n";
        assert_eq!(commands(help), ["decode", "watch"]);
    }

    #[test]
    fn a_detectors_page_is_its_doc() {
        let text = "//! Too many\n//! patients ([`Key`]).\n//!\n//! ## What it sees\n//! a\n";
        let file = File {
            path: "crates/bavn-detect/src/detectors/mass_read.rs".into(),
            text: text.into(),
            source: Some(Source::scan(text)),
        };
        let house =
            House { root: "/".into(), metadata: serde_json::Value::Null, files: vec![file] };
        let page = detectors_page(&house);
        assert!(page.contains("- [`mass_read`](#mass_read): Too many patients (`Key`)."), "{page}");
        assert!(page.contains("### What it sees\n\na\n"), "{page}");
    }
}
