//! Who asks, may they, and what answers?

use crate::access::{Granted, Purpose, Right, permits};
use crate::dispatch;
use crate::form::Form;
use crate::page::{self, Shell};
use crate::reply::{Answer, Shape, go, html, missing, outside};
use crate::session::{Behind, Doors, Visitor};
use crate::text::{Language, code, pick, texts};
use crate::view::{Board, Trouble};
use bavn_detect::cases::{Book, CaseNumber};
use bavn_model::Timestamp;
use maud::Markup;

/// One request, without its wire.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) is_post: bool,
    /// Without its query.
    pub(crate) path: String,
    pub(crate) language: Language,
    /// Whether the address asks for more than a language. No page is sorted, cut or grouped by a query.
    pub(crate) has_query: bool,
    pub(crate) cookie: Option<String>,
    /// The content type of the body.
    pub(crate) kind: Option<String>,
    pub(crate) body: Vec<u8>,
    /// Whether the browser says that the form came from these pages, or says nothing.
    pub(crate) same_origin: bool,
}

/// What every page is made from.
pub(crate) struct Here<'a> {
    pub(crate) board: &'a dyn Board,
    pub(crate) doors: &'a Doors,
    pub(crate) visitor: Visitor,
    pub(crate) language: Language,
    pub(crate) now: Timestamp,
    /// Changes until the page was begun.
    seen: u64,
    /// Of the session, by which its handles are found.
    cookie: String,
    /// Nobody is named until the employees' side has agreed.
    pub(crate) shadow: bool,
}

/// What came with the request.
pub(crate) struct Sent<'a> {
    /// Without its ending.
    pub(crate) path: &'a str,
    /// The parts of the path that the route leaves open.
    pub(crate) parts: Vec<&'a str>,
    pub(crate) shape: Shape,
    pub(crate) form: Form,
}

impl<'a> Sent<'a> {
    pub(crate) fn part(&self, at: usize) -> &'a str {
        self.parts.get(at).copied().unwrap_or_default()
    }

    /// The case that the path names first.
    pub(crate) fn case(&self) -> Option<CaseNumber> {
        self.part(0).parse().ok().map(CaseNumber)
    }
}

pub(crate) fn answer(
    board: &dyn Board,
    doors: &Doors,
    asked: &Asked,
    header: impl Fn(&str) -> Option<String>,
) -> Answer {
    let now = board.now();
    if let (false, Some(token)) = (asked.is_post, asked.path.strip_prefix("/enter/")) {
        return match doors.enter(token, now) {
            Some((cookie, role)) => {
                let first = page::first(role, is_shadow(board, doors), asked.language);
                Answer { cookie: Some(cookie), ..go(first) }
            }
            None => outside(asked.language),
        };
    }
    let (stem, shape) = Shape::of(&asked.path);
    let Some((visitor, cookie)) = doors.visitor(asked.cookie.as_deref(), header, now) else {
        return outside(asked.language).shaped(shape);
    };
    let found = dispatch::find(asked.is_post, stem).filter(|_| !asked.has_query);
    let Some((route, parts)) = found else {
        // Somebody tries addresses: that is on record too.
        drop(board.record(
            &visitor,
            &format!("refused: no such page, {}", shown(stem)),
            "none",
            &[],
        ));
        return Answer { cookie, ..missing(asked.language) }.shaped(shape);
    };
    let session = cookie.clone().or_else(|| asked.cookie.clone()).unwrap_or_default();
    let shadow = is_shadow(board, doors);
    let seen = *board.changes().borrow();
    let language = asked.language;
    let here = Here { board, doors, visitor, language, now, seen, cookie: session, shadow };
    let answered = here.answer(route, parts, stem, shape, asked);
    let cookie = answered.cookie.clone().or(cookie);
    Answer { cookie, ..answered }.shaped(shape)
}

/// Whether nobody may be named: what cannot be read is no agreement.
fn is_shadow(board: &dyn Board, doors: &Doors) -> bool {
    !doors.is_open() && !matches!(board.agreed(), Ok(Some(_)))
}

/// An address as a record takes it: the first part, since the rest may name somebody.
fn shown(path: &str) -> String {
    let first = path.split('/').nth(1).unwrap_or_default();
    first.chars().filter(char::is_ascii_alphanumeric).take(40).collect()
}

