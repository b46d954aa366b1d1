//! Notices, clocks and messages, made of whole records.

#[cfg(test)]
mod documents;
#[cfg(test)]
mod edpb;
#[cfg(test)]
mod paper;
