//! `bavn console`: the cases of a store in the browser, for the people of one machine.

use super::demo::{internal, listen};
use super::keep::{self, leave_asking, now};
use super::scope::{case_subject, date, reason_text};
use crate::cli::{Console as Arguments, StoreAccess};
use crate::desk::{Desk, failed};
use crate::error::{CommandError, CommandResult};
use bavn_console::{Board, Doors, QueueView, Role, ScopeView, Trouble, Visitor, Wish};
use bavn_detect::cases::{Book, CaseNumber};
use bavn_model::Timestamp;
use bavn_store::{Grade, Purpose, Reason, Scope, Window};
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

pub(crate) fn run(arguments: &Arguments) -> CommandResult {
    let pages = open(arguments)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(internal)?;
    let ended = runtime.block_on(async {
        tokio::select! {
            signal = tokio::signal::ctrl_c() => signal.map_err(internal),
            served = pages.serve() => served,
        }
    });
    runtime.shutdown_background();
    ended?;
    super::say("stopped");
    Ok(())
}

/// The console with its port, not yet serving.
pub(super) struct Pages {
    listener: std::net::TcpListener,
    board: Arc<StoreBoard>,
    doors: Doors,
}

/// Opens the store and the port, and prints the links of those who are let in.
pub(super) fn open(arguments: &Arguments) -> CommandResult<Pages> {
    let doors = Doors::new(keep::chance(), arguments.identity_header.clone());
    let users = users(&arguments.user)?;
    let board = Arc::new(StoreBoard {
        access: arguments.store.access.clone(),
        desk: super::case::desk(&arguments.store)?,
        changed: watch::channel(0).0,
    });
    // A store that does not open is told now, not to the first who looks.
    keep::open(&board.access)?;
    let listener = listen(arguments.port)?;
    let address = listener.local_addr().map_err(internal)?;
    for (name, role) in users {
        let link = doors.link(&name, role);
        let link = link.ok_or_else(|| internal(anyhow::anyhow!("no random bytes")))?;
        writeln!(
            std::io::stdout(),
            "{name} ({}) enters once at http://{address}{link}",
            role.word()
        )?;
    }
    Ok(Pages { listener, board, doors })
}

impl Pages {
    /// Serves until something fails.
    pub(super) async fn serve(self) -> CommandResult {
        let Self { listener, board, doors } = self;
        listener.set_nonblocking(true).map_err(internal)?;
        let listener = tokio::net::TcpListener::from_std(listener).map_err(internal)?;
        let router = bavn_console::router(Arc::clone(&board) as Arc<dyn Board>, Arc::new(doors));
        tokio::select! {
            served = async { axum::serve(listener, router).await } => served.map_err(internal),
            error = follow(board) => Err(error),
        }
    }
}

/// Writes down escalations as they fall due, and tells open pages of what others wrote.
async fn follow(board: Arc<StoreBoard>) -> CommandError {
    loop {
        tokio::time::sleep(LOOK_AGAIN).await;
        let board = Arc::clone(&board);
        let looked = tokio::task::spawn_blocking(move || {
            board.desk.tick(now())?;
            let acts = board.desk.look(|book| book.acts().len() as u64)?;
            board.changed.send_if_modified(|held| std::mem::replace(held, acts) != acts);
            CommandResult::Ok(())
        });
        match looked.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return error,
            Err(error) => return internal(error),
        }
    }
}

fn users(given: &[String]) -> CommandResult<Vec<(String, Role)>> {
    let read = |text: &String| {
        let (name, role) = text.split_once('=')?;
        (!name.trim().is_empty()).then_some(())?;
        Some((name.trim().to_owned(), Role::read(role)?))
    };
    let user = |text: &String| {
        read(text).ok_or_else(|| {
            let roles: Vec<&str> = Role::ALL.iter().map(|role| role.word()).collect();
            CommandError::usage(format_args!("`--user {text}` is not a name and a role"))
                .hint(format!("write NAME=ROLE, the role one of {}", roles.join(", ")))
        })
    };
    given.iter().map(user).collect()
}

