//! What happens, told as it happens.

use super::board::{DemoBoard, Hours, Open};
use super::region::{ATTACK, LEAD_SECS, QUIET_DAYS, Region};
use crate::error::CommandResult;
use bavn_console::{QueueView, Theft};
use bavn_detect::cases::Said;
use bavn_detect::house::Run;
use bavn_detect::words::{Language, Speaker};
use bavn_detect::{Engine, Settings};
use bavn_model::{Access, Directory, Finding, Timestamp};
use bavn_store::Frame;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Watches the region: the quiet weeks as fast as it goes, the night of the theft at a pace that
/// can be followed. `out` is told the story, the board what the pages show.
#[expect(clippy::disallowed_methods, reason = "a demonstration keeps time with its audience")]
pub(crate) fn tell(
    region: Region,
    board: &DemoBoard,
    out: &mut dyn Write,
) -> CommandResult<Arc<Directory>> {
    let Region { directory, context, accesses, before, night: mut kept, thief, thefts, .. } =
        region;
    let (Some(&begin), Some(&end)) = (thefts.first(), thefts.last()) else {
        return Ok(Arc::new(directory));
    };
    let slow_from = begin.minus_secs(LEAD_SECS);
    board.know(&directory, &context);
    let mut engine = Engine::new(context, Settings { budget_per_10k_staff_day: BUDGET });
    engine.keep_judgements();
    let mut watch = Watch {
        engine,
        directory: Arc::new(directory),
        open: Open::default(),
        hours: Hours::default(),
        look_ups: 0,
        now: begin,
    };
    let mut findings = Vec::new();
    let mut night = accesses.iter().position(|access| access.at >= slow_from).unwrap_or(0);

    let started = Instant::now();
    let mut quiet_alarms = 0;
    let names = Arc::clone(&watch.directory);
    std::thread::scope(|scope| {
        let storing = scope.spawn(|| {
            board.keep(&before, slow_from)?;
            board.commit(&names, slow_from, &[])
        });
        for access in accesses.get(..night).unwrap_or_default() {
            let raised = watch.see(access, &mut findings);
            board.receive(&raised, &watch.directory, watch.engine.context())?;
            quiet_alarms += raised.len();
        }
        storing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })?;
    drop(before);
    let rate = night as f64 / started.elapsed().as_secs_f64();
    writeln!(
        out,
        "{QUIET_DAYS} quiet days: {night} look-ups by {} readers, {rate:.0} a second; {:.0} % of visits \
         explained by records; {quiet_alarms} alarms.",
        watch.directory.identities.len(),
        watch.explained_share() * 100.0,
    )?;
    writeln!(out, "{}  an account begins to read at night. Nobody is looking.", clock(begin))?;
    board.show(watch.view());
    board.note_run(watch.run())?;

    let pace = (end.secs_since(slow_from) as f64 / WATCHED_SECS).max(1.0);
    let (started, mut shown, mut alarmed) = (Instant::now(), Instant::now(), None);
    let mut committed = Instant::now();
    while let Some(access) = accesses.get(night).filter(|access| access.at <= end) {
        night += 1;
        let due = access.at.secs_since(slow_from) as f64 / pace;
        std::thread::sleep(Duration::from_secs_f64(due).saturating_sub(started.elapsed()));
        let raised = watch.see(access, &mut findings);
        let until = kept.partition_point(|&(at, _)| at <= access.at);
        let now: Vec<Frame> = kept.drain(..until).map(|(_, frame)| frame).collect();
        board.keep(&now, access.at)?;
        board.receive(&raised, &watch.directory, watch.engine.context())?;
        let of_thief = raised.iter().find(|finding| watch.names(finding, &thief));
        if let (None, Some(finding)) = (alarmed, of_thief) {
            alarmed = Some(access.at);
            watch.tell_alarm(finding, &thefts, out)?;
        }
        if shown.elapsed() > REDRAW || !raised.is_empty() {
            shown = Instant::now();
            board.show(watch.view());
        }
        if committed.elapsed() > COMMIT {
            committed = Instant::now();
            board.commit(&names, access.at, &watch.engine.take_judgements())?;
        }
    }
    board.show(watch.view());
    board.commit(&names, end, &watch.engine.take_judgements())?;
    board.note_run(watch.run())?;
    board.verify()?;
    let stolen = |until: Timestamp| thefts.iter().filter(|&&at| at <= until).count();
    board.show_score(Theft {
        name: ATTACK.to_owned(),
        words: bavn_drill::attack_in_words(ATTACK).map(str::to_owned),
        secs_to_alarm: alarmed.map(|at| at.secs_since(begin)),
        patients_lost: stolen(alarmed.unwrap_or(end)) as u64,
        patients_stolen: thefts.len() as u64,
    });
    match alarmed {
        Some(at) => writeln!(
            out,
            "{}  the thief would have left with {} records. Blocked at the alarm: {} lost, {} saved. \
             That is counted by the drill's own key; the pages count what the look-ups show, and here \
             nobody blocked the account.",
            clock(end),
            thefts.len(),
            stolen(at),
            thefts.len() - stolen(at),
        )?,
        None => writeln!(out, "{}  the theft ended and was not alarmed.", clock(end))?,
    }
    Ok(names)
}

