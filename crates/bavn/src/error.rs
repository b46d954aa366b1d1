//! What went wrong, for the person at the terminal, and the exit code that says it to a script.

use std::fmt;

/// The exit codes of `docs/contracts.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Alarms were raised and `--fail-on-alarm` was given.
    Alarms = 1,
    /// The command line, a configuration or a mapping is wrong.
    Usage = 2,
    /// An input could not be read to its end; everything else was.
    Input = 3,
    /// The answer may be incomplete: a source was silent.
    Incomplete = 4,
    /// What is stored is not what was written.
    Integrity = 5,
    /// Not without the right key or a purpose.
    Refused = 6,
    /// Something that must not happen.
    Internal = 70,
}

/// One sentence for the operator, what lies behind it, and what to do.
#[derive(Debug)]
pub struct CommandError {
    pub kind: Kind,
    pub source: anyhow::Error,
    pub hints: Vec<String>,
}

/// What every command returns.
pub type CommandResult<T = ()> = Result<T, CommandError>;

impl CommandError {
    pub fn new(kind: Kind, source: impl Into<anyhow::Error>) -> Self {
        Self { kind, source: source.into(), hints: Vec::new() }
    }

    pub fn usage(sentence: impl fmt::Display) -> Self {
        Self::new(Kind::Usage, anyhow::anyhow!("{sentence}"))
    }

    pub fn input(sentence: impl fmt::Display) -> Self {
        Self::new(Kind::Input, anyhow::anyhow!("{sentence}"))
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The reader of our output went away (`bavn decode … | head`): nobody is left to tell.
    pub fn is_closed_pipe(&self) -> bool {
        self.source.chain().any(|cause| {
            cause
                .downcast_ref::<std::io::Error>()
                .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
        })
    }
}

/// `error: sentence`, the causes indented, then the hints.
impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.source)?;
        for cause in self.source.chain().skip(1) {
            write!(f, "\n  because: {cause}")?;
        }
        for hint in &self.hints {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

/// An output that cannot be written is ours to report, not the input's.
impl From<std::io::Error> for CommandError {
    fn from(error: std::io::Error) -> Self {
        Self::new(Kind::Internal, anyhow::Error::new(error).context("output could not be written"))
    }
}

impl From<serde_json::Error> for CommandError {
    fn from(error: serde_json::Error) -> Self {
        Self::from(std::io::Error::from(error))
    }
}
