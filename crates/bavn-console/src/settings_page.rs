//! What is in force, and who wanted it so? A change takes two persons.

use crate::access::{Purpose, Right, Role, permits};
use crate::answer::{Here, Sent};
use crate::page::{coded, short};
use crate::plain;
use crate::reply::{Answer, Shape, csv, go, json, missing};
use crate::text::{Language, grouped, pick, shortest};
use crate::view::RegimeLine;
use bavn_detect::Engine;
use bavn_detect::house::{Agreement, Change, House, HouseAct, HouseDeed, InForce, Open};
use bavn_model::Timestamp;
use maud::{Markup, html};
use serde_json::json;

/// As it stood when the page was asked for.
#[derive(Debug, Default)]
struct Seen {
    in_force: InForce,
    open: Vec<Open>,
    acts: Vec<(usize, HouseAct)>,
}

impl Seen {
    fn of(house: &House) -> Self {
        let of_settings = |act: &HouseAct| {
            matches!(
                act.deed,
                HouseDeed::Proposed { .. }
                    | HouseDeed::Confirmed { .. }
                    | HouseDeed::Declined { .. }
                    | HouseDeed::Withdrawn { .. }
            )
        };
        let acts = house.acts().iter().cloned().enumerate().filter(|(_, act)| of_settings(act));
        Self {
            in_force: house.in_force().clone(),
            open: house.open().cloned().collect(),
            acts: acts.collect(),
        }
    }
}

pub(crate) fn answer(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let mut seen = Seen::default();
    if let Err(trouble) = here.board.house(&mut |house| seen = Seen::of(house)) {
        return here.failed(&trouble);
    }
    let agreed = match here.board.agreed() {
        Ok(agreed) => agreed,
        Err(trouble) => return here.failed(&trouble),
    };
    match sent.shape {
        Shape::Html => {
            let body = body(here, &seen, agreed.as_ref());
            here.page(here.say("Settings", "Oppsett"), "/settings", &body)
        }
        Shape::Json => json(&json!({
            "in_force": seen.in_force,
            "agreed": agreed,
            "open": seen.open,
            "detectors": Engine::detector_names(),
            "regimes": here.board.regimes(),
            "acts": seen.acts.iter().map(|(number, act)| json!({
                "number": number, "at": act.at, "by": act.by, "role": act.role, "what": act.deed,
            })).collect::<Vec<_>>(),
        })),
        Shape::Csv => csv(
            "number,at,by,role,what",
            seen.acts.iter().map(|(number, act)| {
                let what = serde_json::to_string(&act.deed).unwrap_or_default();
                vec![number.to_string(), act.at.to_string(), act.by.clone(), act.role.clone(), what]
            }),
        ),
    }
}

pub(crate) fn propose(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let field = |name: &str| sent.form.field(name);
    let in_days = |days: i64| here.now.plus_secs(days * 86_400);
    let value = field("value").replace(',', ".");
    let change = match field("what") {
        "budget" => {
            value.parse().ok().map(|per_10k_staff_day| Change::Budget { per_10k_staff_day })
        }
        // What is far too much is refused with the most that may be.
        "mute" => whole(&value).map(|days| Change::Muted {
            detector: field("detector").to_owned(),
            until: in_days(i64::from(days)),
        }),
        "retention" => whole(&value).map(|days| Change::Retention { days }),
        "sign-off" => Some(Change::SignOff { date: value }),
        _ => return missing(here.language),
    };
    let Some(change) = change else {
        return here.refused_with(here.say("A number is needed.", "Et tall trengs."));
    };
    act(here, HouseDeed::Proposed { change, reason: field("reason").to_owned() })
}

/// A whole number; one that is too large for anything is the largest.
fn whole(text: &str) -> Option<u32> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u32::MAX))
}

pub(crate) fn confirm(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    match sent.part(0).parse() {
        Ok(proposal) => act(here, HouseDeed::Confirmed { proposal }),
        Err(_) => missing(here.language),
    }
}

/// For the employees. Whom an open case is about does not sign, and is not told of the case.
pub(crate) fn sign(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    match here.peek(|book| book.is_open_about(&here.visitor.name)) {
        Ok(false) => confirm(here, sent),
        Ok(true) => here.refused_with(here.say(
            "Somebody else must agree for the employees.",
            "En annen må si seg enig for de ansatte.",
        )),
        Err(trouble) => here.failed(&trouble),
    }
}

pub(crate) fn withdraw(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    act(here, HouseDeed::Withdrawn { reason: sent.form.field("reason").to_owned() })
}

pub(crate) fn decline(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    match sent.part(0).parse() {
        Ok(proposal) => act(here, HouseDeed::Declined { proposal }),
        Err(_) => missing(here.language),
    }
}

