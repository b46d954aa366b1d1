//! Where the breach record of a case is made, from store, acts and context.

use crate::breach::{About, Seen, record};
use crate::case_scope::CaseScope;
use crate::cli::{ContextPaths, StoreAccess};
use crate::commands::keep::{leave_asking, open};
use crate::desk::Desk;
use crate::error::{CommandError, CommandResult, Kind};
use crate::input::load_context;
use crate::recipients::{Told, list};
use crate::report::Around;
use crate::scope_by::Known;
use anyhow::Context as _;
use bavn_decode::Mappings;
use bavn_detect::cases::{Case, CaseNumber, Deed};
use bavn_model::{Context, Directory, Timestamp};
use bavn_share::{Breach, Language};
use bavn_store::{Purpose, Store, seal_list};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// What records are made with.
pub(crate) struct Register {
    access: StoreAccess,
    about: About,
    /// Empty: nobody is split by how they can be reached.
    known: OnceLock<Known>,
    /// What the store said last of a case; good while neither commit nor question changes.
    held: Mutex<BTreeMap<CaseNumber, Held>>,
}

/// What was looked up at a commit, as it was asked.
type Held = (u64, CaseScope, Arc<Looked>);

impl std::fmt::Debug for Register {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Register").finish_non_exhaustive()
    }
}

/// Who asks, as look-ups name them, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct By<'a> {
    pub(crate) who: (&'a str, &'a str),
    pub(crate) at: Timestamp,
}

/// What was looked up for one case.
#[derive(Debug)]
pub(crate) struct Looked {
    pub(crate) seen: Seen,
    pub(crate) told: Option<Told>,
}

impl Register {
    pub(crate) fn new(
        access: &StoreAccess,
        about: Option<&Path>,
        context: &ContextPaths,
    ) -> CommandResult<Self> {
        let about = about.map_or_else(|| Ok(About::default()), read_about)?;
        let register = Self::of(access, about);
        if !context.context.is_empty() {
            let loaded = load_context(context, &Arc::new(Mappings::default()))?;
            register.know(loaded.directory, loaded.context);
        }
        Ok(register)
    }

    /// Nobody is known to it yet.
    pub(crate) fn of(access: &StoreAccess, about: About) -> Self {
        Self { access: access.clone(), about, known: OnceLock::new(), held: Mutex::default() }
    }

    /// By whom people are split from now on; what was known first stays.
    pub(crate) fn know(&self, directory: Directory, context: Context) {
        self.known.get_or_init(|| (directory, context));
    }

    /// By whom people are split, if context was given.
    pub(crate) fn known(&self) -> Option<&Known> {
        self.known.get()
    }

