//! Sources, runs, the log and drills: nothing of what stands in a look-up.

use crate::commands::scope::date;
use crate::desk::Desk;
use crate::error::{CommandError, CommandResult, Kind};
use crate::house_desk::HouseDesk;
use anyhow::Context as _;
use bavn_console::{
    CoverageView, DayCell, DayState, DrillView, ProofView, RegimeLine, RunView, SilenceRow,
    SourceRow, Theft, UnitRow, VerifiedView,
};
use bavn_detect::cases::{Book, State};
use bavn_detect::house::{House, HouseAct, HouseDeed, Run, UnitWeek};
use bavn_model::Timestamp;
use bavn_store::{HeardDay, Silence, Store, Window};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

pub(super) fn coverage(
    store: &Store,
    house: &HouseDesk,
    desk: &Desk,
) -> CommandResult<CoverageView> {
    let (heard, silences) = (store.heard()?, store.silent(Window::ALL)?);
    let judged = desk.look(judged)?;
    let run = house.look(|house| house.last_run().map(|(at, run)| run_view(at, run, judged)))?;
    let first = heard.iter().map(|held| held.day).min();
    let last = heard.iter().map(|held| held.day).max();
    let (Some(first), Some(last)) = (first, last) else {
        return Ok(CoverageView { run, ..CoverageView::default() });
    };
    let first = first.max(last - DAYS_SHOWN);
    let mut sources: BTreeMap<&str, BTreeMap<i32, &HeardDay>> = BTreeMap::new();
    for held in &heard {
        sources.entry(&held.source).or_default().insert(held.day, held);
    }
    let row = |(source, days): (&str, BTreeMap<i32, &HeardDay>)| {
        let begins = days.keys().next().copied().unwrap_or(first);
        let busy: u64 = days.values().map(|held| held.look_ups).sum();
        // A small source has days without a look-up, and that is no silence.
        let is_busy = busy >= BUSY_A_DAY * days.len() as u64;
        let cell = |day: i32| match days.get(&day) {
            Some(held) => DayCell { look_ups: held.look_ups, state: arrived(held) },
            None if day < begins || !is_busy => DayCell { look_ups: 0, state: DayState::NotYet },
            None => DayCell { look_ups: 0, state: DayState::Silent },
        };
        SourceRow { source: source.to_owned(), cells: (first..=last).map(cell).collect() }
    };
    let as_of = store.as_of();
    Ok(CoverageView {
        days: (first..=last).map(|day| date(Timestamp::start_of_day(day))).collect(),
        sources: sources.into_iter().map(row).collect(),
        silences: silences.into_iter().map(silence).collect(),
        run,
        as_of: super::as_of(&as_of),
    })
}

pub(super) fn silence(silence: Silence) -> SilenceRow {
    let Silence { source, from, to, ended } = silence;
    SilenceRow { source, from, to, ended }
}

fn arrived(held: &HeardDay) -> DayState {
    let over = Timestamp::start_of_day(held.day + 1);
    let late = held.known_before && held.arrived.secs_since(over) > LATE_SECS;
    if late { DayState::Late } else { DayState::OnTime }
}

/// Closed cases, and those of them that were no harm.
fn judged(book: &Book) -> (u64, u64) {
    let closed = book.cases().filter(|case| case.state() == State::Closed);
    let verdicts = closed.filter_map(|case| case.verdict.as_ref());
    verdicts.fold((0, 0), |(all, innocent), held| {
        (all + 1, innocent + u64::from(!held.verdict.is_breach()))
    })
}

