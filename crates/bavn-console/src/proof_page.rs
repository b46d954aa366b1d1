//! Is the log intact, and how does somebody check that without this program?

use crate::answer::{Here, Sent};
use crate::page::{coded, short};
use crate::reply::{Answer, Shape, csv, json};
use crate::text::{grouped, look_ups};
use crate::view::ProofView;
use maud::{Markup, html};
use serde_json::json;

pub(crate) fn answer(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let view = match here.board.proof() {
        Ok(view) => view,
        Err(trouble) => return here.failed(&trouble),
    };
    match sent.shape {
        Shape::Html => here.page(here.say("Proof", "Bevis"), "/proof", &body(here, &view)),
        Shape::Json => json(&json!(view)),
        Shape::Csv => {
            let verified = view.verified.as_ref();
            let row = vec![
                view.entries.to_string(),
                view.look_ups.to_string(),
                view.commits.to_string(),
                view.committed_at.map_or(String::new(), |at| at.to_string()),
                verified.map_or(String::new(), |held| held.at.to_string()),
                verified.map_or(String::new(), |held| held.faults.to_string()),
            ];
            csv("entries,look_ups,commits,committed_at,verified_at,faults", std::iter::once(row))
        }
    }
}

fn body(here: &Here<'_>, view: &ProofView) -> Markup {
    html! {
        h1 { (here.say("Is the log intact?", "Er loggen urørt?")) }
        p class="summary" {
            strong { (grouped(view.entries)) } " " (here.say("entries of the log", "innførsler i loggen"))
            ", " (look_ups(here.language, view.look_ups)) ", "
            (grouped(view.commits)) " " (here.say("commits", "lagringer"))
            @if let Some(at) = view.committed_at {
                "; " (here.say("the last", "den siste")) " " time datetime=(at) { (short(at)) }
            } "."
        }
        @match &view.verified {
            Some(held) => { p {
                (here.say("Last read again in full", "Sist lest helt om igjen")) " "
                time datetime=(held.at) { (short(held.at)) } " (" (held.by) "): "
                strong { @if held.faults == 0 { (here.say("as written", "som skrevet")) }
                    @else { (grouped(held.faults)) " " (here.say("faults", "feil")) } }
                ", " (look_ups(here.language, held.look_ups))
                @if held.every_look_up { ", " (here.say("each against its entry", "hvert mot sin innførsel")) } "."
            } }
            None => { p { (here.say(
                "It has never been read again in full. Run ", "Den er aldri lest helt om igjen. Kjør "))
                code { "bavn verify --look-ups" } "." } }
        }
        @if !view.checkpoint.is_empty() {
            h2 { (here.say("The signed checkpoint", "Det signerte sjekkpunktet")) }
            p { (here.say(
                "Keep it elsewhere, and give it to somebody whom you cannot overrule: it shows whether \
                 anything before it was changed or taken away.",
                "Oppbevar det et annet sted, og gi det til noen dere ikke kan overstyre: det viser om noe \
                 før det er endret eller tatt bort.",
            )) }
            pre class="scroll" tabindex="0" { (view.checkpoint) }
        }
        h2 { (here.say("Check it without this program", "Sjekk det uten dette programmet")) }
        ol {
            li { (coded(here.say(
                "The log is plain files in the folder `proof`, laid out as C2SP tlog-tiles; any tool for such \
                 logs reads them.",
                "Loggen er vanlige filer i mappen `proof`, ordnet som C2SP tlog-tiles; ethvert verktøy for \
                 slike logger leser dem.",
            ))) }
            li { (coded(here.say(
                "The checkpoint is a C2SP signed note. Its key is printed by `bavn proof key`: keep that too.",
                "Sjekkpunktet er en C2SP signed note. Nøkkelen skrives ut av `bavn proof key`: ta vare på den også.",
            ))) }
            li { (coded(here.say(
                "A receipt (`bavn proof inclusion`) shows that one look-up stands in the log, to somebody who \
                 holds nothing but the receipt and a checkpoint.",
                "En kvittering (`bavn proof inclusion`) viser at ett oppslag står i loggen, for en som bare har \
                 kvitteringen og et sjekkpunkt.",
            ))) }
        }
    }
}
