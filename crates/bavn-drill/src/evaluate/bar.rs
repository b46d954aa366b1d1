//! Every row of the bar that simulated regions can measure.

use super::lots::{self, Lot};
use super::outcome::{RegionOutcome, Thief};
use super::places;
use super::rows::{Asked, Met, Row, percent, percent_span, share_row, span};
use super::statistics::{self, Estimate, bootstrap, mean, median};
use std::collections::BTreeMap;

/// The rows, shortfalls first and otherwise in the order in which they are asked.
pub fn bar(outcomes: &[RegionOutcome], budget: f64) -> Vec<Row> {
    let mut rows = above_all(outcomes);
    rows.extend(false_alarms(outcomes, budget));
    rows.extend(raids(outcomes));
    rows.extend(days_at_work(outcomes));
    rows.extend(sprays(outcomes));
    rows.extend(one_look(outcomes));
    rows.extend(places::rows(outcomes));
    rows.extend(innocents(outcomes, budget));
    rows.extend(clever(outcomes));
    rows.sort_by_key(|row| row.met);
    rows
}

fn of_lot(outcomes: &[RegionOutcome], lot: Lot) -> Vec<&RegionOutcome> {
    outcomes.iter().filter(|outcome| outcome.is(lot)).collect()
}

/// Thieves of the regions of ordinary tidiness whose theft begins with `theft`.
pub(crate) fn thieves<'a>(outcomes: &'a [RegionOutcome], theft: &str) -> Vec<&'a Thief> {
    let ordinary = outcomes.iter().filter(|outcome| outcome.is(Lot::Ordinary));
    let same =
        |thief: &&Thief| thief.theft == theft || (!theft.contains(':') && thief.name == theft);
    ordinary.flat_map(|outcome| &outcome.thieves).filter(same).collect()
}

/// The one figure above all: untidy regions, every kind of theft, the alarms bavn itself raises.
fn above_all(outcomes: &[RegionOutcome]) -> Vec<Row> {
    let untidy = of_lot(outcomes, Lot::Untidy);
    let of = |figure: &dyn Fn(&RegionOutcome) -> usize| -> Vec<f64> {
        untidy.iter().map(|outcome| figure(outcome) as f64).collect()
    };
    let named =
        |outcome: &RegionOutcome| outcome.thieves.iter().filter(|thief| thief.found()).count();
    let lost =
        |outcome: &RegionOutcome| outcome.thieves.iter().map(|thief| thief.lost).sum::<usize>();
    let stolen = |outcome: &RegionOutcome| {
        outcome.thieves.iter().map(|thief| thief.taken_after_secs.len()).sum::<usize>()
    };
    let row = |what: &str,
               words: (&str, &str),
               sample: Vec<f64>,
               whole: f64,
               met: &dyn Fn(f64) -> Met| {
        let estimate = bootstrap(&sample, mean);
        let mut row = Row {
            what: what.to_owned(),
            bar: words.0.to_owned(),
            moonshot: words.1.to_owned(),
            measured: format!(
                "{:.1} of {whole:.0} (from {:.0} to {:.0})",
                estimate.value,
                statistics::quantile(&sample, 0.0),
                statistics::quantile(&sample, 1.0)
            ),
            interval: format!("{:.1} to {:.1}", estimate.low, estimate.high),
            n: format!("{} regions", sample.len()),
            met: met(estimate.value),
        };
        if sample.is_empty() {
            row.not_measured();
        }
        row
    };
    vec![
        row(
            "above all: kinds of theft found, untidy region",
            (">= 12 of 17", "17"),
            of(&|outcome| outcome.kinds().0),
            mean(&of(&|outcome| outcome.kinds().1)),
            &|value| Met::of(value >= 12.0, value >= 17.0),
        ),
        row(
            "above all: identities named, untidy region",
            (">= 45 of 72", "65"),
            of(&named),
            mean(&of(&|outcome| outcome.thieves.len())),
            &|value| Met::of(value >= 45.0, value >= 65.0),
        ),
        row(
            "above all: patients lost before the alarm, untidy region",
            ("< 600 of 2,900", "200"),
            of(&lost),
            mean(&of(&stolen)),
            &|value| Met::of(value < 600.0, value <= 200.0),
        ),
    ]
}