/// The cases and look-ups of a store, opened anew for each question: what is committed is seen.
#[derive(Debug)]
struct StoreBoard {
    access: StoreAccess,
    desk: Desk,
    changed: watch::Sender<u64>,
}

impl Board for StoreBoard {
    fn queue(&self) -> Arc<QueueView> {
        let as_of = keep::open(&self.access).map(|store| store.as_of());
        Arc::new(as_of.map_or_else(
            |_| QueueView::default(),
            |as_of| QueueView {
                now: as_of.last_look_up,
                look_ups: as_of.look_ups,
                ..QueueView::default()
            },
        ))
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn now(&self) -> Timestamp {
        now()
    }

    fn look(&self, seen: &mut dyn FnMut(&Book)) -> Result<(), Trouble> {
        crate::desk::look(&self.desk, seen)
    }

    fn act(&self, by: &str, case: CaseNumber, wish: Wish, seen: usize) -> Result<(), Trouble> {
        crate::desk::act(&self.desk, now(), by, case, wish, seen)
    }

    fn keeps_look_ups(&self) -> bool {
        true
    }

    fn scope(&self, number: CaseNumber) -> Result<ScopeView, Trouble> {
        let asked = self.desk.look(|book| case_subject(book, number));
        let asked = asked.map_err(|error| failed(&error))?;
        let (subject, from) =
            asked.ok_or_else(|| Trouble::Refused("the case names no reader".to_owned()))?;
        let window = Window { from, to: Window::ALL.to };
        let store = keep::open(&self.access).map_err(|error| failed(&error))?;
        let scope = store.scope(&subject, window).map_err(|error| failed(&error.into()))?;
        Ok(view(&scope, window))
    }

    fn record(&self, who: &Visitor, what: &str, purpose: &str) -> Result<(), Trouble> {
        let store = keep::open(&self.access).map_err(|error| failed(&error))?;
        let purpose = purpose.parse().unwrap_or(Purpose::Audit);
        let what = format!("bavn console ({}): {what}", who.role.word());
        leave_asking(&store, ("urn:bavn:user", &who.name), &purpose, &what, &[])
            .map_err(|error| failed(&error))
    }
}

fn view(scope: &Scope, window: Window) -> ScopeView {
    let count = |grade| scope.exposed.iter().filter(|held| held.grade == grade).count() as u64;
    let day = |day: i32| date(Timestamp::start_of_day(day));
    ScopeView {
        lower: scope.lower,
        best: scope.best,
        upper: scope.upper,
        look_ups: scope.look_ups,
        listed: count(Grade::Listed),
        opened: count(Grade::Opened),
        taken: count(Grade::Taken),
        reasons: scope
            .reasons
            .iter()
            .map(|reason| [reason_text(reason), bokmaal(reason)])
            .collect(),
        days: scope.days.iter().map(|(&at, of)| (day(at), of.look_ups, of.patients)).collect(),
        as_of: format!("{} – {}", window.from, scope.as_of.committed_at),
        digest: scope.digest.clone(),
    }
}

fn bokmaal(reason: &Reason) -> String {
    match reason {
        Reason::OutcomeUnstated { patients } => {
            format!("for {patients} pasienter sier ingen kilde om oppslaget lyktes")
        }
        Reason::PatientUnresolved { look_ups } => {
            format!("{look_ups} oppslag åpnet en journal uten å si hvem sin")
        }
        Reason::HitsUnknown { look_ups } => {
            format!("{look_ups} søk eller uttrekk sier ikke hvem de viste")
        }
        Reason::Silent(silence) => {
            format!("«{}» var taus fra {} til {}", silence.source, silence.from, silence.to)
        }
    }
}

const LOOK_AGAIN: Duration = Duration::from_secs(2);
