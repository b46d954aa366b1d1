//! How much of the look-ups an upkeep has gone through, for whoever waits for it.

/// Hears of how many look-ups, and of how many in all.
type Told = dyn FnMut(u64, u64) + Send;

/// Counts, and tells.
pub(super) struct Passed {
    done: u64,
    of: u64,
    told: Box<Told>,
}

impl Passed {
    pub(super) fn nobody() -> Self {
        Self { done: 0, of: 0, told: Box::new(|_, _| {}) }
    }

    /// Work on so many look-ups begins; what takes several passes begins several times.
    pub(super) fn begin(&mut self, of: u64) {
        (self.done, self.of) = (0, of);
        (self.told)(0, of);
    }

    pub(super) fn add(&mut self, look_ups: u64) {
        self.done += look_ups;
        (self.told)(self.done, self.of);
    }
}

impl super::Writer {
    /// Tells from now on how far rebuilding, compacting, retaining and shredding have come.
    pub fn tell(&mut self, told: impl FnMut(u64, u64) + Send + 'static) {
        self.passed.told = Box::new(told);
    }
}
