//! `bavn drill`: simulated regions, and the score of what was alarmed in them.

use crate::cli::{Drill, DrillCommand, DrillRegion, DrillScore};
use crate::error::{CommandError, CommandResult, Kind};
use crate::progress::{Progress, Unit};
use anyhow::Context as _;
use bavn_drill::{ATTACK_OPTIONS, ATTACKS, Settings, SettingsError, Sink};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

pub(crate) fn run(arguments: &Drill) -> CommandResult {
    match &arguments.command {
        None => make(&arguments.region),
        Some(DrillCommand::Score(arguments)) => score(arguments),
        Some(DrillCommand::Evaluate(arguments)) => super::evaluate::run(arguments),
        Some(DrillCommand::Attacks) => {
            let mut out = std::io::stdout().lock();
            for (name, [words, _]) in ATTACKS {
                writeln!(out, "{name:<18} {words}")?;
            }
            writeln!(out, "\nOptions, as in `slow:take=10:cover=20`:")?;
            for (option, words) in ATTACK_OPTIONS {
                writeln!(out, "{option:<18} {words}")?;
            }
            Ok(())
        }
    }
}

fn make(region: &DrillRegion) -> CommandResult {
    let out = region.out.as_deref().ok_or_else(|| CommandError::usage("`--out` is missing"))?;
    if fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(CommandError::usage(format!("`{}` is not empty", out.display()))
            .hint("name a folder that does not exist yet"));
    }
    if !(0.0..=1.0).contains(&region.tidiness) {
        return Err(CommandError::usage("`--tidiness` goes from 0 to 1"));
    }
    let mut settings = Settings {
        staff: region.staff,
        patients: region.patients,
        days: region.days,
        seed: region.seed,
        tidiness: region.tidiness,
        ..Settings::default()
    };
    settings.quiet_days = settings.quiet_days.min(region.days / 3);
    if !region.attacks.is_empty() {
        settings.attacks.clone_from(&region.attacks);
        settings.attacks.retain(|name| name != "none");
    }
    let mut folder = Folder {
        root: out.to_owned(),
        progress: Progress::begin(true, Some(0), Unit::Days),
        files: BTreeMap::new(),
    };
    let truth = bavn_drill::generate(&settings, &mut folder).map_err(|error| {
        let kind =
            if matches!(error, SettingsError::Write(_)) { Kind::Internal } else { Kind::Usage };
        CommandError::new(kind, error).hint("`bavn drill attacks` lists the kinds of theft")
    })?;
    folder.finish()?;
    let key = serde_json::to_vec(&truth)?;
    fs::write(out.join("truth.json"), key)?;
    let thefts = truth.truth.iter().filter(|entry| entry.kind == "attack").count();
    super::say(format_args!(
        "{} look-ups of {} staff over {} days, {thefts} thefts among them, in {}",
        truth.events,
        truth.staff,
        truth.days,
        out.display()
    ));
    Ok(())
}

fn score(arguments: &DrillScore) -> CommandResult {
    let read = |path: &Path| {
        fs::read_to_string(path)
            .with_context(|| format!("`{}` cannot be read", path.display()))
            .map_err(|error| CommandError::new(Kind::Usage, error))
    };
    let truth = read(&arguments.dir.join("truth.json"))?;
    let alarms = read(&arguments.alarms)?;
    let score = bavn_drill::score(&truth, &alarms)
        .map_err(|error| CommandError::new(Kind::Usage, error))?;
    let mut out = std::io::stdout().lock();
    if arguments.json {
        serde_json::to_writer(&mut out, &score)?;
        writeln!(out)?;
    } else {
        writeln!(out, "{score}")?;
    }
    Ok(())
}

/// Files below one folder, all open at once: a region grows day by day.
#[derive(Debug)]
struct Folder {
    root: PathBuf,
    progress: Progress,
    files: BTreeMap<String, BufWriter<File>>,
}

impl Sink for Folder {
    fn write(&mut self, file: &str, bytes: &[u8]) -> io::Result<()> {
        if !self.files.contains_key(file) {
            let path = self.root.join(file);
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            self.files.insert(file.to_owned(), BufWriter::new(File::create(path)?));
        }
        self.files.get_mut(file).map_or(Ok(()), |open| open.write_all(bytes))
    }

    fn lived(&mut self, days: u64, of: u64) {
        self.progress.reached_of(days, of);
    }
}

impl Folder {
    fn finish(mut self) -> io::Result<()> {
        self.files.values_mut().try_for_each(Write::flush)
    }
}
