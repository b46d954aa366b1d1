//! The command line. What others may rely on stands in `docs/contracts.md`.

use crate::commands::dpia::Dpia;
use crate::commands::notice::NoticeCommand;
use crate::commands::reader::ReaderCommand;
use bavn_detect::cases::CaseNumber;
use clap::{Args, Parser, Subcommand, ValueEnum};
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
    /// Watch a simulated region with a theft under way, in the terminal and in the browser.
    Demo(Demo),
    /// Print one normalised event a line: to check a source or a mapping.
    Decode(Decode),
    /// Read look-ups and raise alarms, within the false-alarm budget.
    Watch(Watch),
    /// Watch sources as they grow, with store, cases and console, as a service.
    Serve(Serve),
    /// Say what was tried to explain one look-up, and why it held or not.
    Explain(Explain),
    /// Whose records, exactly, did these readers see?
    Scope(Scope),
    /// Everyone who has read a patient's record, with the stated reason.
    Who(Who),
    /// Is every byte of a store exactly as it was written?
    Verify(Verify),
    /// Which source was heard when, and where is a gap?
    Coverage(Coverage),
    /// Make proofs from a store's log that others check without bavn.
    #[command(subcommand)]
    Proof(ProofCommand),
    /// Cases: who looks into an alarm, what was decided and why.
    #[command(subcommand)]
    Case(CaseCommand),
    /// Open the cases of a store in the browser, on this machine only.
    Console(Console),
    /// What waits for the officer this morning, in minutes of work.
    Digest(Digest),
    /// Every look-up by the accounts, machines and applications of a list, and how many patients.
    Hunt(Hunt),
    /// Keep a store: its index, its keys.
    #[command(subcommand)]
    Store(StoreCommand),
    /// Look at the context: who works where, who is treated where.
    #[command(subcommand)]
    Context(ContextCommand),
    /// What must be told, to whom, by when: notices and clocks from a breach record.
    #[command(subcommand)]
    Notice(NoticeCommand),
    /// Write the data protection impact assessment, of what is really there.
    Dpia(Dpia),
    /// Make a simulated region with thieves in it, or score alarms against one.
    Drill(Drill),
    /// Measure speed and memory.
    #[command(subcommand)]
    Bench(Bench),
}

#[derive(Args, Debug)]
pub(crate) struct Demo {
    /// Of the page, on this machine only; 0 chooses a free one.
    #[arg(long, default_value_t = 8008)]
    pub(crate) port: u16,
    /// Another seed, another region.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Write who steals which record (JSON), to hold what is found against.
    #[arg(long, value_name = "FILE")]
    pub(crate) truth: Option<PathBuf>,
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
    /// Show for the first record which column gave which field, and by which rule, and decode
    /// nothing; what may tell a patient is masked.
    #[arg(long)]
    pub(crate) explain_mapping: bool,
    /// Files, folders, quoted globs, or `-` for standard input.
    #[arg(required = true, value_name = "INPUT")]
    pub(crate) inputs: Vec<String>,
}

#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct Watch {
    #[command(flatten)]
    pub(crate) context: ContextPaths,
    /// Where to write the alarms, one OCSF Detection Finding a line.
    #[arg(long, default_value = "-", value_name = "FILE|-")]
    pub(crate) alarms: String,
    /// False alarms you can live with, per 10,000 staff a day [default: what two persons set for
    /// the store, else 2].
    #[arg(long, value_name = "NUMBER")]
    pub(crate) budget: Option<f64>,
    /// Write what was expected and what was found, by detector, role and shift: as text if the file's
    /// name ends in `.txt`, else as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Name the patients in each alarm, for those who must have them there.
    #[arg(long)]
    pub(crate) alarm_patients: bool,
    /// Keep every look-up in this store, made if the folder is empty; needs its key.
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) key: KeySource,
    /// To whom a new store belongs; each controller has a store and a key of its own.
    #[arg(long, default_value = "region", value_name = "NAME")]
    pub(crate) controller: String,
    /// Who is on duty when, as JSON, for the cases of the store.
    #[arg(long, value_name = "FILE")]
    pub(crate) duty: Option<PathBuf>,
    /// Learn anew from these inputs, and forget what the store holds as learned; the file of alarms
    /// begins anew.
    #[arg(long, requires = "store")]
    pub(crate) fresh_state: bool,
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

