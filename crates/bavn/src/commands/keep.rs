//! What every command that touches a store needs: key, clock, chance, and the record of who asked.

use crate::cli::{KeySource, Period, StoreAccess};
use crate::desk::Desk;
use crate::error::{CommandError, CommandResult, Kind};
use anyhow::Context as _;
use bavn_detect::cases::Duty;
use bavn_model::{Origin, Timestamp};
use bavn_store::{Chance, Frame, Kek, OWN_SOURCE, Purpose, Store, StoreError, Window, Writer};
use serde_json::{Value, json};
use std::path::Path;

/// The controller's key, from where the command line says.
pub(crate) fn kek(source: &KeySource) -> CommandResult<Kek> {
    let refused = |error: anyhow::Error| CommandError::new(Kind::Refused, error);
    let content = match (&source.key_file, &source.key_command) {
        (Some(file), _) => std::fs::read(file)
            .with_context(|| format!("the key file `{}` cannot be read", file.display()))
            .map_err(refused)?,
        (None, Some(command)) => printed_by(command).map_err(refused)?,
        (None, None) => {
            let error = refused(anyhow::anyhow!("a store opens only with its controller's key"));
            return Err(error.hint("give `--key-file FILE` or `--key-command COMMAND`"));
        }
    };
    Ok(Kek::read(&content)?)
}

fn printed_by(command: &str) -> anyhow::Result<Vec<u8>> {
    let output = std::process::Command::new("/bin/sh")
        .args(["-c", command])
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("the key command could not be run")?;
    anyhow::ensure!(output.status.success(), "the key command failed ({})", output.status);
    Ok(output.stdout)
}

pub(crate) fn open(access: &StoreAccess) -> CommandResult<Store> {
    let kek = kek(&access.key)?;
    Ok(Store::open(&access.store, &kek)?)
}

pub(crate) fn open_writer(store: &Path, controller: &str, kek: Kek) -> CommandResult<Writer> {
    std::fs::create_dir_all(store)
        .with_context(|| format!("`{}` cannot be made", store.display()))
        .map_err(|error| CommandError::new(Kind::Usage, error))?;
    let writer = Writer::open(store, controller, kek, chance())?;
    say_clock(&writer);
    Ok(writer)
}

/// Warns when the machine's clock is behind the store. Nothing waits for it to be set.
pub(crate) fn say_clock(writer: &Writer) {
    let Some(last_commit) = writer.ahead_of_clock(now()) else { return };
    super::say(format_args!(
        "warning: the clock of this machine is behind the store, whose last commit was at {last_commit}\n  \
         hint: every look-up is stored; until the clock has passed that time, commits bear it, and the \
         log says so\n  hint: set the clock"
    ));
}

/// Randomness of the operating system.
pub(crate) fn chance() -> Box<Chance> {
    Box::new(|bytes| getrandom::fill(bytes).is_ok())
}

#[expect(clippy::disallowed_methods, reason = "the edge reads the clock for the rest")]
pub(crate) fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp::from_micros(since.map_or(0, |since| since.as_micros() as i64))
}

pub(crate) fn window(period: &Period) -> CommandResult<Window> {
    let read = |option: &str, text: &Option<String>, default: Timestamp| match text {
        None => Ok(default),
        Some(text) => Timestamp::parse(text).map(|(at, _)| at).map_err(|_| {
            CommandError::usage(format_args!("`{option} {text}` is not a time"))
                .hint("write it as in RFC 3339: 2026-11-23T08:00:00+01:00")
        }),
    };
    let from = read("--from", &period.from, Window::ALL.from)?;
    let to = read("--to", &period.to, Window::ALL.to)?;
    if from >= to {
        return Err(CommandError::usage("`--from` must be before `--to`"));
    }
    Ok(Window { from, to })
}

/// The purpose, without which no name is given. A case must be one of the store's, if it keeps any.
pub(crate) fn purpose(given: Option<&str>, access: &StoreAccess) -> CommandResult<Purpose> {
    let hint =
        "give `--purpose insight`, `audit`, `drill` or `\"case N\"`; asking is itself stored";
    let Some(text) = given else {
        let error = anyhow::anyhow!("names are given only for a purpose");
        return Err(CommandError::new(Kind::Refused, error).hint(hint));
    };
    let unknown = |error: bavn_store::UnknownPurpose| CommandError::new(Kind::Usage, error);
    let purpose = text.parse().map_err(unknown)?;
    if let Purpose::Case(number) = &purpose {
        let desk = Desk::open(&access.store, &kek(&access.key)?, Duty::default())?;
        let is_known = desk.look(|book| {
            let case = number.parse().ok().and_then(|number| book.case(number));
            case.is_some() || book.cases().next().is_none()
        })?;
        if !is_known {
            let error = anyhow::anyhow!("there is no case {number}");
            return Err(CommandError::new(Kind::Refused, error).hint(hint));
        }
    }
    Ok(purpose)
}

