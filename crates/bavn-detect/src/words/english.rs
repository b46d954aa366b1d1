//! English.

use super::{Language, Speaker, about};
use bavn_model::{
    Counterfactual, Fact, InnocentStory, NextStep, Relation, Trait, Tried, TriedOutcome,
};

pub(super) fn title(detector: &str) -> &'static str {
    match detector {
        "burst" => "Many new patients within minutes",
        "day_volume" => "Far more patients than usual in a day",
        "unexplained_patients" => "More unexplained patients, day after day",
        "cold_reads" => "Patients far from the reader's work",
        "lone_reads" => "Patients whom nobody else opens",
        "improbable_pairs" => "Patients improbable for this reader",
        "related_patients" => "Record of somebody near the reader",
        "listed_patients" => "Protected or watched patients opened without a reason",
        "honey_records" => "Record of a patient who does not exist",
        "target_enrichment" => "Unexplained patients chosen by what they share",
        "leaver" => "Account used outside its owner's employment",
        "service_account" => "System account out of its profile",
        "api_paging" => "Account walks through the register",
        "search_harvest" => "Searches that open nothing",
        "break_glass" => "Emergency overrides without a reason found",
        "curious_readers" => "Many readers of one patient without a reason",
        "sprayed_accounts" => "Many accounts with a few cold patients each",
        "cohort_link" => "Accounts with cold patients share a place, an application or an hour",
        "strange_place" => "Account used from a place that is not its owner's",
        "source_silence" => "A source of look-ups is not as usual",
        "random_audit" => "Drawn by lot for review",
        _ => "Unusual reading",
    }
}

pub(super) fn fact(speaker: &Speaker<'_>, fact: &Fact) -> String {
    match fact {
        Fact::PatientsInWindow { opened, usual, window_secs, .. } => {
            format!(
                "opened {} in {}; usual {}",
                patients(*opened),
                span(*window_secs),
                number(*usual)
            )
        }
        Fact::UnexplainedPatients { unexplained, usual, window_secs } => format!(
            "opened {} in {} for whom no record gives a reason; usual {}",
            patients(*unexplained),
            span(*window_secs),
            number(*usual)
        ),
        Fact::AwayPatients { away, usual, window_secs } => format!(
            "opened {} in {} who are treated only by units that the reader has nothing to do with; usual {}",
            patients(*away),
            span(*window_secs),
            number(*usual)
        ),
        Fact::ColdPatients { cold, usual, window_secs } => format!(
            "opened {} in {} whom no unit near the reader has had to do with in a year; usual {}",
            patients(*cold),
            span(*window_secs),
            number(*usual)
        ),
        Fact::LonePatients { alone, usual, window_secs } => format!(
            "opened {} in {} without a reason whom nobody else opened a day before or after; usual {}",
            patients(*alone),
            span(*window_secs),
            number(*usual)
        ),
        Fact::SlowRise { patients: opened, usual, working_days, since } => format!(
            "opened {} without a reason in {working_days} working days since {}; usual {}",
            patients(*opened),
            day(&since.to_string()),
            number(*usual)
        ),
        Fact::ImprobablePatients { patients: opened, one_in } => format!(
            "opened {}, each about one in {} for this work",
            patients(*opened),
            thousands(*one_in)
        ),
        Fact::RelatedPatients { relation, patients: opened, reads } => format!(
            "opened the record of {} {} without a reason ({})",
            if *opened == 1 { "one person," } else { "several people, the nearest" },
            relation_name(*relation),
            times(*reads)
        ),
        Fact::ListedPatients { group, opened, of, expected } => format!(
            "{opened} of {} unexplained patients are on the list `{}`; {} expected",
            (*of).max(*opened),
            speaker.group_name(*group),
            number(*expected)
        ),
        Fact::ReadersOfPatient { readers, without_reason, usual, window_secs } => format!(
            "{without_reason} of {readers} readers of one patient in {} have no reason on record; usual {}",
            span(*window_secs),
            number(*usual)
        ),
        Fact::DrawnByLot { of } => format!(
            "opened 1 patient without a reason found; drawn by lot from {of} such visits of the function on that day"
        ),
        _ => fact_of_account(speaker, fact),
    }
}

