//! The data protection impact assessment (GDPR article 35(7)), of what is really there.
//!
//! The caller states only what it has seen; all else is said to be missing. It is a draft for the
//! controller, who must judge necessity and risk.

use crate::digest::sha256;
use crate::document::{Document, Part};
use crate::html::page;
use crate::words::Language;
use maud::html;
use serde::Deserialize;

/// What was seen or configured.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Assessed {
    pub controller: Option<String>,
    pub purposes: Vec<String>,
    pub lawful_basis: Option<String>,
    pub retention: Option<String>,
    /// Roles, and what each may see.
    pub roles: Vec<String>,
    pub sources: Vec<Source>,
    /// Of this program, and which of them are not heard: never from a file.
    #[serde(skip)]
    pub detectors: Vec<String>,
    /// False alarms that are accepted.
    pub budget: Option<String>,
    /// What is known not to be seen.
    pub not_measured: Vec<String>,
    pub necessity: Option<String>,
    pub risks_and_measures: Vec<String>,
    pub sign_off: Option<SignOff>,
}

/// Where look-ups come from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    pub name: String,
    pub what: String,
}

/// That the employees' side has agreed, with its date.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignOff {
    pub by: String,
    pub date: String,
}

/// A heading, and what is known under it; nothing means that it is missing.
type Section = (&'static str, Vec<String>);

fn sections(assessed: &Assessed, language: Language) -> Vec<Section> {
    let one = |text: &Option<String>| text.iter().cloned().collect::<Vec<_>>();
    let known = |nb, en| match language {
        Language::Nb => nb,
        Language::En => en,
    };
    let sources = assessed.sources.iter().map(|it| format!("{}: {}", it.name, it.what));
    let sign_off = assessed.sign_off.iter().map(|it| format!("{}, {}", it.by, it.date));
    vec![
        (known("Behandlingsansvarlig", "Controller"), one(&assessed.controller)),
        (known("Formål", "Purposes"), assessed.purposes.clone()),
        (known("Rettslig grunnlag", "Lawful basis"), one(&assessed.lawful_basis)),
        (known("Kilder som leses", "Sources that are read"), sources.collect()),
        (known("Detektorer i programmet", "Detectors in the program"), assessed.detectors.clone()),
        (known("Falske alarmer som godtas", "False alarms accepted"), one(&assessed.budget)),
        (known("Lagringstid", "Retention"), one(&assessed.retention)),
        (known("Roller og innsyn", "Roles and what they see"), assessed.roles.clone()),
        (
            known("Nødvendighet og forholdsmessighet", "Necessity and proportionality"),
            one(&assessed.necessity),
        ),
        (
            known("Risiko for personer, og tiltak", "Risks to persons, and measures"),
            assessed.risks_and_measures.clone(),
        ),
        (known("Det som ikke måles", "What is not measured"), assessed.not_measured.clone()),
        (
            known("Godkjent av de ansattes side", "Signed off by the employees' side"),
            sign_off.collect(),
        ),
    ]
}

fn title(language: Language) -> &'static str {
    match language {
        Language::Nb => "Vurdering av personvernkonsekvenser",
        Language::En => "Data protection impact assessment",
    }
}

/// Headings under which nothing is stated, beside the signature: nobody can agree to what they hold.
pub fn assessment_gaps(assessed: &Assessed, language: Language) -> Vec<&'static str> {
    let mut sections = sections(assessed, language);
    sections.pop();
    sections.into_iter().filter(|(_, known)| known.is_empty()).map(|(heading, _)| heading).collect()
}

fn summary(sections: &[Section], language: Language) -> String {
    let missing: Vec<&str> = sections
        .iter()
        .filter(|(_, known)| known.is_empty())
        .map(|(heading, _)| *heading)
        .collect();
    match (language, missing.is_empty()) {
        (Language::Nb, true) => {
            "Utkast. Alle deler er utfylt; den behandlingsansvarlige må vurdere dem.".to_owned()
        }
        (Language::En, true) => {
            "Draft. Every part is filled in; the controller must judge them.".to_owned()
        }
        (Language::Nb, false) => format!("Utkast. Mangler: {}.", missing.join("; ")),
        (Language::En, false) => format!("Draft. Missing: {}.", missing.join("; ")),
    }
}

fn gap(language: Language) -> &'static str {
    match language {
        Language::Nb => "MANGLER: ikke oppgitt. Sted for svar, navn og dato: ____________________",
        Language::En => {
            "MISSING: not stated. Place for answer, name and date: ____________________"
        }
    }
}

/// As Markdown.
pub fn assessment_markdown(assessed: &Assessed, language: Language) -> String {
    let sections = sections(assessed, language);
    let mut parts = vec![format!("# {}", title(language)), summary(&sections, language)];
    for (heading, known) in sections {
        parts.push(format!("## {heading}"));
        parts.push(if known.is_empty() {
            gap(language).to_owned()
        } else {
            let lines: Vec<String> = known.iter().map(|it| format!("- {}", one_line(it))).collect();
            lines.join("\n")
        });
    }
    parts.join("\n\n") + "\n"
}

/// To be set on paper.
pub fn assessment_document(assessed: &Assessed, language: Language) -> Document {
    let sections = sections(assessed, language);
    let mut parts = vec![Part::Small(summary(&sections, language))];
    for (heading, known) in sections {
        parts.push(Part::Heading(heading.to_owned()));
        parts.push(if known.is_empty() {
            Part::Warning(gap(language).to_owned())
        } else {
            Part::List(known)
        });
    }
    let foot = format!("SHA-256 {}", assessment_digest(assessed, language));
    Document { title: title(language).to_owned(), language, parts, foot }
}

/// SHA-256 of the assessment as Markdown, without who has signed it: what is signed.
pub fn assessment_digest(assessed: &Assessed, language: Language) -> String {
    let unsigned = Assessed { sign_off: None, ..assessed.clone() };
    sha256(assessment_markdown(&unsigned, language).as_bytes())
}

/// As one page.
pub fn assessment_html(assessed: &Assessed, language: Language) -> String {
    let sections = sections(assessed, language);
    let body = html! {
        h1 { (title(language)) }
        p class="banner" { (summary(&sections, language)) }
        @for (heading, known) in &sections {
            h2 { (heading) }
            @if known.is_empty() { p class="gap" { (gap(language)) } }
            @else { ul { @for one in known { li { (one) } } } }
        }
    };
    page(title(language), language, &body)
}

/// A line of a list, with nothing in it that Markdown would read as HTML.
fn one_line(text: &str) -> String {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    flat.replace('&', "&amp;").replace('<', "&lt;")
}
