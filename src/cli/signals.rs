//! SIGINT and SIGTERM: the first asks a sync to stop, the second ends the process at once.
//!
//! A thread of its own listens, so that the second signal works even while the program waits for a disk.

use std::io;

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use super::error::{CliError, Exit};
use crate::sync::Signal;

/// Holds the first signal, once it came.
pub(crate) type Told = watch::Receiver<Option<Signal>>;

/// Begins to listen; the receiver holds the first signal once it came.
pub(crate) fn listen() -> Result<Told, CliError> {
    start()
        .map_err(|error| CliError::new(Exit::Machine, "cannot listen for signals").because(&error))
}

fn start() -> io::Result<Told> {
    let (tell, told) = watch::channel(None);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let (mut interrupt, mut terminate) = {
        let _guard = runtime.enter();
        (
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        )
    };
    std::thread::spawn(move || {
        runtime.block_on(async move {
            let mut asked = false;
            loop {
                let came = tokio::select! {
                    Some(()) = interrupt.recv() => Signal::Interrupt,
                    Some(()) = terminate.recv() => Signal::Terminate,
                    else => return,
                };
                if asked {
                    end(came);
                }
                asked = true;
                tell.send_replace(Some(came));
            }
        });
    });
    Ok(told)
}

/// The exit that a signal asks for.
pub(crate) const fn exit(signal: Signal) -> Exit {
    match signal {
        Signal::Interrupt => Exit::Interrupted,
        Signal::Terminate => Exit::Terminated,
    }
}

fn end(signal: Signal) {
    #[expect(
        clippy::exit,
        reason = "the user asked twice; the archive is safe, because SQLite's transactions are"
    )]
    std::process::exit(i32::from(exit(signal).code()));
}
