//! What people have said and signed of a case for the law: awareness, answers, notices, lists.

use super::act::{Act, CaseNumber, Deed};
use super::book::{Book, Case, Note};
use super::rules::Refusal;
use crate::house::Agreement;
use bavn_model::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// The part of a case that notices are made from. Names no patient.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct BreachFile {
    /// Events that clocks of the law count from.
    pub declared: BTreeMap<String, Declaration>,
    /// By question, the last that was said.
    pub answers: BTreeMap<String, Answer>,
    pub notices: Vec<Prepared>,
    /// That nobody else used the account.
    pub ruled_out: Option<Note>,
    /// Messages to readers that were written: who was asked, and the message's SHA-256.
    pub asked: Vec<(String, String)>,
    /// What they said.
    pub replies: Vec<(String, Note)>,
    pub lists: Vec<ListWanted>,
}

/// What a person said, and in which language.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    pub at: Timestamp,
    pub by: String,
    pub text: String,
    /// `en` or `nb`; none: it is not known.
    pub language: Option<String>,
}

/// That an event holds since a time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Declaration {
    pub since: Timestamp,
    pub by: String,
    /// When it was said.
    pub at: Timestamp,
    pub why: String,
}

/// A notice as it was made ready.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prepared {
    /// The act that made it ready.
    pub act: usize,
    pub regime: String,
    pub phase: String,
    pub by: String,
    pub at: Timestamp,
    /// The record that it was made from, as JSON.
    #[serde(skip)]
    pub record: String,
    /// Of that record.
    pub sha256: String,
    /// By whom, and when: the time from which it counts as sent.
    pub signed: Option<(String, Timestamp)>,
}

/// That somebody wants the list of those to be told.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ListWanted {
    pub act: usize,
    pub by: String,
    pub at: Timestamp,
    pub why: String,
    /// By whom, and the SHA-256 of the sealed list.
    pub released: Option<(String, String)>,
}

impl BreachFile {
    pub(super) fn apply(&mut self, number: usize, act: &Act) {
        let (at, by) = (act.at, act.by.clone());
        let note = |text: &str| Note { at, by: by.clone(), text: text.to_owned() };
        match &act.deed {
            Deed::Declared { event, since, why } => {
                let (since, why) = (*since, why.clone());
                let declaration = Declaration { since, by, at, why };
                self.declared.insert(event.clone(), declaration);
            }
            Deed::Answered { question, text, language } => {
                let (text, language) = (text.clone(), language.clone());
                self.answers.insert(question.clone(), Answer { at, by, text, language });
            }
            Deed::Prepared { regime, phase, record, sha256 } => self.notices.push(Prepared {
                act: number,
                regime: regime.clone(),
                phase: phase.clone(),
                by,
                at,
                record: record.clone(),
                sha256: sha256.clone(),
                signed: None,
            }),
            Deed::Signed { act: of } => {
                if let Some(notice) = self.notices.iter_mut().find(|held| held.act == *of) {
                    notice.signed = Some((by, at));
                }
            }
            Deed::RuledOut { why } => self.ruled_out = Some(note(why)),
            Deed::Asked { reader, sha256 } => self.asked.push((reader.clone(), sha256.clone())),
            Deed::Replied { reader, text } => self.replies.push((reader.clone(), note(text))),
            Deed::ListWanted { why } => {
                let why = why.clone();
                self.lists.push(ListWanted { act: number, by, at, why, released: None });
            }
            Deed::ListReleased { act: of, sha256 } => {
                if let Some(list) = self.lists.iter_mut().find(|held| held.act == *of) {
                    list.released = Some((by, sha256.clone()));
                }
            }
            _ => {}
        }
    }

    /// Of two declarations of one event, the earlier counts: merging never wins time. It never leaves
    /// look-ups out either: what goes on of one case goes on.
    pub(super) fn take_in(&mut self, mut from: Self) {
        let ended = self.declared.remove(ENDED).zip(from.declared.remove(ENDED));
        if let Some((one, other)) = ended {
            let later = if one.since >= other.since { one } else { other };
            self.declared.insert(ENDED.to_owned(), later);
        }
        for (event, declaration) in from.declared {
            let held = self.declared.entry(event).or_insert_with(|| declaration.clone());
            if declaration.since < held.since {
                *held = declaration;
            }
        }
        for (question, answer) in from.answers {
            self.answers.entry(question).or_insert(answer);
        }
        self.notices.extend(from.notices);
        self.notices.sort_by_key(|notice| notice.act);
        self.ruled_out = self.ruled_out.take().or(from.ruled_out);
        self.asked.extend(from.asked);
        self.replies.extend(from.replies);
        self.lists.extend(from.lists);
    }

    /// Until when look-ups are of the case, if somebody has said so.
    pub fn ended(&self) -> Option<&Declaration> {
        self.declared.get(ENDED)
    }

