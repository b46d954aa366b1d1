//! A case over time: what its readers did, how the number of patients grew, what is due.

use bavn_console::{ClockView, Growth, Lane, TrailView};
use bavn_detect::cases::{Case, Duty};
use bavn_model::Timestamp;
use bavn_store::{Class, PatientNumber, Scope, Store, StoreError, Subject, Window};
use std::collections::{BTreeMap, BTreeSet};

/// Look-ups of the readers of a case in equal stretches of time, by account and by machine.
pub(crate) fn trail(
    store: &Store,
    subject: &Subject,
    window: Window,
) -> Result<TrailView, StoreError> {
    let traces = store.traces(subject, window)?;
    let (Some(first), Some(last)) = (traces.first(), traces.last()) else {
        return Ok(TrailView::default());
    };
    let span = last.at.secs_since(first.at).max(0).cast_unsigned() + 1;
    let step = span.div_ceil(STRETCHES).max(STEP_SECS_MIN);
    let stretches = span.div_ceil(step) as usize;
    let place = |at: Timestamp| (at.secs_since(first.at).max(0).cast_unsigned() / step) as usize;
    let mut lanes: BTreeMap<(bool, &str), Vec<u32>> = BTreeMap::new();
    let mut patients: Vec<BTreeSet<PatientNumber>> = vec![BTreeSet::new(); stretches];
    for trace in &traces {
        let at = place(trace.at);
        let names = [(false, trace.who.as_deref()), (true, trace.host.as_deref())];
        for (is_machine, name) in names {
            let Some(name) = name else { continue };
            let lane = lanes.entry((is_machine, name)).or_insert_with(|| vec![0; stretches]);
            if let Some(count) = lane.get_mut(at) {
                *count += 1;
            }
        }
        if !matches!(trace.class, Class::Attempt | Class::NoExposure)
            && let Some(held) = patients.get_mut(at)
        {
            held.extend(trace.patients.iter().copied());
        }
    }
    let mut lanes: Vec<((bool, &str), Vec<u32>)> = lanes.into_iter().collect();
    let sum = |counts: &[u32]| counts.iter().map(|&count| u64::from(count)).sum::<u64>();
    lanes.sort_by_key(|((is_machine, _), counts)| (*is_machine, u64::MAX - sum(counts)));
    Ok(TrailView {
        times: (0..stretches as u64)
            .map(|at| first.at.plus_secs((at * step).cast_signed()))
            .collect(),
        lanes: lanes
            .into_iter()
            .map(|((is_machine, name), look_ups)| Lane {
                name: name.to_owned(),
                is_machine,
                look_ups,
            })
            .collect(),
        patients: patients.iter().map(|held| held.len() as u32).collect(),
        last: Some(last.at),
    })
}

/// How many different patients by the end of each stretch of time. What the bounds rest on is known
/// of the whole window only, so they stand at the last one's distance.
pub(super) fn growth(scope: &Scope) -> Vec<Growth> {
    let firsts = || scope.exposed.iter().map(|exposed| exposed.first.secs());
    let (Some(from), Some(to)) = (firsts().min(), firsts().max()) else { return Vec::new() };
    let step = growth_step(to - from);
    let mut new: BTreeMap<i64, (u64, u64)> = BTreeMap::new();
    for exposed in &scope.exposed {
        let (best, lower) = new.entry(exposed.first.secs().div_euclid(step)).or_default();
        *best += 1;
        *lower += u64::from(exposed.certain);
    }
    let beyond = scope.upper.map(|upper| upper.saturating_sub(scope.best));
    let (mut best, mut lower) = (0, 0);
    let stretch = |place: i64| {
        let (more, certain) = new.get(&place).copied().unwrap_or_default();
        best += more;
        lower += certain;
        let upper = beyond.map(|beyond| best + beyond);
        Growth { until: Timestamp::from_secs((place + 1) * step), lower, best, upper }
    };
    let first = from.div_euclid(step);
    let before = Growth { until: Timestamp::from_secs(first * step), ..Growth::default() };
    std::iter::once(before).chain((first..=to.div_euclid(step)).map(stretch)).collect()
}

/// From a minute to a month, so that a picture can hold all of it; else as many months as it takes.
fn growth_step(span_secs: i64) -> i64 {
    let fits = |step: &i64| span_secs / step < GROWTH_STRETCHES;
    GROWTH_STEPS
        .into_iter()
        .find(fits)
        .unwrap_or_else(|| MONTH_SECS * (span_secs / (MONTH_SECS * GROWTH_STRETCHES) + 1))
}

/// The next call, if nobody has taken the case; and after a verdict of harm, the shortest time that
/// each law the controller is under leaves until its first notice is signed, counted from what was
/// declared. Awareness that nobody has declared counts from the verdict, so that no time is lost.
pub(super) fn clocks(case: &Case, duty: &Duty, wanted: &[String]) -> Vec<ClockView> {
    let mut clocks = Vec::new();
    if let Some((from, due)) = duty.call(case) {
        let (english, bokmaal) = ("Next call".to_owned(), "Neste varsel".to_owned());
        clocks.push(ClockView { english, bokmaal, from, due });
    }
    let breach = case.verdict.as_ref().filter(|held| held.verdict.is_breach());
    let Some(decided) = breach else { return clocks };
    for regime in bavn_share::shipped().unwrap_or_default() {
        let first =
            regime.clocks.iter().filter(|clock| clock.hours > 0).min_by_key(|clock| clock.hours);
        let is_signed = case.file.last_signed(&regime.id).is_some();
        let Some(clock) = first.filter(|_| wanted.contains(&regime.id) && !is_signed) else {
            continue;
        };
        let declared = case.file.declared.get(&clock.from).map(|held| held.since);
        let assumed = (clock.from == AWARE).then_some(decided.at);
        let Some(from) = declared.or(assumed) else { continue };
        let (english, bokmaal) = match declared {
            Some(_) => ("", ""),
            None => (
                ", from the decision: awareness is not declared",
                ", fra avgjørelsen: kunnskap er ikke erklært",
            ),
        };
        clocks.push(ClockView {
            english: format!("{} ({} h{english})", regime.title.en, clock.hours),
            bokmaal: format!("{} ({} t{bokmaal})", regime.title.nb, clock.hours),
            from,
            due: from.plus_secs(clock.hours * 3_600),
        });
    }
    clocks
}

/// The event by which somebody declares to know of the breach.
const AWARE: &str = "aware";
/// Stretches that a picture can hold.
const STRETCHES: u64 = 48;
const STEP_SECS_MIN: u64 = 60;
const GROWTH_STRETCHES: i64 = 60;
const MONTH_SECS: i64 = 30 * 86_400;
const GROWTH_STEPS: [i64; 7] = [60, 300, 1_800, 10_800, 86_400, 7 * 86_400, MONTH_SECS];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_has_a_bounded_number_of_steps_however_long_it_took() {
        for span in [0, 59, 3_600, 86_400, 400 * 86_400, 5 * 366 * 86_400, 90 * 366 * 86_400] {
            let step = growth_step(span);
            assert!(span / step < GROWTH_STRETCHES, "{span}");
            assert!(step == 60 || span / step >= 1, "{span}: {step}");
        }
    }
}