#[derive(Args, Debug)]
pub(crate) struct Serve {
    /// What to read, keep and tell, as TOML; `docs/bavn.toml` holds every key.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Learn anew from the last days in the store, and tell nothing of them again.
    #[arg(long)]
    pub(crate) fresh_state: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Explain {
    #[command(flatten)]
    pub(crate) context: ContextPaths,
    /// Which language to speak; JSON holds both.
    #[arg(long, value_enum, default_value = "en")]
    pub(crate) language: SpokenLanguage,
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// The look-up's `id`, as `bavn decode` prints it.
    #[arg(value_name = "EVENT-ID")]
    pub(crate) event: String,
    /// Files, folders, quoted globs, or `-` for standard input; what was looked up before the event
    /// is what the program has learned from.
    #[arg(required = true, value_name = "INPUT")]
    pub(crate) inputs: Vec<String>,
}

/// A language for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SpokenLanguage {
    /// English
    En,
    /// Bokmål
    Nb,
}

/// Where context is.
#[derive(Args, Clone, Debug, Default)]
pub struct ContextPaths {
    /// Folder or file of context (FHIR bulk NDJSON, or an export with a mapping); may be repeated.
    #[arg(long, value_name = "PATH")]
    pub context: Vec<String>,
    /// A protected list that is not handed over in clear: one keyed token a line, made by
    /// HMAC-SHA-256 of `system|value` with the key of `--protected-list-key`.
    #[arg(long, value_name = "NAME=FILE")]
    pub protected_list: Vec<String>,
    #[arg(long, value_name = "FILE")]
    pub protected_list_key: Option<PathBuf>,
}

/// Where the key of a store comes from.
#[derive(Args, Clone, Debug, Default)]
#[group(multiple = false)]
pub(crate) struct KeySource {
    /// File with the controller's key: 32 bytes, or 64 hexadecimal digits.
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// Command that prints the controller's key, run by the shell.
    #[arg(long, value_name = "COMMAND")]
    pub(crate) key_command: Option<String>,
}

