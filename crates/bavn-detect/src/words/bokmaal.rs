//! Bokmål.

use super::{Language, Speaker, about, decimal, grouped};
use bavn_model::{
    Counterfactual, Fact, InnocentStory, NextStep, Relation, Trait, Tried, TriedOutcome,
};

pub(super) fn title(detector: &str) -> &'static str {
    match detector {
        "burst" => "Mange nye pasienter på få minutter",
        "day_volume" => "Langt flere pasienter enn vanlig på en dag",
        "unexplained_patients" => "Flere uforklarte pasienter, dag etter dag",
        "cold_reads" => "Pasienter langt fra leserens arbeid",
        "lone_reads" => "Pasienter som ingen andre åpner",
        "improbable_pairs" => "Pasienter som er usannsynlige for denne leseren",
        "related_patients" => "Journalen til noen som står leseren nær",
        "listed_patients" => "Skjermede pasienter åpnet uten grunn",
        "honey_records" => "Journalen til en pasient som ikke finnes",
        "target_enrichment" => "Uforklarte pasienter valgt etter noe de har felles",
        "leaver" => "Konto brukt utenfor eierens ansettelse",
        "service_account" => "Systemkonto utenfor sin profil",
        "api_paging" => "Konto går gjennom registeret",
        "search_harvest" => "Søk som ikke åpner noe",
        "break_glass" => "Nødåpninger uten funnet grunn",
        "curious_readers" => "Mange lesere av én pasient uten grunn",
        "sprayed_accounts" => "Mange kontoer med noen få fjerne pasienter hver",
        "cohort_link" => "Kontoer med fjerne pasienter deler sted, program eller klokkeslett",
        "strange_place" => "Konto brukt fra et sted som ikke er eierens",
        "source_silence" => "En kilde til oppslag er ikke som vanlig",
        "random_audit" => "Trukket ut til gjennomgang",
        _ => "Uvanlig lesing",
    }
}

pub(super) fn fact(speaker: &Speaker<'_>, fact: &Fact) -> String {
    match fact {
        Fact::PatientsInWindow { opened, usual, window_secs, .. } => {
            format!(
                "åpnet {} på {}; vanlig {}",
                patients(*opened),
                span(*window_secs),
                number(*usual)
            )
        }
        Fact::UnexplainedPatients { unexplained, usual, window_secs } => format!(
            "åpnet {} på {} som ingen opplysning gir grunn for; vanlig {}",
            patients(*unexplained),
            span(*window_secs),
            number(*usual)
        ),
        Fact::AwayPatients { away, usual, window_secs } => format!(
            "åpnet {} på {} som bare behandles ved enheter leseren ikke har med å gjøre; vanlig {}",
            patients(*away),
            span(*window_secs),
            number(*usual)
        ),
        Fact::ColdPatients { cold, usual, window_secs } => format!(
            "åpnet {} på {} som ingen enhet nær leseren har hatt med å gjøre på et år; vanlig {}",
            patients(*cold),
            span(*window_secs),
            number(*usual)
        ),
        Fact::LonePatients { alone, usual, window_secs } => format!(
            "åpnet {} på {} uten grunn som ingen andre åpnet et døgn før eller etter; vanlig {}",
            patients(*alone),
            span(*window_secs),
            number(*usual)
        ),
        Fact::SlowRise { patients: opened, usual, working_days, since } => format!(
            "åpnet {} uten grunn på {working_days} arbeidsdager siden {}; vanlig {}",
            patients(*opened),
            day(&since.to_string()),
            number(*usual)
        ),
        Fact::ImprobablePatients { patients: opened, one_in } => format!(
            "åpnet {}, hver omtrent én av {} for dette arbeidet",
            patients(*opened),
            thousands(*one_in)
        ),
        Fact::RelatedPatients { relation, patients: opened, reads } => format!(
            "åpnet journalen til {} {} uten grunn ({})",
            if *opened == 1 { "én person," } else { "flere personer, den nærmeste" },
            relation_name(*relation),
            times(*reads)
        ),
        Fact::ListedPatients { group, opened, of, expected } => format!(
            "{opened} av {} uforklarte pasienter står på listen «{}»; ventet {}",
            (*of).max(*opened),
            speaker.group_name(*group),
            number(*expected)
        ),
        Fact::ReadersOfPatient { readers, without_reason, usual, window_secs } => format!(
            "{without_reason} av {readers} lesere av én pasient på {} har ingen kjent grunn; vanlig {}",
            span(*window_secs),
            number(*usual)
        ),
        Fact::DrawnByLot { of } => format!(
            "åpnet 1 pasient uten funnet grunn; trukket ut av {of} slike besøk i samme stilling den dagen"
        ),
        _ => fact_of_account(speaker, fact),
    }
}

