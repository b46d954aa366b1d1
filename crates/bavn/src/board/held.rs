//! The store as it was last asked, kept open until the next commit, with what takes longest to find.

use super::failed;
use crate::cli::StoreAccess;
use crate::commands::keep::open;
use bavn_console::{TrailView, Trouble};
use bavn_store::{Store, Subject, Window};
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Debug, Default)]
pub(crate) struct Held(Mutex<Option<AsOfCommit>>);

#[derive(Debug)]
struct AsOfCommit {
    store: Arc<Store>,
    /// The latest last.
    trails: Vec<(Subject, Window, TrailView)>,
}

impl Held {
    /// The store as of the commit in force.
    pub(super) fn store(&self, access: &StoreAccess) -> Result<Arc<Store>, Trouble> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = held.as_ref().filter(|held| held.store.is_in_force()) {
            return Ok(Arc::clone(&held.store));
        }
        let store = Arc::new(open(access).map_err(|error| failed(&error))?);
        *held = Some(AsOfCommit { store: Arc::clone(&store), trails: Vec::new() });
        Ok(store)
    }

    /// What was found of this store before, or is found now.
    pub(super) fn trail(
        &self,
        store: &Arc<Store>,
        (subject, window): (Subject, Window),
        find: impl FnOnce(&Subject, Window) -> Result<TrailView, Trouble>,
    ) -> Result<TrailView, Trouble> {
        let asked =
            |(of, during, _): &&(Subject, Window, TrailView)| *of == subject && *during == window;
        let mut before = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = before.as_ref().filter(|held| Arc::ptr_eq(&held.store, store))
            && let Some((.., trail)) = held.trails.iter().find(asked)
        {
            return Ok(trail.clone());
        }
        drop(before);
        let trail = find(&subject, window)?;
        before = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = before.as_mut().filter(|held| Arc::ptr_eq(&held.store, store)) {
            held.trails.truncate(TRAILS_MAX - 1);
            held.trails.insert(0, (subject, window, trail.clone()));
        }
        Ok(trail)
    }
}

/// Some hundred kilobytes.
const TRAILS_MAX: usize = 16;