fn rate_of(outcomes: &[&RegionOutcome]) -> (usize, f64) {
    let events = outcomes.iter().map(|outcome| outcome.false_alarms.len()).sum();
    (events, outcomes.iter().map(|outcome| outcome.staff_days()).sum::<f64>() / 1e4)
}

fn false_alarms(outcomes: &[RegionOutcome], budget: f64) -> Vec<Row> {
    let clean = of_lot(outcomes, Lot::Clean);
    let (events, exposure) = rate_of(&clean);
    let regions_days =
        format!("{} clean regions, {:.0} staff days, {events} alarms", clean.len(), exposure * 1e4);
    let row = |what: &str, words: (&str, &str), measured: String, estimate: Estimate, met: Met| {
        let mut row = Row {
            what: what.to_owned(),
            bar: words.0.to_owned(),
            moonshot: words.1.to_owned(),
            measured,
            interval: span(estimate),
            n: regions_days.clone(),
            met,
        };
        if clean.is_empty() {
            row.not_measured();
        }
        row
    };
    let rate = statistics::rate(events, exposure);
    let ratio = statistics::rate(events, exposure * budget);
    let (day, worst) = worst_day(&clean);
    let pooled = clean.iter().map(|outcome| outcome.plan.settings.staff).sum::<usize>() as f64;
    let day_rate = statistics::rate(worst, pooled / 1e4);
    let calm = (0.7..=1.3).contains(&ratio.value);
    let mut rows = vec![
        row(
            "false alarms per 10,000 staff a day, no theft",
            ("<= 2", ""),
            format!("{:.2}", rate.value),
            rate,
            Met::of(rate.value <= 2.0, false),
        ),
        row(
            "false alarms, worst day of all clean regions together, per 10,000 staff",
            ("<= 6", "<= 4"),
            format!("{:.1} ({worst} on day {day})", day_rate.value),
            day_rate,
            Met::of(day_rate.value <= 6.0, day_rate.value <= 4.0),
        ),
        row(
            "false alarms, observed / expected by the budget",
            (".7 to 1.3", ""),
            format!("{:.2}", ratio.value),
            ratio,
            Met::of(calm, false),
        ),
    ];
    rows.push(worst_role(&clean, rate.value));
    for (lot, words) in [
        (Lot::Ordinary, "regions with a few thieves"),
        (Lot::Untidy, "untidy regions with every theft"),
    ] {
        let held = of_lot(outcomes, lot);
        let (events, exposure) = rate_of(&held);
        let rate = statistics::rate(events, exposure);
        let mut row = Row {
            what: format!("false alarms per 10,000 staff a day, {words}"),
            bar: "<= 2".to_owned(),
            moonshot: String::new(),
            measured: format!("{:.2}", rate.value),
            interval: span(rate),
            n: format!("{} regions, {:.0} staff days, {events} alarms", held.len(), exposure * 1e4),
            met: Met::of(rate.value <= 2.0, false),
        };
        if held.is_empty() {
            row.not_measured();
        }
        rows.push(row);
    }
    rows
}

fn worst_day(clean: &[&RegionOutcome]) -> (i32, usize) {
    let mut by_day: BTreeMap<i32, usize> = BTreeMap::new();
    for alarm in clean.iter().flat_map(|outcome| &outcome.false_alarms) {
        *by_day.entry(alarm.day).or_default() += 1;
    }
    by_day.into_iter().max_by_key(|&(day, alarms)| (alarms, -day)).unwrap_or_default()
}

