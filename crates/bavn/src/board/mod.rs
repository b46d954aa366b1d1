//! What the console asks, answered from a store as of the commit in force.

mod health;
mod held;
mod notices;
mod people;
mod time;

pub(crate) use held::Held;
pub(crate) use time::trail;

use crate::cli::StoreAccess;
use crate::commands::keep::{leave_asking, take_in};
use crate::commands::scope::{case_subject, date, reason_text};
use crate::desk::{Desk, failed};
use crate::error::CommandError;
use crate::house_desk::HouseDesk;
use crate::register::Register;
use bavn_console::{
    Board, ClockView, CoverageView, DrillView, Granted, HeldAbout, HuntView, Notices, PatientView,
    PersonView, ProofView, QueueView, RegimeLine, Revealed, ScopeView, TrailView, Trouble, Visitor,
    Wish,
};
use bavn_detect::cases::{Book, CaseNumber};
use bavn_detect::house::{Agreement, House, HouseDeed};
use bavn_model::Timestamp;
use bavn_store::{Grade, Purpose, Reason, Scope, Store, Subject, Window};
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

    /// Readers of a case, and since when it is about them.
    fn subject(&self, number: CaseNumber) -> Result<(Subject, Window), Trouble> {
        let asked = self.desk.look(|book| case_subject(book, number));
        let asked = asked.map_err(|error| failed(&error))?;
        let (subject, from) = asked.ok_or_else(|| {
            Trouble::Refused(
                ["the case names no reader", "saken nevner ingen leser"].map(str::to_owned),
            )
        })?;
        Ok((subject, Window { from, to: Window::ALL.to }))
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
        let (subject, window) = self.subject(number)?;
        let scope = self.open()?.scope(&subject, window).map_err(|error| failed(&error.into()))?;
        Ok(scope_view(&scope, window))
    }

    fn trail(&self, number: CaseNumber) -> Result<TrailView, Trouble> {
        let store = self.open()?;
        self.held.trail(&store, self.subject(number)?, |subject, window| {
            time::trail(&store, subject, window).map_err(|error| failed(&error.into()))
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
        let (_, window) = self.subject(case)?;
        people::person(&*self.open()?, account, window).map_err(|error| told(&error))
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
        let (subject, window) = self.subject(case)?;
        let purpose = Purpose::Case(case.to_string());
        people::reveal(&*self.open()?, &subject, window, &purpose).map_err(|error| told(&error))
    }

    fn held_about(&self, visitor: &Visitor) -> Result<HeldAbout, Trouble> {
        let closed = self.desk.look(|book| people::closed_about(book, &visitor.name));
        let closed = closed.map_err(|error| failed(&error))?;
        // What was just looked at waits for the next commit, and counts already.
        take_in(&self.access, &*self.open()?).map_err(|error| failed(&error))?;
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

fn scope_view(scope: &Scope, window: Window) -> ScopeView {
    let count = |grade| scope.exposed.iter().filter(|held| held.grade == grade).count() as u64;
    let day = |day: i32| date(Timestamp::start_of_day(day));
    ScopeView {
        lower: scope.lower,
        best: scope.best,
        upper: scope.upper,
        look_ups: scope.look_ups,
        listed: count(Grade::Listed),
        opened: count(Grade::Opened),
        taken: count(Grade::Taken),
        reasons: scope.reasons.iter().map(|reason| [english(reason), bokmaal(reason)]).collect(),
        days: scope.days.iter().map(|(&at, of)| (day(at), of.look_ups, of.patients)).collect(),
        growth: time::growth(scope),
        since: window.from,
        as_of: as_of(&scope.as_of),
        digest: scope.digest.clone(),
    }
}

fn english(reason: &Reason) -> String {
    match reason {
        Reason::NoLongerKept { before } => {
            format!("look-ups before {} are no longer kept", minute(*before))
        }
        Reason::Silent(silence) => {
            let end = if silence.ended { "to" } else { "and still at" };
            let (from, to) = (minute(silence.from), minute(silence.to));
            format!("{} was silent from {from} {end} {to}", silence.source)
        }
        _ => reason_text(reason),
    }
}

fn bokmaal(reason: &Reason) -> String {
    match reason {
        Reason::OutcomeUnstated { patients } => {
            format!("for {patients} pasienter sier ingen kilde om oppslaget lyktes")
        }
        Reason::PatientUnresolved { look_ups } => {
            format!("{look_ups} oppslag åpnet en journal uten å si hvem sin")
        }
        Reason::HitsUnknown { look_ups } => {
            format!("{look_ups} søk eller uttrekk sier ikke hvem de viste")
        }
        Reason::NoLongerKept { before } => {
            format!("oppslag før {} oppbevares ikke lenger", minute(*before))
        }
        Reason::Silent(silence) => {
            let end = if silence.ended { "til" } else { "og ennå" };
            let (from, to) = (minute(silence.from), minute(silence.to));
            format!("{} var taus fra {from} {end} {to}", silence.source)
        }
        Reason::NotJudged { patients } => {
            format!("for {patients} pasienter kan det ikke avgjøres om oppslagene er forklart")
        }
    }
}

/// `2024-01-16 01:42 UTC`.
fn minute(at: Timestamp) -> String {
    let minute: String = at.to_string().chars().take(16).collect();
    format!("{} UTC", minute.replace('T', " "))
}
