//! Cases as they are kept: the list of acts on disk, and the book that follows from it.

use crate::commands::keep;
use crate::error::{CommandError, CommandResult, Kind};
use crate::forgotten::Forgotten;
use anyhow::Context as _;
use bavn_console::{Trouble, Wish};
use bavn_detect::cases::{Act, Alarm, Book, CaseNumber, Deed, Duty, Refusal, Waiver};
use bavn_detect::house::Agreement;
use bavn_detect::words::Language;
use bavn_model::Timestamp;
use bavn_store::{Chance, Journal, Kek, List, StoreError};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// The cases of one store; of a demonstration, kept in memory only.
pub(crate) struct Desk {
    held: Mutex<Held>,
    duty: Duty,
}

struct Held {
    journal: Option<Journal>,
    book: Book,
    chance: Box<Chance>,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").finish_non_exhaustive()
    }
}

/// What somebody did, refused with a sentence, or not written for want of a disk.
pub(crate) type Acted = CommandResult<Result<Vec<Act>, Refusal>>;

impl Desk {
    pub(crate) fn open(store: &Path, kek: &Kek, duty: Duty) -> CommandResult<Self> {
        let mut chance = keep::chance();
        let journal = Journal::open(store, List::Cases, kek, &mut *chance)?;
        let book = Book::new(journal.controller());
        let held = Held { journal: Some(journal), book, chance };
        Ok(Self { held: Mutex::new(held), duty })
    }

    pub(crate) fn in_memory() -> Self {
        let held = Held { journal: None, book: Book::new("region"), chance: keep::chance() };
        Self { held: Mutex::new(held), duty: Duty::default() }
    }

    pub(crate) const fn duty(&self) -> &Duty {
        &self.duty
    }

    /// Shows the book as it stands, with what others have written since.
    pub(crate) fn look<T>(&self, seen: impl FnOnce(&Book) -> T) -> CommandResult<T> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let Held { journal, book, .. } = &mut *held;
        if let Some(journal) = journal {
            read(book, journal.news()?)?;
        }
        Ok(seen(book))
    }

    /// Lets an alarm join its case.
    pub(crate) fn receive(&self, alarm: Alarm, now: Timestamp) -> CommandResult {
        self.write(|book| Ok(book.receive(alarm, now, &self.duty)))?.map(|_| ()).map_err(refused)
    }

    /// Writes down the escalations that are due.
    pub(crate) fn tick(&self, now: Timestamp) -> CommandResult {
        if self.look(|book| book.due(now, &self.duty).is_empty())? {
            return Ok(());
        }
        self.write(|book| Ok(book.due(now, &self.duty)))?.map(|_| ()).map_err(refused)
    }

    pub(crate) fn act(
        &self,
        now: Timestamp,
        by: &str,
        case: CaseNumber,
        deed: Deed,
        seen: Option<usize>,
    ) -> Acted {
        self.write(|book| book.propose(now, by, case, deed, seen))
    }

    /// Whether an act would be taken now; nothing is written.
    pub(crate) fn would(
        &self,
        now: Timestamp,
        by: &str,
        case: CaseNumber,
        deed: Deed,
        seen: Option<usize>,
    ) -> Acted {
        self.look(|book| book.propose(now, by, case, deed, seen))
    }

    /// Writes down that the employees' side agrees to the assessment, or no longer to what is in force.
    pub(crate) fn sign_off(
        &self,
        now: Timestamp,
        by: &str,
        deed: Deed,
        in_force: Option<&Agreement>,
    ) -> Acted {
        self.write(|book| book.propose_sign_off(now, by, deed, in_force))
    }

    /// The alarms of these uids go on in a case of their own.
    pub(crate) fn split(
        &self,
        now: Timestamp,
        by: &str,
        case: CaseNumber,
        alarms: BTreeSet<String>,
    ) -> Acted {
        self.write(|book| {
            let deed = Deed::Split { alarms, into: book.next_number() };
            book.propose(now, by, case, deed, None)
        })
    }

    pub(crate) fn undo(&self, now: Timestamp, by: &str, case: CaseNumber) -> Acted {
        self.write(|book| book.propose_undo(now, by, case))
    }

    pub(crate) fn explain(
        &self,
        now: Timestamp,
        by: &str,
        case: CaseNumber,
        waiver: Waiver,
    ) -> Acted {
        self.write(|book| book.propose_waiver(now, by, case, waiver))
    }

    /// Takes the acts of cases that are past their time out of the list, for good.
    pub(crate) fn expire(&self, over: &BTreeSet<CaseNumber>) -> CommandResult {
        if over.is_empty() {
            return Ok(());
        }
        let expired = |entry: Vec<u8>| {
            let acts: Result<Vec<Act>, _> = serde_json::from_slice(&entry);
            let Ok(acts) = acts else { return entry };
            let is_over = |act: &Act| over.contains(&act.case);
            let acts: Vec<Act> = acts
                .into_iter()
                .map(|act| if is_over(&act) { act.expired() } else { act })
                .collect();
            serde_json::to_vec(&acts).unwrap_or(entry)
        };
        self.rewrite(expired)
    }

    /// Takes the spellings of a patient, and the marks made of them, out of every act.
    pub(crate) fn forget(&self, spellings: &[String]) -> CommandResult {
        let whom = Forgotten::new(spellings);
        self.rewrite(|entry| {
            let acts: Result<serde_json::Value, _> = serde_json::from_slice(&entry);
            let Ok(mut acts) = acts else { return entry };
            if !whom.take_out(&mut acts) {
                return entry;
            }
            serde_json::to_vec(&acts).unwrap_or(entry)
        })
    }

    fn rewrite(&self, change: impl FnMut(Vec<u8>) -> Vec<u8>) -> CommandResult {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let Held { journal, book, chance } = &mut *held;
        let Some(journal) = journal else { return Ok(()) };
        read(book, journal.news()?)?;
        Ok(journal.rewrite(&mut **chance, change)?)
    }

    /// One decision on the book as it is, written down before it counts.
    fn write(&self, decide: impl FnOnce(&Book) -> Result<Vec<Act>, Refusal>) -> Acted {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let Held { journal, book, chance } = &mut *held;
        let acts = match journal {
            None => Ok(decide(book)),
            Some(journal) => journal.add(&mut **chance, |news| {
                let decided = read(book, news).map(|()| decide(book));
                let entry = match &decided {
                    Ok(Ok(acts)) if !acts.is_empty() => serde_json::to_vec(acts).ok(),
                    _ => None,
                };
                (entry, decided)
            })?,
        }?;
        if let Ok(acts) = &acts {
            for act in acts {
                book.push(act.clone());
            }
        }
        Ok(acts)
    }
}