fn act(here: &Here<'_>, deed: HouseDeed) -> Answer {
    match here.board.settle(&here.visitor, deed) {
        Ok(()) => go(&here.link("/settings")),
        Err(trouble) => here.failed(&trouble),
    }
}

fn body(here: &Here<'_>, seen: &Seen, agreed: Option<&Agreement>) -> Markup {
    html! {
        h1 { (here.say("What is in force?", "Hva gjelder?")) }
        (in_force(here, &seen.in_force, agreed))
        @if agreed.is_some() && here.may(Right::SignForEmployees, Purpose::None) { (withdrawal(here)) }
        @if !seen.open.is_empty() {
            h2 { (here.say("Waiting for a second person", "Venter på en person til")) }
            ol class="cards" { @for open in &seen.open { li { (waiting(here, open)) } } }
        }
        @if here.may(Right::ChangeSettings, Purpose::None) { (forms(here)) }
        h2 { (here.say("Laws and rules kept as data", "Lover og regler som data")) }
        (regimes(here, &here.board.regimes()))
        h2 { (here.say("Who may see what", "Hvem ser hva")) }
        (roles(here))
        h2 { (here.say("Who changed it", "Hvem endret det")) }
        @if seen.acts.is_empty() { p { (here.say("Nobody has.", "Ingen har.")) } }
        ol class="history" { @for (number, act) in seen.acts.iter().rev().take(ACTS_SHOWN) { li {
            time datetime=(act.at) { (short(act.at)) } " " strong { (act.by) } " (" (plain::role(here.language, &act.role)) "): "
            (said(here, *number, &act.deed))
        } } }
    }
}

/// The employees' side may change its mind without anybody's leave.
fn withdrawal(here: &Here<'_>) -> Markup {
    html! {
        form class="stack" method="post" action="/settings/withdraw" {
            input type="hidden" name="token" value=(here.visitor.form_token);
            label for="withdraw-reason" { (here.say(
                "Why the employees' side no longer agrees; from then on nobody is named",
                "Hvorfor de ansattes side ikke lenger er enig; fra da av nevnes ingen",
            )) }
            input id="withdraw-reason" name="reason" required maxlength="4000";
            button { (here.say("Withdraw the agreement", "Trekk samtykket")) }
        }
    }
}

fn in_force(here: &Here<'_>, held: &InForce, agreed: Option<&Agreement>) -> Markup {
    let shipped = here.say(
        "as shipped, or as the command line says",
        "som levert, eller som kommandolinjen sier",
    );
    let muted = held.muted_at(here.now);
    html! {
        dl {
            dt { (here.say("Employees' side", "De ansattes side")) }
            dd { @match agreed {
                Some(held) => { (here.say("agreed", "har sagt seg enig")) ", " (held.by) ", " (held.date) }
                None => { strong { (here.say("has not agreed: shadow mode", "har ikke sagt seg enig: skyggedrift")) } }
            } }
            dt { (here.say("False alarms allowed per 10\u{202f}000 staff a day", "Falske alarmer tillatt per 10\u{a0}000 ansatte per døgn")) }
            dd { @match held.budget_per_10k_staff_day { Some(budget) => { (shortest(here.language, budget)) } None => { (shipped) } } }
            dt { (here.say("Look-ups are to be kept", "Oppslag skal oppbevares")) }
            dd { @match held.retention_days {
                Some(days) => { (grouped(u64::from(days))) " " (here.say("days", "dager")) }
                None => { (here.say("no limit has been agreed", "ingen grense er avtalt")) }
            } }
            dt { (here.say("Detectors", "Detektorer")) }
            dd {
                (Engine::detector_names().len()) " " (here.say("in the program", "i programmet"))
                @if muted.is_empty() { "; " (here.say("all are heard", "alle høres")) "." }
                @else { "; " (here.say("not heard", "høres ikke")) ": " (muted.iter().map(|name| plain::detector(here.language, name)).collect::<Vec<_>>().join(", ")) "." }
            }
        }
    }
}

fn waiting(here: &Here<'_>, open: &Open) -> Markup {
    let for_employees = matches!(open.change, Change::SignOff { .. });
    let (right, [yes, no]) = if for_employees {
        (Right::SignForEmployees, ["sign", "object"])
    } else {
        (Right::ChangeSettings, ["confirm", "decline"])
    };
    let may = here.may(right, Purpose::None) && open.by != here.visitor.name;
    html! {
        p {
            (changed(here, &open.change)) ". " (open.by) ", " time datetime=(open.at) { (short(open.at)) } ": " (open.reason)
        }
        @if for_employees { p class="facts" { (coded(here.say(
            "Only the employees' representative can confirm this, having read what `bavn dpia` writes.",
            "Bare den tillitsvalgte kan bekrefte dette, etter å ha lest det `bavn dpia` skriver.",
        ))) } }
        @if may {
            div class="forms" {
                form method="post" action=(format!("/settings/{}/{yes}", open.number)) {
                    input type="hidden" name="token" value=(here.visitor.form_token);
                    button { (here.say("Confirm", "Bekreft")) }
                }
                form method="post" action=(format!("/settings/{}/{no}", open.number)) {
                    input type="hidden" name="token" value=(here.visitor.form_token);
                    button { (here.say("Decline", "Avslå")) }
                }
            }
        }
    }
}