/// The function whose people bear the most false alarms, against the mean of all.
fn worst_role(clean: &[&RegionOutcome], mean_rate: f64) -> Row {
    let mut alarms: BTreeMap<&str, usize> = BTreeMap::new();
    let mut days: BTreeMap<&str, f64> = BTreeMap::new();
    for outcome in clean {
        for role in outcome.watched.roles.values() {
            *days.entry(role).or_default() += f64::from(outcome.plan.settings.days);
        }
        for alarm in &outcome.false_alarms {
            if let Some(role) = alarm.names.first().and_then(|who| outcome.watched.roles.get(who)) {
                *alarms.entry(role).or_default() += 1;
            }
        }
    }
    let enough = days.iter().filter(|&(_, &days)| days >= ROLE_STAFF_DAYS_MIN);
    let worst = enough
        .map(|(&role, &days)| {
            let events = alarms.get(role).copied().unwrap_or(0);
            (role, statistics::rate(events, days / 1e4 * mean_rate.max(f64::MIN_POSITIVE)))
        })
        .max_by(|a, b| a.1.value.total_cmp(&b.1.value));
    let (role, estimate) =
        worst.unwrap_or(("", Estimate { value: f64::NAN, low: 0.0, high: f64::NAN }));
    let mut row = Row {
        what: "false alarms, worst role against the mean".to_owned(),
        bar: "<= 3x".to_owned(),
        moonshot: String::new(),
        measured: format!("{:.1}x ({role})", estimate.value),
        interval: span(estimate),
        n: format!("{} roles of at least 2,000 staff days", days.len()),
        met: Met::of(estimate.value <= 3.0, false),
    };
    if worst.is_none() || mean_rate <= 0.0 {
        row.not_measured();
    }
    row
}

fn always(of: &dyn Fn(&Thief) -> bool) -> Asked<'_> {
    Asked { share: 1.0, of }
}

fn raids(outcomes: &[RegionOutcome]) -> Vec<Row> {
    let all = |theft: &str| thieves(outcomes, theft);
    let at_most = |most: usize| move |thief: &Thief| thief.found() && thief.lost <= most;
    let within =
        |secs: i64| move |thief: &Thief| thief.secs_to_alarm().is_some_and(|taken| taken <= secs);
    let row = |what: &str,
               words,
               theft: &str,
               bar: &dyn Fn(&Thief) -> bool,
               moon: &dyn Fn(&Thief) -> bool| {
        share_row(what, words, &all(theft), &always(bar), &always(moon))
    };
    vec![
        row(
            "burst of 3,000 in two hours",
            ("always; <= 30 lost", "<= 15 lost"),
            "burst_night:take=3000",
            &at_most(30),
            &at_most(15),
        ),
        row(
            "API paging in order",
            ("always; <= 30 lost", "<= 12 lost"),
            "api_ordered",
            &at_most(30),
            &at_most(12),
        ),
        row(
            "API paging at random",
            ("always; <= 30 lost", "<= 12 lost"),
            "api_random",
            &at_most(30),
            &at_most(12),
        ),
        row(
            "batch account, other records, another host",
            ("same night", "<= 50 lost"),
            "batch_elsewhere",
            &within(12 * 3_600),
            &at_most(50),
        ),
        row("leaver's account", ("first read", "first read"), "leaver", &at_most(1), &at_most(1)),
        row("dormant account", ("first read", "first read"), "dormant", &at_most(1), &at_most(1)),
    ]
}

fn days_at_work(outcomes: &[RegionOutcome]) -> Vec<Row> {
    let all = |theft: &str| thieves(outcomes, theft);
    let in_days =
        |most: usize| move |thief: &Thief| thief.days_to_alarm.is_some_and(|days| days <= most);
    let in_secs = |days: i64| {
        move |thief: &Thief| thief.secs_to_alarm().is_some_and(|secs| secs <= days * 86_400)
    };
    let blend = |most: usize| {
        move |thief: &Thief| thief.days_to_alarm.is_some_and(|days| days <= 1) && thief.lost <= most
    };
    let targeting = |most: usize| {
        move |thief: &Thief| {
            thief.days_to_alarm.is_some_and(|days| days <= most) && thief.named_as_targeting
        }
    };
    let slow = all(lots::SLOW);
    let lost: Vec<f64> = slow.iter().map(|thief| thief.lost as f64).collect();
    let estimate = bootstrap(&lost, median);
    let mut slow_lost = Row {
        what: "slow, ten strangers a day: patients lost".to_owned(),
        bar: "median <= 30".to_owned(),
        moonshot: "<= 20".to_owned(),
        measured: format!("median {:.0}", estimate.value),
        interval: span(estimate),
        n: format!("{} identities", slow.len()),
        met: Met::of(estimate.value <= 30.0, estimate.value <= 20.0),
    };
    if slow.is_empty() {
        slow_lost.not_measured();
    }
    vec![
        share_row(
            "blend, 3x own volume on shift",
            ("always; <= 1 working day, <= 60 lost", "<= 25 lost"),
            &all("blend"),
            &always(&blend(60)),
            &always(&blend(25)),
        ),
        share_row(
            "slow, ten strangers a day",
            (">= 95 % within 5 working days", ""),
            &slow,
            &Asked { share: 0.95, of: &in_days(5) },
            &Asked { share: 2.0, of: &in_days(5) },
        ),
        slow_lost,
        share_row(
            "1.1x",
            (">= 90 % in 30 days", "in 15 days"),
            &all(lots::SLOWEST),
            &Asked { share: 0.9, of: &in_secs(30) },
            &Asked { share: 0.9, of: &in_secs(15) },
        ),
        share_row(
            "military targeting, 12 a day, one account",
            ("always; <= 2 days and named as such", "day 1"),
            &all("targeting:take=12"),
            &always(&targeting(2)),
            &always(&targeting(1)),
        ),
    ]
}

