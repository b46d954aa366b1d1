//! What the console asks, answered from a store as of the commit in force.

mod health;
mod held;
mod notices;
mod people;
mod scope;
mod time;

pub(crate) use held::Held;
pub(crate) use time::trail;

use crate::case_scope::CaseScope;
use crate::cli::StoreAccess;
use crate::commands::keep::leave_asking;
use crate::commands::reader::{Question, ask};
use crate::desk::{Desk, failed};
use crate::error::{CommandError, Kind};
use crate::house_desk::HouseDesk;
use crate::register::Register;
use bavn_console::{
    Board, ClockView, Counted, CoverageView, DrillView, Granted, HeldAbout, HuntView, Notices,
    PatientView, PersonView, ProofView, QueueView, RegimeLine, Revealed, ScopeView, TrailView,
    Trouble, Visitor, Wish,
};
use bavn_detect::cases::{Book, CaseNumber};
use bavn_detect::house::{Agreement, House, HouseDeed};
use bavn_model::Timestamp;
use bavn_store::{Purpose, Store};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::watch;

/// The cases, the house and the look-ups of a store.
pub(crate) struct StoreBoard {
    pub(crate) access: StoreAccess,
    pub(crate) held: Held,
    pub(crate) desk: Desk,
    pub(crate) house: HouseDesk,
    pub(crate) changed: watch::Sender<u64>,
    /// The clock of the machine, or of a story.
    pub(crate) clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    /// Score of a drill.
    pub(crate) score: Option<PathBuf>,
    pub(crate) register: Register,
    /// Where sealed lists are taken from; none: no list leaves by the console.
    pub(crate) outbox: Option<PathBuf>,
}

impl std::fmt::Debug for StoreBoard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreBoard").field("access", &self.access).finish_non_exhaustive()
    }
}

impl StoreBoard {
    fn open(&self) -> Result<Arc<Store>, Trouble> {
        self.held.store(&self.access)
    }

    fn asked(&self, number: CaseNumber) -> Result<CaseScope, Trouble> {
        let asked = self.desk.look(|book| CaseScope::of(book, number));
        asked.map_err(|error| failed(&error))?.ok_or_else(|| {
            Trouble::Refused(
                ["the case names no reader", "saken nevner ingen leser"].map(str::to_owned),
            )
        })
    }
}

