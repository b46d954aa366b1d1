//! `bavn serve`: sources read as they grow, in the order of time, for as long as the machine runs.

mod config;
mod order;
mod sources;
mod tail;

pub(crate) use config::Config;
pub(crate) use order::{Waiting, watermark};
pub(crate) use sources::Sources;
pub(crate) use tail::Take;
