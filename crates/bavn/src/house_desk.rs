//! The house as it is kept: settings, runs and rulings on disk, and what follows from them.

use crate::commands::keep;
use crate::error::{CommandError, CommandResult, Kind};
use anyhow::Context as _;
use bavn_detect::house::{House, HouseAct, HouseDeed, HouseRefusal};
use bavn_model::Timestamp;
use bavn_store::{Chance, Journal, Kek};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// The house of one store.
pub(crate) struct HouseDesk {
    held: Mutex<Held>,
}

struct Held {
    journal: Journal,
    house: House,
    chance: Box<Chance>,
}

impl std::fmt::Debug for HouseDesk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HouseDesk").finish_non_exhaustive()
    }
}

impl HouseDesk {
    pub(crate) fn open(store: &Path, kek: &Kek) -> CommandResult<Self> {
        let mut chance = keep::chance();
        let journal = Journal::open_house(store, kek, &mut *chance)?;
        Ok(Self { held: Mutex::new(Held { journal, house: House::default(), chance }) })
    }

    /// Shows the house as it stands, with what others have written since.
    pub(crate) fn look<T>(&self, seen: impl FnOnce(&House) -> T) -> CommandResult<T> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let Held { journal, house, .. } = &mut *held;
        read(house, journal.news()?)?;
        Ok(seen(house))
    }

    /// What a person does, refused with a sentence, or not written for want of a disk.
    pub(crate) fn act(
        &self,
        now: Timestamp,
        by: &str,
        role: &str,
        deed: HouseDeed,
    ) -> CommandResult<Result<(), HouseRefusal>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let Held { journal, house, chance } = &mut *held;
        let act = journal.add(&mut **chance, |news| {
            let decided = read(house, news).map(|()| house.propose(now, by, role, deed));
            let entry = match &decided {
                Ok(Ok(act)) => serde_json::to_vec(act).ok(),
                _ => None,
            };
            (entry, decided)
        })??;
        Ok(act.map(|act| house.push(act)))
    }

    /// What the program itself writes down.
    pub(crate) fn note(&self, now: Timestamp, deed: HouseDeed) -> CommandResult {
        self.act(now, "", "", deed)?.map_err(|refusal| CommandError::new(Kind::Internal, refusal))
    }
}

fn read(house: &mut House, news: Vec<Vec<u8>>) -> CommandResult {
    for entry in news {
        let act: HouseAct = serde_json::from_slice(&entry)
            .context("an act of the house is of a later release, or not one of ours")
            .map_err(|error| CommandError::new(Kind::Integrity, error))?;
        house.push(act);
    }
    Ok(())
}
