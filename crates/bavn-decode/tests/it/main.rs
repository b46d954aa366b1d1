//! Folders of sample input and what must be read from it.
//!
//! A folder `tests/data/<area>/<case>` holds an input, what it is (`about.md`), and what must be
//! read from it (`expected.jsonl`): one line an event as `bavn decode` prints it, with the further
//! spellings of reader and patients, and one line a reject. With `BAVN_REWRITE_EXPECTED=1` the
//! expected files are written anew, to be reviewed as a diff.

#[cfg(test)]
mod cases;
#[cfg(test)]
mod context;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod mapping;
#[cfg(test)]
mod message_skeleton;
#[cfg(test)]
mod mutated;
#[cfg(test)]
mod skeleton;
