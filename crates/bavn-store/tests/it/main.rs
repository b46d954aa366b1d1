//! The store against the obvious slow version of itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that fails here says where"
)]

mod damage;
mod foreign;
mod proof;
mod region;
mod same_as_scan;
mod verdicts;
mod verify;
