//! The command line, as DESIGN 3.1 has it.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Guards health records: reads every look-up, alarms on misuse and mass theft, says why.
#[derive(Debug, Parser)]
#[command(name = "bavn", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print one normalised event a line: to check a source or a mapping.
    Decode(Decode),
    /// Read look-ups and raise alarms, within the false-alarm budget.
    Watch(Watch),
    /// Look at the context: who works where, who is treated where.
    #[command(subcommand)]
    Context(ContextCommand),
    /// Measure speed and memory.
    #[command(subcommand)]
    Bench(Bench),
}

/// How inputs are read.
#[derive(Args, Debug)]
pub(crate) struct Reading {
    /// Read every input as this format; `auto` finds it from the content.
    #[arg(long, default_value = "auto", value_name = "auto|fhir|atna|map:FILE")]
    pub(crate) format: String,
    /// A mapping for an export of your own (TOML); may be given many times.
    #[arg(long, value_name = "FILE")]
    pub(crate) mapping: Vec<PathBuf>,
    /// Write each record that could not be read as JSON: where, why and a keyed digest, no content.
    /// The key is kept in FILE.key.
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Decode {
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// Show for the first row which column gave which field, and by which rule.
    #[arg(long)]
    pub(crate) explain_mapping: bool,
    /// Files, folders, quoted globs, or `-` for standard input.
    #[arg(required = true, value_name = "INPUT")]
    pub(crate) inputs: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Watch {
    /// Folder or file of context (FHIR bulk NDJSON, or an export with a mapping); may be repeated.
    #[arg(long, value_name = "PATH")]
    pub(crate) context: Vec<String>,
    /// Where to write the alarms, one OCSF Detection Finding a line.
    #[arg(long, default_value = "-", value_name = "FILE|-")]
    pub(crate) alarms: String,
    /// False alarms you can live with, per 10,000 staff a day.
    #[arg(long, default_value_t = 2.0, value_name = "NUMBER")]
    pub(crate) budget: f64,
    /// Write what was expected and what was found, by detector and by role, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Name the patients in each alarm, for those who must have them there.
    #[arg(long)]
    pub(crate) alarm_patients: bool,
    /// End with exit code 1 when an alarm was raised.
    #[arg(long)]
    pub(crate) fail_on_alarm: bool,
    /// Print the summary as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// Files, folders, quoted globs, or `-` for standard input; merged by the time of the event.
    #[arg(required = true, value_name = "INPUT")]
    pub(crate) inputs: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ContextCommand {
    /// How complete is each field, and which explanations and detectors does it feed or starve?
    Check(ContextCheck),
}

#[derive(Args, Debug)]
pub(crate) struct ContextCheck {
    /// A mapping for an export of your own (TOML); may be given many times.
    #[arg(long, value_name = "FILE")]
    pub(crate) mapping: Vec<PathBuf>,
    #[arg(long)]
    pub(crate) json: bool,
    /// Folders or files of context.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Decode a file of `AuditEvent` NDJSON on several threads.
    Decode(BenchDecode),
    /// Run the whole watch over a folder that holds `context` and `events`.
    Watch(BenchWatch),
}

#[derive(Args, Debug)]
pub(crate) struct BenchDecode {
    #[arg(long, default_value_t = 2, value_name = "NUMBER")]
    pub(crate) threads: usize,
    /// Decode with the full parser alone, whose digest the fast path must equal.
    #[arg(long)]
    pub(crate) slow: bool,
    #[arg(long)]
    pub(crate) json: bool,
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct BenchWatch {
    #[arg(long)]
    pub(crate) json: bool,
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
}