/// Facts about accounts, sources and ways of reading.
fn fact_of_account(speaker: &Speaker<'_>, fact: &Fact) -> String {
    match fact {
        Fact::AfterEnd { days, reads } => {
            format!("read {} {days} days after the last employment on record ended", times(*reads))
        }
        Fact::BeforeStart { days, reads } => {
            format!(
                "read {} {days} days before the first employment on record begins",
                times(*reads)
            )
        }
        Fact::Dormant { days, reads } => {
            format!("read {} after {days} days without any use", times(*reads))
        }
        Fact::Decoys { opened } => {
            format!(
                "opened {} who {} not exist",
                patients(*opened),
                if *opened == 1 { "does" } else { "do" }
            )
        }
        Fact::NewTrait { shared, reads, reads_before } => format!(
            "read {} {} that none of {reads_before} look-ups before had",
            times(*reads),
            new_trait(*shared)
        ),
        Fact::IdentifierRun { run, of } => {
            format!("opened {run} patients in the order of their identifiers, of {of} that day")
        }
        Fact::RegularGaps { reads, gap_secs, spread } => format!(
            "opened {reads} patients {gap_secs:.1} s apart, with a spread of {:.0} %",
            spread * 100.0
        ),
        Fact::AccountsWithColdReads { accounts, expected, patients: opened } => format!(
            "{accounts} accounts opened {} whom no unit near them knows, on one day; {} such accounts expected",
            patients(*opened),
            number(*expected)
        ),
        Fact::AccountsOnOneDay { accounts, expected, patients: opened } => format!(
            "{accounts} accounts crossed the line on one day, with {} nobody explains; {} such accounts expected",
            patients(*opened),
            number(*expected)
        ),
        Fact::SharedTrait { shared, accounts, of, expected } => format!(
            "{accounts} of {of} share {}; {} expected",
            shared_trait(speaker, *shared),
            number(*expected)
        ),
        Fact::Searches { searches, opened, usual, window_secs } => format!(
            "searched {} in {} and opened a record after {opened} of them; usual without opening {}",
            times(*searches),
            span(*window_secs),
            number(*usual)
        ),
        Fact::BreakGlass { times: overrides, usual, window_secs } => format!(
            "overrode the lock {} in {} without a reason found; usual {}",
            times(*overrides),
            span(*window_secs),
            number(*usual)
        ),
        Fact::SourceSilent { source, hours, usual_per_hour } => format!(
            "nothing came from {} for {hours:.1} hours; usual {} an hour",
            speaker.directory.sources.name(*source),
            number(*usual_per_hour)
        ),
        Fact::ExplainedLater { patients: 1, hours } => {
            format!("explained by a record that came {} later", hours_in_words(*hours))
        }
        Fact::ExplainedLater { patients: count, hours } => format!(
            "all {} are explained by records that came up to {} later",
            patients(*count),
            hours_in_words(*hours)
        ),
        Fact::SourceVolume { source, records, usual, hours } => format!(
            "{records} look-ups came from {} in {hours:.0} hours; usual {}",
            speaker.directory.sources.name(*source),
            number(*usual)
        ),
        Fact::SourceClock { source, hours } => format!(
            "the day of {} ran {} hours {} than usual",
            speaker.directory.sources.name(*source),
            hours.abs(),
            if *hours > 0 { "later" } else { "earlier" }
        ),
        Fact::NewPlace { place, patients: opened, one_in } => format!(
            "opened {} without a reason {} that neither the reader nor the unit had used; a day in {} brings such a place",
            patients(*opened),
            new_trait(*place),
            thousands(*one_in)
        ),
        Fact::TwoPlaces { times: turns, minutes } => format!(
            "used the account at two places by turns, {} within {minutes} minutes of one another",
            times(*turns)
        ),
        _ => String::new(),
    }
}

pub(super) fn hours_in_words(hours: u32) -> String {
    match hours {
        0 => "less than an hour".to_owned(),
        1 => "1 hour".to_owned(),
        2..48 => format!("{hours} hours"),
        _ => format!("{} days", hours / 24),
    }
}

pub(super) fn tried(tried: &Tried) -> String {
    let what = match tried.template {
        "record_of_care" => "a stay, booking, order, referral or task of the reader's unit",
        "unit_worked_with_patient" => "any unit near the reader that has had the patient in a year",
        "own_record" => "a record made by somebody else",
        other => other,
    };
    let visits = match tried.visits {
        1 => "1 visit".to_owned(),
        visits => format!("{visits} visits"),
    };
    match tried.outcome {
        TriedOutcome::NotFound => format!("{what}: not found for {visits}"),
        TriedOutcome::MadeByReader => {
            format!("{what}: for {visits} there is only one that the reader made")
        }
        TriedOutcome::CannotJudge { .. } => {
            format!("{what}: cannot be judged for {visits}, the feed is missing")
        }
    }
}

