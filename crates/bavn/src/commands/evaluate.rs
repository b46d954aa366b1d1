//! `bavn drill evaluate`: many regions, and what was found in them against the bar.

use crate::cli::DrillEvaluate;
use crate::drilled::{self, Watching};
use crate::error::{CommandError, CommandResult, Kind};
use crate::progress::{Progress, Unit};
use anyhow::Context as _;
use bavn_detect::Engine;
use bavn_drill::evaluate::{
    Ablation, EvaluationPlan, Lot, RegionOutcome, RegionPlan, ablation_csv, ablation_table, bar,
    csv, lost_against_time, markdown, recall_against_budget,
};
use std::fs;
use std::io::Write;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

pub(crate) fn run(arguments: &DrillEvaluate) -> CommandResult {
    let watching = watching(arguments)?;
    let plan = plan(arguments)?;
    let regions = plan.regions();
    fs::create_dir_all(&arguments.out)
        .with_context(|| format!("`{}` cannot be made", arguments.out.display()))
        .map_err(|error| CommandError::new(Kind::Usage, error))?;
    let threads = arguments.threads.unwrap_or_else(cores).clamp(1, regions.len().max(1));
    let outcomes = watch_all(&regions, &watching, threads)?;
    let rows = bar(&outcomes, arguments.budget);
    let mut table = format!("`{}`\n\n{}", command_line(arguments), markdown(&rows, &outcomes));
    if arguments.ablations > 0 {
        let ablations = ablations(&regions, arguments, &watching)?;
        table.push_str(&ablation_table(&ablations));
        fs::write(arguments.out.join("ablations.csv"), ablation_csv(&ablations))?;
    }
    let (recall, recall_points) = recall_against_budget(&outcomes, arguments.budget);
    let (lost, lost_points) = lost_against_time(&outcomes);
    for (name, text) in [
        ("table.md", &table),
        ("table.csv", &csv(&rows)),
        ("recall-against-budget.svg", &recall),
        ("recall-against-budget.csv", &recall_points),
        ("lost-against-time.svg", &lost),
        ("lost-against-time.csv", &lost_points),
    ] {
        fs::write(arguments.out.join(name), text)?;
    }
    write!(std::io::stdout().lock(), "{table}")?;
    Ok(())
}

fn watching(arguments: &DrillEvaluate) -> CommandResult<Watching> {
    let known = Engine::detector_names();
    let (care, muted): (Vec<String>, Vec<String>) =
        arguments.without.iter().cloned().partition(|name| name == "explanations");
    if let Some(unknown) = muted.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(CommandError::usage(format!("there is no detector `{unknown}`"))
            .hint(format!("there are: explanations, {}", known.join(", "))));
    }
    if !(arguments.budget > 0.0 && arguments.budget.is_finite()) {
        return Err(CommandError::usage("`--budget` must be more than 0"));
    }
    Ok(Watching { budget: arguments.budget, without_care: !care.is_empty(), muted })
}

fn plan(arguments: &DrillEvaluate) -> CommandResult<EvaluationPlan> {
    if !(0.0..=1.0).contains(&arguments.tidiness) {
        return Err(CommandError::usage("`--tidiness` goes from 0 to 1"));
    }
    if arguments.days < DAYS_MIN {
        return Err(CommandError::usage(format!("`--days` must be at least {DAYS_MIN}")));
    }
    let seeds = seeds(&arguments.seeds).ok_or_else(|| {
        CommandError::usage(format!("`{}` is not FIRST..LAST", arguments.seeds))
            .hint("for example `--seeds 1..12`, both included")
    })?;
    let whole = EvaluationPlan {
        seeds,
        staff: arguments.staff,
        patients: arguments.patients,
        days: arguments.days,
        tidiness: arguments.tidiness,
        clean: arguments.clean,
        large: true,
    };
    if !arguments.quick {
        return Ok(whole);
    }
    let first = *whole.seeds.start();
    Ok(EvaluationPlan {
        seeds: first..=first,
        staff: 80,
        patients: 5_000,
        days: 20,
        clean: 1,
        large: false,
        ..whole
    })
}

