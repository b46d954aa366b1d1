//! A simulated region, watched by the real thing as it is made.
//!
//! The context is made first and read whole; then each day's look-ups are decoded, put in order
//! and watched as they are written, so that a region never lies in memory as text.

use crate::error::{CommandError, CommandResult, Kind};
use bavn_decode::context::ContextLoader;
use bavn_decode::{Decoded, Decoder, Mappings};
use bavn_detect::{Engine, Settings, risk_score};
use bavn_drill::evaluate::{RegionOutcome, RegionPlan, Watched};
use bavn_drill::{Alarm, Files, Sink, bare, generate_files};
use bavn_model::{Access, Context, Directory, Finding, FindingState};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

/// How a region is watched.
#[derive(Clone, Debug)]
pub(crate) struct Watching {
    pub(crate) budget: f64,
    /// No record of care is handed over.
    pub(crate) without_care: bool,
    /// Detectors that are left out.
    pub(crate) muted: Vec<String>,
}

/// Makes a region, watches it and judges what was said.
pub(crate) fn watch(plan: &RegionPlan, watching: &Watching) -> CommandResult<RegionOutcome> {
    let mut outcomes = watch_each(plan, std::slice::from_ref(watching))?;
    outcomes.pop().ok_or_else(|| {
        CommandError::new(Kind::Internal, anyhow::anyhow!("a region gave no outcome"))
    })
}

/// As [`watch`], in several ways at once: the region is made and decoded once. All ways hand over the
/// same records of care.
pub(crate) fn watch_each(
    plan: &RegionPlan,
    ways: &[Watching],
) -> CommandResult<Vec<RegionOutcome>> {
    let internal = |error: bavn_drill::SettingsError| CommandError::new(Kind::Usage, error);
    let mappings = Arc::new(Mappings::default());
    let mut paper = Paper {
        loader: ContextLoader::new(Arc::clone(&mappings)),
        without_care: ways.iter().any(|way| way.without_care),
    };
    generate_files(&plan.settings, Files::Context, &mut paper).map_err(internal)?;
    let loaded =
        paper.loader.finish(None).map_err(|error| CommandError::new(Kind::Internal, error))?;
    let roles = roles(&loaded.context, &loaded.directory);
    let engine = |way: &Watching| {
        let settings = Settings { budget_per_10k_staff_day: way.budget };
        let engine = Engine::without(loaded.context.clone(), settings, &way.muted);
        (engine, Vec::new())
    };
    let mut watcher = Watcher {
        mappings,
        logs: BTreeMap::new(),
        directory: loaded.directory,
        engines: ways.iter().map(engine).collect(),
        held: Vec::new(),
        look_ups: 0,
        findings: Vec::new(),
    };
    let truth = generate_files(&plan.settings, Files::Events, &mut watcher).map_err(internal)?;
    watcher.give(usize::MAX);
    let look_ups = watcher.look_ups;
    let outcome = |(engine, alarms): (Engine, Vec<Alarm>)| {
        let explained = engine.report().explained;
        let watched = Watched {
            alarms,
            look_ups,
            explained: explained.explained_share,
            first_explained: explained.first_visits_explained_share,
            roles: roles.clone(),
        };
        RegionOutcome::new(plan.clone(), truth.clone(), watched)
    };
    Ok(watcher.engines.into_iter().map(outcome).collect())
}

/// Function of each member of staff.
fn roles(context: &Context, directory: &Directory) -> BTreeMap<String, String> {
    let people = context.all_staff().filter(|(_, facts)| !facts.system);
    people
        .map(|(identity, _)| {
            let role = context.assignments(identity).last().and_then(|held| held.role);
            let role = role.map_or("", |role| context.role_name(role));
            (bare(directory.identities.name(identity)), role.to_owned())
        })
        .collect()
}

/// Takes the context, chunk by chunk.
struct Paper {
    loader: ContextLoader,
    without_care: bool,
}

impl Sink for Paper {
    fn write(&mut self, file: &str, bytes: &[u8]) -> io::Result<()> {
        let of_care = CARE.iter().any(|kind| file.ends_with(kind));
        if self.without_care && of_care {
            return Ok(());
        }
        self.loader.file(file, bytes).map_err(io::Error::other)
    }
}

/// Takes the look-ups, day by day.
struct Watcher {
    mappings: Arc<Mappings>,
    logs: BTreeMap<String, Log>,
    directory: Directory,
    /// Each with what it said.
    engines: Vec<(Engine, Vec<Alarm>)>,
    /// Not yet given: a log whose clock is slow may still bring an earlier one.
    held: Vec<Access>,
    look_ups: u64,
    findings: Vec<Finding>,
}

/// One hospital's log.
struct Log {
    decoder: Decoder,
    /// Bytes that end no record yet.
    rest: Vec<u8>,
}

impl Sink for Watcher {
    fn write(&mut self, file: &str, bytes: &[u8]) -> io::Result<()> {
        if !bytes.is_empty() {
            self.decode(file, bytes)?;
        }
        // The last log of each day.
        if file == bavn_drill::LAST_LOG {
            self.held.sort_by_key(|access| (access.at, access.seq));
            let last = self.held.last().map(|access| access.at.minus_secs(DISORDER_SECS));
            let ready =
                self.held.partition_point(|access| last.is_some_and(|last| access.at <= last));
            self.give(ready);
        }
        Ok(())
    }
}

