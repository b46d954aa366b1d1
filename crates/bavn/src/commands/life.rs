//! `bavn store status`, `retain`, `hold`, `release`: what a store takes, how long, and what goes.

use super::keep::{kek, now, os_user, window};
use super::store::opened;
use crate::alarms::Waiting as Untold;
use crate::cli::{StoreHold, StoreRelease, StoreRetain, StoreStatus};
use crate::desk::Desk;
use crate::error::{CommandError, CommandResult, Kind};
use crate::house_desk::HouseDesk;
use crate::pipeline::Saved;
use anyhow::Context as _;
use bavn_detect::cases::{Book, Case, CaseNumber, Duty, State};
use bavn_detect::house::InForce;
use bavn_model::Timestamp;
use bavn_store::{Forecast, Gone, Hold, Keep, Order, Original, Policy, Store, Window};
use serde_json::json;
use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;

pub(crate) fn status(arguments: &StoreStatus) -> CommandResult {
    let store = super::keep::open(&arguments.access)?;
    let forecast = store.forecast()?;
    let access = &arguments.access;
    let house = HouseDesk::open(&access.store, &kek(&access.key)?)?;
    let policy = house.look(|house| policy_in_force(&store, house.in_force()))?;
    let free = arguments.disk.map_or(forecast.free, |disk| disk.saturating_sub(forecast.bytes()));
    let mut out = std::io::stdout();
    if arguments.json {
        return Ok(writeln!(out, "{}", as_json(&store, &policy, &forecast, free)?)?);
    }
    Ok(write!(out, "{}", in_words(&store, &policy, &forecast, free)?)?)
}

