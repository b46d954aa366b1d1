//! The demonstration's alarms, as the console asks for them.

use crate::desk::Desk;
use crate::error::CommandResult;
use bavn_console::{Alarm, Board, HourBar, QueueView, ScopeView, Trouble, Visitor, Wish};
use bavn_detect::cases::{Book, CaseNumber, Said};
use bavn_detect::risk_score;
use bavn_detect::words::{Language, Speaker};
use bavn_model::{
    Access, Context, Directory, Finding, FindingState, IdentityId, PatientId, Timestamp,
};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// What the pages show, replaced whole whenever something changes.
#[derive(Debug)]
pub(crate) struct DemoBoard {
    view: Mutex<Arc<QueueView>>,
    changed: watch::Sender<u64>,
    desk: Desk,
}

impl Default for DemoBoard {
    fn default() -> Self {
        let view = Mutex::new(Arc::new(QueueView::default()));
        Self { view, changed: watch::channel(0).0, desk: Desk::in_memory() }
    }
}

impl Board for DemoBoard {
    fn queue(&self) -> Arc<QueueView> {
        Arc::clone(&self.view.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// As late as the story is.
    fn now(&self) -> Timestamp {
        self.queue().now.unwrap_or_default()
    }

    fn look(&self, seen: &mut dyn FnMut(&Book)) -> Result<(), Trouble> {
        crate::desk::look(&self.desk, seen)
    }

    fn act(&self, by: &str, case: CaseNumber, wish: Wish, seen: usize) -> Result<(), Trouble> {
        crate::desk::act(&self.desk, self.now(), by, case, wish, seen)?;
        self.changed.send_modify(|number| *number += 1);
        Ok(())
    }

    fn keeps_look_ups(&self) -> bool {
        false
    }

    fn scope(&self, _: CaseNumber) -> Result<ScopeView, Trouble> {
        Err(Trouble::Refused("a demonstration keeps no look-ups".to_owned()))
    }

    /// Nobody here exists, and nothing is kept.
    fn record(&self, _: &Visitor, _: &str, _: &str) -> Result<(), Trouble> {
        Ok(())
    }
}

impl DemoBoard {
    /// Alarms become cases, as they would with a store.
    pub(crate) fn receive(
        &self,
        raised: &[Finding],
        directory: &Directory,
        context: &Context,
    ) -> CommandResult {
        raised.iter().try_for_each(|finding| {
            let alarm = bavn_detect::cases::Alarm::of(finding, directory, context);
            self.desk.receive(alarm, finding.raised_at)
        })
    }

    pub(crate) fn show(&self, view: QueueView) {
        *self.view.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(view);
        self.changed.send_modify(|number| *number += 1);
    }
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
                HourBar {
                    from: Timestamp::from_secs(hour * 3_600),
                    patients: of(&identity) as u32,
                    busiest_other: others.map(of).max().unwrap_or(0) as u32,
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