impl Watcher {
    fn decode(&mut self, file: &str, bytes: &[u8]) -> io::Result<()> {
        if !self.logs.contains_key(file) {
            let format =
                bavn_decode::sniff(file, bytes, &self.mappings).map_err(io::Error::other)?;
            let decoder = Decoder::new(format, Arc::clone(&self.mappings), 0, file);
            self.logs.insert(file.to_owned(), Log { decoder, rest: Vec::new() });
        }
        let Some(log) = self.logs.get_mut(file) else { return Ok(()) };
        log.rest.extend_from_slice(bytes);
        let mut begin = 0;
        loop {
            let block = log.rest.get(begin..).unwrap_or_default();
            let mut decoded = Decoded::default();
            let taken = log.decoder.decode(block, false, &mut decoded);
            for record in &decoded.records {
                let access = self.directory.intern(record, self.look_ups);
                self.look_ups += 1;
                self.held.push(access);
            }
            begin += taken;
            if taken == 0 || begin >= log.rest.len() {
                break;
            }
        }
        log.rest.drain(..begin.min(log.rest.len()));
        Ok(())
    }

    /// Lets the engine see the first `count` of what is held.
    fn give(&mut self, count: usize) {
        let count = count.min(self.held.len());
        let mut ready: Vec<Access> = self.held.drain(..count).collect();
        ready.dedup_by_key(|access| access.id);
        for (engine, alarms) in &mut self.engines {
            for access in &ready {
                engine.observe(access, &mut self.findings);
                for finding in self.findings.drain(..) {
                    alarms.push(alarm(&finding, &self.directory));
                }
            }
        }
    }
}

fn alarm(finding: &Finding, directory: &Directory) -> Alarm {
    let named = finding.entities.iter().map(|held| directory.identities.name(held.identity));
    Alarm {
        uid: format!("{:032x}", finding.uid),
        at: finding.raised_at,
        is_alert: finding.is_alert,
        closes: finding.state == FindingState::Closed,
        risk: risk_score(finding),
        names: named.map(bare).collect(),
        detectors: finding.detectors.iter().map(|&name| name.to_owned()).collect(),
    }
}

/// Records of care: what explains look-ups.
const CARE: [&str; 6] = [
    "Encounter.ndjson",
    "Appointment.ndjson",
    "ServiceRequest.ndjson",
    "CareTeam.ndjson",
    "ResearchStudy.ndjson",
    "ResearchSubject.ndjson",
];
/// Clocks of a region differ by less.
const DISORDER_SECS: i64 = 600;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::ContextPaths;
    use crate::commands::watch::Plan;
    use crate::input::{Family, Formats, expand};
    use bavn_detect::OcsfOptions;
    use bavn_drill::evaluate::Lot;
    use bavn_drill::{Memory, Shape, generate};
    use std::collections::BTreeSet;

    /// Who was alarmed on, and when.
    type Said = BTreeSet<(i64, Vec<String>)>;

    #[test]
    fn a_region_watched_as_it_is_made_gives_the_alarms_of_its_files() {
        let settings = bavn_drill::Settings {
            staff: 80,
            patients: 4_000,
            days: 16,
            seed: 3,
            quiet_days: 10,
            attacks: ["burst_night", "leaver", "api_ordered"].map(str::to_owned).to_vec(),
            shape: Shape::of_seed(2, 16),
            ..bavn_drill::Settings::default()
        };
        let watching = Watching { budget: 20.0, without_care: false, muted: Vec::new() };
        let plan = RegionPlan { lot: Lot::Ordinary, settings: settings.clone() };
        let outcome = watch(&plan, &watching).unwrap();
        let alerts = outcome.watched.alarms.iter().filter(|alarm| alarm.is_alert);
        let in_process: Said =
            alerts.map(|alarm| (alarm.at.millis(), alarm.names.clone())).collect();
        let from_files = from_files(&settings);
        assert!(in_process.len() >= 3, "{in_process:?}");
        assert_eq!(in_process, from_files);
        assert!(outcome.thieves.iter().filter(|thief| thief.named_at.is_some()).count() >= 2);
    }

    fn from_files(settings: &bavn_drill::Settings) -> Said {
        let mut files = Memory::default();
        generate(settings, &mut files).unwrap();
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in &files.files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        let path = |name: &str| folder.path().join(name).display().to_string();
        let inputs = expand(&[path("events")]).unwrap();
        let formats =
            Formats { family: Family::default(), mappings: Arc::new(Mappings::default()) };
        let context = ContextPaths { context: vec![path("context")], ..ContextPaths::default() };
        let plan = Plan {
            keeper: None,
            saved: None,
            desk: None,
            watchers: &crate::watchers::Watchers::default(),
            muted: &[],
            inputs: &inputs,
            formats: &formats,
            context: &context,
            budget: 20.0,
            rejects: None,
            options: OcsfOptions::default(),
            progress: false,
        };
        let mut said = Said::new();
        plan.watch(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let named = line["evidences"].as_array().unwrap().iter();
            let names = named.map(|one| bare(one["actor"]["user"]["uid"].as_str().unwrap()));
            if line["is_alert"] == true {
                said.insert((line["time"].as_i64().unwrap(), names.collect()));
            }
            Ok(())
        })
        .unwrap();
        said
    }
}
