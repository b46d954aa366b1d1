//! The demonstration's alarms, as the console asks for them.

use super::hospital::hospital;
use crate::board::{Held, StoreBoard};
use crate::cli::{KeySource, StoreAccess};
use crate::commands::keep;
use crate::desk::Desk;
use crate::error::{CommandError, CommandResult, Kind};
use crate::house_desk::HouseDesk;
use crate::register::Register;
use anyhow::Context as _;
use bavn_console::{
    Alarm, Board, ClockView, Counted, CoverageView, DrillView, Granted, HeldAbout, HourBar,
    HuntView, Notices, PatientView, PersonView, ProofView, QueueView, RegimeLine, Revealed,
    ScopeView, Theft, TrailView, Trouble, Visitor, Wish,
};
use bavn_detect::cases::{Book, CaseNumber, Said};
use bavn_detect::house::{Agreement, House, HouseDeed, Run};
use bavn_detect::words::{Language, Speaker};
use bavn_detect::{Judgement, risk_score};
use bavn_model::{
    Access, Context, Directory, Finding, FindingState, IdentityId, PatientId, Timestamp,
};
use bavn_store::{Frame, Person, Writer};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// What the pages show, replaced whole whenever something changes; behind it a store of its own,
/// for as long as the demonstration lasts.
#[derive(Debug)]
pub(crate) struct DemoBoard {
    view: Arc<Mutex<Arc<QueueView>>>,
    store: StoreBoard,
    writer: Mutex<Writer>,
    score: Mutex<Option<DrillView>>,
    folder: PathBuf,
}

