//! All sources of a service: looked at again and again, and read the one that is furthest behind.

use super::config::Source;
use super::order::Front;
use super::tail::{Tail, Take};
use crate::commands::say;
use crate::error::CommandResult;
use crate::input::{Formats, Input, expand};
use crate::pipeline::FileMark;
use bavn_model::Timestamp;
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(Debug)]
pub(crate) struct Sources {
    held: Vec<Held>,
    files: u32,
    /// Files that an earlier run has read to their end.
    done: BTreeMap<String, FileMark>,
    whole_after_secs: i64,
}

#[derive(Debug)]
struct Held {
    name: String,
    path: PathBuf,
    formats: Formats,
    files: BTreeMap<PathBuf, Tail>,
    spoke: Timestamp,
    /// What is wrong with it or with one of its files, as it was told.
    troubles: BTreeMap<String, String>,
}

impl Sources {
    pub(crate) fn new(
        sources: &[Source],
        whole_after_secs: u32,
        done: BTreeMap<String, FileMark>,
        now: Timestamp,
    ) -> CommandResult<Self> {
        let held: CommandResult<Vec<Held>> = sources
            .iter()
            .map(|source| {
                Ok(Held {
                    name: source.name.clone(),
                    path: source.path.clone(),
                    formats: source.formats()?,
                    files: BTreeMap::new(),
                    spoke: now,
                    troubles: BTreeMap::new(),
                })
            })
            .collect();
        Ok(Self { held: held?, files: 0, done, whole_after_secs: i64::from(whole_after_secs) })
    }

    /// Looks what there is. What is missing is named, and the others go on.
    pub(crate) fn look(&mut self, now: Timestamp) {
        for held in &mut self.held {
            let label = held.path.display().to_string();
            let Ok(found) = expand(std::slice::from_ref(&label)) else {
                held.trouble(&label, Some("is not there".to_owned()));
                continue;
            };
            held.trouble(&label, None);
            let mut there = BTreeMap::new();
            for input in found {
                let Input::File(path) = input else { continue };
                let mut tail = held.files.remove(&path).unwrap_or_else(|| {
                    self.files += 1;
                    let done = self.done.remove(&path.display().to_string());
                    Tail::new(path.clone(), self.files - 1, done, self.whole_after_secs)
                });
                let looked = std::fs::metadata(&path).map(|file| tail.look(&file, now));
                let words = looked.err().map(|error| format!("cannot be looked at: {error}"));
                if words.is_some() {
                    let label = tail.label().to_owned();
                    held.trouble(&label, words);
                }
                there.insert(path, tail);
            }
            // What is left over is there no more.
            for tail in std::mem::replace(&mut held.files, there).into_values() {
                let unread = tail.done().is_none().then(|| "is gone before its end".to_owned());
                held.trouble(tail.label(), unread);
            }
        }
    }

    /// Reads a block of the file that is furthest behind. False when nothing is left to read.
    pub(crate) fn read(&mut self, now: Timestamp, take: &mut dyn Take) -> bool {
        let mut behind: Vec<(Option<Timestamp>, usize, PathBuf)> = Vec::new();
        for (number, held) in self.held.iter().enumerate() {
            let files = held.files.iter().filter(|(_, tail)| tail.is_behind(now));
            behind.extend(files.map(|(path, tail)| (tail.front(), number, path.clone())));
        }
        behind.sort_unstable();
        behind.into_iter().any(|(before, number, path)| {
            let Some(held) = self.held.get_mut(number) else { return false };
            let Some(tail) = held.files.get_mut(&path) else { return false };
            let read = tail.read(&held.formats, now, take);
            if tail.front() != before {
                held.spoke = now;
            }
            let label = tail.label().to_owned();
            match read {
                Ok(true) => held.trouble(&label, None),
                Ok(false) => return false,
                Err(words) => held.trouble(&label, Some(words)),
            }
            true
        })
    }

    pub(crate) fn fronts(&self, now: Timestamp) -> Vec<Front> {
        self.held.iter().map(|held| held.front(now)).collect()
    }

    /// Files that have been read to their end, as they are.
    pub(crate) fn done(&self) -> BTreeMap<String, FileMark> {
        let files = self.held.iter().flat_map(|held| held.files.values());
        files.filter_map(|tail| Some((tail.label().to_owned(), tail.done()?))).collect()
    }
}

impl Held {
    fn front(&self, now: Timestamp) -> Front {
        let behind = self.files.values().filter(|tail| tail.is_behind(now));
        let furthest = behind.map(Tail::front).min();
        let newest = || self.files.values().filter_map(Tail::front).max();
        Front {
            at: furthest.unwrap_or_else(newest),
            is_behind: furthest.is_some(),
            spoke: self.spoke,
        }
    }

    /// Names what is wrong when it begins to be so, and when it is over.
    fn trouble(&mut self, label: &str, words: Option<String>) {
        if self.troubles.get(label) == words.as_ref() {
            return;
        }
        let name = &self.name;
        match &words {
            Some(words) => {
                say(format_args!("source `{name}`: `{label}` {words}; everything else goes on"));
            }
            None => say(format_args!("source `{name}`: `{label}` is read again")),
        }
        match words {
            Some(words) => self.troubles.insert(label.to_owned(), words),
            None => self.troubles.remove(label),
        };
    }
}