fn read(book: &mut Book, news: Vec<Vec<u8>>) -> CommandResult {
    for entry in news {
        let acts: Vec<Act> = serde_json::from_slice(&entry)
            .context("an act on a case is of a later release, or not one of ours")
            .map_err(|error| CommandError::new(Kind::Integrity, error))?;
        for act in acts {
            book.push(act);
        }
    }
    Ok(())
}

/// As the console asks.
pub(crate) fn look(desk: &Desk, seen: &mut dyn FnMut(&Book)) -> Result<(), Trouble> {
    desk.look(seen).map_err(|error| failed(&error))
}

pub(crate) fn act(
    desk: &Desk,
    now: Timestamp,
    by: &str,
    case: CaseNumber,
    wish: Wish,
    seen: usize,
) -> Result<(), Trouble> {
    let acted = match wish {
        Wish::Do(deed) => desk.act(now, by, case, deed, Some(seen)),
        Wish::Undo => desk.undo(now, by, case),
    };
    match acted {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(refusal)) => Err(Trouble::Refused(LANGUAGES.map(|of| refusal.in_words(of)))),
        Err(error) => Err(failed(&error)),
    }
}

/// In which a refusal is said.
pub(crate) const LANGUAGES: [Language; 2] = [Language::English, Language::Bokmaal];

/// What somebody wanted and cannot have, for who wanted it.
pub(crate) fn refused_in_words(error: &CommandError) -> Trouble {
    let source = &error.source;
    if let Some(refusal) = source.downcast_ref::<Refusal>() {
        return Trouble::Refused(LANGUAGES.map(|of| refusal.in_words(of)));
    }
    let english = source.to_string();
    let bokmaal = match source.downcast_ref::<StoreError>() {
        Some(StoreError::Unknown { name, .. }) => {
            format!("ingen oppslag i lageret nevner `{name}`")
        }
        Some(StoreError::Ambiguous { name, count, .. }) => {
            format!("`{name}` kan bety {count} ulike navn; skriv det helt ut")
        }
        _ => english.clone(),
    };
    Trouble::Refused([english, bokmaal])
}

pub(crate) fn failed(error: &CommandError) -> Trouble {
    Trouble::Failed(error.source.to_string())
}

pub(crate) fn refused(refusal: Refusal) -> CommandError {
    CommandError::new(Kind::Usage, refusal)
}
