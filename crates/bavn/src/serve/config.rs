//! `bavn.toml`: what a service reads, keeps and tells. Every key stands in `docs/bavn.toml` with its
//! default, and a test holds the two against each other.

use crate::cli::{CaseStore, Console, ContextPaths, KeySource, StoreAccess};
use crate::commands::formats::{drawn, mappings};
use crate::error::{CommandError, CommandResult, Kind};
use crate::input::{Family, Formats};
use anyhow::Context as _;
use serde::Deserialize;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The whole file. Paths in it are taken from the folder that it lies in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) store: Store,
    pub(crate) source: Vec<Source>,
    #[serde(default)]
    pub(crate) context: Context,
    #[serde(default)]
    pub(crate) detection: Detection,
    pub(crate) alarms: Alarms,
    #[serde(default)]
    pub(crate) cases: Cases,
    #[serde(default)]
    pub(crate) commit: Commit,
    #[serde(default)]
    pub(crate) reading: Reading,
    pub(crate) console: Option<ConsolePages>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Store {
    pub(crate) folder: PathBuf,
    key_file: Option<PathBuf>,
    key_command: Option<String>,
    #[serde(default = "region")]
    pub(crate) controller: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    #[serde(default)]
    format: SourceFormat,
    #[serde(default)]
    mappings: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SourceFormat {
    #[default]
    Auto,
    Fhir,
    Atna,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Context {
    paths: Vec<PathBuf>,
    mappings: Vec<PathBuf>,
    protected_lists: Vec<ProtectedList>,
    protected_list_key: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProtectedList {
    name: String,
    file: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Detection {
    pub(crate) budget: f64,
    pub(crate) disorder_seconds: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Alarms {
    pub(crate) file: PathBuf,
    #[serde(default)]
    pub(crate) patients: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Cases {
    pub(crate) duty: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Commit {
    pub(crate) every_seconds: u32,
    pub(crate) every_look_ups: u64,
    pub(crate) state_every_minutes: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Reading {
    pub(crate) look_every_milliseconds: u64,
    pub(crate) whole_after_seconds: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConsolePages {
    #[serde(default = "console_port")]
    port: u16,
    #[serde(default)]
    users: Vec<String>,
    identity_header: Option<String>,
    identity_secret: Option<PathBuf>,
    about: Option<PathBuf>,
    assessment: Option<PathBuf>,
    score: Option<PathBuf>,
    outbox: Option<PathBuf>,
}

impl Default for Detection {
    fn default() -> Self {
        Self { budget: 2.0, disorder_seconds: 600 }
    }
}

impl Default for Commit {
    fn default() -> Self {
        Self { every_seconds: 5, every_look_ups: 50_000, state_every_minutes: 10 }
    }
}

impl Default for Reading {
    fn default() -> Self {
        Self { look_every_milliseconds: 1_000, whole_after_seconds: 10 }
    }
}

fn region() -> String {
    "region".to_owned()
}

const fn console_port() -> u16 {
    8008
}

impl Config {
    /// Reads and checks the file; a mistake is drawn with a caret.
    pub(crate) fn read(path: &Path) -> CommandResult<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("`{}` cannot be read", path.display()))
            .map_err(|error| CommandError::new(Kind::Usage, error))?;
        let mut config = Self::parse(&text).map_err(|(words, span)| {
            CommandError::usage(drawn(&path.display().to_string(), &text, &words, span))
                .hint("every key stands in docs/bavn.toml")
        })?;
        config.place(path.parent().unwrap_or(Path::new("")));
        Ok(config)
    }

    fn parse(text: &str) -> Result<Self, (String, Range<usize>)> {
        let config: Self = toml::from_str(text).map_err(|error| {
            let span = error.span().unwrap_or(0..0);
            (error.message().to_owned(), span)
        })?;
        let wrong = |words: &str, key: &str| {
            let at = text.find(key).unwrap_or(0);
            Err((words.to_owned(), at..at + key.len().min(text.len() - at)))
        };
        if config.source.is_empty() {
            return wrong("a service needs a source", "source");
        }
        let budget = config.detection.budget;
        if !(budget > 0.0 && budget.is_finite()) {
            return wrong("the budget must be more than 0", "budget");
        }
        if config.commit.every_seconds == 0 || config.commit.state_every_minutes == 0 {
            return wrong("it must be at least 1", "every_");
        }
        for (number, source) in config.source.iter().enumerate() {
            let others = config.source.iter().take(number);
            if others.into_iter().any(|other| other.name == source.name) {
                return wrong("two sources have this name", &format!("\"{}\"", source.name));
            }
        }
        Ok(config)
    }

    fn place(&mut self, folder: &Path) {
        let place = |path: &mut PathBuf| *path = folder.join(&*path);
        place(&mut self.store.folder);
        place(&mut self.alarms.file);
        let optional =
            [&mut self.store.key_file, &mut self.cases.duty, &mut self.context.protected_list_key];
        optional.into_iter().flatten().for_each(place);
        if let Some(pages) = &mut self.console {
            let ConsolePages { about, assessment, score, outbox, .. } = pages;
            [about, assessment, score, outbox].into_iter().flatten().for_each(place);
        }
        self.context.paths.iter_mut().for_each(place);
        self.context.mappings.iter_mut().for_each(place);
        for list in &mut self.context.protected_lists {
            place(&mut list.file);
        }
        for source in &mut self.source {
            place(&mut source.path);
            source.mappings.iter_mut().for_each(place);
        }
    }

    pub(crate) fn key(&self) -> KeySource {
        KeySource {
            key_file: self.store.key_file.clone(),
            key_command: self.store.key_command.clone(),
        }
    }

    pub(crate) fn context_paths(&self) -> ContextPaths {
        let text = |path: &PathBuf| path.display().to_string();
        let lists = self.context.protected_lists.iter();
        ContextPaths {
            context: self.context.paths.iter().map(text).collect(),
            protected_list: lists
                .map(|list| format!("{}={}", list.name, list.file.display()))
                .collect(),
            protected_list_key: self.context.protected_list_key.clone(),
        }
    }

    pub(crate) fn context_mappings(&self) -> CommandResult<Arc<bavn_decode::Mappings>> {
        Ok(Arc::new(mappings(&self.context.mappings)?))
    }

    /// The console as its own command would be asked for it.
    pub(crate) fn console(&self) -> Option<Console> {
        let pages = self.console.as_ref()?;
        Some(Console {
            store: CaseStore {
                access: StoreAccess { store: self.store.folder.clone(), key: self.key() },
                duty: self.cases.duty.clone(),
            },
            port: pages.port,
            user: pages.users.clone(),
            assessment: pages.assessment.clone(),
            score: pages.score.clone(),
            identity_header: pages.identity_header.clone(),
            identity_secret: pages.identity_secret.clone(),
            about: pages.about.clone(),
            context: self.context_paths(),
            outbox: pages.outbox.clone(),
        })
    }
}

impl Source {
    pub(crate) fn formats(&self) -> CommandResult<Formats> {
        let family = match self.format {
            SourceFormat::Auto => Family::Any,
            SourceFormat::Fhir => Family::Fhir,
            SourceFormat::Atna => Family::Atna,
        };
        Ok(Formats { family, mappings: Arc::new(mappings(&self.mappings)?) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENTED: &str = include_str!("../../../../docs/bavn.toml");

    #[test]
    fn the_documented_file_is_read_and_holds_the_defaults() {
        let documented = Config::parse(DOCUMENTED).unwrap();
        let least =
            "store.folder = \"s\"\nalarms.file = \"a\"\n[[source]]\nname = \"n\"\npath = \"p\"";
        let least = Config::parse(least).unwrap();
        let same = |part: &dyn Fn(&Config) -> String| {
            assert_eq!(part(&documented), part(&least));
        };
        same(&|config| format!("{:?}", config.detection));
        same(&|config| format!("{:?}", config.commit));
        same(&|config| format!("{:?}", config.reading));
        same(&|config| format!("{:?}", (&config.store.controller, config.alarms.patients)));
        assert_eq!(documented.console.unwrap().port, console_port());
    }

    #[test]
    fn a_mistake_is_shown_where_it_stands() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bavn.toml");
        let told = |from: &str, to: &str| {
            std::fs::write(&file, DOCUMENTED.replace(from, to)).unwrap();
            Config::read(&file).unwrap_err().to_string()
        };
        let unknown = told("budget = 2.0", "buget = 2.0");
        assert!(unknown.contains("unknown field `buget`"), "{unknown}");
        assert!(unknown.contains("here"), "{unknown}");
        assert!(told("budget = 2.0", "budget = -1.0").contains("more than 0"));
        assert!(told("budget = 2.0", "budget = \"two\"").contains("invalid type"));
        let twice = told("name = \"laboratory\"", "name = \"north\"");
        assert!(twice.contains("two sources have this name"), "{twice}");
    }
}
