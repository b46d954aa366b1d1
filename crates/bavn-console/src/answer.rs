//! What is asked, by whom, and may they? Then: ask, render.

use crate::access::{Purpose, Right, Role, permits};
use crate::case_page::{self, Around};
use crate::form::Form;
use crate::page;
use crate::session::{Doors, Visitor};
use crate::text::{Language, texts};
use crate::view::{Board, Trouble, Wish};
use bavn_detect::cases::{Book, CaseNumber, Deed, Verdict, deed_in_words, json_of};
use bavn_model::Timestamp;
use maud::Markup;
use serde_json::{Value, json};

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

/// What is sent back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) kind: &'static str,
    pub(crate) body: String,
    pub(crate) cookie: Option<String>,
    pub(crate) location: Option<String>,
}

/// In which form a page is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Html,
    Json,
    Csv,
}

/// A page that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Page {
    Queue,
    Alarm(String),
    Case(CaseNumber),
    Scope(CaseNumber),
    Me,
    Act(CaseNumber, String),
    Role,
    Leave,
    Enter(String),
}

/// What every page is made from.
struct Here<'a> {
    board: &'a dyn Board,
    doors: &'a Doors,
    visitor: Visitor,
    language: Language,
    now: Timestamp,
}

pub(crate) fn answer(
    board: &dyn Board,
    doors: &Doors,
    asked: &Asked,
    header: impl Fn(&str) -> Option<String>,
) -> Answer {
    let now = board.now();
    let Some((wanted, shape)) = read(&asked.path, asked.is_post) else {
        return missing(asked.language);
    };
    if let Page::Enter(token) = &wanted {
        return match doors.enter(token, now) {
            Some(cookie) => Answer { cookie: Some(cookie), ..go("/") },
            None => outside(asked.language),
        };
    }
    let Some((visitor, cookie)) = doors.visitor(asked.cookie.as_deref(), header, now) else {
        return outside(asked.language);
    };
    let here = Here { board, doors, visitor, language: asked.language, now };
    let answered = if asked.is_post { here.post(&wanted, asked) } else { here.get(&wanted, shape) };
    let cookie = answered.cookie.or(cookie);
    Answer { cookie, ..answered }
}

/// The page of an address, if there is one for this method.
fn read(path: &str, is_post: bool) -> Option<(Page, Shape)> {
    let (stem, shape) = match path.rsplit_once('.') {
        Some((stem, "json")) => (stem, Shape::Json),
        Some((stem, "csv")) => (stem, Shape::Csv),
        _ => (path, Shape::Html),
    };
    let parts: Vec<&str> = stem.split('/').skip(1).collect();
    let number = |text: &&str| text.parse().ok().map(CaseNumber);
    let page = match (is_post, parts.as_slice()) {
        (false, ["" | "queue"]) => Page::Queue,
        (false, ["alarms", uid]) => Page::Alarm((*uid).to_owned()),
        (false, ["case", case]) => Page::Case(number(case)?),
        (false, ["case", case, "scope"]) => Page::Scope(number(case)?),
        (false, ["me"]) => Page::Me,
        (false, ["enter", token]) => Page::Enter((*token).to_owned()),
        (true, ["case", case, deed]) => Page::Act(number(case)?, (*deed).to_owned()),
        (true, ["role"]) => Page::Role,
        (true, ["leave"]) => Page::Leave,
        _ => return None,
    };
    Some((page, shape))
}

