//! Typed facts as plain sentences, in English and bokmål.
//!
//! The only place that makes sentences; console, notices and OCSF lines all ask here. A sentence
//! never holds a patient.

mod bokmaal;
mod english;
mod explain;
mod number;
mod plain;

pub use number::{decimal, grouped, look_ups, patients, shortest};
pub use plain::{kind, known, post};

use bavn_model::{Context, Directory, Fact, Finding, InnocentStory, NextStep, Tried};

/// Which language to speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    #[default]
    English,
    Bokmaal,
}

/// What the sentences need to name things.
#[derive(Clone, Copy, Debug)]
pub struct Speaker<'a> {
    pub language: Language,
    pub directory: &'a Directory,
    pub context: &'a Context,
}

/// What a finding of this detector is called, in a few words.
pub fn title(language: Language, detector: &str) -> &'static str {
    match language {
        Language::English => english::title(detector),
        Language::Bokmaal => bokmaal::title(detector),
    }
}

impl Speaker<'_> {
    /// Who did what, and by how much it is out of the usual, in one sentence.
    pub fn summary(&self, finding: &Finding) -> String {
        let who = self.who(finding);
        let fact = finding.because.first().map(|fact| self.fact(fact)).unwrap_or_default();
        // What a source does names nobody.
        if who.is_empty() { format!("{fact}.") } else { format!("{who}: {fact}.") }
    }

    /// One countable fact, without a final stop.
    pub fn fact(&self, fact: &Fact) -> String {
        match self.language {
            Language::English => english::fact(self, fact),
            Language::Bokmaal => bokmaal::fact(self, fact),
        }
    }

    /// One explanation that was looked for, and what became of it.
    pub fn tried(&self, tried: &Tried) -> String {
        match self.language {
            Language::English => english::tried(tried),
            Language::Bokmaal => bokmaal::tried(tried),
        }
    }

    /// The innocent reading that fits best, and the record that would confirm it.
    pub fn innocent_story(&self, story: InnocentStory) -> &'static str {
        match self.language {
            Language::English => english::innocent_story(story),
            Language::Bokmaal => bokmaal::innocent_story(story),
        }
    }

    pub fn next_step(&self, step: NextStep) -> &'static str {
        match self.language {
            Language::English => english::next_step(step),
            Language::Bokmaal => bokmaal::next_step(step),
        }
    }

    /// What would have kept the finding below the line; empty where nothing countable would.
    pub fn counterfactual(&self, finding: &Finding) -> String {
        let Some(counterfactual) = finding.counterfactual else { return String::new() };
        match self.language {
            Language::English => english::counterfactual(counterfactual),
            Language::Bokmaal => bokmaal::counterfactual(counterfactual),
        }
    }

    /// What no alarm and no scope can know of, until a source covers it.
    pub const fn not_seen(&self) -> &'static str {
        match self.language {
            Language::English => {
                "reads below the application (database, backup, disk), and systems that send no \
                 look-ups here"
            }
            Language::Bokmaal => {
                "lesing under applikasjonen (database, sikkerhetskopi, disk), og systemer som ikke \
                 sender oppslag hit"
            }
        }
    }

    fn who(&self, finding: &Finding) -> String {
        let mut names = finding.entities.iter().map(|entity| {
            let role = self
                .context
                .assignments(entity.identity)
                .last()
                .and_then(|held| held.role)
                .map_or("", |role| self.context.role_name(role));
            let name = self.directory.identities.name(entity.identity);
            if role.is_empty() {
                name.to_owned()
            } else {
                format!("{name} ({})", post(self.language, role))
            }
        });
        match (names.next(), finding.entities.len()) {
            (None, _) => String::new(),
            (Some(only), 1) => only,
            (Some(first), many) => match self.language {
                Language::English => format!("{first} and {} others", many - 1),
                Language::Bokmaal => format!("{first} og {} andre", many - 1),
            },
        }
    }

    fn group_name(&self, group: u32) -> &str {
        let group = self.context.groups().get(group as usize);
        group.map_or("?", |group| post(self.language, &group.name))
    }
}

/// A usual count, as people say it: two figures at most.
fn about(language: Language, usual: f64) -> String {
    let decimals = match usual {
        10.0.. => 0,
        0.95.. => 1,
        _ => 2,
    };
    decimal(language, usual, decimals)
}
