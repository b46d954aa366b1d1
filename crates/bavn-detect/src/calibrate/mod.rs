//! How rare is a score, among innocent work?
//!
//! [`People`] says what a reader's day usually holds; [`Tail`] turns a score into the chance of one
//! as high; [`combine`] makes one chance of several.

mod baseline;
mod combine;
mod count;
mod load;
mod odds;
mod practice;
mod ranking;
mod reference;
mod tail;

pub(crate) use baseline::{People, Person, STREAMS, Standing, Stream};
pub(crate) use combine::inside;
pub(crate) use count::{negative_binomial_gain, negative_binomial_surprise};
pub(crate) use load::Load;
pub(crate) use odds::Odds;
use ranking::{Of, Ranking};
pub(crate) use reference::{Rankings, Reference, combined_nats};
pub(crate) use tail::{SYSTEM_CLASS, SubjectDay, Tail};