impl Board for DemoBoard {
    fn queue(&self) -> Arc<QueueView> {
        Arc::clone(&self.view.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.store.changes()
    }

    /// As late as the story is.
    fn now(&self) -> Timestamp {
        self.store.now()
    }

    fn look(&self, seen: &mut dyn FnMut(&Book)) -> Result<(), Trouble> {
        self.store.look(seen)
    }

    fn act(&self, by: &str, case: CaseNumber, wish: Wish, seen: usize) -> Result<(), Trouble> {
        self.store.act(by, case, wish, seen)?;
        self.store.changed.send_modify(|number| *number += 1);
        Ok(())
    }

    fn keeps_look_ups(&self) -> bool {
        true
    }

    fn scope(&self, case: CaseNumber) -> Result<ScopeView, Trouble> {
        self.store.scope(case)
    }

    fn scope_by(&self, case: CaseNumber) -> Result<(ScopeView, Counted), Trouble> {
        self.store.scope_by(case)
    }

    fn trail(&self, case: CaseNumber) -> Result<TrailView, Trouble> {
        self.store.trail(case)
    }

    fn clocks(&self, case: CaseNumber) -> Vec<ClockView> {
        self.store.clocks(case)
    }

    fn notices(&self) -> Option<&dyn Notices> {
        Some(&self.store)
    }

    fn asks_readers(&self) -> bool {
        self.store.asks_readers()
    }

    fn ask_reader(
        &self,
        by: &str,
        case: CaseNumber,
        reader: &str,
        hint: Option<&str>,
        language: bavn_share::Language,
    ) -> Result<(), Trouble> {
        self.store.ask_reader(by, case, reader, hint, language)
    }

    fn record(
        &self,
        who: &Visitor,
        what: &str,
        purpose: &str,
        patients: &[String],
    ) -> Result<(), Trouble> {
        self.store.record(who, what, purpose, patients)
    }

    fn house(&self, seen: &mut dyn FnMut(&House)) -> Result<(), Trouble> {
        self.store.house(seen)
    }

    fn settle(&self, who: &Visitor, deed: HouseDeed) -> Result<(), Trouble> {
        self.store.settle(who, deed)
    }

    /// By people who are invented like those whom they speak for.
    fn agreed(&self) -> Result<Option<Agreement>, Trouble> {
        Ok(Some(Agreement {
            by: "Ola Example (invented, oppdiktet)".to_owned(),
            date: "2024-01-01".to_owned(),
            sha256: None,
        }))
    }

    fn regimes(&self) -> Vec<RegimeLine> {
        self.store.regimes()
    }

    fn coverage(&self) -> Result<CoverageView, Trouble> {
        self.store.coverage()
    }

    fn proof(&self) -> Result<ProofView, Trouble> {
        self.store.proof()
    }

    /// Of the theft that is under way.
    fn drill(&self) -> Result<Option<DrillView>, Trouble> {
        Ok(self.score.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn patient(&self, typed: &str, why: &Granted) -> Result<PatientView, Trouble> {
        self.store.patient(typed, why)
    }

    fn person(&self, account: &str, why: &Granted) -> Result<PersonView, Trouble> {
        self.store.person(account, why)
    }

    fn hunt(&self, list: &str, why: &Granted) -> Result<HuntView, Trouble> {
        self.store.hunt(list, why)
    }

    fn reveal(&self, why: &Granted) -> Result<Vec<Revealed>, Trouble> {
        self.store.reveal(why)
    }

    fn held_about(&self, visitor: &Visitor) -> Result<HeldAbout, Trouble> {
        self.store.held_about(visitor)
    }
}

impl DemoBoard {
    /// A store in a folder of its own, under a key that nobody else has.
    pub(crate) fn new() -> CommandResult<Self> {
        let mut drawn = [0; 8];
        keep::chance()(&mut drawn);
        let folder = std::env::temp_dir().join(format!("bavn-demo-{}", bavn_store::to_hex(&drawn)));
        let (key, outbox) = (folder.join("key"), folder.join("outbox"));
        std::fs::create_dir(&folder)
            .and_then(|()| own_only(&folder))
            .and_then(|()| std::fs::create_dir(&outbox))
            .and_then(|()| {
                let mut bytes = [0; bavn_store::KEY_BYTES];
                keep::chance()(&mut bytes);
                std::fs::write(&key, bytes)
            })
            .with_context(|| format!("`{}` cannot be made", folder.display()))
            .map_err(|error| CommandError::new(Kind::Usage, error))?;
        let key = KeySource { key_file: Some(key), key_command: None };
        let access = StoreAccess { store: folder.join("store"), key };
        let kek = || keep::kek(&access.key);
        let writer = keep::open_writer(&access.store, "region", kek()?)?;
        let view = Arc::new(Mutex::new(Arc::new(QueueView::default())));
        let shown = Arc::clone(&view);
        let store = StoreBoard {
            held: Held::default(),
            desk: Desk::in_memory(),
            house: HouseDesk::open(&access.store, &kek()?)?,
            register: Register::of(&access, hospital(outbox.clone())),
            outbox: Some(outbox),
            access,
            changed: watch::channel(0).0,
            clock: Box::new(move || {
                let view = shown.lock().unwrap_or_else(PoisonError::into_inner);
                view.now.unwrap_or_default()
            }),
            score: None,
        };
        Ok(Self { view, store, writer: Mutex::new(writer), score: Mutex::default(), folder })
    }

    /// Whom the hospital knows of, so that it can say who gets a letter.
    pub(crate) fn know(&self, directory: &Directory, context: &Context) {
        self.store.register.know(directory.clone(), context.clone());
    }

    /// Takes the store away again.
    pub(crate) fn remove(&self) {
        // What is left in a folder for such things is swept with them.
        drop(std::fs::remove_dir_all(&self.folder));
    }

    /// Keeps look-ups; safe after the next [`Self::commit`].
    pub(crate) fn keep(&self, frames: &[Frame], at: Timestamp) -> CommandResult {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        frames.iter().try_for_each(|frame| Ok(writer.take(frame, at).map(|_| ())?))
    }

    pub(crate) fn commit(
        &self,
        directory: &Directory,
        at: Timestamp,
        found: &[Judgement],
    ) -> CommandResult {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.judge(found.iter().map(crate::commands::watch::judged));
        writer.link(|person, name| match person {
            Person::Identity => directory.identities.find_exact(name).map(|id| id.0),
            Person::Patient => directory.patients.find_exact(name).map(|id| id.0),
        });
        Ok(writer.commit(at)?)
    }

    /// Reads the whole store again, as `bavn verify --look-ups` does.
    pub(crate) fn verify(&self) -> CommandResult {
        let access = &self.store.access;
        let kek = keep::kek(&access.key)?;
        let found = bavn_store::verify(&access.store, &kek, bavn_store::Depth::LookUps, &[])?;
        let deed = HouseDeed::Verified {
            look_ups: found.look_ups,
            entries: found.log.as_ref().map_or(0, |log| log.size),
            faults: found.faults.len() as u64 + found.more_faults,
            every_look_up: true,
        };
        self.store.house.note(self.now(), deed)
    }

    /// What the watch has come to so far.
    pub(crate) fn note_run(&self, run: Run) -> CommandResult {
        self.store.house.note(self.now(), HouseDeed::Ran(Box::new(run)))
    }

    pub(crate) fn show_score(&self, theft: Theft) {
        let (source, thefts) = ("bavn demo".to_owned(), vec![theft]);
        let view = DrillView { source, thefts, false_alarms_per_10k_staff_day: None };
        *self.score.lock().unwrap_or_else(PoisonError::into_inner) = Some(view);
    }

    /// Alarms become cases, as they would with a store.
    pub(crate) fn receive(
        &self,
        raised: &[Finding],
        directory: &Directory,
        context: &Context,
    ) -> CommandResult {
        raised.iter().try_for_each(|finding| {
            let alarm = bavn_detect::cases::Alarm::of(finding, directory, context);
            self.store.desk.receive(alarm, finding.raised_at)
        })
    }

    pub(crate) fn show(&self, view: QueueView) {
        *self.view.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(view);
        self.store.changed.send_modify(|number| *number += 1);
    }
}

/// For its owner and nobody else.
fn own_only(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))
}

/// Different patients of every reader in the last hours.
#[derive(Debug, Default)]
pub(crate) struct Hours {
    hours: BTreeMap<i64, HashMap<IdentityId, HashSet<PatientId>>>,
}

impl Hours {
    pub(crate) fn note(&mut self, access: &Access) {
        let Some(identity) = access.identity else { return };
        let hour = access.at.secs().div_euclid(3_600);
        let opened = self.hours.entry(hour).or_default().entry(identity).or_default();
        opened.extend(access.patients.iter().copied());
        while self.hours.len() > HOURS_SHOWN {
            self.hours.pop_first();
        }
    }

