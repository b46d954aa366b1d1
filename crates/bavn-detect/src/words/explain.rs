//! What was tried to explain a visit, in plain sentences. A sentence never holds a patient.

use super::{Language, Speaker, bokmaal, english};
use crate::explain::{Feed, Trial, TrialOutcome};
use crate::later::Judgement;
use crate::visit::{Verdict, Visit, Warmth};
use bavn_model::{Tie, TieKind, Timestamp};

impl Speaker<'_> {
    /// Whether the visit is explained, and by what.
    pub fn verdict(&self, visit: &Visit) -> String {
        let english = self.language == Language::English;
        match visit.verdict {
            Verdict::Explained { template } if english => {
                format!("explained by {}", template_name(template).0)
            }
            Verdict::Explained { template } => {
                format!("forklart av {}", template_name(template).1)
            }
            Verdict::MadeByReader { template } if english => format!(
                "only {}, which the reader made, and which never explains alone",
                template_name(template).0
            ),
            Verdict::MadeByReader { template } => format!(
                "bare {}, som leseren har laget selv, og som aldri forklarer alene",
                template_name(template).1
            ),
            Verdict::Unexplained if english => {
                format!("unexplained; {}", warmth(visit.warmth).0)
            }
            Verdict::Unexplained => format!("uforklart; {}", warmth(visit.warmth).1),
            Verdict::CannotJudge { missing } if english => {
                format!("cannot be judged: {} would settle it", missing_feed(missing).0)
            }
            Verdict::CannotJudge { missing } => {
                format!("kan ikke avgjøres: {} ville gi svaret", missing_feed(missing).1)
            }
        }
    }

    /// What explains a visit that nothing explained when it began.
    pub fn later(&self, judgement: &Judgement) -> String {
        let hours = judgement.hours_late();
        match (judgement.verdict, self.language) {
            (Verdict::Explained { template }, Language::English) => format!(
                "explained later by {}, known {} after the visit had begun",
                template_name(template).0,
                english::hours_in_words(hours)
            ),
            (Verdict::Explained { template }, Language::Bokmaal) => format!(
                "forklart senere av {}, kjent {} etter at besøket begynte",
                template_name(template).1,
                bokmaal::hours_in_words(hours)
            ),
            _ => String::new(),
        }
    }

    /// One template, what became of it, and the record that it rests on.
    pub fn trial(&self, trial: &Trial) -> String {
        let (english, bokmaal) = template_name(trial.template);
        match self.language {
            Language::English => format!("{english}: {}", self.outcome_in_english(trial.outcome)),
            Language::Bokmaal => format!("{bokmaal}: {}", self.outcome_in_bokmaal(trial.outcome)),
        }
    }

    fn outcome_in_english(&self, outcome: TrialOutcome) -> String {
        match outcome {
            TrialOutcome::Held { tie } => format!("holds, {}", self.tie(&tie)),
            TrialOutcome::HeldByCustom => {
                "holds, learned from what the reader's unit keeps opening".to_owned()
            }
            TrialOutcome::MadeByReader { tie } => {
                format!("does not hold alone, the reader made it ({})", self.tie(&tie))
            }
            TrialOutcome::KnownLater { tie } => format!(
                "did not hold at the time, known only from {} ({})",
                minute(tie.known_at),
                self.tie(&tie)
            ),
            TrialOutcome::OutOfTime { tie } => {
                format!("does not hold, too far away in time ({})", self.tie(&tie))
            }
            TrialOutcome::OfOthers { tie } => {
                format!("does not hold, it is somebody else's ({})", self.tie(&tie))
            }
            TrialOutcome::NotFound => "does not hold, none was found".to_owned(),
            TrialOutcome::CannotJudge { feed } => {
                format!("cannot be judged, {} would settle it", feed_name(feed).0)
            }
        }
    }

    fn outcome_in_bokmaal(&self, outcome: TrialOutcome) -> String {
        match outcome {
            TrialOutcome::Held { tie } => format!("holder, {}", self.tie(&tie)),
            TrialOutcome::HeldByCustom => {
                "holder, lært av hva leserens enhet stadig åpner".to_owned()
            }
            TrialOutcome::MadeByReader { tie } => {
                format!("holder ikke alene, leseren har laget den selv ({})", self.tie(&tie))
            }
            TrialOutcome::KnownLater { tie } => format!(
                "holdt ikke da, kjent først fra {} ({})",
                minute(tie.known_at),
                self.tie(&tie)
            ),
            TrialOutcome::OutOfTime { tie } => {
                format!("holder ikke, for langt unna i tid ({})", self.tie(&tie))
            }
            TrialOutcome::OfOthers { tie } => {
                format!("holder ikke, den er noen andres ({})", self.tie(&tie))
            }
            TrialOutcome::NotFound => "holder ikke, ingen ble funnet".to_owned(),
            TrialOutcome::CannotJudge { feed } => {
                format!("kan ikke avgjøres, {} ville gi svaret", feed_name(feed).1)
            }
        }
    }

    /// Whose record it is, and from when to when.
    fn tie(&self, tie: &Tie) -> String {
        let english = self.language == Language::English;
        let whose = match (tie.unit, tie.identity) {
            (Some(unit), _) => self.directory.units.name(unit).to_owned(),
            (None, Some(identity)) => self.directory.identities.name(identity).to_owned(),
            (None, None) => String::new(),
        };
        let from = minute(tie.from);
        match (tie.to == Timestamp::MAX, english) {
            (true, true) => format!("{whose}, since {from}"),
            (true, false) => format!("{whose}, siden {from}"),
            (false, true) => format!("{whose}, {from} to {}", minute(tie.to)),
            (false, false) => format!("{whose}, {from} til {}", minute(tie.to)),
        }
    }
}