/// The real engine, and what the pages need beside it.
struct Watch {
    engine: Engine,
    directory: Arc<Directory>,
    open: Open,
    hours: Hours,
    look_ups: u64,
    now: Timestamp,
}

impl Watch {
    /// Lets the engine see one look-up; gives the alarms that it raised or renewed.
    fn see(&mut self, access: &Access, scratch: &mut Vec<Finding>) -> Vec<Finding> {
        self.look_ups += 1;
        self.now = access.at;
        self.hours.note(access);
        self.engine.observe(access, scratch);
        let raised: Vec<Finding> =
            scratch.iter().filter(|finding| finding.is_alert).cloned().collect();
        for finding in scratch.drain(..) {
            self.open.note(finding);
        }
        raised
    }

    fn names(&self, finding: &Finding, who: &str) -> bool {
        let wanted = self.directory.identities.find(who);
        finding.entities.iter().any(|entity| Some(entity.identity) == wanted)
    }

    fn explained_share(&self) -> f64 {
        self.engine.report().explained.explained_share
    }

    fn tell_alarm(
        &self,
        finding: &Finding,
        thefts: &[Timestamp],
        out: &mut dyn Write,
    ) -> CommandResult {
        let (directory, context) = (&*self.directory, self.engine.context());
        let words = Said::of(finding, &Speaker { language: Language::English, directory, context });
        let lost = thefts.iter().filter(|&&at| at <= finding.raised_at).count();
        let begin = thefts.first().copied().unwrap_or(finding.raised_at);
        writeln!(
            out,
            "{}  ALARM after {} seconds and {lost} patients: {}",
            clock(finding.raised_at),
            finding.raised_at.secs_since(begin),
            words.summary
        )?;
        for reason in words.reasons.iter().skip(1) {
            writeln!(out, "          also: {reason}.")?;
        }
        for tried in &words.tried {
            writeln!(out, "          looked for {tried}.")?;
        }
        writeln!(out, "          Innocent if: {}", words.innocent_story)?;
        writeln!(out, "          First: {}", words.next_step)?;
        Ok(())
    }

    fn run(&self) -> Run {
        let (report, context) = (self.engine.report(), self.engine.context());
        Run {
            look_ups: self.look_ups,
            alarms: self.open.count() as u64,
            ..Run::of(&report, &self.directory, context)
        }
    }

    fn view(&self) -> QueueView {
        let context = self.engine.context();
        QueueView {
            now: Some(self.now),
            look_ups: self.look_ups,
            identities: self.directory.identities.len(),
            patients: self.directory.patients.len(),
            explained_share: self.explained_share(),
            budget: BUDGET,
            simulated: true,
            alarms: self.open.alarms(&self.directory, context, &self.hours),
        }
    }
}

/// Hour and minute (UTC).
fn clock(at: Timestamp) -> String {
    at.to_string().get(11..16).unwrap_or_default().to_owned()
}

const BUDGET: f64 = 2.0;
/// The theft is watched for this long.
const WATCHED_SECS: f64 = 22.0;
const REDRAW: Duration = Duration::from_millis(500);
/// How far the store may lag behind the story.
const COMMIT: Duration = Duration::from_secs(2);