/// Facts about accounts, sources and ways of reading.
fn fact_of_account(speaker: &Speaker<'_>, fact: &Fact) -> String {
    match fact {
        Fact::AfterEnd { days, reads } => {
            format!("leste {} {days} dager etter at siste kjente ansettelse sluttet", times(*reads))
        }
        Fact::BeforeStart { days, reads } => {
            format!("leste {} {days} dager før første kjente ansettelse begynner", times(*reads))
        }
        Fact::Dormant { days, reads } => {
            format!("leste {} etter {days} dager uten bruk", times(*reads))
        }
        Fact::Decoys { opened } => format!("åpnet {} som ikke finnes", patients(*opened)),
        Fact::NewTrait { shared, reads, reads_before } => format!(
            "leste {} {} som ingen av {} tidligere oppslag hadde",
            times(*reads),
            new_trait(*shared),
            grouped(u64::from(*reads_before))
        ),
        Fact::IdentifierRun { run, of } => {
            let (run, of) = (patients(*run), grouped(u64::from(*of)));
            format!("åpnet {run} i rekkefølge etter identifikator, av {of} den dagen")
        }
        Fact::RegularGaps { reads, gap_secs, spread } => format!(
            "åpnet {} med {} s mellomrom og {:.0} % spredning",
            patients(*reads),
            tenths(*gap_secs),
            spread * 100.0
        ),
        Fact::AccountsWithColdReads { accounts, expected, patients: opened } => format!(
            "{accounts} kontoer åpnet {} som ingen enhet nær dem kjenner, på én dag; ventet {} slike kontoer",
            patients(*opened),
            number(*expected)
        ),
        Fact::AccountsOnOneDay { accounts, expected, patients: opened } => format!(
            "{accounts} kontoer krysset grensen på én dag, med {} ingen forklarer; ventet {} slike kontoer",
            patients(*opened),
            number(*expected)
        ),
        Fact::SharedTrait { shared, accounts, of, expected } => format!(
            "{accounts} av {of} har felles {}; ventet {}",
            shared_trait(speaker, *shared),
            number(*expected)
        ),
        Fact::Searches { searches, opened, usual, window_secs } => format!(
            "søkte {} på {} og åpnet en journal etter {opened} av dem; vanlig uten åpning {}",
            times(*searches),
            span(*window_secs),
            number(*usual)
        ),
        Fact::BreakGlass { times: overrides, usual, window_secs } => format!(
            "brukte nødåpning {} på {} uten funnet grunn; vanlig {}",
            times(*overrides),
            span(*window_secs),
            number(*usual)
        ),
        Fact::SourceSilent { source, hours, usual_per_hour } => format!(
            "ingenting kom fra {} på {} timer; vanlig {} i timen",
            speaker.directory.sources.name(*source),
            tenths(*hours),
            number(*usual_per_hour)
        ),
        Fact::ExplainedLater { patients: 1, hours } => {
            format!("forklart av noe som ble registrert {} etterpå", hours_in_words(*hours))
        }
        Fact::ExplainedLater { patients: count, hours } => format!(
            "alle {} er forklart av det som ble registrert inntil {} etterpå",
            patients(*count),
            hours_in_words(*hours)
        ),
        Fact::SourceVolume { source, records, usual, hours } => format!(
            "{} oppslag kom fra {} på {hours:.0} timer; vanlig {}",
            grouped(u64::from(*records)),
            speaker.directory.sources.name(*source),
            number(*usual)
        ),
        Fact::SourceClock { source, hours } => format!(
            "døgnet til {} gikk {} timer {} enn vanlig",
            speaker.directory.sources.name(*source),
            hours.abs(),
            if *hours > 0 { "senere" } else { "tidligere" }
        ),
        Fact::NewPlace { place, patients: opened, one_in } => format!(
            "åpnet {} uten grunn {} som verken leseren eller enheten hadde brukt; én dag av {} gir et slikt sted",
            patients(*opened),
            new_trait(*place),
            thousands(*one_in)
        ),
        Fact::TwoPlaces { times: turns, minutes } => format!(
            "brukte kontoen to steder om hverandre, {} innen {minutes} minutter",
            times(*turns)
        ),
        _ => String::new(),
    }
}

pub(super) fn hours_in_words(hours: u32) -> String {
    match hours {
        0 => "under en time".to_owned(),
        1 => "1 time".to_owned(),
        2..48 => format!("{hours} timer"),
        _ => format!("{} dager", hours / 24),
    }
}

pub(super) fn tried(tried: &Tried) -> String {
    let what = match tried.template {
        "record_of_care" => {
            "opphold, time, bestilling, henvisning eller oppgave ved leserens enhet"
        }
        "unit_worked_with_patient" => "en enhet nær leseren som har hatt pasienten det siste året",
        "own_record" => "en opplysning som noen andre har laget",
        other => other,
    };
    let visits = tried.visits;
    match tried.outcome {
        TriedOutcome::NotFound => format!("{what}: ikke funnet for {visits} besøk"),
        TriedOutcome::MadeByReader => {
            format!("{what}: for {visits} besøk finnes bare en som leseren selv har laget")
        }
        TriedOutcome::CannotJudge { .. } => {
            format!("{what}: kan ikke vurderes for {visits} besøk, kilden mangler")
        }
    }
}