fn forms(here: &Here<'_>) -> Markup {
    let form = |what: &str, label: &str, value: &Markup| {
        let (id, reason) = (format!("{what}-value"), format!("{what}-reason"));
        html! {
            form class="stack" method="post" action="/settings" {
                input type="hidden" name="token" value=(here.visitor.form_token);
                input type="hidden" name="what" value=(what);
                label for=(id) { (label) }
                (value)
                label for=(reason) { (here.say("Reason", "Begrunnelse")) }
                input id=(reason) name="reason" required maxlength="4000";
                button { (here.say("Propose", "Foreslå")) }
            }
        }
    };
    let number = |what: &str, min: &str, max: &str, step: &str| {
        html! {
            input id=(format!("{what}-value")) name="value" type="number" required min=(min) max=(max) step=(step);
        }
    };
    html! {
        h2 class="screen" { (here.say("Propose a change", "Foreslå en endring")) }
        p class="facts screen" { (here.say(
            "It is in force when another person has confirmed it. Both acts are kept.",
            "Den gjelder når en annen har bekreftet den. Begge handlinger lagres.",
        )) }
        details { summary { (here.say("Agreement of the employees' side", "De ansattes sides samtykke")) }
            (form("sign-off", here.say("Agreed on the day", "Enige den"), &html! {
                input id="sign-off-value" name="value" type="date" required;
            })) }
        details { summary { (here.say("False alarms allowed", "Falske alarmer tillatt")) }
            (form("budget", here.say("Per 10\u{202f}000 staff a day", "Per 10\u{a0}000 ansatte per døgn"), &number("budget", "0.1", "1000", "0.1"))) }
        details { summary { (here.say("Mute a detector", "Demp en detektor")) }
            (form("mute", here.say("For how many days", "I hvor mange dager"), &html! {
                (number("mute", "1", "92", "1"))
                label for="mute-detector" { (here.say("Detector", "Detektor")) }
                select id="mute-detector" name="detector" {
                    @for name in Engine::detector_names() { option value=(name) { (plain::detector(here.language, name)) } }
                }
            })) }
        details { summary { (here.say("How long look-ups are kept", "Hvor lenge oppslag oppbevares")) }
            (form("retention", here.say("Days", "Dager"), &number("retention", "92", "3653", "1"))) }
    }
}

fn regimes(here: &Here<'_>, regimes: &[RegimeLine]) -> Markup {
    let overdue = regimes.iter().filter(|regime| regime.is_overdue).count();
    html! {
        @if overdue > 0 { p class="next" {
            (overdue) " " (here.say("past the day by which they were to be read again", "er forbi dagen de skulle vært lest om igjen"))
        } }
        table class="queue" {
            thead { tr {
                th scope="col" { (here.say("Rule", "Regel")) } th scope="col" { (here.say("Version", "Versjon")) }
                th scope="col" { (here.say("To be read again by", "Leses om igjen innen")) }
                th scope="col" { (here.say("Read by a lawyer", "Lest av jurist")) }
            } }
            tbody { @for regime in regimes { tr {
                td {
                    @let [english, bokmaal] = &regime.title;
                    (here.say(english.as_str(), bokmaal.as_str())) " (" (regime.id) ")"
                }
                td data-label=(here.say("Version", "Versjon")) { (regime.version) }
                td data-label=(here.say("To be read again by", "Leses om igjen innen")) {
                    (regime.review_by) @if regime.is_overdue { " " strong { (here.say("overdue", "forfalt")) } }
                }
                td data-label=(here.say("Read by a lawyer", "Lest av jurist")) {
                    @match &regime.reviewed_by { Some(who) => { (who) } None => { (here.say("no", "nei")) } }
                }
            } } }
        }
    }
}

