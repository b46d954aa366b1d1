//! Which source spoke on which day, and what did this program itself look up?

use crate::asked;
use crate::error::Result;
use crate::manifest::Heard;
use crate::names::Of;
use crate::reader::{Store, Window};
use crate::row::NOBODY;
use crate::silence::Silence;
use bavn_model::Timestamp;
use std::collections::BTreeMap;

/// What one source said on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeardDay {
    pub source: String,
    /// Days since the epoch.
    pub day: i32,
    pub look_ups: u64,
    pub first: Timestamp,
    pub last: Timestamp,
    /// When the last of them was committed, by the clock of the machine that wrote.
    pub arrived: Timestamp,
    /// Whether an earlier commit has look-ups of this source: only then can one be late.
    pub known_before: bool,
}

/// A look-up of this program's own users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Own {
    pub at: Timestamp,
    pub who: Option<String>,
    /// What was looked at, and for which purpose.
    pub reason: Option<String>,
    /// As it was written (FHIR `AuditEvent`).
    pub original: Vec<u8>,
}

impl Store {
    /// Every source on every day on which it spoke, by source and day. This program's own look-ups
    /// are left out.
    pub fn heard(&self) -> Result<Vec<HeardDay>> {
        let mut first_commit: BTreeMap<u32, u64> = BTreeMap::new();
        let mut days: BTreeMap<(u32, i32), (HeardDay, u64)> = BTreeMap::new();
        let names = self.names(Of::Source)?;
        let commits = self.manifest.all_commits(&self.folder, &self.ring)?;
        for segment in &self.manifest.segments {
            let at = (segment.commit as usize).checked_sub(1);
            let at = at.and_then(|at| commits.get(at)).map_or(0, |commit| commit.at);
            for heard in &segment.heard {
                if Some(heard.source) == self.manifest.own_source {
                    continue;
                }
                let known = first_commit.entry(heard.source).or_insert(segment.commit);
                *known = segment.commit.min(*known);
                let source = if heard.source == NOBODY { "" } else { names.name(heard.source) };
                let new = || HeardDay {
                    source: source.to_owned(),
                    day: heard.day,
                    look_ups: 0,
                    first: Timestamp::MAX,
                    last: Timestamp::MIN,
                    arrived: Timestamp::MIN,
                    known_before: false,
                };
                let (held, commit) =
                    days.entry((heard.source, heard.day)).or_insert_with(|| (new(), 0));
                held.look_ups += heard.look_ups;
                held.first = held.first.min(Timestamp::from_micros(heard.first));
                held.last = held.last.max(Timestamp::from_micros(heard.last));
                held.arrived = held.arrived.max(Timestamp::from_micros(at));
                *commit = segment.commit.max(*commit);
            }
        }
        let mut all: Vec<HeardDay> = days
            .into_iter()
            .map(|((source, _), (mut held, commit))| {
                held.known_before = first_commit.get(&source).is_some_and(|&first| first < commit);
                held
            })
            .collect();
        all.sort_by(|a, b| (&a.source, a.day).cmp(&(&b.source, b.day)));
        Ok(all)
    }

    /// Silences that touch a window; see [`Silence`].
    pub fn silent(&self, window: Window) -> Result<Vec<Silence>> {
        self.silences(window)
    }

    /// The signed checkpoint of the log, as it is published.
    pub fn checkpoint(&self) -> &str {
        &self.manifest.log.checkpoint
    }

    /// Look-ups by users of this program, by time; also those that wait for the next commit.
    pub fn own(&self, window: Window) -> Result<Vec<Own>> {
        self.names(Of::Identity)?;
        let left = asked::left(&self.folder, &self.ring)?;
        let mut found: Vec<Own> =
            left.asked.iter().flat_map(|(_, frame)| frame.look_ups_of_own()).collect();
        found.retain(|own| window.has(own.at.micros()));
        let own = self.manifest.own_source.unwrap_or(NOBODY);
        for segment in &self.manifest.segments {
            let is_there = |heard: &Heard| {
                heard.source == own
                    && heard.first < window.to.micros()
                    && heard.last >= window.from.micros()
            };
            if !segment.heard.iter().any(is_there) {
                continue;
            }
            let reader = self.segment(segment, true)?;
            reader.pick_with_evidence(&reader.places_of_source(own)?, |row, evidence| {
                if window.has(row.at) {
                    let who = self.names(Of::Identity).ok().filter(|_| row.identity != NOBODY);
                    found.push(Own {
                        at: Timestamp::from_micros(row.at),
                        who: who.map(|names| names.name(row.identity).to_owned()),
                        reason: row.reason.as_deref().map(str::to_owned),
                        original: evidence.original.as_deref().unwrap_or_default().to_vec(),
                    });
                }
                Ok(())
            })?;
        }
        found.sort_by(|a, b| (a.at, &a.original).cmp(&(b.at, &b.original)));
        found.dedup();
        Ok(found)
    }
}