fn parts(forecast: &Forecast) -> [(&'static str, u64); 5] {
    let sizes = &forecast.sizes;
    [
        ("columns", sizes.columns),
        ("index", sizes.index),
        ("names", sizes.names),
        ("proof", forecast.proof),
        ("original", sizes.evidence),
    ]
}

fn in_words(
    store: &Store,
    policy: &Policy,
    forecast: &Forecast,
    free: u64,
) -> CommandResult<String> {
    use std::fmt::Write as _;
    let bytes = forecast.bytes();
    let mut words = format!(
        "{} look-ups in {} segments, {}\n",
        forecast.look_ups,
        forecast.sizes.segments,
        megabytes(bytes)
    );
    let _never = write!(words, "bytes a look-up: {:.1}", forecast.a_look_up(bytes));
    for (number, (part, bytes)) in parts(forecast).into_iter().enumerate() {
        let joint = if number == 0 { " =" } else { " +" };
        let _never = write!(words, "{joint} {part} {:.1}", forecast.a_look_up(bytes));
    }
    let _never = writeln!(
        words,
        "\nlast week: {:.0} look-ups a day on {} days, {} a day",
        forecast.look_ups_a_day(),
        forecast.days,
        megabytes(forecast.bytes_a_day() as u64)
    );
    let left = forecast
        .days_left(free)
        .map_or("nothing comes in".to_owned(), |days| format!("{days} days until it is full"));
    let _never = writeln!(words, "{} free: {left}", megabytes(free));
    let _never = writeln!(words, "kept: {}", policy_in_words(policy));
    if *policy != store.policy() {
        let _never =
            writeln!(words, "what is older than that goes with the next `bavn store retain`");
    }
    for hold in store.holds() {
        let _never = writeln!(words, "{}", hold_in_words(&hold));
    }
    for gone in store.gone()? {
        let _never = writeln!(words, "{}", gone_in_words(&gone));
    }
    Ok(words)
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

pub(super) fn gone_in_words(gone: &Gone) -> String {
    format!(
        "retired on {} by {}: {} of {} look-ups ({}); entry {} of the log",
        gone.said.at,
        gone.said.by,
        gone.what.word(),
        gone.look_ups,
        gone.said.why,
        gone.entry
    )
}

fn hold_in_words(hold: &Hold) -> String {
    let case = hold.case.map_or(String::new(), |case| format!(" of case {case}"));
    let of = match (hold.of_patients, hold.of_identities) {
        (true, true) => " of one patient by one reader",
        (true, false) => " of one patient",
        (false, true) => " by one reader",
        (false, false) => "",
    };
    let Order { by, why, at } = &hold.placed;
    let released = hold.released.as_ref().map_or(String::new(), |Order { by, why, at }| {
        format!("; released by {by} on {at}: {why}")
    });
    format!("hold {}{case}{of}, by {by} since {at}: {why}{released}", hold.number)
}

/// What `retain` goes by: how long look-ups are kept is what two persons set, if they did.
pub(super) fn policy_in_force(store: &Store, house: &InForce) -> Policy {
    let policy = store.policy();
    Policy { look_ups_days: house.retention_days.or(policy.look_ups_days), ..policy }
}

fn policy_in_words(policy: &Policy) -> String {
    let days =
        |days: Option<u32>| days.map_or("for ever".to_owned(), |days| format!("{days} days"));
    let original = match policy.original {
        Original::Full => "as long as the look-up".to_owned(),
        Original::Days(days) => format!("{days} days"),
        Original::None => "never".to_owned(),
    };
    format!(
        "look-ups {}, original bytes {original}, cleared cases {}, proven breaches {}",
        days(policy.look_ups_days),
        days(policy.cleared_cases_days),
        days(policy.breaches_days)
    )
}

fn as_json(
    store: &Store,
    policy: &Policy,
    forecast: &Forecast,
    free: u64,
) -> CommandResult<serde_json::Value> {
    let said = |said: &Order| json!({ "by": said.by, "at": said.at, "why": said.why });
    let a_look_up: serde_json::Map<String, serde_json::Value> = parts(forecast)
        .into_iter()
        .map(|(part, bytes)| (part.to_owned(), json!(forecast.a_look_up(bytes))))
        .collect();
    let holds: Vec<_> = store
        .holds()
        .iter()
        .map(|hold| {
            json!({
                "number": hold.number,
                "case": hold.case,
                "of_patients": hold.of_patients,
                "of_identities": hold.of_identities,
                "placed": said(&hold.placed),
                "released": hold.released.as_ref().map(said),
            })
        })
        .collect();
    let gone: Vec<_> = store.gone()?.iter().map(gone_as_json).collect();
    Ok(json!({
        "look_ups": forecast.look_ups,
        "segments": forecast.sizes.segments,
        "bytes": forecast.bytes(),
        "bytes_a_look_up": a_look_up,
        "last_week": {
            "days": forecast.days,
            "look_ups_a_day": forecast.look_ups_a_day(),
            "bytes_a_day": forecast.bytes_a_day(),
        },
        "free": free,
        "days_left": forecast.days_left(free),
        "policy": policy,
        "holds": holds,
        "retired": gone,
    }))
}

pub(super) fn gone_as_json(gone: &Gone) -> serde_json::Value {
    json!({
        "what": gone.what,
        "by": gone.said.by,
        "at": gone.said.at,
        "why": gone.said.why,
        "look_ups": gone.look_ups,
        "entries": gone.entries,
        "entry": gone.entry,
    })
}

pub(crate) fn retain(arguments: &StoreRetain) -> CommandResult {
    let access = &arguments.access;
    let mut given = arguments.policy.as_deref().map(read_policy).transpose()?;
    let mut writer = opened(access)?;
    let kek = kek(&access.key)?;
    let house = HouseDesk::open(&access.store, &kek)?;
    if let Some(days) = house.look(|house| house.in_force().retention_days)? {
        // Two persons set it, so one with a file does not lengthen or shorten it.
        let policy = given.get_or_insert_with(|| writer.policy());
        policy.look_ups_days = Some(days);
    }
    let desk = Desk::open(&access.store, &kek, Duty::default())?;
    // Every night the same policy is no news.
    if let Some(policy) = &given
        && !arguments.dry_run
        && *policy != writer.policy()
    {
        writer.set_policy(policy, now())?;
    }
    let store = super::keep::open(access)?;
    let (policy, at) = (given.unwrap_or_else(|| store.policy()), now());
    let held: BTreeSet<u32> = store
        .holds()
        .iter()
        .filter(|hold| hold.released.is_none())
        .filter_map(|hold| hold.case)
        .collect();
    let clocks = CaseClocks { policy: &policy, held: &held, now: at };
    let (keep, over) =
        desk.look(|book| (clocks.keep(book), book.over(|case| clocks.is_over(case))))?;
    let said = Order { by: os_user(), why: policy_in_words(&policy), at };
    if arguments.dry_run {
        let would = writer.would_expire(&policy, &keep, at)?;
        super::say(format_args!(
            "would go: {} look-ups, original bytes of {}, {} cases; held past their time: {} look-ups",
            would.look_ups,
            would.originals,
            over.len(),
            would.held
        ));
        return Ok(());
    }
    // What was learned names people by numbers alone where nobody of an open finding can go.
    let outlives = policy.look_ups_days.is_some_and(|days| days > FINDING_DAYS);
    let learned = if outlives { writer.state()? } else { None };
    let went = writer.retain(&keep, &said)?;
    // What was learned named those who were forgotten, and is gone with them; without them it comes back.
    // A state of another release stays away.
    let learned = learned.filter(|_| went.names > 0).and_then(|bytes| Saved::read(bytes).ok());
    if let Some(without_them) =
        learned.and_then(|saved| saved.forget(|name| writer.knows(name)).ok())
    {
        writer.commit_with_state(at, &without_them)?;
    }
    desk.expire(&over)?;
    if let Some(days) = policy.look_ups_days {
        let before = at.plus_secs(-i64::from(days) * 86_400);
        Untold::open(&access.store, &kek)?.expire(before)?;
    }
    super::say(format_args!(
        "gone: {} look-ups, original bytes of {}, {} names, {} cases; held past their time: {} look-ups",
        went.look_ups,
        went.originals,
        went.names,
        over.len(),
        went.held
    ));
    Ok(())
}

/// A finding that nothing was added to for so long is closed; older ones stand in nothing that is learned,
/// so that what is left of people there is a number.
const FINDING_DAYS: u32 = 30;

fn read_policy(path: &Path) -> CommandResult<Policy> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("the policy `{}` cannot be read", path.display()))
        .map_err(|error| CommandError::new(Kind::Usage, error))?;
    toml::from_str(&text)
        .with_context(|| format!("`{}` is no policy", path.display()))
        .map_err(|error| CommandError::new(Kind::Usage, error))
}