fn sprays(outcomes: &[RegionOutcome]) -> Vec<Row> {
    let mut rows = Vec::new();
    let lots = [(Lot::Ordinary, "40 accounts x 15 among 800"), (Lot::Large, "50 of 10,000 x 3")];
    for (lot, words) in lots {
        let sprays: Vec<_> = outcomes
            .iter()
            .filter(|outcome| outcome.is(lot))
            .flat_map(|outcome| &outcome.sprays)
            .collect();
        let sum = |of: &dyn Fn(&super::Spray) -> usize| -> usize {
            sprays.iter().map(|spray| of(spray)).sum()
        };
        let (accounts, named) =
            (sum(&|spray| spray.accounts), sum(&|spray| spray.named_on_first_day));
        let (half, wrong) = (sum(&|spray| spray.named_in_half_a_day), sum(&|spray| spray.wrongly));
        let n = format!("{} sprays, {accounts} accounts", sprays.len());
        let share = statistics::share(named, accounts);
        let in_half = statistics::share(half, accounts).value;
        let wrongly = statistics::share(wrong, wrong + named);
        let mut named_row = Row {
            what: format!("sprayed, {words}: accounts named on the first day"),
            bar: ">= 70 %".to_owned(),
            moonshot: ">= 70 % in half a day".to_owned(),
            measured: format!(
                "{named} of {accounts} ({}); in half a day {}",
                percent(share.value),
                percent(in_half)
            ),
            interval: percent_span(share),
            n: n.clone(),
            met: Met::of(share.value >= 0.7, in_half >= 0.7),
        };
        let mut wrong_row = Row {
            what: format!("sprayed, {words}: named wrongly"),
            bar: "<= 10 %".to_owned(),
            moonshot: String::new(),
            measured: format!("{wrong} of {} ({})", wrong + named, percent(wrongly.value)),
            interval: percent_span(wrongly),
            n,
            met: Met::of(wrongly.value <= 0.1, false),
        };
        if sprays.is_empty() {
            named_row.not_measured();
        }
        if sprays.is_empty() || wrong + named == 0 {
            wrong_row.not_measured();
        }
        rows.extend([named_row, wrong_row]);
    }
    rows
}

fn one_look(outcomes: &[RegionOutcome]) -> Vec<Row> {
    let in_an_hour = |thief: &Thief| thief.secs_to_alarm().is_some_and(|secs| secs <= 3_600);
    let found = |thief: &Thief| thief.found();
    let mut rows = vec![share_row(
        "VIP: readers named within the hour of their own look",
        (">= 90 %", "100 %"),
        &thieves(outcomes, "vip"),
        &Asked { share: 0.9, of: &in_an_hour },
        &Asked { share: 1.0, of: &in_an_hour },
    )];
    for (theft, words) in [
        ("household", "household: one look-up"),
        ("co_worker", "co-worker: one look-up"),
        ("own_record", "own record: one look-up"),
    ] {
        rows.push(share_row(
            words,
            (">= 85 %", ">= 95 %"),
            &thieves(outcomes, theft),
            &Asked { share: 0.85, of: &found },
            &Asked { share: 0.95, of: &found },
        ));
    }
    rows
}

