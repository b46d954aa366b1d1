//! What was picked from a record, before it is judged?
//!
//! A draft depends on a record's free values (ids, names, times) only by carrying them: its shape
//! is the same for every record with the same codes and keys. That is what lets a skeleton keep a
//! draft of places instead of texts and fill it without parsing. Whatever looks into the free
//! values is done by `finish`, on every record.

use super::names::Name;
use bavn_model::{Action, Kind, Outcome};
use smallvec::SmallVec;

/// The picked pieces of one record; `T` is a text or a place of one.
#[derive(Clone, Debug)]
pub(crate) struct Draft<T> {
    pub(crate) recorded: Option<T>,
    pub(crate) occurred: Option<T>,
    pub(crate) who: SmallVec<[Name<T>; 2]>,
    pub(crate) on_behalf_of: Option<Name<T>>,
    pub(crate) application: Option<Name<T>>,
    /// Each with all its names; the same patient may stand here several times.
    pub(crate) patients: SmallVec<[SmallVec<[Name<T>; 1]>; 2]>,
    /// Whose content a SAML assertion says is asked for, as HL7 v2 CX (IHE XUA `resource-id`).
    pub(crate) asserted_patient: Option<T>,
    pub(crate) resource: Option<T>,
    /// The content, if neither `resource` nor the query tells another.
    pub(crate) patient_resource: Option<T>,
    pub(crate) purpose: SmallVec<[T; 2]>,
    pub(crate) reason: Option<T>,
    pub(crate) source: Option<Name<T>>,
    pub(crate) address: Option<T>,
    pub(crate) session: Option<T>,
    /// In base64.
    pub(crate) query: Option<T>,
    /// Plain texts that may hold a query: descriptions of query entities, references with `?`.
    pub(crate) asked: SmallVec<[T; 1]>,
    pub(crate) steady: Steady,
}

/// The part of a draft that holds no text.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about the record")]
pub(crate) struct Steady {
    pub(crate) opaque: bool,
    pub(crate) system: bool,
    pub(crate) own: Own,
    pub(crate) action: Option<Action>,
    pub(crate) kind: Option<Kind>,
    /// `kind` is only what a DICOM event type or nothing says; an operation decides better.
    pub(crate) operation: bool,
    /// A query entity stands in the record.
    pub(crate) has_query: bool,
    /// The content is that of a type whose resources belong to one patient.
    pub(crate) clinical: bool,
    /// A patient is named by display only, or not at all though an entity is one.
    pub(crate) unresolved: bool,
    pub(crate) break_glass: bool,
    pub(crate) outcome: Outcome,
}

/// Whether a role says that the reader is, or acts for, the patient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Own {
    #[default]
    No,
    Patient,
    Representative,
}

impl<T> Draft<T> {
    /// The same draft over other texts; `None` as soon as `f` gives none.
    pub(crate) fn try_map<U>(&self, mut f: impl FnMut(&T) -> Option<U>) -> Option<Draft<U>> {
        let f = &mut f;
        Some(Draft {
            recorded: text(self.recorded.as_ref(), f)?,
            occurred: text(self.occurred.as_ref(), f)?,
            who: names(&self.who, f)?,
            on_behalf_of: name(self.on_behalf_of.as_ref(), f)?,
            application: name(self.application.as_ref(), f)?,
            patients: self
                .patients
                .iter()
                .map(|patient| names(patient, f))
                .collect::<Option<_>>()?,
            asserted_patient: text(self.asserted_patient.as_ref(), f)?,
            resource: text(self.resource.as_ref(), f)?,
            patient_resource: text(self.patient_resource.as_ref(), f)?,
            purpose: self.purpose.iter().map(&mut *f).collect::<Option<_>>()?,
            reason: text(self.reason.as_ref(), f)?,
            source: name(self.source.as_ref(), f)?,
            address: text(self.address.as_ref(), f)?,
            session: text(self.session.as_ref(), f)?,
            query: text(self.query.as_ref(), f)?,
            asked: self.asked.iter().map(&mut *f).collect::<Option<_>>()?,
            steady: self.steady,
        })
    }
}

// The outer option is for the mapping that failed, the inner for the piece that is not there.
#[expect(clippy::option_option, reason = "absent and failed are two things here")]
fn text<T, U>(piece: Option<&T>, f: &mut impl FnMut(&T) -> Option<U>) -> Option<Option<U>> {
    piece.map_or(Some(None), |piece| f(piece).map(Some))
}

#[expect(clippy::option_option, reason = "absent and failed are two things here")]
fn name<T, U>(
    piece: Option<&Name<T>>,
    f: &mut impl FnMut(&T) -> Option<U>,
) -> Option<Option<Name<U>>> {
    piece.map_or(Some(None), |piece| piece.try_map(f).map(Some))
}

fn names<T, U, const N: usize>(
    pieces: &SmallVec<[Name<T>; N]>,
    f: &mut impl FnMut(&T) -> Option<U>,
) -> Option<SmallVec<[Name<U>; N]>> {
    pieces.iter().map(|piece| piece.try_map(f)).collect()
}
