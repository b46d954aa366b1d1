//! `bavn demo`: the main job in one command.

use crate::cli::Demo;
use crate::demo::{DemoBoard, Region, tell};
use crate::error::{CommandError, CommandResult, Kind};
use anyhow::Context as _;
use bavn_console::Board as _;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub(crate) fn run(arguments: &Demo) -> CommandResult {
    let listener = listen(arguments.port)?;
    let address = listener.local_addr().map_err(internal)?;
    let board = Arc::new(DemoBoard::new()?);
    let outcome = play(arguments, listener, address, &board);
    board.remove();
    outcome?;
    super::say("stopped");
    Ok(())
}

fn play(
    arguments: &Demo,
    listener: TcpListener,
    address: SocketAddr,
    board: &Arc<DemoBoard>,
) -> CommandResult {
    let board = Arc::clone(board);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(internal)?;
    let server = runtime.spawn(serve(listener, Arc::clone(&board)));
    let stopped = runtime.spawn(tokio::signal::ctrl_c());
    let (seed, truth) = (arguments.seed, arguments.truth.clone());
    // The story runs beside the pages; Ctrl-C ends both at once, wherever the story is.
    let story = std::thread::spawn(move || show(seed, truth.as_deref(), address, &board));
    let outcome = runtime.block_on(async {
        tokio::select! {
            signal = stopped => {
                signal.map_err(internal)?.map_err(internal)?;
                Ok(())
            }
            ended = server => ended.map_err(internal)?,
            failed = failure(story) => Err(failed),
        }
    });
    runtime.shutdown_background();
    outcome
}

/// Ends only if the story fails.
async fn failure(story: std::thread::JoinHandle<CommandResult>) -> CommandError {
    let told = tokio::task::spawn_blocking(move || story.join()).await;
    match told {
        Ok(Ok(Ok(()))) => std::future::pending().await,
        Ok(Ok(Err(error))) => error,
        _ => CommandError::new(Kind::Internal, anyhow::anyhow!("the demonstration broke off")),
    }
}

fn show(seed: u64, truth: Option<&Path>, address: SocketAddr, board: &DemoBoard) -> CommandResult {
    let mut out = io::stdout();
    writeln!(out, "bavn watches a simulated region: every person in it is invented.")?;
    let region = Region::new(seed)?;
    if let Some(file) = truth {
        std::fs::write(file, serde_json::to_vec(&region.truth)?)
            .with_context(|| format!("`{}` cannot be written", file.display()))
            .map_err(|error| CommandError::new(Kind::Usage, error))?;
    }
    writeln!(out, "Follow it at http://{address}/")?;
    let example = region.example.clone();
    let names = tell(region, board, &mut out)?;
    writeln!(out, "The alarm with its reasons stands at http://{address}/ until Ctrl-C.")?;
    if !example.is_empty() {
        writeln!(
            out,
            "Who has read a record: http://{address}/patient, for example of `{example}`."
        )?;
    }
    // What visitors look at is kept like every other look-up.
    loop {
        std::thread::sleep(COMMIT);
        board.commit(&names, board.now(), &[])?;
    }
}

pub(super) fn listen(port: u16) -> CommandResult<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| {
        if error.kind() == io::ErrorKind::AddrInUse {
            CommandError::usage(format!("port {port} is taken by another program"))
                .hint("choose another with `--port`, or let bavn choose with `--port 0`")
        } else {
            CommandError::new(
                Kind::Usage,
                anyhow::Error::new(error).context(format!("port {port} cannot be used")),
            )
        }
    })
}

async fn serve(listener: TcpListener, board: Arc<DemoBoard>) -> CommandResult {
    listener.set_nonblocking(true).map_err(internal)?;
    let listener = tokio::net::TcpListener::from_std(listener).map_err(internal)?;
    let doors = Arc::new(bavn_console::Doors::open(super::keep::chance()));
    axum::serve(listener, bavn_console::router(board, doors)).await.map_err(internal)
}

pub(super) fn internal(error: impl Into<anyhow::Error>) -> CommandError {
    CommandError::new(Kind::Internal, error)
}

const COMMIT: Duration = Duration::from_secs(2);