/// The clocks of cases at one instant.
struct CaseClocks<'a> {
    policy: &'a Policy,
    /// Numbers of cases under a legal hold.
    held: &'a BTreeSet<u32>,
    now: Timestamp,
}

impl CaseClocks<'_> {
    /// Look-ups of cases that are open, held, or proven and not yet over.
    fn keep(&self, book: &Book) -> Vec<Keep> {
        let keep = |case: &Case| {
            let is_proven = case.verdict.as_ref().is_some_and(|said| said.verdict.is_breach());
            let is_open = matches!(case.state(), State::New | State::InHand);
            let stays = is_open || (is_proven && !self.is_over(case)) || self.is_held(case.number);
            look_ups_of(case).filter(|_| stays)
        };
        book.cases().filter_map(keep).collect()
    }

    fn is_held(&self, case: CaseNumber) -> bool {
        self.held.contains(&case.0)
    }

    fn is_over(&self, case: &Case) -> bool {
        let Some(decision) = case.verdict.as_ref().filter(|_| case.state() == State::Closed) else {
            return false;
        };
        let days = if decision.verdict.is_breach() {
            self.policy.breaches_days
        } else {
            self.policy.cleared_cases_days
        };
        let ends = days.map(|days| decision.at.plus_secs(i64::from(days) * 86_400));
        !self.is_held(case.number) && ends.is_some_and(|ends| ends <= self.now)
    }
}

pub(crate) fn hold(arguments: &StoreHold) -> CommandResult {
    let keep = Keep {
        identities: arguments.identity.clone().into_iter().collect(),
        patients: arguments.patient.clone().into_iter().collect(),
        window: window(&arguments.period)?,
    };
    let names_nothing = keep.identities.is_empty()
        && keep.patients.is_empty()
        && keep.window == Window::ALL
        && arguments.case.is_none();
    if names_nothing {
        return Err(CommandError::usage("a hold needs a case, a patient, an identity or a time"));
    }
    let case = arguments.case.map(|case| case.0);
    if let Some(number) = arguments.case {
        let access = &arguments.access;
        let desk = Desk::open(&access.store, &kek(&access.key)?, Duty::default())?;
        if desk.look(|book| book.case(number).is_none())? {
            return Err(CommandError::usage(format_args!("there is no case {number}")));
        }
    }
    let number = opened(&arguments.access)?.hold(case, &keep, &said(&arguments.reason))?;
    super::say(format_args!("hold {number} is in force until it is released"));
    Ok(())
}

pub(crate) fn release(arguments: &StoreRelease) -> CommandResult {
    let number = arguments.hold;
    if !opened(&arguments.access)?.release(number, &said(&arguments.reason))? {
        return Err(CommandError::usage(format_args!("no hold {number} is in force")));
    }
    super::say(format_args!("hold {number} is released; the next `retain` lets go what is over"));
    Ok(())
}

/// What legal holds of cases keep, each with its number: the look-ups of their readers since they began.
pub(super) fn held_by_cases(store: &Store, desk: &Desk) -> CommandResult<Vec<(u32, Keep)>> {
    let holds = store.holds().into_iter().filter(|hold| hold.released.is_none());
    let holds: Vec<(u32, u32)> = holds.filter_map(|hold| Some((hold.number, hold.case?))).collect();
    desk.look(|book| {
        let keep = |(number, case)| {
            let case = book.case(CaseNumber(case))?;
            Some((number, look_ups_of(case)?))
        };
        holds.into_iter().filter_map(keep).collect()
    })
}

/// The look-ups of a case's readers since it began; none if it names no reader.
fn look_ups_of(case: &Case) -> Option<Keep> {
    let from = case.first_seen()?;
    let identities: Vec<String> = case.identities().into_iter().map(str::to_owned).collect();
    let window = Window { from, to: Window::ALL.to };
    (!identities.is_empty()).then_some(Keep { identities, patients: Vec::new(), window })
}

pub(super) fn said(reason: &str) -> Order {
    Order { by: os_user(), why: reason.to_owned(), at: now() }
}