    fn bars(&self, identity: IdentityId, people: impl Fn(IdentityId) -> bool) -> Vec<HourBar> {
        let Some(&last) = self.hours.keys().next_back() else { return Vec::new() };
        let first = last + 1 - HOURS_SHOWN as i64;
        (first..=last)
            .map(|hour| {
                let readers = self.hours.get(&hour);
                let of = |reader: &IdentityId| {
                    readers.and_then(|readers| readers.get(reader)).map_or(0, HashSet::len)
                };
                let others = readers.into_iter().flat_map(HashMap::keys);
                let others = others.filter(|&&reader| reader != identity && people(reader));
                let mut others: Vec<u32> = others.map(|reader| of(reader) as u32).collect();
                others.sort_unstable();
                let share = |percent: usize| {
                    let at = others.len().saturating_sub(1) * percent / 100;
                    others.get(at).copied().unwrap_or(0)
                };
                HourBar {
                    from: Timestamp::from_secs(hour * 3_600),
                    patients: of(&identity) as u32,
                    busiest_other: share(100),
                    others_low: share(5),
                    others_high: share(95),
                }
            })
            .collect()
    }
}

/// The alarms that are open, by finding.
#[derive(Debug, Default)]
pub(crate) struct Open {
    findings: BTreeMap<u128, Finding>,
}

impl Open {
    pub(crate) fn note(&mut self, finding: Finding) {
        if finding.state == FindingState::Closed {
            self.findings.remove(&finding.uid);
        } else if finding.is_alert {
            self.findings.insert(finding.uid, finding);
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.findings.len()
    }

    /// Ready for the page, the most urgent first.
    pub(crate) fn alarms(
        &self,
        directory: &Directory,
        context: &Context,
        hours: &Hours,
    ) -> Vec<Alarm> {
        let mut findings: Vec<&Finding> = self.findings.values().collect();
        findings.sort_by(|a, b| b.rank.total_cmp(&a.rank).then(a.uid.cmp(&b.uid)));
        findings.into_iter().map(|finding| alarm(finding, directory, context, hours)).collect()
    }
}

fn alarm(finding: &Finding, directory: &Directory, context: &Context, hours: &Hours) -> Alarm {
    let words = |language| Said::of(finding, &Speaker { language, directory, context });
    let people = |identity: IdentityId| !context.staff(identity).system;
    let bars = finding.entities.first().map(|entity| hours.bars(entity.identity, people));
    Alarm {
        uid: format!("{:032x}", finding.uid),
        raised_at: finding.raised_at,
        first_seen: finding.first_seen,
        last_seen: finding.last_seen,
        risk: risk_score(finding),
        patients: finding.patients.len(),
        expected_false: finding.expected_false_per_10k_staff_day,
        english: words(Language::English),
        bokmaal: words(Language::Bokmaal),
        hours: bars.unwrap_or_default(),
    }
}

const HOURS_SHOWN: usize = 24;
