//! Accesses in, findings out.

use bavn_model::{Access, Context, Finding};

/// What the hospital sets.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// False alarms that people can live with, per 10,000 staff a day.
    pub budget_per_10k_staff_day: f64,
}

/// Everything that explains, detects, calibrates and ranks, behind one door.
#[derive(Debug)]
pub struct Engine {
    #[expect(dead_code, reason = "first cut")]
    context: Context,
    #[expect(dead_code, reason = "first cut")]
    settings: Settings,
}

impl Engine {
    pub fn new(context: Context, settings: Settings) -> Self {
        Self { context, settings }
    }

    /// One access, in (`at`, `seq`) order.
    pub fn observe(&mut self, _access: &Access, _out: &mut Vec<Finding>) {}

    /// Lets event time pass without an access, as a live watermark does.
    pub fn advance(&mut self, _now: bavn_model::Timestamp, _out: &mut Vec<Finding>) {}
}