    /// The last notice of a regime that was signed, and so went out.
    pub fn last_signed(&self, regime: &str) -> Option<&Prepared> {
        let signed = |notice: &&Prepared| notice.regime == regime && notice.signed.is_some();
        self.notices.iter().rev().find(signed)
    }

    /// The notice that waits for a signature.
    pub fn waiting(&self, regime: &str, phase: &str) -> Option<&Prepared> {
        let last = self.notices.iter().rfind(|held| held.regime == regime && held.phase == phase);
        last.filter(|notice| notice.signed.is_none())
    }

    /// The list that waits for a second person.
    pub fn list_waiting(&self) -> Option<&ListWanted> {
        self.lists.last().filter(|list| list.released.is_none())
    }

    /// Whether a message to a reader has been written.
    pub fn is_asked(&self, reader: &str) -> bool {
        self.asked.iter().any(|(asked, _)| asked == reader)
    }

    /// What is refused, beside texts that are empty or too long.
    pub(super) fn check(&self, by: &str, deed: &Deed) -> Result<(), Refusal> {
        match deed {
            Deed::Declared { event, since, .. } => match self.declared.get(event) {
                Some(held) if event != ENDED && *since >= held.since => Err(Refusal::ClockRuns {
                    event: event.clone(),
                    by: held.by.clone(),
                    since: held.since,
                }),
                _ => Ok(()),
            },
            Deed::Signed { act } => {
                let found = self.notices.iter().find(|held| held.act == *act);
                let notice = found.filter(|held| held.signed.is_none());
                let notice = notice.ok_or(Refusal::NothingToSign)?;
                let last = self.waiting(&notice.regime, &notice.phase);
                if last.is_none_or(|last| last.act != notice.act) {
                    return Err(Refusal::NothingToSign);
                }
                if notice.by == by { Err(Refusal::SecondPerson) } else { Ok(()) }
            }
            Deed::ListReleased { act, .. } => {
                let found = self.lists.iter().find(|held| held.act == *act);
                let list = found.filter(|held| held.released.is_none());
                let list = list.ok_or(Refusal::NothingToSign)?;
                if list.by == by { Err(Refusal::SecondPerson) } else { Ok(()) }
            }
            Deed::Asked { .. } if self.ruled_out.is_none() => Err(Refusal::ThiefNotRuledOut),
            Deed::Asked { reader, .. } if self.is_asked(reader) => Err(Refusal::AskedBefore),
            Deed::Replied { reader, .. } if !self.is_asked(reader) => Err(Refusal::NotAsked),
            _ => Ok(()),
        }
    }
}

/// That the employees' side agrees to the assessment of this digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignOff {
    /// Who signed, and for whom.
    pub(crate) by: String,
    /// The day on the paper, `2026-11-01`.
    pub(crate) on: String,
    /// Of the assessment.
    pub(crate) sha256: String,
}

impl Book {
    /// When the employees' side last had its word on paper, and what it signed.
    pub(crate) fn last_word(&self) -> Option<(Timestamp, Option<SignOff>)> {
        let of_none = |act: &&Act| act.case == OF_NO_CASE;
        self.acts().iter().rev().filter(of_none).find_map(|act| match &act.deed {
            Deed::SignedOff { by, on, sha256 } => {
                let (by, on, sha256) = (by.clone(), on.clone(), sha256.clone());
                Some((act.at, Some(SignOff { by, on, sha256 })))
            }
            Deed::SignOffWithdrawn { .. } => Some((act.at, None)),
            _ => None,
        })
    }

    /// Writes down that the employees' side agrees, or no longer agrees to what is in force.
    pub fn propose_sign_off(
        &self,
        at: Timestamp,
        by: &str,
        deed: Deed,
        in_force: Option<&Agreement>,
    ) -> Result<Vec<Act>, Refusal> {
        match &deed {
            Deed::SignedOff { by: signer, on, sha256 } => {
                super::rules::text(signer)?;
                super::rules::digest(sha256)?;
                if !super::rules::is_day_until(on, at) {
                    return Err(Refusal::NotADay);
                }
                if self.is_open_about(signer) {
                    return Err(Refusal::OwnCaseOpen);
                }
            }
            Deed::SignOffWithdrawn { why } => {
                super::rules::text(why)?;
                if in_force.is_none() {
                    return Err(Refusal::NothingToSign);
                }
            }
            _ => return Err(Refusal::NoText),
        }
        Ok(vec![Act { at, by: by.to_owned(), case: OF_NO_CASE, deed }])
    }
}

impl Case {
    /// The notice of this regime and phase that waits for a signature, wherever it was made ready.
    pub fn notice_waiting(&self, regime: &str, phase: &str) -> Option<&Prepared> {
        self.file.waiting(regime, phase)
    }
}

/// The event that ends what a case is about. No clock counts from it, so it may be said anew.
pub const ENDED: &str = "ended";
/// Cases are counted from 1.
const OF_NO_CASE: CaseNumber = CaseNumber(0);
