//! Has a source that promised to speak at least so often been silent for longer?
//!
//! Any record counts, a look-up or one that is written only to be heard. Times are those of the
//! records, so a log that is read a week later is judged as if it had been read at once.

use crate::manifest::Manifest;
use crate::said::Said;
use std::collections::BTreeMap;

/// Times at which promising sources spoke since the last commit, in microseconds since the epoch.
pub(crate) type Spoke = BTreeMap<u32, Vec<i64>>;

impl Manifest {
    /// What was missed up to the latest record of any source. To be asked before the new records stand
    /// in the manifest; `latest` is the last of them.
    pub(crate) fn missed(
        &self,
        mut spoke: Spoke,
        latest: Option<i64>,
        name: impl Fn(u32) -> String,
    ) -> Vec<Said> {
        let end = self.last_heard().max(latest);
        let mut said = Vec::new();
        for (&source, &every_secs) in &self.promises {
            let longest = every_secs.saturating_mul(1_000_000);
            let mut times = spoke.remove(&source).unwrap_or_default();
            times.sort_unstable();
            let mut last = self.last_heard_of(source);
            for at in times {
                if let Some(from) = last.filter(|&last| at.saturating_sub(last) > longest) {
                    said.push(Said::Missed { source: name(source), from, to: Some(at) });
                }
                last = last.max(Some(at));
            }
            let (Some(from), Some(end)) = (last, end) else { continue };
            let going_on = Said::Missed { source: name(source), from, to: None };
            // Said once; when the source speaks again, its end is said.
            if end.saturating_sub(from) > longest && !self.said().any(|before| before == going_on) {
                said.push(going_on);
            }
        }
        said.truncate(MISSED_A_COMMIT_MAX);
        said
    }

    fn last_heard_of(&self, source: u32) -> Option<i64> {
        let heard = self.heard();
        heard.filter(|heard| heard.source == source).map(|heard| heard.last).max()
    }
}

/// A promise that a source cannot keep must not fill the log.
const MISSED_A_COMMIT_MAX: usize = 1_000;
