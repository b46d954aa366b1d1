//! Whose records, exactly, and is the log untouched?
//!
//! Look-ups kept encrypted, an index of who read whom, and a proof that nothing was changed. Reads
//! and writes files; time and randomness are arguments.