/// A store and its key.
#[derive(Args, Clone, Debug)]
pub(crate) struct StoreAccess {
    #[arg(long, value_name = "DIR")]
    pub(crate) store: PathBuf,
    #[command(flatten)]
    pub(crate) key: KeySource,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Period {
    /// From this instant on (RFC 3339) [default: the first look-up].
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<String>,
    /// Until just before this instant [default: the last look-up].
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Scope {
    #[command(flatten)]
    pub(crate) access: StoreAccess,
    #[command(flatten)]
    pub(crate) subject: ScopeSubject,
    #[command(flatten)]
    pub(crate) period: Period,
    /// Count by this as well; `class` needs `--context`.
    #[arg(long, value_name = "controller|class|action|day")]
    pub(crate) by: Option<ScopeBy>,
    #[command(flatten)]
    pub(crate) context: ContextPaths,
    /// Which source is whose, as TOML, for `--by controller`: `[sources]`, then lines of
    /// `"SOURCE*" = "CONTROLLER"`. All others belong to the store's controller.
    #[arg(long, value_name = "FILE")]
    pub(crate) controllers: Option<PathBuf>,
    /// Leave out patients all of whose look-ups were explained, by the verdicts that
    /// `bavn watch --store` kept.
    #[arg(long)]
    pub(crate) minus_explained: bool,
    /// Name the patients; needs `--purpose`.
    #[arg(long)]
    pub(crate) list: bool,
    /// Why names are wanted: `insight`, `case N`, `audit` or `drill`. Asking is itself stored.
    #[arg(long, value_name = "PURPOSE")]
    pub(crate) purpose: Option<String>,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct ScopeSubject {
    /// A reader, as the source names it, or a bare id that only one bears; may be repeated.
    #[arg(long, value_name = "ID")]
    pub(crate) identity: Vec<String>,
    /// The readers of a case, since it was first seen and until somebody said that it ended, without
    /// what is explained if the verdict is that they did it.
    #[arg(long, value_name = "CASE")]
    pub(crate) case: Option<CaseNumber>,
    /// A network address or workstation.
    #[arg(long, value_name = "HOST")]
    pub(crate) host: Option<String>,
    /// An application.
    #[arg(long, value_name = "CLIENT")]
    pub(crate) client: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ScopeBy {
    Controller,
    Class,
    Action,
    Day,
}

#[derive(Args, Debug)]
pub(crate) struct Who {
    #[command(flatten)]
    pub(crate) access: StoreAccess,
    /// As the source names the patient, or a bare id that only one bears.
    #[arg(long, value_name = "ID")]
    pub(crate) patient: String,
    #[command(flatten)]
    pub(crate) period: Period,
    /// Why: `insight`, `case N`, `audit` or `drill`. Asking is itself stored.
    #[arg(long, value_name = "PURPOSE")]
    pub(crate) purpose: Option<String>,
    /// Adds each reader's role and unit, and groups look-ups by the patient's stays.
    #[command(flatten)]
    pub(crate) context: ContextPaths,
    /// `fhir` is a Bundle of `AuditEvent`, `pdf` is tagged PDF/UA-1.
    #[arg(long, default_value = "text", value_name = "text|csv|json|html|fhir|pdf")]
    pub(crate) format: WhoFormat,
    /// Of the report: English or bokmål.
    #[arg(long, default_value = "en", value_name = "en|nb")]
    pub(crate) language: WhoLanguage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum WhoFormat {
    Text,
    Csv,
    Json,
    Html,
    Fhir,
    Pdf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum WhoLanguage {
    En,
    Nb,
}

#[derive(Args, Debug)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) access: StoreAccess,
    /// A checkpoint that was kept elsewhere (`bavn proof checkpoint`); may be repeated. Without one, a
    /// store that was put back or written anew as a whole looks untouched.
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Vec<PathBuf>,
    /// Besides every byte, make each look-up's entry of the log, and the index, anew from the look-ups.
    #[arg(long)]
    pub(crate) look_ups: bool,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Coverage {
    #[command(flatten)]
    pub(crate) access: StoreAccess,
    #[command(flatten)]
    pub(crate) period: Period,
    /// What `bavn watch --rejects` wrote: its records are counted too.
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ProofPromise {
    #[command(flatten)]
    pub(crate) access: StoreAccess,
    /// As `bavn coverage` names it.
    #[arg(long, value_name = "NAME")]
    pub(crate) source: String,
    /// 0 takes the promise back.
    #[arg(long, value_name = "MINUTES")]
    pub(crate) every: u32,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProofCommand {
    /// Print the log's signed checkpoint, to be kept elsewhere.
    Checkpoint(ProofCheckpoint),
    /// Print the public key that checks the log's signatures, to be kept elsewhere.
    Key(StoreAccess),
    /// Prove that one look-up, or any entry, is in the log (C2SP tlog-proof).
    Inclusion(ProofInclusion),
    /// Prove that the log of one time holds all that it held at an earlier time.
    Consistency(ProofConsistency),
    /// Look for reads that were made on made-up patients: how much is lost at most?
    Canary(ProofCanary),
    /// Declare how often a source says something at least; when it does not, the log says so.
    Promise(ProofPromise),
}

#[derive(Args, Debug)]
pub(crate) struct ProofCheckpoint {
    #[command(flatten)]
    pub(crate) access: StoreAccess,
    /// As of the last commit at or before this instant [default: the last commit].
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct ProofInclusion {
    #[command(flatten)]
    pub(crate) access: StoreAccess,
    #[command(flatten)]
    pub(crate) which: ProvenEntry,
    /// Put into the proof what the entry hides: the look-up with all names. Needs `--purpose`.
    #[arg(long)]
    pub(crate) show: bool,
    /// Why names are wanted: `insight`, `case N`, `audit` or `drill`. Asking is itself stored.
    #[arg(long, value_name = "PURPOSE")]
    pub(crate) purpose: Option<String>,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct ProvenEntry {
    /// The look-up's `id`, as `bavn decode` prints it.
    #[arg(long, value_name = "EVENT-ID")]
    pub(crate) event: Option<String>,
    /// Place in the log, from 0.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) entry: Option<u64>,
}

#[derive(Args, Debug)]
pub(crate) struct ProofCanary {
    #[command(flatten)]
    pub(crate) access: StoreAccess,
    /// The reads that were done, one a line: patient, comma, time (RFC 3339).
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: PathBuf,
    /// How long after its time a read must be in the store.
    #[arg(long, default_value_t = 30, value_name = "MINUTES")]
    pub(crate) within: u32,
    /// How far the time in the record may be from the planned one.
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    pub(crate) tolerance: u32,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ProofConsistency {
    #[command(flatten)]
    pub(crate) access: StoreAccess,
    /// The earlier checkpoint: a file that was kept, or an instant.
    #[arg(long, value_name = "FILE|TIME")]
    pub(crate) from: String,
    /// The later one [default: the last commit].
    #[arg(long, value_name = "FILE|TIME")]
    pub(crate) to: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Console {
    #[command(flatten)]
    pub(crate) store: CaseStore,
    /// Of the pages; 0 chooses a free one.
    #[arg(long, default_value_t = 8008)]
    pub(crate) port: u16,
    /// Who is let in: a link that works once is printed for each; may be repeated.
    #[arg(long, value_name = "NAME=ROLE", default_value = "officer=privacy-officer")]
    pub(crate) user: Vec<String>,
    /// Facts of the impact assessment, as for `bavn dpia`: a sign-off of the employees' side in them
    /// is taken over once; without any, only counts are shown.
    #[arg(long, value_name = "FILE")]
    pub(crate) assessment: Option<PathBuf>,
    /// Score of a drill to show, as `bavn drill score --json` prints it.
    #[arg(long, value_name = "FILE")]
    pub(crate) score: Option<PathBuf>,
    /// Header in which a proxy that logs people in says `name role`.
    #[arg(long, value_name = "NAME")]
    pub(crate) identity_header: Option<String>,
    /// What only that proxy knows, and says in the header `NAME-Secret`; without it the proxy alone
    /// must reach this port.
    #[arg(long, value_name = "FILE", requires = "identity_header")]
    pub(crate) identity_secret: Option<PathBuf>,
    /// What is the same in every breach, for the pages on notices (TOML, as `bavn notice` takes).
    #[arg(long, value_name = "FILE")]
    pub(crate) about: Option<PathBuf>,
    /// To split those to be told by how they can be reached.
    #[command(flatten)]
    pub(crate) context: ContextPaths,
    /// Folder for sealed lists; without it no list leaves by the pages.
    #[arg(long, value_name = "DIR")]
    pub(crate) outbox: Option<PathBuf>,
}

/// A store with its cases.
#[derive(Args, Clone, Debug)]
pub(crate) struct CaseStore {
    #[command(flatten)]
    pub(crate) access: StoreAccess,
    /// Who is on duty when, as JSON [default: a privacy officer on weekdays, else a SOC].
    #[arg(long, value_name = "FILE")]
    pub(crate) duty: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CaseCommand {
    /// Cases that wait, the most urgent first.
    List(CaseList),
    /// One case: for and against, its alarms, everything that was done.
    Show {
        #[command(flatten)]
        store: CaseStore,
        #[arg(value_name = "CASE")]
        case: CaseNumber,
        /// Only what was done since this day or time
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        #[arg(long, value_enum, default_value = "en")]
        language: SpokenLanguage,
        #[arg(long)]
        json: bool,
    },
    /// Which accounts and machines of a case, when, with how many patients; does it still go on?
    Trail {
        #[command(flatten)]
        store: CaseStore,
        #[arg(value_name = "CASE")]
        case: CaseNumber,
        #[arg(long, value_enum, default_value = "en")]
        language: SpokenLanguage,
        #[arg(long)]
        json: bool,
    },
    /// Give a case to somebody.
    Assign {
        #[command(flatten)]
        store: CaseStore,
        #[arg(value_name = "CASE")]
        case: CaseNumber,
        #[arg(long, value_name = "NAME")]
        to: String,
    },
    /// Decide a case: snooping, compromise, harmless, fault; or reopened.
    Verdict {
        #[command(flatten)]
        store: CaseStore,
        #[arg(value_name = "CASE")]
        case: CaseNumber,
        #[arg(value_name = "VERDICT")]
        verdict: String,
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Write a note into a case.
    Note {
        #[command(flatten)]
        store: CaseStore,
        #[arg(value_name = "CASE")]
        case: CaseNumber,
        #[arg(value_name = "TEXT")]
        text: String,
    },
    /// Write down something to be done.
    Task {
        #[command(flatten)]
        store: CaseStore,
        #[arg(value_name = "CASE")]
        case: CaseNumber,
        #[arg(value_name = "TEXT")]
        text: String,
    },
    /// A task is done.
    Done {
        #[command(flatten)]
        store: CaseStore,
        #[arg(value_name = "CASE")]
        case: CaseNumber,
        /// As `show` counts them.
        #[arg(value_name = "TASK")]
        task: usize,
    },
    /// Note the SHA-256 of a file that is kept elsewhere.
    File {
        #[command(flatten)]
        store: CaseStore,
        #[arg(value_name = "CASE")]
        case: CaseNumber,
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Let a case go on in another.
    Merge {
        #[command(flatten)]
        store: CaseStore,
        #[arg(value_name = "CASE")]
        case: CaseNumber,
        #[arg(long, value_name = "CASE")]
        into: CaseNumber,
    },
    /// Let some alarms go on in a case of their own.
    Split {
        #[command(flatten)]
        store: CaseStore,
        #[arg(value_name = "CASE")]
        case: CaseNumber,
        /// As `show` names them.
        #[arg(required = true, value_name = "ALARM")]
        alarms: Vec<String>,
    },
    #[command(flatten)]
    Reader(ReaderCommand),
    /// Undo your last act on a case, within ten minutes.
    Undo {
        #[command(flatten)]
        store: CaseStore,
        #[arg(value_name = "CASE")]
        case: CaseNumber,
    },
    /// Sign one innocent cause for a unit or project, and close every case that it explains.
    ExplainUnit {
        #[command(flatten)]
        store: CaseStore,
        /// One of the cases: its kinds of alarm are explained, and no other.
        #[arg(value_name = "CASE")]
        case: CaseNumber,
        #[arg(long, value_name = "UNIT")]
        unit: String,
        /// ward-moved, cross-cover, consult-team, registry-project or missing-feed.
        #[arg(long, value_name = "CAUSE")]
        cause: String,
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Half a year away at most.
        #[arg(long, value_name = "DATE")]
        until: String,
    },
}

#[derive(Args, Debug)]
pub(crate) struct CaseList {
    #[command(flatten)]
    pub(crate) store: CaseStore,
    /// Closed and merged ones too.
    #[arg(long)]
    pub(crate) all: bool,
    /// One object a line.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Digest {
    #[command(flatten)]
    pub(crate) store: CaseStore,
    /// As of the last half past seven before this time [default: now].
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Hunt {
    #[command(flatten)]
    pub(crate) access: StoreAccess,
    #[command(flatten)]
    pub(crate) period: Period,
    /// Why: `insight`, `case N`, `audit` or `drill`. Asking is itself stored.
    #[arg(long, value_name = "PURPOSE")]
    pub(crate) purpose: Option<String>,
    #[arg(long, conflicts_with = "csv")]
    pub(crate) json: bool,
    /// Every look-up, one a row.
    #[arg(long)]
    pub(crate) csv: bool,
    /// One account, machine, address or application a line, or in the first column of a sheet.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Make the exposure index anew from the segments.
    RebuildIndex(StoreAccess),
    /// Put small segments together: few files answer faster than many, and say the same.
    Compact(StoreAccess),
    /// What the store takes, how long the disk lasts, what is kept how long, held, and gone.
    Status(StoreStatus),
    /// Let everything go that is past its time by the policy; what is held stays.
    Retain(StoreRetain),
    /// Place a legal hold: what fits stays, whatever the policy says.
    Hold(StoreHold),
    /// Release a legal hold.
    Release(StoreRelease),
    /// Make it impossible to tell who a patient was; counts and proofs stay.
    Shred(StoreShred),
    /// Shred again, in a store that was put back from a backup, whom tombstones mean.
    Replay(StoreReplay),
    /// Make a new key for a controller, in a file that only its owner can read.
    MakeKey(MakeKey),
    /// Put the store under another key; no segment is rewritten.
    RotateKey(RotateKey),
    /// Print the data key of a month, for another program that reads its segments.
    ExportKey(ExportKey),
}

#[derive(Args, Debug)]
pub(crate) struct StoreStatus {
    #[command(flatten)]
    pub(crate) access: StoreAccess,
    /// Size of the disk that the store has to itself [default: what is free where it lies].
    #[arg(long, value_name = "BYTES")]
    pub(crate) disk: Option<u64>,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct StoreRetain {
    #[command(flatten)]
    pub(crate) access: StoreAccess,
    /// A policy (TOML), which the store keeps from now on.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Only say what would go.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Args, Debug)]
pub(crate) struct StoreHold {
    #[command(flatten)]
    pub(crate) access: StoreAccess,
    /// Everything of a case: its acts, and the look-ups of its readers since it began.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) case: Option<CaseNumber>,
    #[arg(long, value_name = "ID")]
    pub(crate) patient: Option<String>,
    #[arg(long, value_name = "ID")]
    pub(crate) identity: Option<String>,
    #[command(flatten)]
    pub(crate) period: Period,
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

#[derive(Args, Debug)]
pub(crate) struct StoreRelease {
    #[command(flatten)]
    pub(crate) access: StoreAccess,
    /// Number of the hold, as `bavn store status` shows it.
    pub(crate) hold: u32,
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

#[derive(Args, Debug)]
pub(crate) struct StoreShred {
    #[command(flatten)]
    pub(crate) access: StoreAccess,
    #[arg(long, value_name = "ID")]
    pub(crate) patient: String,
    /// Why somebody names a patient: insight, audit, drill or `case N`.
    #[arg(long, value_name = "PURPOSE")]
    pub(crate) purpose: Option<String>,
    /// Why; it stays in the store, so name nobody.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// File outside the store that gets a line, by which a copy from before is shredded again.
    #[arg(long, value_name = "FILE")]
    pub(crate) tombstones: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct StoreReplay {
    #[command(flatten)]
    pub(crate) access: StoreAccess,
    #[arg(value_name = "TOMBSTONES")]
    pub(crate) tombstones: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct MakeKey {
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct RotateKey {
    #[command(flatten)]
    pub(crate) access: StoreAccess,
    /// File with the new key.
    #[arg(long, value_name = "FILE")]
    pub(crate) new_key_file: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct ExportKey {
    #[command(flatten)]
    pub(crate) access: StoreAccess,
    /// In which the segments were written, such as 2026-11.
    #[arg(long, value_name = "YYYY-MM")]
    pub(crate) month: String,
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
    /// Make a store of simulated look-ups, and time what is asked of it.
    Scope(BenchScope),
    /// Make such a store, and time verifying it, proofs, and appending to a log.
    Verify(BenchScope),
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
pub(crate) struct BenchScope {
    #[arg(long, default_value_t = 2_000_000, value_name = "NUMBER")]
    pub(crate) look_ups: u64,
    #[arg(long, default_value_t = 5_700)]
    pub(crate) staff: u64,
    #[arg(long, default_value_t = 290_000)]
    pub(crate) patients: u64,
    #[arg(long, default_value_t = 60)]
    pub(crate) days: u64,
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Write what is stored to this file too, for other programs: time in microseconds, reader,
    /// patient, host, source and kind of record as numbers, separated by commas.
    #[arg(long, value_name = "FILE")]
    pub(crate) rows: Option<PathBuf>,
    /// The store's key, so that it can be asked by other commands afterwards; else one is drawn and
    /// forgotten.
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    #[arg(long)]
    pub(crate) json: bool,
    /// Folder for the store. What was stored there with `--key-file` and the same figures, on the same
    /// day, is asked again.
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct BenchWatch {
    #[arg(long)]
    pub(crate) json: bool,
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
}

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Drill {
    #[command(subcommand)]
    pub(crate) command: Option<DrillCommand>,
    #[command(flatten)]
    pub(crate) region: DrillRegion,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DrillCommand {
    /// Which thefts were found, when, at what loss, and how many alarms were false?
    Score(DrillScore),
    /// List the kinds of theft that a region can have, and their options.
    Attacks,
    /// Make many regions of many shapes, watch each, and hold what was found against the bar.
    Evaluate(DrillEvaluate),
}

#[derive(Args, Debug)]
pub(crate) struct DrillEvaluate {
    /// One untidy region and five with a few thieves for each.
    #[arg(long, default_value = "1..8", value_name = "FIRST..LAST")]
    pub(crate) seeds: String,
    /// Of an untidy region; the others are about as large.
    #[arg(long, default_value_t = 500)]
    pub(crate) staff: usize,
    #[arg(long, default_value_t = 40_000)]
    pub(crate) patients: usize,
    #[arg(long, default_value_t = 75)]
    pub(crate) days: i32,
    /// False alarms that people can live with, per 10,000 staff a day.
    #[arg(long, default_value_t = 2.0, value_name = "NUMBER")]
    pub(crate) budget: f64,
    /// Of the regions with a few thieves: 0 to 1.
    #[arg(long, default_value_t = 0.6)]
    pub(crate) tidiness: f64,
    /// Regions without any theft, on which false alarms are counted.
    #[arg(long, default_value_t = 20, value_name = "NUMBER")]
    pub(crate) clean: usize,
    /// Few, small regions, to see that everything runs: its figures mean nothing.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Leave out all records of care (`explanations`), or a detector; may be repeated.
    #[arg(long, value_name = "explanations|DETECTOR")]
    pub(crate) without: Vec<String>,
    /// Watch so many untidy and as many clean regions again without explanations and without each
    /// detector, and add what each part is worth.
    #[arg(long, default_value_t = 0, value_name = "NUMBER")]
    pub(crate) ablations: usize,
    /// Regions made and watched at once [default: one a core].
    #[arg(long, value_name = "NUMBER")]
    pub(crate) threads: Option<usize>,
    /// Folder for the table (Markdown and CSV) and the curves (SVG and CSV).
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct DrillRegion {
    #[arg(long, default_value_t = 400)]
    pub(crate) staff: usize,
    #[arg(long, default_value_t = 40_000)]
    pub(crate) patients: usize,
    #[arg(long, default_value_t = 35)]
    pub(crate) days: i32,
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Kinds of theft, separated by commas, each with its options (`slow:take=10:cover=20`, see
    /// `bavn drill attacks`); `none` for a clean region [default: all].
    #[arg(long, value_delimiter = ',', value_name = "NAME[:OPTION=VALUE]")]
    pub(crate) attacks: Vec<String>,
    /// From 0 (records late or missing, clocks apart) to 1 (everything recorded at once).
    #[arg(long, default_value_t = 0.5)]
    pub(crate) tidiness: f64,
    /// Folder to make; must not exist, or be empty.
    #[arg(long, value_name = "DIR", required = true)]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct DrillScore {
    #[arg(long)]
    pub(crate) json: bool,
    /// Folder with `truth.json`.
    pub(crate) dir: PathBuf,
    /// Alarms that `bavn watch` wrote.
    pub(crate) alarms: PathBuf,
}