pub(super) const fn innocent_story(story: InnocentStory) -> &'static str {
    match story {
        InnocentStory::CrossCover => {
            "Vakt for en annen post; en vaktliste eller en samtale fra posten kan bekrefte det."
        }
        InnocentStory::ConsultTeam => {
            "Et tilsynsoppdrag som intet system fører; enhetens leder kan bekrefte det og siden når."
        }
        InnocentStory::RegistryProject => {
            "Register-, venteliste- eller møtegjennomgang; en godkjenning med navn og utvalg kan bekrefte det."
        }
        InnocentStory::NewAssignment => "En ny oppgave; personalregisteret kan bekrefte det.",
        InnocentStory::SharedWorkstation => {
            "Flere på én pålogging, eller opplysninger som kom sent for mange; vaktlisten og kildens tilstand kan bekrefte det."
        }
        InnocentStory::AskedToHelp => {
            "Bedt om hjelp på jobben; leseren og den som spurte, kan bekrefte det."
        }
        InnocentStory::LateHrRecord => {
            "En kontrakt forlenget før personalregisteret; personalavdelingen kan bekrefte det."
        }
        InnocentStory::ChangedJob => {
            "En jobb som er flyttet eller endret; en endringssak kan bekrefte det."
        }
        InnocentStory::SharedPatient => {
            "Et tilfelle som mange ble tilkalt til eller vist på møte; behandlende enhet kan bekrefte det."
        }
        _ => "Ingen som passer.",
    }
}

pub(super) const fn next_step(step: NextStep) -> &'static str {
    match step {
        NextStep::AskUnitManager => "Spør lederen for leserens enhet om arbeidet bak oppslagene.",
        NextStep::BlockAccount => "Sperr kontoen nå, og spør så eieren.",
        NextStep::RotateCredential => "Trekk tilbake nøkkelen, og spør drift om endringssaken.",
        NextStep::CheckHr => {
            "Spør personalavdelingen om personen arbeider her; steng kontoen hvis ikke."
        }
        NextStep::CheckSource => "Spør kildens driftsansvarlige hvorfor ingenting kommer.",
        _ => "Spør leseren om grunnen, vennlig og samme dag.",
    }
}

pub(super) fn counterfactual(counterfactual: Counterfactual) -> String {
    format!("Med høyst {} slike pasienter var det ingen alarm.", counterfactual.at_most)
}

fn number(value: f64) -> String {
    about(Language::Bokmaal, value)
}

fn tenths(value: f64) -> String {
    decimal(Language::Bokmaal, value, 1)
}

fn patients(count: u32) -> String {
    super::patients(Language::Bokmaal, count.into())
}

fn times(count: u32) -> String {
    match count {
        1 => "én gang".to_owned(),
        _ => format!("{} ganger", grouped(u64::from(count))),
    }
}

fn span(secs: u64) -> String {
    match secs {
        0..=119 => "to minutter".to_owned(),
        120..=7_199 => format!("{} minutter", secs / 60),
        7_200..=86_399 => format!("{} timer", secs / 3_600),
        86_400 => "en dag".to_owned(),
        more => format!("{} dager", more / 86_400),
    }
}

fn day(rfc3339: &str) -> &str {
    rfc3339.split_once('T').map_or(rfc3339, |(day, _)| day)
}

fn thousands(number: f64) -> String {
    if number >= 1e6 {
        "en million eller mer".to_owned()
    } else {
        decimal(Language::Bokmaal, number, 0)
    }
}

const fn relation_name(relation: Relation) -> &'static str {
    match relation {
        Relation::Oneself => "leserens egen",
        Relation::Kin => "en pårørende",
        Relation::Household => "i samme husstand",
        Relation::Colleague => "en kollega ved samme enhet",
        Relation::Neighbour => "en nabo",
        Relation::Surname => "med samme sjeldne etternavn",
    }
}

const fn new_trait(shared: Trait) -> &'static str {
    match shared {
        Trait::Host => "fra en adresse",
        Trait::Network => "fra en del av nettet",
        Trait::Client => "gjennom et program",
        Trait::Hour => "på et klokkeslett",
        Trait::RecordKind => "en type opplysninger",
        Trait::Patients | Trait::Group(_) => "pasienter av et slag",
    }
}

fn shared_trait(speaker: &Speaker<'_>, shared: Trait) -> String {
    match shared {
        Trait::Host => "én adresse".to_owned(),
        Trait::Network => "én del av nettet".to_owned(),
        Trait::Client => "ett program".to_owned(),
        Trait::Hour => "ett klokkeslett".to_owned(),
        Trait::RecordKind => "én type opplysninger".to_owned(),
        Trait::Patients => "postnummer eller fødselsår".to_owned(),
        Trait::Group(group) => format!("listen «{}»", speaker.group_name(group)),
    }
}
