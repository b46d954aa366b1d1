//! How long does the disk last?

use crate::error::{Result, io};
use crate::proof::PROOF;
use crate::reader::{Sizes, Store};
use std::collections::BTreeMap;
use std::path::Path;

/// What a store takes, and how fast it grows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Forecast {
    pub look_ups: u64,
    /// Columns, index, names, and evidence: ids, nonces and original bytes.
    pub sizes: Sizes,
    pub proof: u64,
    /// Of the last week with look-ups: days that had any, and look-ups of all sources.
    pub days: u32,
    pub look_ups_of_days: u64,
    /// Free for this store on its disk.
    pub free: u64,
}

impl Forecast {
    pub const fn bytes(&self) -> u64 {
        let sizes = &self.sizes;
        sizes.columns + sizes.index + sizes.names + sizes.evidence + self.proof
    }

    /// Of one part of so many bytes, or of all of them.
    pub fn a_look_up(&self, bytes: u64) -> f64 {
        bytes as f64 / (self.look_ups.max(1)) as f64
    }

    pub fn look_ups_a_day(&self) -> f64 {
        self.look_ups_of_days as f64 / f64::from(self.days.max(1))
    }

    pub fn bytes_a_day(&self) -> f64 {
        self.look_ups_a_day() * self.a_look_up(self.bytes())
    }

    /// Days until so many bytes are full; none if nothing comes in.
    pub fn days_left(&self, free: u64) -> Option<u64> {
        let a_day = self.bytes_a_day();
        (a_day > 0.0).then(|| (free as f64 / a_day) as u64)
    }
}

impl Store {
    pub fn forecast(&self) -> Result<Forecast> {
        let mut days: BTreeMap<i32, u64> = BTreeMap::new();
        let own = self.manifest.own_source;
        for heard in self.manifest.heard().filter(|heard| Some(heard.source) != own) {
            *days.entry(heard.day).or_default() += heard.look_ups;
        }
        let last = days.keys().next_back().copied().unwrap_or_default();
        let week = days.range(last - (DAYS_OF_WEEK - 1)..);
        let (days, look_ups_of_days) =
            week.fold((0, 0), |(days, sum), (_, look_ups)| (days + 1, sum + look_ups));
        Ok(Forecast {
            look_ups: self.manifest.rows,
            sizes: self.sizes(),
            proof: bytes_below(&self.folder.join(PROOF))?,
            days,
            look_ups_of_days,
            free: free_bytes(&self.folder)?,
        })
    }
}

fn bytes_below(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder).map_err(io(folder, "read"))? {
        let entry = entry.map_err(io(folder, "read"))?;
        let kind = entry.metadata().map_err(io(folder, "read"))?;
        bytes += if kind.is_dir() { bytes_below(&entry.path())? } else { kind.len() };
    }
    Ok(bytes)
}

fn free_bytes(folder: &Path) -> Result<u64> {
    let told = rustix::fs::statvfs(folder).map_err(|error| io(folder, "measured")(error.into()))?;
    Ok(told.f_bavail.saturating_mul(told.f_frsize))
}

const DAYS_OF_WEEK: i32 = 7;
