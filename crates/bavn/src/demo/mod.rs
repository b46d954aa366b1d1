//! A simulated region with a theft under way, watched by the real thing.

mod board;
mod hospital;
mod region;
mod story;

pub(crate) use board::DemoBoard;
pub(crate) use region::Region;
pub(crate) use story::tell;
