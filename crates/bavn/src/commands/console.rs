//! `bavn console`: the cases of a store in the browser, for the people of one machine.

use super::demo::{internal, listen};
use super::keep::{self, kek, now};
use crate::board::{Held, StoreBoard};
use crate::cli::Console as Arguments;
use crate::error::{CommandError, CommandResult, Kind};
use crate::house_desk::HouseDesk;
use crate::register::Register;
use anyhow::Context as _;
use bavn_console::{Board, Doors, Proxy, Role};
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

fn proxy(arguments: &Arguments) -> CommandResult<Option<Proxy>> {
    let Some(header) = arguments.identity_header.clone() else { return Ok(None) };
    let secret = arguments.identity_secret.as_ref().map(|file| {
        let refused = |error: anyhow::Error| CommandError::new(Kind::Refused, error);
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("`{}` cannot be read", file.display()))
            .map_err(refused)?;
        let secret = text.trim();
        if secret.len() < SECRET_BYTES_MIN {
            let error = anyhow::anyhow!("`{}` holds no secret", file.display());
            let hint = format_args!("at least {SECRET_BYTES_MIN} letters that nobody guesses");
            return Err(refused(error).hint(hint.to_string()));
        }
        Ok(secret.to_owned())
    });
    Ok(Some(Proxy { header, secret: secret.transpose()? }))
}

const SECRET_BYTES_MIN: usize = 16;

/// Opens the store and the port, and prints the links of those who are let in.
pub(super) fn open(arguments: &Arguments) -> CommandResult<Pages> {
    let doors = Doors::new(keep::chance(), proxy(arguments)?);
    let users = users(&arguments.user)?;
    let access = &arguments.store.access;
    let board = Arc::new(StoreBoard {
        held: Held::default(),
        desk: super::case::nameless_desk(&arguments.store)?,
        house: HouseDesk::open(&access.store, &kek(&access.key)?)?,
        access: access.clone(),
        changed: watch::channel(0).0,
        clock: Box::new(now),
        score: arguments.score.clone(),
        register: Register::new(
            &arguments.store.access,
            arguments.about.as_deref(),
            &arguments.context,
        )?,
        outbox: arguments.outbox.clone(),
    });
    // A store that does not open is told now, not to the first who looks.
    keep::open(&board.access)?;
    if let Some(file) = &arguments.assessment {
        super::dpia::take_over(file, &board.access, &board.desk, &board.house)?;
    }
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
            let acts = acts + board.house.look(|house| house.acts().len() as u64)?;
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

const LOOK_AGAIN: Duration = Duration::from_secs(2);
