//! Run it.