impl Here<'_> {
    fn get(&self, wanted: &Page, shape: Shape) -> Answer {
        let (right, purpose) = match wanted {
            Page::Queue | Page::Alarm(_) => (Right::SeeQueue, Purpose::None),
            Page::Case(_) => (Right::SeeCase, Purpose::Case),
            Page::Scope(_) => (Right::SeeScope, Purpose::Case),
            _ => (Right::SeeOneself, Purpose::None),
        };
        if !permits(right, self.visitor.role, purpose) {
            return self.refused(&format!("{wanted:?}"));
        }
        match wanted {
            Page::Queue => self.queue(shape),
            Page::Alarm(uid) => self.alarm(uid, shape),
            Page::Case(number) => self.case(*number, shape),
            Page::Scope(number) => self.scope(*number, shape),
            _ => self.me(shape),
        }
    }

    fn queue(&self, shape: Shape) -> Answer {
        let view = self.board.queue();
        self.looked(|book| match shape {
            Shape::Html => {
                let cases = case_page::waiting(book, self.language);
                html(&page::queue(&view, &cases, &self.visitor, self.language))
            }
            Shape::Json => {
                let mut value = json!(*view);
                let cases = book.queue().into_iter().map(|case| json_of(book, case, false));
                value
                    .as_object_mut()
                    .map(|fields| fields.insert("cases".to_owned(), cases.collect()));
                json(&value)
            }
            Shape::Csv => {
                let rows = book.queue().into_iter().map(|case| {
                    let at = |at: Option<Timestamp>| at.map_or(String::new(), |at| at.to_string());
                    vec![
                        case.number.to_string(),
                        case.state().word().to_owned(),
                        case.owner.clone().unwrap_or_default(),
                        case.patients().to_string(),
                        at(case.first_seen()),
                        at(case.last_seen()),
                    ]
                });
                csv("case,state,owner,patients,first_seen,last_seen", rows)
            }
        })
    }

    fn alarm(&self, uid: &str, shape: Shape) -> Answer {
        let view = self.board.queue();
        let Some(found) = view.alarms.iter().find(|alarm| alarm.uid == uid) else {
            return missing(self.language);
        };
        match shape {
            Shape::Html => html(&page::alarm(&view, found, &self.visitor, self.language)),
            Shape::Json => json(&json!(found)),
            Shape::Csv => csv(
                "hour,patients,busiest_other",
                found.hours.iter().map(|hour| {
                    let (patients, other) = (hour.patients, hour.busiest_other);
                    vec![hour.from.to_string(), patients.to_string(), other.to_string()]
                }),
            ),
        }
    }

    /// A case names its readers, so that somebody sees it is itself on record.
    fn case(&self, number: CaseNumber, shape: Shape) -> Answer {
        let exists = self.peek(|book| book.case(number).map(bavn_detect::cases::Case::revision));
        let revision = match exists {
            Err(trouble) => return self.failed(&trouble),
            Ok(None) => return missing(self.language),
            Ok(Some(revision)) => revision,
        };
        if let Some(answer) = self.not_recorded(&format!("case {number}"), number) {
            return answer;
        }
        let unread = self.peek(|book| {
            book.case(number)
                .is_some_and(|case| case.read_at.is_none() && case.merged_into.is_none())
        });
        if unread.unwrap_or(false) {
            // Somebody else may have read it first: that is as good.
            drop(self.board.act(&self.visitor.name, number, Wish::Do(Deed::Read), revision));
        }
        let view = self.board.queue();
        let has_scope = self.board.keeps_look_ups();
        self.looked(|book| {
            let Some(case) = book.case(number) else { return missing(self.language) };
            match shape {
                Shape::Json => json(&json_of(book, case, true)),
                Shape::Csv => csv(
                    "at,by,what,undone",
                    book.acts().iter().enumerate().filter(|(_, act)| act.case == number).map(
                        |(at, act)| {
                            let undone = book.is_undone(at).to_string();
                            let what = deed_in_words(act, Language::English);
                            vec![act.at.to_string(), act.by.clone(), what, undone]
                        },
                    ),
                ),
                Shape::Html => {
                    let of_case = |uid: &str| case.alarms.iter().any(|alarm| alarm.uid == uid);
                    let around = Around {
                        visitor: &self.visitor,
                        language: self.language,
                        simulated: view.simulated,
                        may_decide: permits(Right::Decide, self.visitor.role, Purpose::Case),
                        has_scope,
                        alarm: view.alarms.iter().find(|alarm| of_case(&alarm.uid)),
                    };
                    html(&case_page::case(book, case, &around))
                }
            }
        })
    }

    fn scope(&self, number: CaseNumber, shape: Shape) -> Answer {
        if !self.board.keeps_look_ups()
            || !self.peek(|book| book.case(number).is_some()).unwrap_or(false)
        {
            return missing(self.language);
        }
        if let Some(answer) = self.not_recorded(&format!("scope of case {number}"), number) {
            return answer;
        }
        match self.board.scope(number) {
            Err(trouble) => self.failed(&trouble),
            Ok(scope) => match shape {
                Shape::Html => {
                    html(&case_page::scope(number, &scope, &self.visitor, self.language))
                }
                Shape::Json => json(&json!(scope)),
                Shape::Csv => csv(
                    "day,look_ups,patients",
                    scope.days.iter().map(|(day, look_ups, patients)| {
                        vec![day.clone(), look_ups.to_string(), patients.to_string()]
                    }),
                ),
            },
        }
    }

    fn me(&self, shape: Shape) -> Answer {
        let view = self.board.queue();
        let Visitor { name, role, .. } = &self.visitor;
        self.looked(|book| {
            let mine = book.acts().iter().filter(|act| act.by == *name);
            let row = |act: &bavn_detect::cases::Act| {
                let what = deed_in_words(act, Language::English);
                vec![act.at.to_string(), act.case.to_string(), what]
            };
            match shape {
                Shape::Html => {
                    html(&case_page::me(book, &self.visitor, view.simulated, self.language))
                }
                Shape::Json => {
                    let acts: Vec<_> = mine.map(row).collect();
                    json(&json!({ "name": name, "role": role, "acts": acts }))
                }
                Shape::Csv => csv("at,case,what", mine.map(row)),
            }
        })
    }

    fn post(&self, wanted: &Page, asked: &Asked) -> Answer {
        let Some(form) = Form::read(&asked.body) else { return missing(self.language) };
        if form.field("token") != self.visitor.form_token || !asked.same_origin {
            return self.refused("a form that these pages did not make");
        }
        match wanted {
            Page::Leave => {
                self.doors.leave(asked.cookie.as_deref().unwrap_or_default());
                go("/")
            }
            Page::Role => {
                let role = Role::read(form.field("role"));
                let cookie = role.and_then(|role| self.doors.change_role(role, self.now));
                match cookie {
                    Some(cookie) => Answer { cookie: Some(cookie), ..go("/") },
                    None => self.refused("another role"),
                }
            }
            Page::Act(number, deed) => self.act(*number, deed, &form),
            _ => missing(self.language),
        }
    }

    fn act(&self, number: CaseNumber, deed: &str, form: &Form) -> Answer {
        let text = form.field("text").to_owned();
        let wish = match deed {
            "take" => Wish::Do(Deed::Assigned { to: self.visitor.name.clone() }),
            "note" => Wish::Do(Deed::Noted { text }),
            "task" => Wish::Do(Deed::Planned { task: text }),
            "done" => Wish::Do(Deed::Done { task: form.field("task").parse().unwrap_or(0) }),
            "undo" => Wish::Undo,
            "decide" => {
                let word = form.field("verdict");
                let verdict = Verdict::ALL.into_iter().find(|verdict| verdict.word() == word);
                let Some(verdict) = verdict else { return missing(self.language) };
                let reason = form.field("reason").to_owned();
                Wish::Do(Deed::Decided { verdict, reason })
            }
            _ => return missing(self.language),
        };
        let right = if deed == "decide" { Right::Decide } else { Right::WorkOnCase };
        if !permits(right, self.visitor.role, Purpose::Case) {
            return self.refused(&format!("{deed} on case {number}"));
        }
        let seen = form.field("seen").parse().unwrap_or(0);
        match self.board.act(&self.visitor.name, number, wish, seen) {
            Ok(()) => go(&format!("/case/{number}?lang={}", crate::text::code(self.language))),
            Err(trouble) => self.failed(&trouble),
        }
    }

    /// The answer to give instead, if the view could not be put on record.
    fn not_recorded(&self, what: &str, case: CaseNumber) -> Option<Answer> {
        let purpose = format!("case {case}");
        let trouble = self.board.record(&self.visitor, what, &purpose).err()?;
        Some(self.failed(&trouble))
    }

    fn peek<T>(&self, seen: impl Fn(&Book) -> T) -> Result<T, Trouble> {
        let mut found = None;
        self.board.look(&mut |book| found = Some(seen(book)))?;
        found.ok_or_else(|| Trouble::Failed("the cases cannot be seen".to_owned()))
    }

    fn looked(&self, seen: impl Fn(&Book) -> Answer) -> Answer {
        self.peek(seen).unwrap_or_else(|trouble| self.failed(&trouble))
    }

    /// A refusal is put on record too; one that cannot be is a refusal all the same.
    fn refused(&self, what: &str) -> Answer {
        drop(self.board.record(&self.visitor, &format!("refused: {what}"), "none"));
        let words = texts(self.language);
        let page =
            page::word(words.refused, words.refused_text, Some(&self.visitor), self.language);
        Answer { status: 403, ..html(&page) }
    }

    fn failed(&self, trouble: &Trouble) -> Answer {
        let (status, sentence) = match trouble {
            Trouble::Refused(sentence) => (409, sentence),
            Trouble::Failed(sentence) => (500, sentence),
        };
        let words = texts(self.language);
        let page = page::word(words.changed, sentence, Some(&self.visitor), self.language);
        Answer { status, ..html(&page) }
    }
}

