//! All that was learned, saved and gone on from.

use super::{Engine, Settings};
use crate::state::{ContextDigest, Restoring, Saving, StateError, Traces};
use bavn_model::Context;

impl Engine {
    /// Everything that this engine would need to go on after a restart, as bytes. The same state gives
    /// the same bytes.
    ///
    /// # Errors
    /// Only if memory holds what cannot be written.
    pub fn save(&self, context: ContextDigest) -> Result<Vec<u8>, StateError> {
        let mut out = Saving::default();
        out.put(&VERSION);
        out.put(&context);
        out.put(&self.names());
        out.part("visits", |out| out.put(&self.visits))?;
        out.part("people", |out| out.put(&self.people))?;
        out.part("reference", |out| {
            out.put(&self.tails);
            out.put(&self.combined);
            out.put(&self.reference);
        })?;
        out.part("days", |out| {
            out.put(&self.days);
            out.put(&self.active);
            out.put(&self.pace);
            out.put(&(self.day, self.days_closed, &self.crossed, self.hour));
        })?;
        out.part("dossiers", |out| out.put(&self.dossiers))?;
        out.part("company", |out| {
            out.put(&self.company);
            out.put(&self.clientele);
            out.put(&self.solitude);
            out.put(&self.later);
            out.put(&self.load);
        })?;
        out.part("queue", |out| out.put(&self.queue))?;
        out.part("tally", |out| out.put(&(&self.tally, &self.observed)))?;
        for detector in &self.detectors {
            out.part(detector.name(), |out| detector.save(out))?;
        }
        for gathering in &self.gatherings {
            out.part(gathering.name(), |out| gathering.save(out))?;
        }
        Ok(out.into_bytes())
    }

    /// An engine that goes on from a saved state. The budget is that of `settings`, and who has no say
    /// is in `muted`: both are set, not learned.
    ///
    /// # Errors
    /// If the state is of another version, of other detectors or made with another context, or is
    /// none.
    pub fn restore(
        context: Context,
        settings: Settings,
        muted: &[String],
        digest: ContextDigest,
        state: &[u8],
    ) -> Result<Self, StateError> {
        let mut engine = Self::without(context, settings, muted);
        let mut from = Restoring::new(state);
        let found: u32 = from.take()?;
        if found != VERSION {
            return Err(StateError::OtherVersion { found, known: VERSION });
        }
        let made_with: ContextDigest = from.take()?;
        let names: Vec<String> = from.take()?;
        let known = engine.names();
        if names != known {
            let unknown = names.iter().filter(|name| !known.contains(&name.as_str()));
            let missing = known.iter().filter(|name| !names.iter().any(|held| held == *name));
            // A detector of several columns is named once.
            let mut missing: Vec<String> = missing.map(|&name| name.to_owned()).collect();
            let mut unknown: Vec<String> = unknown.cloned().collect();
            missing.dedup();
            unknown.dedup();
            return Err(StateError::OtherDetectors { missing, unknown });
        }
        if made_with != digest {
            return Err(StateError::OtherContext);
        }
        engine.visits = from.part("visits", Restoring::take)?;
        engine.people = from.part("people", Restoring::take)?;
        from.part("reference", |from| {
            engine.tails = from.take()?;
            engine.combined = from.take()?;
            engine.reference = from.take()?;
            Ok(())
        })?;
        from.part("days", |from| {
            engine.days = from.take()?;
            engine.active = from.take()?;
            engine.pace.go_on(from.take()?);
            (engine.day, engine.days_closed, engine.crossed, engine.hour) = from.take()?;
            Ok(())
        })?;
        engine.dossiers = from.part("dossiers", Restoring::take)?;
        from.part("company", |from| {
            engine.company = from.take()?;
            engine.clientele = from.take()?;
            engine.solitude = from.take()?;
            engine.later = from.take()?;
            engine.load = from.take()?;
            Ok(())
        })?;
        from.part("queue", |from| {
            engine.queue.go_on(from.take()?);
            Ok(())
        })?;
        (engine.tally, engine.observed) = from.part("tally", Restoring::take)?;
        for detector in &mut engine.detectors {
            from.part(detector.name(), |from| detector.restore(from))?;
        }
        for gathering in &mut engine.gatherings {
            from.part(gathering.name(), |from| gathering.restore(from))?;
        }
        from.end()?;
        Ok(engine)
    }

    /// The same state without what tells of patients who are forgotten.
    ///
    /// # Errors
    /// If it is of another version or of other detectors, or is none.
    pub fn forget(state: &[u8], traces: &Traces) -> Result<Vec<u8>, StateError> {
        let mut head = Restoring::new(state);
        let _version: u32 = head.take()?;
        let made_with: ContextDigest = head.take()?;
        let settings = Settings { budget_per_10k_staff_day: 0.0 };
        let mut engine = Self::restore(Context::default(), settings, &[], made_with, state)?;
        engine.detectors.iter_mut().for_each(|held| held.forget(traces));
        engine.gatherings.iter_mut().for_each(|held| held.forget(traces));
        engine.save(made_with)
    }

    /// Of the detectors at work, with as many columns of scores as each has.
    fn names(&self) -> Vec<&'static str> {
        let columns = self.columns.iter().filter_map(|column| self.detectors.get(column.detector));
        let gatherings = self.gatherings.iter().map(|held| held.name());
        columns.map(|held| held.name()).chain(gatherings).collect()
    }
}

/// Of the layout of all parts together. Whoever changes what is saved raises it: an older state is
/// refused by its version, and started anew.
const VERSION: u32 = 4;