/// People whose work looks odd bear no more false alarms than the budget gives everybody.
fn innocents(outcomes: &[RegionOutcome], budget: f64) -> Vec<Row> {
    let mut days: BTreeMap<&str, f64> = BTreeMap::new();
    let mut alarms: BTreeMap<&str, usize> = BTreeMap::new();
    for outcome in outcomes.iter().filter(|outcome| outcome.is(Lot::Clean)) {
        let first_day = outcome.plan.settings.start.day();
        let (staff, length) = (outcome.plan.settings.staff as f64, outcome.plan.settings.days);
        for entry in outcome.truth.truth.iter().filter(|entry| entry.kind == "benign") {
            let begins = entry.start.as_deref().and_then(crate::score::time);
            let is_named = |alarm: &&super::FalseAlarm| {
                let named = |who: &String| alarm.names.contains(&crate::score::bare(who));
                match begins {
                    // An event is its day and the next, for everybody.
                    Some(at) => (0..2).contains(&(alarm.day + first_day - at.day())),
                    None => entry.who.iter().any(named),
                }
            };
            let hit = outcome.false_alarms.iter().filter(is_named).count();
            *alarms.entry(entry.name.as_str()).or_default() += hit;
            *days.entry(entry.name.as_str()).or_default() += match begins {
                Some(_) => staff * 2.0,
                None => entry.who.len() as f64 * f64::from(length),
            };
        }
    }
    let row = |(name, days): (&str, f64)| {
        let events = alarms.get(name).copied().unwrap_or(0);
        let estimate = statistics::rate(events, days / 1e4);
        // More than the budget's share is a shortfall only where chance alone does not make it so.
        let met = if estimate.value > budget && estimate.low <= budget {
            Met::Undecided
        } else {
            Met::of(estimate.value <= budget, events == 0)
        };
        Row {
            what: format!("innocent: {}", name.replace('_', " ")),
            bar: format!("<= {budget} per 10,000 staff a day"),
            moonshot: "none".to_owned(),
            measured: format!("{events} alarms, {:.1} per 10,000 staff a day", estimate.value),
            interval: span(estimate),
            n: format!("{days:.0} staff days"),
            met,
        }
    };
    days.into_iter().map(row).collect()
}

/// What a thief gains who hides, poisons, or takes patients whom records explain.
fn clever(outcomes: &[RegionOutcome]) -> Vec<Row> {
    let hits = |theft: &str| {
        let all = thieves(outcomes, theft);
        let found = |thief: &&&Thief| thief.days_to_alarm.is_some_and(|days| days <= 5);
        (all.iter().filter(found).count(), all.len())
    };
    let plain = hits(lots::SLOW);
    let row = |what: &str, words: (&str, &str), theft: &str, most: Option<(f64, f64)>| {
        let held = hits(theft);
        let fall = statistics::fall(plain, held);
        let mut row = Row {
            what: what.to_owned(),
            bar: words.0.to_owned(),
            moonshot: words.1.to_owned(),
            measured: format!(
                "falls {:.0} points: {} of {} in 5 days, against {} of {}",
                fall.value, held.0, held.1, plain.0, plain.1
            ),
            interval: format!("{:.0} to {:.0} points", fall.low, fall.high),
            n: format!("{} and {} identities", held.1, plain.1),
            met: most
                .map_or(Met::Shown, |(bar, moon)| Met::of(fall.value <= bar, fall.value <= moon)),
        };
        if held.1 == 0 || plain.1 == 0 {
            row.not_measured();
        }
        row
    };
    vec![
        row(
            "slow under covering look-ups, 20 a target",
            ("recall falls <= 5 points", "0"),
            lots::SLOW_COVERED,
            Some((5.0, 0.0)),
        ),
        row(
            "slow after 60 days of poisoning",
            ("recall falls <= 10 points", "0"),
            lots::SLOW_POISONED,
            Some((10.0, 0.0)),
        ),
        row("slow, half the targets explained", ("-", "-"), lots::SLOW_HALF_OWN, None),
        row("slow, nine in ten targets explained", ("-", "-"), lots::SLOW_MOSTLY_OWN, None),
        row("slow, begun in an outage of context", ("-", "-"), lots::IN_OUTAGE, None),
    ]
}

/// Fewer days of a function's staff say nothing of its rate.
const ROLE_STAFF_DAYS_MIN: f64 = 2_000.0;
