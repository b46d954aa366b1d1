//! The store as it was last asked, kept open until the next commit, with what takes longest to find.

use super::failed;
use crate::case_scope::CaseScope;
use crate::cli::StoreAccess;
use crate::commands::keep::open;
use bavn_console::{Counted, ScopeView, TrailView, Trouble};
use bavn_store::Store;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Debug, Default)]
pub(crate) struct Held(Mutex<Option<AsOfCommit>>);

#[derive(Debug)]
struct AsOfCommit {
    store: Arc<Store>,
    trails: Answers<TrailView>,
    counted: Answers<(ScopeView, Counted)>,
}

/// The latest first.
type Answers<A> = Vec<(CaseScope, A)>;

impl Held {
    /// The store as of the commit in force.
    pub(super) fn store(&self, access: &StoreAccess) -> Result<Arc<Store>, Trouble> {
        let mut held = self.lock();
        if let Some(held) = held.as_ref().filter(|held| held.store.is_in_force()) {
            return Ok(Arc::clone(&held.store));
        }
        let store = Arc::new(open(access).map_err(|error| failed(&error))?);
        let (trails, counted) = (Vec::new(), Vec::new());
        *held = Some(AsOfCommit { store: Arc::clone(&store), trails, counted });
        Ok(store)
    }

    pub(super) fn trail(
        &self,
        store: &Arc<Store>,
        asked: CaseScope,
        find: impl FnOnce(&CaseScope) -> Result<TrailView, Trouble>,
    ) -> Result<TrailView, Trouble> {
        self.answer(store, asked, |held| &mut held.trails, find)
    }

    pub(super) fn scope_by(
        &self,
        store: &Arc<Store>,
        asked: CaseScope,
        find: impl FnOnce(&CaseScope) -> Result<(ScopeView, Counted), Trouble>,
    ) -> Result<(ScopeView, Counted), Trouble> {
        self.answer(store, asked, |held| &mut held.counted, find)
    }

    /// What was found of this store before, or is found now.
    fn answer<A: Clone>(
        &self,
        store: &Arc<Store>,
        asked: CaseScope,
        answers: fn(&mut AsOfCommit) -> &mut Answers<A>,
        find: impl FnOnce(&CaseScope) -> Result<A, Trouble>,
    ) -> Result<A, Trouble> {
        let is_of = |held: &&mut AsOfCommit| Arc::ptr_eq(&held.store, store);
        if let Some(held) = self.lock().as_mut().filter(is_of)
            && let Some((_, answer)) = answers(held).iter().find(|(of, _)| *of == asked)
        {
            return Ok(answer.clone());
        }
        let answer = find(&asked)?;
        if let Some(held) = self.lock().as_mut().filter(is_of) {
            let answers = answers(held);
            answers.truncate(ANSWERS_MAX - 1);
            answers.insert(0, (asked, answer.clone()));
        }
        Ok(answer)
    }

    fn lock(&self) -> MutexGuard<'_, Option<AsOfCommit>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Of each kind; some hundred kilobytes.
const ANSWERS_MAX: usize = 16;