/// English and bokmål.
fn template_name(template: &str) -> (&str, &str) {
    match template {
        "stay_in_unit" => ("a stay", "et opphold"),
        "booking" => ("an appointment", "en time"),
        "order" => ("an order", "en rekvisisjon"),
        "referral" => ("a referral", "en henvisning"),
        "care_team" => ("a care team", "et behandlingsteam"),
        "standing_responsibility" => ("a standing responsibility", "et fast ansvar"),
        "task" => ("a task", "en oppgave"),
        "project" => ("an approved project", "et godkjent prosjekt"),
        "colleagues_of_unit" => {
            ("several colleagues' work with the patient", "flere kollegers arbeid med pasienten")
        }
        "flow_between_units" => {
            ("patients that the two units share", "pasienter som de to enhetene deler")
        }
        "waiting_list" => {
            ("a list of the hospital's waiting patients", "en liste over sykehusets ventende")
        }
        other => (other, other),
    }
}

const fn warmth(warmth: Warmth) -> (&'static str, &'static str) {
    match warmth {
        Warmth::Own => ("the reader knows the patient", "leseren kjenner pasienten"),
        Warmth::Unit => ("the reader's unit knows the patient", "leserens enhet kjenner pasienten"),
        Warmth::Near => {
            ("a unit near the reader knows the patient", "en enhet nær leseren kjenner pasienten")
        }
        Warmth::Elsewhere => (
            "the patient is treated, but nowhere near the reader",
            "pasienten er til behandling, men ikke i nærheten av leseren",
        ),
        Warmth::Cold => (
            "no unit near the reader has had to do with the patient in a year",
            "ingen enhet nær leseren har hatt med pasienten å gjøre på et år",
        ),
    }
}

fn missing_feed(missing: &str) -> (&str, &str) {
    match missing {
        "roster" => feed_name(Feed::Roster),
        "project" => feed_name(Feed::Records(TieKind::Project)),
        other => (other, other),
    }
}

/// With the FHIR resource that carries it.
const fn feed_name(feed: Feed) -> (&'static str, &'static str) {
    match feed {
        Feed::Roster => (
            "the reader's post from the roster (PractitionerRole)",
            "leserens stilling fra bemanningsplanen (PractitionerRole)",
        ),
        Feed::Records(kind) => match kind {
            TieKind::Stay | TieKind::Move => ("admissions (Encounter)", "innleggelser (Encounter)"),
            TieKind::Booking => ("appointments (Appointment)", "timeavtaler (Appointment)"),
            TieKind::Order | TieKind::OrderRequest => {
                ("orders (ServiceRequest)", "rekvisisjoner (ServiceRequest)")
            }
            TieKind::Referral => ("referrals (ServiceRequest)", "henvisninger (ServiceRequest)"),
            TieKind::CareTeam => ("care teams (CareTeam)", "behandlingsteam (CareTeam)"),
            TieKind::Responsible => (
                "standing responsibility (Patient.generalPractitioner)",
                "fast ansvar (Patient.generalPractitioner)",
            ),
            TieKind::Task => ("tasks such as coding (Task)", "oppgaver som koding (Task)"),
            TieKind::Project => (
                "approved projects and their cohorts (ResearchSubject)",
                "godkjente prosjekter og deres utvalg (ResearchSubject)",
            ),
        },
    }
}

/// To the minute, UTC.
fn minute(at: Timestamp) -> String {
    at.to_string().chars().take(16).collect::<String>().replace('T', " ")
}
