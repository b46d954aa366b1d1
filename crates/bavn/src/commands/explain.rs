//! `bavn explain`: what was tried to explain one look-up, and why it held or not.

use super::formats::formats;
use crate::cli::{Explain, SpokenLanguage};
use crate::error::{CommandError, CommandResult, Kind};
use crate::input::{Formats, Input, expand, load_context};
use crate::pipeline::{Stream, StreamError};
use bavn_decode::context::Loaded;
use bavn_detect::words::{Language, Speaker};
use bavn_detect::{Engine, Explanation, Judgement, Settings};
use bavn_model::{Access, Directory, EventId, PatientId};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

pub(crate) fn run(arguments: &Explain) -> CommandResult {
    let wanted = event_id(&arguments.event)?;
    let inputs = expand(&arguments.inputs)?;
    let formats = formats(&arguments.reading)?;
    let mut unsorted = BTreeSet::new();
    let found = loop {
        let stream = Stream { inputs: &inputs, formats: &formats, unsorted: &unsorted };
        match find(wanted, arguments, &stream)? {
            Ok(found) => break found,
            Err(file) => unsorted.insert(file),
        };
    };
    let Some(found) = found else {
        return Err(CommandError::usage(format!("no look-up has the id `{}`", arguments.event))
            .hint("`bavn decode INPUT` prints the id of each"));
    };
    let mut out = std::io::stdout().lock();
    if arguments.json {
        writeln!(out, "{}", found.json())?;
    } else {
        let language = match arguments.language {
            SpokenLanguage::En => Language::English,
            SpokenLanguage::Nb => Language::Bokmaal,
        };
        write!(out, "{}", found.text(language))?;
    }
    Ok(())
}

pub(super) fn event_id(text: &str) -> CommandResult<EventId> {
    let number = u128::from_str_radix(text, 16).ok().filter(|_| text.len() == 32);
    number.map(EventId).ok_or_else(|| {
        CommandError::usage(format!("`{text}` is no event id"))
            .hint("an event id is the 32 hexadecimal digits that `bavn decode` prints as `id`")
    })
}

/// The look-up that was asked for, and the state of things when it was seen.
struct Found {
    access: Access,
    engine: Engine,
    directory: Directory,
}

/// Watches until the look-up has been seen. The inner error names an input that is out of order.
fn find(
    wanted: EventId,
    arguments: &Explain,
    stream: &Stream<'_>,
) -> CommandResult<Result<Option<Found>, u32>> {
    let Formats { mappings, .. } = stream.formats;
    let Loaded { directory, context, .. } = load_context(&arguments.context, mappings)?;
    let mut engine = Engine::new(context, Settings { budget_per_10k_staff_day: BUDGET });
    let directory = Mutex::new(directory);
    let (mut seen, mut findings) = (None, Vec::new());
    let read = stream.run(
        &directory,
        |_: &Input, _, _| Ok(()),
        |_, _, _| Ok(()),
        |batch, _| {
            for access in batch {
                engine.observe(&access, &mut findings);
                findings.clear();
                if access.id == wanted {
                    seen = Some(access);
                    return Err(StreamError::Stopped);
                }
            }
            Ok(())
        },
    );
    let directory = directory.into_inner().unwrap_or_else(PoisonError::into_inner);
    match read {
        Ok(totals) => {
            super::formats::complain_of_unread(stream.inputs, &totals.unread)?;
            Ok(Ok(None))
        }
        Err(StreamError::Stopped) => Ok(Ok(seen.map(|access| Found { access, engine, directory }))),
        Err(StreamError::Unsorted { file }) => Ok(Err(file)),
        Err(error @ (StreamError::Rejects(_) | StreamError::StoreStopped)) => {
            Err(CommandError::new(Kind::Internal, error))
        }
    }
}