pub(super) const fn innocent_story(story: InnocentStory) -> &'static str {
    match story {
        InnocentStory::CrossCover => {
            "Cover for another ward; a roster entry or a call from that ward would confirm it."
        }
        InnocentStory::ConsultTeam => {
            "A consulting task that no system records; the unit's head can confirm it and since when."
        }
        InnocentStory::RegistryProject => {
            "A registry, waiting-list or board review; an approval with names and a cohort would confirm it."
        }
        InnocentStory::NewAssignment => "A new task; personnel records would confirm it.",
        InnocentStory::SharedWorkstation => {
            "Several people on one log-on, or context that came late for many; the roster and the feed's state would confirm it."
        }
        InnocentStory::AskedToHelp => {
            "Asked at work to help; the reader and whoever asked can confirm it."
        }
        InnocentStory::LateHrRecord => {
            "A contract prolonged before personnel records were; personnel can confirm it."
        }
        InnocentStory::ChangedJob => {
            "A job that was moved or changed; a change ticket would confirm it."
        }
        InnocentStory::SharedPatient => {
            "A case that many were called to, or shown at a conference; the treating unit can confirm it."
        }
        _ => "None that fits.",
    }
}

pub(super) const fn next_step(step: NextStep) -> &'static str {
    match step {
        NextStep::AskUnitManager => {
            "Ask the head of the reader's unit about the work behind these look-ups."
        }
        NextStep::BlockAccount => "Block the account now, then ask its owner.",
        NextStep::RotateCredential => {
            "Revoke the credential, then ask the operator for the change ticket."
        }
        NextStep::CheckHr => {
            "Ask personnel whether the person works here; close the account if not."
        }
        NextStep::CheckSource => "Ask the source's operator why nothing comes.",
        _ => "Ask the reader for the reason, kindly and the same day.",
    }
}

pub(super) fn counterfactual(counterfactual: Counterfactual) -> String {
    format!("With {} or fewer such patients it was no alarm.", counterfactual.at_most)
}

fn number(value: f64) -> String {
    about(Language::English, value)
}

fn patients(count: u32) -> String {
    super::patients(Language::English, count.into())
}

fn times(count: u32) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        many => format!("{many} times"),
    }
}

fn span(secs: u64) -> String {
    match secs {
        0..=119 => "two minutes".to_owned(),
        120..=7_199 => format!("{} minutes", secs / 60),
        7_200..=86_399 => format!("{} hours", secs / 3_600),
        86_400 => "a day".to_owned(),
        more => format!("{} days", more / 86_400),
    }
}

fn day(rfc3339: &str) -> &str {
    rfc3339.split_once('T').map_or(rfc3339, |(day, _)| day)
}

fn thousands(number: f64) -> String {
    if number >= 1e6 { "a million or more".to_owned() } else { format!("{number:.0}") }
}

const fn relation_name(relation: Relation) -> &'static str {
    match relation {
        Relation::Oneself => "the reader's own",
        Relation::Kin => "next of kin",
        Relation::Household => "of the same household",
        Relation::Colleague => "a colleague of the same unit",
        Relation::Neighbour => "a neighbour",
        Relation::Surname => "with the same rare surname",
    }
}

const fn new_trait(shared: Trait) -> &'static str {
    match shared {
        Trait::Host => "from an address",
        Trait::Network => "from a part of the network",
        Trait::Client => "through an application",
        Trait::Hour => "at an hour",
        Trait::RecordKind => "a kind of record",
        Trait::Patients | Trait::Group(_) => "patients of a kind",
    }
}

fn shared_trait(speaker: &Speaker<'_>, shared: Trait) -> String {
    match shared {
        Trait::Host => "one address".to_owned(),
        Trait::Network => "one part of the network".to_owned(),
        Trait::Client => "one application".to_owned(),
        Trait::Hour => "one hour".to_owned(),
        Trait::RecordKind => "one kind of record".to_owned(),
        Trait::Patients => "a postal area or a year of birth".to_owned(),
        Trait::Group(group) => format!("the list `{}`", speaker.group_name(group)),
    }
}
