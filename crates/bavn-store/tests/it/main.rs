//! The store against the obvious slow version of itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that fails here says where"
)]

mod compact;
mod coverage;
mod damage;
mod foreign;
mod formats;
mod kill;
mod life;
mod proof;
mod reads;
mod region;
mod same_as_scan;
mod verify;