fn html(page: &Markup) -> Answer {
    let (kind, body) = ("text/html; charset=utf-8", page.0.clone());
    Answer { status: 200, kind, body, cookie: None, location: None }
}

fn json(value: &Value) -> Answer {
    let (kind, body) = ("application/json", format!("{value}\n"));
    Answer { status: 200, kind, body, cookie: None, location: None }
}

/// RFC 4180; a cell that a spreadsheet would run as a formula is made text.
fn csv(head: &str, rows: impl Iterator<Item = Vec<String>>) -> Answer {
    let cell = |cell: &String| {
        let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
        let text = if formula { format!("'{cell}") } else { cell.clone() };
        let quoted = text.contains([',', '"', '\n', '\r']);
        if quoted { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
    };
    let mut body = format!("{head}\r\n");
    for row in rows {
        let cells: Vec<String> = row.iter().map(cell).collect();
        body.push_str(&cells.join(","));
        body.push_str("\r\n");
    }
    Answer { status: 200, kind: "text/csv; charset=utf-8", body, cookie: None, location: None }
}

fn go(location: &str) -> Answer {
    let location = Some(location.to_owned());
    Answer { status: 303, kind: "text/plain", body: String::new(), cookie: None, location }
}

fn missing(language: Language) -> Answer {
    let words = texts(language);
    Answer { status: 404, ..html(&page::word(words.missing, words.missing_text, None, language)) }
}

fn outside(language: Language) -> Answer {
    let words = texts(language);
    Answer { status: 401, ..html(&page::word(words.enter, words.enter_text, None, language)) }
}