/// Puts on record that somebody asks for names, before any is shown: a look-up like all others, by
/// the user of the operating system.
pub(crate) fn record_asking(
    access: &StoreAccess,
    store: &Store,
    purpose: &Purpose,
    command: &str,
    patients: &[&str],
) -> CommandResult {
    leave_asking(store, now(), ("urn:bavn:os-user", &os_user()), purpose, command, patients)?;
    take_in(access, store)
}

/// Commits what was left, unless somebody else is writing, who then takes it in.
pub(crate) fn take_in(access: &StoreAccess, store: &Store) -> CommandResult {
    match Writer::open(&access.store, store.controller(), kek(&access.key)?, chance()) {
        Ok(mut writer) => Ok(writer.commit(now())?),
        Err(StoreError::Busy { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Leaves the look-up for the next commit; the user as system and value.
pub(crate) fn leave_asking(
    store: &Store,
    now: Timestamp,
    user: (&str, &str),
    purpose: &Purpose,
    command: &str,
    patients: &[&str],
) -> CommandResult {
    // A view that names readers and no patient is a look-up too.
    let parts = patients.len().div_ceil(PATIENTS_A_RECORD).max(1);
    let lines: Vec<Vec<u8>> = (0..parts)
        .map(|part| {
            let rest = patients.get(part * PATIENTS_A_RECORD..).unwrap_or_default();
            let patients = rest.get(..PATIENTS_A_RECORD).unwrap_or(rest);
            asking_event(now, user, purpose, command, patients, part)
        })
        .map(|event| serde_json::to_vec(&event))
        .collect::<Result<_, _>>()?;
    let mut frame = Frame::default();
    for line in &lines {
        let mut record =
            bavn_decode::fhir::read_json(line, Origin { line: 1, ..Origin::default() })
                .map_err(|error| CommandError::new(Kind::Internal, error))?;
        record.source = Some(OWN_SOURCE.into());
        record.reason = Some(format!("{command}, purpose {purpose}").into());
        frame.push(&record, line, OWN_SOURCE);
    }
    Ok(store.leave_asked(&frame, &mut *chance())?)
}

/// Under which user the process runs, which an environment variable would only claim.
pub(crate) fn os_user() -> String {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(process) = std::fs::metadata("/proc/self") else { return "uid-not-told".to_owned() };
    let uid = process.uid().to_string();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, id) = (fields.next()?, fields.nth(1)?);
        (id == uid).then(|| name.to_owned())
    });
    name.unwrap_or_else(|| format!("uid-{uid}"))
}

/// The look-up as FHIR R4 says it.
fn asking_event(
    now: Timestamp,
    (system, user): (&str, &str),
    purpose: &Purpose,
    command: &str,
    patients: &[&str],
    part: usize,
) -> Value {
    let code = match purpose {
        Purpose::Insight => "PATRQT",
        Purpose::Case(_) | Purpose::Audit => "HCOMPL",
        Purpose::Drill => "TRAIN",
    };
    let entities: Vec<Value> = patients
        .iter()
        .map(|patient| {
            let what = match patient.rsplit_once('|') {
                Some((system, value)) => {
                    json!({ "identifier": { "system": system, "value": value } })
                }
                None => json!({ "reference": patient }),
            };
            json!({
                "what": what,
                "type": { "system": ENTITY_TYPE, "code": "1" },
                "role": { "system": OBJECT_ROLE, "code": "1" },
            })
        })
        .collect();
    json!({
        "resourceType": "AuditEvent",
        "id": format!("bavn-{}-{part}", now.micros()),
        "type": { "system": EVENT_TYPE, "code": "rest" },
        "subtype": [{ "system": INTERACTION, "code": "read" }],
        "action": "R",
        "recorded": now.to_string(),
        "outcome": "0",
        "outcomeDesc": format!("{command}, purpose {purpose}"),
        "purposeOfEvent": [{ "coding": [{ "system": ACT_REASON, "code": code }] }],
        "agent": [{
            "who": { "identifier": { "system": system, "value": user } },
            "requestor": true,
        }],
        "source": { "site": "bavn", "observer": { "display": "bavn" } },
        "entity": entities,
    })
}

const EVENT_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-event-type";
const INTERACTION: &str = "http://hl7.org/fhir/restful-interaction";
const ACT_REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
const ENTITY_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
const OBJECT_ROLE: &str = "http://terminology.hl7.org/CodeSystem/object-role";
/// A list of thousands is several look-ups.
const PATIENTS_A_RECORD: usize = 500;
