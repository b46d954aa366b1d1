//! Of whose look-ups a case is, in which time, and which of them count: the same for the command
//! line, pages, notices, letters and lists.

use bavn_detect::cases::{Book, Case, CaseNumber, Verdict};
use bavn_model::Timestamp;
use bavn_store::{Explained, Reason, Scope, Store, StoreError, Subject, Window};

/// What the store is asked for one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CaseScope {
    pub(crate) subject: Subject,
    /// Since the case was first seen, until somebody says that it ended.
    pub(crate) window: Window,
    pub(crate) counts: Counts,
}

/// Which look-ups of its readers a case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counts {
    /// All, whoever made them: a thief can have hidden behind what the owner's work explains.
    All,
    /// The owner made them, so what work explains is left out.
    Unexplained,
}

/// What the store answers.
#[derive(Clone, Debug)]
pub(crate) struct CaseAnswer {
    /// Of what counts. Where all do, the lower bound is what nothing explains.
    pub(crate) scope: Scope,
    pub(crate) counts: Counts,
    /// Patients all of whose look-ups are explained: left out, or counted with the rest.
    pub(crate) explained: Explained,
    pub(crate) all: Amount,
    pub(crate) unexplained: Amount,
}

/// How much was exposed, with bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Amount {
    pub(crate) lower: u64,
    pub(crate) best: u64,
    pub(crate) upper: Option<u64>,
    pub(crate) look_ups: u64,
}

impl CaseScope {
    /// Of a case, where it goes on if it was merged; none without a reader.
    pub(crate) fn of(book: &Book, number: CaseNumber) -> Option<Self> {
        let case = book.case(book.settled(number))?;
        let readers: Vec<String> = case.identities().into_iter().map(str::to_owned).collect();
        let window = Window {
            from: case.first_seen().unwrap_or(Window::ALL.from),
            to: ended(case).unwrap_or(Window::ALL.to),
        };
        let counts = match case.verdict.as_ref().map(|held| held.verdict) {
            Some(Verdict::Snooping) => Counts::Unexplained,
            _ => Counts::All,
        };
        let subject = Subject::Identities(readers);
        (subject != Subject::Identities(Vec::new())).then_some(Self { subject, window, counts })
    }

    pub(crate) fn ask(&self, store: &Store) -> Result<CaseAnswer, StoreError> {
        let mut all = store.scope(&self.subject, self.window)?;
        let unexplained = store.scope_unexplained(&self.subject, self.window)?;
        let (of_all, mut of_unexplained) = (Amount::of(&all), Amount::of(&unexplained));
        let explained = unexplained.explained.unwrap_or_default();
        let scope = match self.counts {
            Counts::Unexplained => unexplained,
            Counts::All => {
                // What nobody has judged yet is not explained.
                let certain = unexplained.exposed.iter().filter(|exposed| exposed.certain);
                all.lower = certain.count() as u64;
                of_unexplained.lower = all.lower;
                let open = |reason: &Reason| matches!(reason, Reason::NotJudged { .. });
                all.reasons.splice(0..0, unexplained.reasons.into_iter().filter(open));
                all
            }
        };
        let (all, unexplained) = (of_all, of_unexplained);
        Ok(CaseAnswer { scope, counts: self.counts, explained, all, unexplained })
    }
}

impl Amount {
    const fn of(scope: &Scope) -> Self {
        let (lower, best, upper) = (scope.lower, scope.best, scope.upper);
        Self { lower, best, upper, look_ups: scope.look_ups }
    }
}

/// Times are said to the minute: the one in which it ended counts whole.
fn ended(case: &Case) -> Option<Timestamp> {
    let minute = case.file.ended()?.since.secs().div_euclid(60);
    Some(Timestamp::from_secs((minute + 1) * 60))
}
