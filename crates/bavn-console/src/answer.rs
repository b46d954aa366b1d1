//! Who asks, may they, and what answers?

use crate::access::{Purpose, Right, permits};
use crate::dispatch;
use crate::form::Form;
use crate::page::{self, Shell};
use crate::reply::{Answer, Shape, go, html, missing, outside};
use crate::session::{Doors, Visitor};
use crate::text::{Language, texts};
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
    pub(crate) cookie: Option<String>,
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
}

/// What came with the request.
pub(crate) struct Sent<'a> {
    /// Without its ending.
    pub(crate) path: &'a str,
    /// The parts of the path that the route leaves open.
    pub(crate) parts: Vec<&'a str>,
    pub(crate) shape: Shape,
    pub(crate) form: Form,
    pub(crate) cookie: &'a str,
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
            Some(cookie) => Answer { cookie: Some(cookie), ..go("/") },
            None => outside(asked.language),
        };
    }
    let (stem, shape) = Shape::of(&asked.path);
    let Some((route, parts)) = dispatch::find(asked.is_post, stem) else {
        return missing(asked.language);
    };
    let Some((visitor, cookie)) = doors.visitor(asked.cookie.as_deref(), header, now) else {
        return outside(asked.language);
    };
    let here = Here { board, doors, visitor, language: asked.language, now };
    let answered = here.answer(route, parts, stem, shape, asked);
    let cookie = answered.cookie.or(cookie);
    Answer { cookie, ..answered }
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
        let form = if asked.is_post { Form::read(&asked.body) } else { Some(Form::default()) };
        let Some(form) = form else { return missing(self.language) };
        if asked.is_post && (form.field("token") != self.visitor.form_token || !asked.same_origin) {
            return self.refused("a form that these pages did not make");
        }
        if !self.may(route.right, route.purpose) {
            return self.refused(path);
        }
        let cookie = asked.cookie.as_deref().unwrap_or_default();
        (route.answer)(self, &Sent { path, parts, shape, form, cookie })
    }

    pub(crate) fn may(&self, right: Right, purpose: Purpose) -> bool {
        permits(right, self.visitor.role, purpose)
    }

    /// A page of this visitor, in its frame.
    pub(crate) fn page(&self, title: &str, path: &str, body: &Markup) -> Answer {
        let simulated = self.board.queue().simulated;
        let shell = Shell { path, simulated, visitor: Some(&self.visitor), reloads: false };
        html(&page::shell(title, self.language, &shell, body))
    }

    /// The answer to give instead, if the view could not be put on record.
    pub(crate) fn not_recorded(&self, what: &str, case: CaseNumber) -> Option<Answer> {
        let purpose = format!("case {case}");
        let trouble = self.board.record(&self.visitor, what, &purpose).err()?;
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
        drop(self.board.record(&self.visitor, &format!("refused: {what}"), "none"));
        let words = texts(self.language);
        let page =
            page::word(words.refused, words.refused_text, Some(&self.visitor), self.language);
        Answer { status: 403, ..html(&page) }
    }

    pub(crate) fn failed(&self, trouble: &Trouble) -> Answer {
        let (status, sentence) = match trouble {
            Trouble::Refused(sentence) => (409, sentence),
            Trouble::Failed(sentence) => (500, sentence),
        };
        let words = texts(self.language);
        let page = page::word(words.changed, sentence, Some(&self.visitor), self.language);
        Answer { status, ..html(&page) }
    }
}