fn seeds(text: &str) -> Option<RangeInclusive<u64>> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let (first, last) = (first.parse().ok()?, last.trim_start_matches('=').parse().ok()?);
    (first <= last && last - first < SEEDS_MAX).then_some(first..=last)
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Watches every region, several at once; the outcomes stand in the order of the regions.
fn watch_all(
    regions: &[RegionPlan],
    watching: &Watching,
    threads: usize,
) -> CommandResult<Vec<RegionOutcome>> {
    each(regions, threads, |region| drilled::watch(region, watching))
}

/// Asks something of every region, several at once; the answers stand in the order of the regions.
fn each<T: Send>(
    regions: &[RegionPlan],
    threads: usize,
    ask: impl Fn(&RegionPlan) -> CommandResult<T> + Sync,
) -> CommandResult<Vec<T>> {
    let next = AtomicUsize::new(0);
    let progress = Progress::begin(true, Some(regions.len() as u64), Unit::Regions);
    let done: Mutex<Vec<(usize, CommandResult<T>)>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(region) = regions.get(index) else { break };
                    let outcome = ask(region);
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.push((index, outcome));
                    progress.reached(done.len() as u64);
                }
            });
        }
    });
    drop(progress);
    super::say(format_args!("{0} of {0} regions watched", regions.len()));
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|&(index, _)| index);
    done.into_iter().map(|(_, outcome)| outcome).collect()
}

/// The first regions of two lots, watched as they are and without each part.
fn ablations(
    regions: &[RegionPlan],
    arguments: &DrillEvaluate,
    watching: &Watching,
) -> CommandResult<Vec<Ablation>> {
    let first =
        |lot: Lot| regions.iter().filter(move |region| region.lot == lot).take(arguments.ablations);
    let chosen: Vec<RegionPlan> = first(Lot::Untidy).chain(first(Lot::Clean)).cloned().collect();
    let muted = |name: &str| Watching {
        muted: watching.muted.iter().cloned().chain([name.to_owned()]).collect(),
        ..watching.clone()
    };
    let names = Engine::detector_names();
    let mut ways = vec![(None, watching.clone())];
    ways.extend(names.iter().map(|&name| (Some(name.to_owned()), muted(name))));
    let without_care = Watching { without_care: true, ..watching.clone() };
    let mut ablations =
        vec![Ablation { without: Some("explanations".to_owned()), outcomes: Vec::new() }];
    ablations.extend(
        ways.iter().map(|(name, _)| Ablation { without: name.clone(), outcomes: Vec::new() }),
    );
    // The whole stands first.
    ablations.swap(0, 1);
    let ways: Vec<Watching> = ways.into_iter().map(|(_, way)| way).collect();
    let threads = arguments.threads.unwrap_or_else(cores).clamp(1, chosen.len().max(1));
    let watched = each(&chosen, threads, |region| {
        let mut outcomes = drilled::watch_each(region, &ways)?;
        outcomes.insert(1, drilled::watch(region, &without_care)?);
        Ok(outcomes)
    })?;
    for outcomes in watched {
        for (ablation, outcome) in ablations.iter_mut().zip(outcomes) {
            ablation.outcomes.push(outcome);
        }
    }
    Ok(ablations)
}

/// What to type for the same table.
fn command_line(arguments: &DrillEvaluate) -> String {
    let DrillEvaluate { seeds, staff, patients, days, budget, tidiness, clean, .. } = arguments;
    let mut words = vec!["bavn drill evaluate".to_owned()];
    words.push(if arguments.quick {
        "--quick".to_owned()
    } else {
        format!(
            "--seeds {seeds} --staff {staff} --patients {patients} --days {days} --clean {clean}"
        )
    });
    words.push(format!("--budget {budget} --tidiness {tidiness}"));
    if arguments.ablations > 0 {
        words.push(format!("--ablations {}", arguments.ablations));
    }
    words.extend(arguments.without.iter().map(|name| format!("--without {name}")));
    words.push(format!("--out {}", name_of(&arguments.out)));
    words.join(" ")
}

/// The folder's own name: where it lies is the operator's business.
fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(|| "DIR".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// Fewer leave no quiet days before the thefts.
const DAYS_MIN: i32 = 20;
const SEEDS_MAX: u64 = 10_000;