/// Each role, and what the table lets it see and do.
pub fn roles_in_words(language: Language) -> Vec<[String; 2]> {
    let of = |role: Role| {
        let has = |right: &Right| Purpose::ALL.into_iter().any(|why| permits(*right, role, why));
        let rights = Right::ALL.into_iter().filter(has);
        let words = rights.map(|right| {
            let [english, bokmaal] = named(right);
            pick(language, english, bokmaal)
        });
        words.collect::<Vec<_>>().join("; ")
    };
    let said = |role: Role| {
        let [english, bokmaal] = role.said();
        pick(language, english, bokmaal).to_owned()
    };
    Role::ALL.into_iter().map(|role| [said(role), of(role)]).collect()
}

fn roles(here: &Here<'_>) -> Markup {
    html! {
        table class="queue" {
            thead { tr { th scope="col" { (here.say("Role", "Rolle")) } th scope="col" { (here.say("Rights", "Rettigheter")) } } }
            tbody { @for [role, rights] in roles_in_words(here.language) { tr {
                td { (role) } td { (rights) }
            } } }
        }
    }
}

const fn named(right: Right) -> [&'static str; 2] {
    match right {
        Right::SeeQueue => ["the queue", "køen"],
        Right::SeeCase => ["cases", "saker"],
        Right::SeeScope => ["numbers of patients", "antall pasienter"],
        Right::WorkOnCase => ["work on cases", "arbeide med saker"],
        Right::Decide => ["decide cases", "avgjøre saker"],
        Right::SeeNotices => ["notices", "meldinger"],
        Right::WorkOnNotices => [
            "prepare and sign notices, with another",
            "forberede og signere meldinger, sammen med en annen",
        ],
        Right::SeePerson => ["accounts of a case", "kontoer i en sak"],
        Right::Reveal => {
            ["patients of a case, with a reason", "pasienter i en sak, med begrunnelse"]
        }
        Right::Hunt => ["hunts for a case", "jakt for en sak"],
        Right::AskForPatient => ["ask for a patient", "spørre om en pasient"],
        Right::SeePatient => {
            ["who read a record, with a purpose", "hvem som leste en journal, med formål"]
        }
        Right::SeeCoverage => ["coverage", "dekning"],
        Right::SeeProof => ["proof", "bevis"],
        Right::SeeScore => ["drills", "øvelser"],
        Right::Review => ["look-ups drawn by lot", "oppslag trukket ved lodd"],
        Right::SeeSettings => ["settings", "oppsett"],
        Right::ChangeSettings => {
            ["change settings, with another", "endre oppsett, sammen med en annen"]
        }
        Right::SignForEmployees => ["sign for the employees", "signere for de ansatte"],
        Right::SeeOwnRecord => ["who read one's own record", "hvem som leste ens egen journal"],
        Right::SeeOneself => ["what is held about oneself", "det som er lagret om en selv"],
    }
}

fn said(here: &Here<'_>, number: usize, deed: &HouseDeed) -> String {
    match deed {
        HouseDeed::Proposed { change, reason } => {
            format!(
                "{} {number}: {}: {reason}",
                here.say("proposal", "forslag"),
                changed(here, change)
            )
        }
        HouseDeed::Confirmed { proposal } => {
            format!("{} {proposal}", here.say("confirmed proposal", "bekreftet forslag"))
        }
        HouseDeed::Declined { proposal } => {
            format!("{} {proposal}", here.say("declined proposal", "avslo forslag"))
        }
        HouseDeed::Withdrawn { reason } => {
            format!("{}: {reason}", here.say("withdrew the agreement", "trakk samtykket"))
        }
        HouseDeed::Ran(_)
        | HouseDeed::Verified { .. }
        | HouseDeed::Ruled { .. }
        | HouseDeed::Served => String::new(),
    }
}

fn changed(here: &Here<'_>, change: &Change) -> String {
    let day = |at: Timestamp| at.to_string().chars().take(10).collect::<String>();
    match change {
        Change::Budget { per_10k_staff_day } => {
            format!(
                "{} {}",
                here.say("false alarms allowed", "falske alarmer tillatt"),
                shortest(here.language, *per_10k_staff_day)
            )
        }
        Change::Muted { detector, until } => {
            format!(
                "{} {} {}",
                plain::detector(here.language, detector),
                here.say("is not heard until", "høres ikke før"),
                day(*until)
            )
        }
        Change::Retention { days } => {
            format!(
                "{} {}",
                here.say("days that look-ups are kept", "dager oppslag oppbevares"),
                grouped(u64::from(*days))
            )
        }
        Change::SignOff { date } => {
            format!(
                "{} {date}",
                here.say("the employees' side agreed on", "de ansattes side sa seg enig")
            )
        }
        Change::Reveal { case, until } => {
            format!(
                "{} C-{case} {} {}",
                here.say("the patients of", "pasientene i"),
                here.say("until", "til"),
                short(*until)
            )
        }
    }
}

/// Rows of the page; the twins have all.
const ACTS_SHOWN: usize = 100;