    /// What the hospital's systems say of readers, if they were read.
    pub(crate) fn around(&self) -> Option<Around<'_>> {
        self.known.get().map(|(directory, context)| Around { directory, context })
    }

    pub(crate) const fn about(&self) -> &About {
        &self.about
    }

    /// The record of a case as it stands.
    pub(crate) fn record(
        &self,
        desk: &Desk,
        number: CaseNumber,
        by: By<'_>,
        language: Language,
    ) -> CommandResult<(Breach, Arc<Looked>)> {
        let (case, looked) = self.case(desk, number, by)?;
        Ok((self.spoken(&case, &looked, language)?, looked))
    }

    /// A case, and what the store says of it.
    pub(crate) fn case(
        &self,
        desk: &Desk,
        number: CaseNumber,
        by: By<'_>,
    ) -> CommandResult<(Case, Arc<Looked>)> {
        let (case, asked) = Self::asked(desk, number)?;
        let looked = self.look(&case, &asked, by)?;
        Ok((case, looked))
    }

    /// The record of such a case in one language.
    pub(crate) fn spoken(
        &self,
        case: &Case,
        looked: &Looked,
        language: Language,
    ) -> CommandResult<Breach> {
        record(case, &looked.seen, looked.told.as_ref(), &self.about, language)
    }

    fn asked(desk: &Desk, number: CaseNumber) -> CommandResult<(Case, CaseScope)> {
        let found = desk.look(|book| {
            let case = book.case(book.settled(number))?.clone();
            Some((case, CaseScope::of(book, number)?))
        })?;
        found.ok_or_else(|| {
            CommandError::usage(format_args!("there is no case {number} with a reader"))
        })
    }

    fn look(&self, case: &Case, asked: &CaseScope, by: By<'_>) -> CommandResult<Arc<Looked>> {
        let store = open(&self.access)?;
        let commit = store.as_of().commit;
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, of, looked)) = held.get(&case.number)
            && *at == commit
            && of == asked
        {
            return Ok(Arc::clone(looked));
        }
        let seen = Seen::of(&store, asked)?;
        let told = match self.known.get() {
            None => None,
            Some(known) => Some(self.told(&store, &seen, known, case.number, by)?),
        };
        let looked = Arc::new(Looked { seen, told });
        held.insert(case.number, (commit, asked.clone(), Arc::clone(&looked)));
        while held.len() > HELD_MAX {
            held.pop_first();
        }
        Ok(looked)
    }

    /// Names are looked at to count; that they were is on record.
    fn told(
        &self,
        store: &Store,
        seen: &Seen,
        (directory, context): &Known,
        number: CaseNumber,
        by: By<'_>,
    ) -> CommandResult<Told> {
        let why = Purpose::Case(number.to_string());
        leave_asking(store, by.at, by.who, &why, "bavn notice (recipients counted)", &[])?;
        let names = store.patient_names(&seen.scope().exposed, &why)?;
        Ok(Told::of(&seen.scope().exposed, &names, directory, context, &self.about))
    }

    /// Lets the list of a case go, as its second person: writes the sealed file and the act, and
    /// gives the file's name and the key, which is kept nowhere.
    pub(crate) fn release(
        &self,
        desk: &Desk,
        number: CaseNumber,
        by: By<'_>,
        folder: &Path,
        seen: Option<usize>,
    ) -> CommandResult<(String, String)> {
        let (now, user) = (by.at, by.who.1);
        let (case, asked) = Self::asked(desk, number)?;
        let waiting = case.file.list_waiting().map(|list| list.act);
        let act = waiting.ok_or_else(|| {
            CommandError::new(Kind::Usage, bavn_detect::cases::Refusal::NothingToSign)
        })?;
        // Refused before a name is looked at.
        let placeholder = Deed::ListReleased { act, sha256: "0".repeat(64) };
        desk.would(now, user, case.number, placeholder, seen)?.map_err(crate::desk::refused)?;
        let store = open(&self.access)?;
        let looked = self.look(&case, &asked, by)?;
        let told = looked.told.as_ref().ok_or_else(|| {
            CommandError::usage("who can be reached how is in the context: give `--context`")
        })?;
        let why = Purpose::Case(case.number.to_string());
        let names = store.patient_names(&looked.seen.scope().exposed, &why)?;
        let shown: Vec<&str> =
            names.iter().filter_map(|all| all.first().map(String::as_str)).collect();
        leave_asking(&store, now, by.who, &why, "bavn notice (list released)", &shown)?;
        let plain = list(told, &looked.seen.scope().exposed, &names);
        let mut chance = crate::commands::keep::chance();
        let (sealed, key) = seal_list(plain.as_bytes(), &mut *chance)?;
        let sha256 = crate::keyed::sha256(&sealed);
        let name = format!("case-{}-list-{}.bavnlist", case.number, sha256.get(..16).unwrap_or(""));
        crate::outbox::write(folder, &name, &sealed)?;
        let deed = Deed::ListReleased { act, sha256 };
        desk.act(now, user, case.number, deed, seen)?.map_err(crate::desk::refused)?;
        Ok((name, key))
    }
}

pub(crate) fn read_about(path: &Path) -> CommandResult<About> {
    let usage = |error: anyhow::Error| CommandError::new(Kind::Usage, error);
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("`{}` cannot be read", path.display()))
        .map_err(usage)?;
    let about: About = toml::from_str(&text).map_err(|error| {
        CommandError::usage(format_args!("`{}`: {}", path.display(), error.message()))
    })?;
    if !bavn_share::is_zone(&about.time_zone) {
        return Err(CommandError::usage("`time_zone` is not a known zone, such as Europe/Oslo"));
    }
    Ok(about)
}

/// Cases that a console has open at a time.
const HELD_MAX: usize = 8;