impl Found {
    fn speaker(&self, language: Language) -> Speaker<'_> {
        Speaker { language, directory: &self.directory, context: self.engine.context() }
    }

    fn explanation(&self, patient: PatientId) -> Option<Explanation> {
        let visit = self.access.identity.and_then(|who| self.engine.explain(who, patient))?;
        // An older visit may stand open where this look-up exposed nothing.
        (visit.visit.last >= self.access.at && self.access.exposes()).then_some(visit)
    }

    /// Who looked, with function and unit as the visit has them.
    fn reader(&self, explanation: Option<&Explanation>) -> String {
        let Some(identity) = self.access.identity else { return String::new() };
        let name = self.directory.identities.name(identity);
        let visit = explanation.map(|explanation| &explanation.visit);
        let role = visit.and_then(|visit| visit.role);
        let role = role.map(|role| self.engine.context().role_name(role).to_owned());
        let unit = visit.and_then(|visit| visit.unit);
        let unit = unit.map(|unit| self.directory.units.name(unit).to_owned());
        let post: Vec<String> = [role, unit].into_iter().flatten().collect();
        if post.is_empty() { name.to_owned() } else { format!("{name} ({})", post.join(", ")) }
    }

    /// What came to be known since, by today.
    fn later(&self, patient: PatientId) -> Option<Judgement> {
        self.engine.explain_later(self.access.identity?, patient, super::keep::now())
    }

    fn text(&self, language: Language) -> String {
        let english = language == Language::English;
        let speaker = self.speaker(language);
        let mut lines = Vec::new();
        for &patient in &self.access.patients {
            let Some(explanation) = self.explanation(patient) else { continue };
            let visit = &explanation.visit;
            let reader = self.reader(Some(&explanation));
            let (first, reads) = (visit.first, visit.reads);
            let look_ups =
                if reads == 1 { "1 look-up".to_owned() } else { format!("{reads} look-ups") };
            lines.push(match (english, visit.first_ever) {
                (true, true) => format!("{reader}: visit since {first}, so far {look_ups}, the first visit to this record"),
                (true, false) => format!("{reader}: visit since {first}, so far {look_ups}, not the first visit to this record"),
                (false, true) => format!("{reader}: besøk siden {first}, {reads} oppslag så langt, det første i denne journalen"),
                (false, false) => format!("{reader}: besøk siden {first}, {reads} oppslag så langt, ikke det første i denne journalen"),
            });
            lines.push(speaker.verdict(visit));
            lines.extend(self.later(patient).map(|later| speaker.later(&later)));
            lines.extend(
                explanation.trials.iter().map(|trial| format!("- {}", speaker.trial(trial))),
            );
        }
        if lines.is_empty() {
            lines.push(self.nothing(language).to_owned());
        }
        lines.join("\n") + "\n"
    }

    /// Why there is no visit to explain.
    fn nothing(&self, language: Language) -> &'static str {
        let nobody = self.access.identity.is_none();
        let nothing = self.access.patients.is_empty();
        match (language, nobody, nothing) {
            (Language::English, true, _) => "The record names no reader: nothing can be tried.",
            (Language::English, _, true) => "The record names no patient: nothing can be tried.",
            (Language::English, ..) => {
                "Nothing of a record was shown to anybody but its patient: there is nothing to explain."
            }
            (Language::Bokmaal, true, _) => "Posten nevner ingen leser: ingenting kan prøves.",
            (Language::Bokmaal, _, true) => "Posten nevner ingen pasient: ingenting kan prøves.",
            (Language::Bokmaal, ..) => {
                "Ingenting av en journal ble vist til andre enn pasienten: det er ingenting å forklare."
            }
        }
    }

    fn json(&self) -> Value {
        let (english, bokmaal) = (self.speaker(Language::English), self.speaker(Language::Bokmaal));
        let explained =
            self.access.patients.iter().filter_map(|&patient| self.explanation(patient));
        let visits: Vec<Value> = explained
            .map(|explanation| {
                let visit = &explanation.visit;
                let later = self.later(visit.patient).map(|later| {
                    json!({
                        "judged_at": later.at,
                        "known_at": later.known_at,
                        "text": {"en": english.later(&later), "nb": bokmaal.later(&later)},
                    })
                });
                let trials = explanation.trials.iter().map(|trial| {
                    json!({
                        "template": trial.template,
                        "holds": trial.outcome.holds(),
                        "text": {"en": english.trial(trial), "nb": bokmaal.trial(trial)},
                    })
                });
                json!({
                    "since": visit.first,
                    "look_ups": visit.reads,
                    "first_ever": visit.first_ever,
                    "explained": matches!(visit.verdict, bavn_detect::Verdict::Explained { .. }),
                    "verdict": {"en": english.verdict(visit), "nb": bokmaal.verdict(visit)},
                    "later": later,
                    "tried": trials.collect::<Vec<_>>(),
                })
            })
            .collect();
        let who = self.access.identity.map(|who| self.directory.identities.name(who));
        json!({"id": self.access.id, "at": self.access.at, "who": who, "visits": visits})
    }
}

/// Alarms are not asked for; the engine wants a budget all the same.
const BUDGET: f64 = 2.0;