impl Board for StoreBoard {
    fn queue(&self) -> Arc<QueueView> {
        let as_of = self.open().map(|store| store.as_of());
        Arc::new(as_of.map_or_else(
            |_| QueueView::default(),
            |as_of| QueueView {
                now: as_of.last_look_up,
                look_ups: as_of.look_ups,
                ..QueueView::default()
            },
        ))
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    fn look(&self, seen: &mut dyn FnMut(&Book)) -> Result<(), Trouble> {
        crate::desk::look(&self.desk, seen)
    }

    fn act(&self, by: &str, case: CaseNumber, wish: Wish, seen: usize) -> Result<(), Trouble> {
        crate::desk::act(&self.desk, self.now(), by, case, wish, seen)
    }

    fn keeps_look_ups(&self) -> bool {
        true
    }

    fn scope(&self, number: CaseNumber) -> Result<ScopeView, Trouble> {
        let (store, asked) = (self.open()?, self.asked(number)?);
        scope::view(&store, &asked).map_err(|error| failed(&error.into()))
    }

    fn scope_by(&self, number: CaseNumber) -> Result<(ScopeView, Counted), Trouble> {
        let store = self.open()?;
        self.held.scope_by(&store, self.asked(number)?, |asked| {
            scope::view_by(&store, asked, number, self.register.known())
                .map_err(|error| failed(&error.into()))
        })
    }

    fn trail(&self, number: CaseNumber) -> Result<TrailView, Trouble> {
        let store = self.open()?;
        self.held.trail(&store, self.asked(number)?, |asked| {
            time::trail(&store, &asked.subject, asked.window).map_err(|error| failed(&error.into()))
        })
    }

    fn clocks(&self, number: CaseNumber) -> Vec<ClockView> {
        let clocks = self.desk.look(|book| {
            let case = book.case(book.settled(number))?;
            Some(time::clocks(case, self.desk.duty(), &self.register.about().regimes))
        });
        clocks.ok().flatten().unwrap_or_default()
    }

    fn notices(&self) -> Option<&dyn Notices> {
        Some(self)
    }

    fn asks_readers(&self) -> bool {
        self.register.about().reader_message.is_some()
    }

    fn ask_reader(
        &self,
        by: &str,
        case: CaseNumber,
        reader: &str,
        hint: Option<&str>,
        language: bavn_share::Language,
    ) -> Result<(), Trouble> {
        let question =
            Question { case, reader, name: None, opened_at: None, record_hint: hint, language };
        let asked =
            ask(&self.desk, &*self.open()?, self.register.about(), by, self.now(), &question);
        asked.map(|_| ()).map_err(|error| match error.kind {
            Kind::Usage | Kind::Refused => crate::desk::refused_in_words(&error),
            _ => failed(&error),
        })
    }

    fn record(
        &self,
        who: &Visitor,
        what: &str,
        purpose: &str,
        patients: &[String],
    ) -> Result<(), Trouble> {
        let store = self.open()?;
        let purpose = purpose.parse().unwrap_or(Purpose::Audit);
        let what = format!("bavn console ({}): {what}", who.role.word());
        let patients: Vec<&str> = patients.iter().map(String::as_str).collect();
        leave_asking(&store, self.now(), ("urn:bavn:user", &who.name), &purpose, &what, &patients)
            .map_err(|error| failed(&error))
    }

    fn house(&self, seen: &mut dyn FnMut(&House)) -> Result<(), Trouble> {
        self.house.look(seen).map_err(|error| failed(&error))
    }

    fn settle(&self, who: &Visitor, deed: HouseDeed) -> Result<(), Trouble> {
        match self.house.act(self.now(), &who.name, who.role.word(), deed) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(refusal)) => {
                Err(Trouble::Refused(crate::desk::LANGUAGES.map(|of| refusal.in_words(of))))
            }
            Err(error) => Err(failed(&error)),
        }
    }

    fn agreed(&self) -> Result<Option<Agreement>, Trouble> {
        crate::agreement::of(&self.desk, &self.house).map_err(|error| failed(&error))
    }

    fn regimes(&self) -> Vec<RegimeLine> {
        health::regimes(self.now())
    }

    fn coverage(&self) -> Result<CoverageView, Trouble> {
        health::coverage(&*self.open()?, &self.house, &self.desk).map_err(|error| failed(&error))
    }

    fn proof(&self) -> Result<ProofView, Trouble> {
        health::proof(&*self.open()?, &self.house).map_err(|error| failed(&error))
    }

    fn drill(&self) -> Result<Option<DrillView>, Trouble> {
        self.score.as_deref().map(health::drill).transpose().map_err(|error| failed(&error))
    }

    fn patient(&self, typed: &str, why: &Granted) -> Result<PatientView, Trouble> {
        people::patient(&*self.open()?, typed, why, self.register.around())
            .map_err(|error| told(&error))
    }

    fn person(&self, account: &str, why: &Granted) -> Result<PersonView, Trouble> {
        let Some(case) = why.case() else {
            return Err(Trouble::Refused(
                ["an account is seen in its case only", "en konto ses bare i saken sin"]
                    .map(str::to_owned),
            ));
        };
        people::person(&*self.open()?, account, self.asked(case)?.window)
            .map_err(|error| told(&error))
    }

    fn hunt(&self, list: &str, _: &Granted) -> Result<HuntView, Trouble> {
        people::hunt(&*self.open()?, list).map_err(|error| told(&error))
    }

    fn reveal(&self, why: &Granted) -> Result<Vec<Revealed>, Trouble> {
        let Some(case) = why.case() else {
            return Err(Trouble::Refused(
                ["names are given for a case only", "navn gis bare for en sak"].map(str::to_owned),
            ));
        };
        let purpose = Purpose::Case(case.to_string());
        people::reveal(&*self.open()?, &self.asked(case)?, &purpose).map_err(|error| told(&error))
    }

    fn held_about(&self, visitor: &Visitor) -> Result<HeldAbout, Trouble> {
        let closed = self.desk.look(|book| people::closed_about(book, &visitor.name));
        let closed = closed.map_err(|error| failed(&error))?;
        people::held_about(&*self.open()?, &visitor.name, &closed).map_err(|error| told(&error))
    }
}

/// What somebody typed that the store does not know is for them to put right.
fn told(error: &CommandError) -> Trouble {
    use crate::error::Kind;
    match error.kind {
        Kind::Usage => crate::desk::refused_in_words(error),
        _ => failed(error),
    }
}

fn as_of(state: &bavn_store::AsOf) -> bavn_console::AsOf {
    bavn_console::AsOf { committed_at: state.committed_at, manifest: state.manifest.clone() }
}