fn run_view(at: Timestamp, run: &Run, (judged, judged_false): (u64, u64)) -> RunView {
    let weeks: BTreeSet<i32> = run.units.iter().map(|held| held.week).collect();
    let weeks: Vec<i32> = weeks.into_iter().rev().take(WEEKS_SHOWN).rev().collect();
    let mut units: BTreeMap<&str, BTreeMap<i32, &UnitWeek>> = BTreeMap::new();
    for held in &run.units {
        units.entry(&held.unit).or_default().insert(held.week, held);
    }
    let share = |held: &&UnitWeek| held.explained as f64 / held.visits.max(1) as f64;
    let row = |(unit, of): (&str, BTreeMap<i32, &UnitWeek>)| UnitRow {
        unit: unit.to_owned(),
        shares: weeks.iter().map(|week| of.get(week).map(share)).collect(),
    };
    RunView {
        at,
        look_ups: run.look_ups,
        days: run.days,
        staff: run.staff,
        explained_share: run.explained_share,
        cannot_judge_share: run.cannot_judge as f64 / run.visits.max(1) as f64,
        budget: run.budget_per_10k_staff_day,
        false_alarms_allowed: run.false_alarms_allowed,
        alarms: run.alarms,
        judged_false,
        judged,
        inputs: run
            .inputs
            .iter()
            .map(|held| (held.input.clone(), held.read, held.rejected))
            .collect(),
        lanes: run
            .lanes
            .iter()
            .map(|held| (held.lane.clone(), held.offered, held.alarms))
            .collect(),
        weeks: weeks.iter().map(|&week| date(Timestamp::start_of_day(week))).collect(),
        units: units.into_iter().map(row).collect(),
    }
}

pub(super) fn proof(store: &Store, house: &HouseDesk) -> CommandResult<ProofView> {
    let as_of = store.as_of();
    let verified = house.look(|house: &House| house.last_verified().and_then(verified))?;
    Ok(ProofView {
        entries: as_of.entries,
        look_ups: as_of.look_ups,
        commits: as_of.commit,
        committed_at: (as_of.commit > 0).then_some(as_of.committed_at),
        checkpoint: store.checkpoint().to_owned(),
        verified,
    })
}

fn verified(act: &HouseAct) -> Option<VerifiedView> {
    let HouseDeed::Verified { look_ups, faults, every_look_up, .. } = act.deed else {
        return None;
    };
    Some(VerifiedView { at: act.at, by: act.by.clone(), look_ups, faults, every_look_up })
}

/// As `bavn drill score --json` prints it.
#[derive(Debug, Deserialize)]
struct Score {
    attacks: Vec<Attack>,
    false_alarms_per_10k_staff_day: f64,
}

#[derive(Debug, Deserialize)]
struct Attack {
    name: String,
    secs_to_alarm: Option<i64>,
    patients_stolen: u64,
    patients_lost: u64,
}

pub(super) fn drill(path: &Path) -> CommandResult<DrillView> {
    let usage = |error: anyhow::Error| CommandError::new(Kind::Usage, error);
    let text = std::fs::read(path)
        .with_context(|| format!("the score `{}` cannot be read", path.display()))
        .map_err(usage)?;
    let score: Score = serde_json::from_slice(&text)
        .with_context(|| format!("`{}` is no score of a drill", path.display()))
        .map_err(usage)?;
    let theft = |attack: Attack| Theft {
        words: bavn_drill::attack_in_words(&attack.name).map(str::to_owned),
        name: attack.name,
        secs_to_alarm: attack.secs_to_alarm,
        patients_lost: attack.patients_lost,
        patients_stolen: attack.patients_stolen,
    };
    Ok(DrillView {
        source: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        thefts: score.attacks.into_iter().map(theft).collect(),
        false_alarms_per_10k_staff_day: Some(score.false_alarms_per_10k_staff_day),
    })
}

pub(super) fn regimes(now: Timestamp) -> Vec<RegimeLine> {
    let today = date(now);
    let line = |regime: bavn_share::Regime| RegimeLine {
        is_overdue: regime.is_overdue(&today),
        id: regime.id,
        version: regime.version,
        title: [regime.title.en, regime.title.nb],
        review_by: regime.review_by,
        reviewed_by: (regime.reviewer != UNREVIEWED).then_some(regime.reviewer),
    };
    bavn_share::shipped().unwrap_or_default().into_iter().map(line).collect()
}

const UNREVIEWED: &str = "unreviewed";
/// A quarter of days; the store knows all.
const DAYS_SHOWN: i32 = 91;
const WEEKS_SHOWN: usize = 8;
/// After the day was over.
const LATE_SECS: i64 = 86_400;
/// As for silences: look-ups a day, on days with any, from which a source is missed.
const BUSY_A_DAY: u64 = 100;