impl Here<'_> {
    fn answer(
        &self,
        route: &dispatch::Route,
        parts: Vec<&str>,
        path: &str,
        shape: Shape,
        asked: &Asked,
    ) -> Answer {
        let kind = asked.kind.as_deref();
        let form =
            if asked.is_post { Form::read(&asked.body, kind) } else { Some(Form::default()) };
        let Some(form) = form else { return missing(self.language) };
        if asked.is_post && (form.field("token") != self.visitor.form_token || !asked.same_origin) {
            return self.refused("a form that these pages did not make");
        }
        if let Some(refused) = self.refusal(route.right, route.purpose, path) {
            return refused;
        }
        (route.answer)(self, &Sent { path, parts, shape, form })
    }

    pub(crate) fn may(&self, right: Right, purpose: Purpose) -> bool {
        permits(right, self.visitor.role, purpose) && !(self.shadow && right.names_people())
    }

    /// The answer to give instead, to who may not; it says whether that is the role or the day.
    fn refusal(&self, right: Right, purpose: Purpose, what: &str) -> Option<Answer> {
        if self.may(right, purpose) {
            return None;
        }
        let is_of_role = !permits(right, self.visitor.role, purpose);
        Some(if is_of_role { self.refused(what) } else { self.refused_in_shadow(what) })
    }

    pub(crate) const fn say<T: Copy>(&self, english: T, bokmaal: T) -> T {
        pick(self.language, english, bokmaal)
    }

    /// An address in this language.
    pub(crate) fn link(&self, path: &str) -> String {
        format!("{path}?lang={}", code(self.language))
    }

    pub(crate) fn hold(&self, behind: Behind) -> Option<String> {
        self.doors.hold(&self.cookie, behind)
    }

    pub(crate) fn behind(&self, handle: &str) -> Option<Behind> {
        self.doors.behind(&self.cookie, handle)
    }

    pub(crate) fn leave(&self) {
        self.doors.leave(&self.cookie);
    }

    /// Asks the table, and puts on record what is about to be shown; else the answer to give.
    pub(crate) fn granted(
        &self,
        right: Right,
        purpose: Purpose,
        case: Option<CaseNumber>,
        what: &str,
        patients: &[String],
    ) -> Result<Granted, Answer> {
        if let Some(refused) = self.refusal(right, purpose, what) {
            return Err(refused);
        }
        if let Some(number) = case
            && self.peek(|book| book.case(number).is_none()).map_err(|told| self.failed(&told))?
        {
            return Err(missing(self.language));
        }
        if case.is_some_and(|number| self.is_about_visitor(number)) {
            return Err(self.refused(&format!("{what}: a case about oneself")));
        }
        let word = match (purpose, case) {
            (Purpose::Case, Some(number)) => format!("case {number}"),
            (Purpose::Insight, _) => "insight".to_owned(),
            _ => "audit".to_owned(),
        };
        self.board
            .record(&self.visitor, what, &word, patients)
            .map_err(|trouble| self.failed(&trouble))?;
        Ok(Granted::new(purpose, case, self.visitor.name.clone()))
    }

    /// Nobody works on a case about oneself.
    pub(crate) fn is_about_visitor(&self, number: CaseNumber) -> bool {
        let is_own = |book: &Book| {
            book.case(book.settled(number)).is_some_and(|case| case.is_about(&self.visitor.name))
        };
        self.peek(is_own).unwrap_or(true)
    }

    /// A page of this visitor, in its frame.
    pub(crate) fn page(&self, title: &str, path: &str, body: &Markup) -> Answer {
        self.framed(title, path, false, body)
    }

    /// A page that loads itself again where no script runs.
    pub(crate) fn live_page(&self, title: &str, path: &str, body: &Markup) -> Answer {
        self.framed(title, path, true, body)
    }

    fn framed(&self, title: &str, path: &str, reloads: bool, body: &Markup) -> Answer {
        html(&page::shell(title, self.language, &self.shell(path, reloads), body))
    }

    fn word(&self, status: u16, title: &str, sentence: &str) -> Answer {
        let page = page::word(title, sentence, self.language, &self.shell("/", false));
        let said = Box::new([title.to_owned(), sentence.to_owned()]);
        Answer { status, said: Some(said), ..html(&page) }
    }

    fn shell<'s>(&'s self, path: &'s str, reloads: bool) -> Shell<'s> {
        Shell {
            path,
            simulated: self.board.queue().simulated,
            shadow: self.shadow,
            visitor: Some(&self.visitor),
            live: reloads.then_some(self.seen),
        }
    }

    /// The answer to give instead, if the view could not be put on record.
    pub(crate) fn not_recorded(&self, what: &str, case: CaseNumber) -> Option<Answer> {
        if self.is_about_visitor(case) {
            return Some(self.refused(&format!("{what}: a case about oneself")));
        }
        let purpose = format!("case {case}");
        let trouble = self.board.record(&self.visitor, what, &purpose, &[]).err()?;
        Some(self.failed(&trouble))
    }

    pub(crate) fn peek<T>(&self, seen: impl Fn(&Book) -> T) -> Result<T, Trouble> {
        let mut found = None;
        self.board.look(&mut |book| found = Some(seen(book)))?;
        found.ok_or_else(|| Trouble::Failed("the cases cannot be seen".to_owned()))
    }

    pub(crate) fn looked(&self, seen: impl Fn(&Book) -> Answer) -> Answer {
        self.peek(seen).unwrap_or_else(|trouble| self.failed(&trouble))
    }

    /// A refusal is put on record too; one that cannot be is a refusal all the same.
    pub(crate) fn refused(&self, what: &str) -> Answer {
        drop(self.board.record(&self.visitor, &format!("refused: {what}"), "none", &[]));
        let words = texts(self.language);
        self.word(403, words.refused, words.refused_text)
    }

    /// As [`Self::refused`], of what the role may see and nobody may yet.
    pub(crate) fn refused_in_shadow(&self, what: &str) -> Answer {
        drop(self.board.record(&self.visitor, &format!("refused: {what}"), "none", &[]));
        let words = texts(self.language);
        self.word(403, words.refused, words.refused_in_shadow)
    }

    /// A handle that is none of this session's: somebody tries addresses, which is on record.
    pub(crate) fn unknown(&self, path: &str) -> Answer {
        let what = format!("refused: no such page, {}", shown(path));
        drop(self.board.record(&self.visitor, &what, "none", &[]));
        missing(self.language)
    }

    /// A form that lacks something: a sentence for who filled it in.
    pub(crate) fn refused_with(&self, sentence: &str) -> Answer {
        self.failed(&Trouble::Refused([sentence, sentence].map(str::to_owned)))
    }

    pub(crate) fn failed(&self, trouble: &Trouble) -> Answer {
        let (status, sentence) = match trouble {
            Trouble::Refused([english, bokmaal]) => (409, self.say(english, bokmaal)),
            Trouble::Failed(sentence) => (500, sentence),
        };
        self.word(status, texts(self.language).changed, sentence)
    }
}
