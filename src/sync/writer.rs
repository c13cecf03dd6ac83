//! The one writer: the archive on a thread of its own, so that a long write stops no timer and no socket.
//!
//! Work is sent to it as closures and done in order. The queue is short: whoever fetches faster than the disk writes waits
//! instead of piling pages up in memory.

use tokio::sync::{mpsc, oneshot};

use crate::store::{Error, error::Kind, write::Archive};

type Job = Box<dyn FnOnce(&mut Archive) + Send>;

/// Jobs that may wait. One is enough to fetch a page while another is stored.
const WAITING: usize = 1;

pub(crate) enum Writer {
    Thread(mpsc::Sender<Job>, std::thread::JoinHandle<Archive>),
    /// For tests that need one order of events: each job is done when it is sent, on the thread that sends it.
    #[cfg(test)]
    Here(Box<std::cell::RefCell<Archive>>),
}

#[cfg(test)]
thread_local! {
    /// Whether the writers that this thread starts do their work on it.
    pub(crate) static HERE: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// A job under way.
pub(crate) struct Pending<T>(oneshot::Receiver<Result<T, Error>>);

impl Writer {
    pub(crate) fn start(mut archive: Archive) -> Self {
        #[cfg(test)]
        if HERE.get() {
            return Self::Here(Box::new(std::cell::RefCell::new(archive)));
        }
        let (jobs, mut queue) = mpsc::channel::<Job>(WAITING);
        let thread = std::thread::spawn(move || {
            while let Some(job) = queue.blocking_recv() {
                job(&mut archive);
            }
            archive
        });
        Self::Thread(jobs, thread)
    }

    /// Sends a job and waits until it is done.
    pub(crate) async fn call<T, F>(&self, job: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Archive) -> Result<T, Error> + Send + 'static,
    {
        self.send(job).await.done().await
    }

    /// Sends a job and goes on; the caller waits for it later.
    pub(crate) async fn send<T, F>(&self, job: F) -> Pending<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Archive) -> Result<T, Error> + Send + 'static,
    {
        let (answer, pending) = oneshot::channel();
        let job: Job = Box::new(move |archive| {
            // Nobody waits any more after a stop; the job's effect is in the archive all the same.
            let _unheard = answer.send(job(archive));
        });
        // A queue that is closed drops the answer's sender, which `done` reports.
        match self {
            Self::Thread(jobs, _) => {
                let _closed = jobs.send(job).await;
            }
            #[cfg(test)]
            Self::Here(archive) => job(&mut archive.borrow_mut()),
        }
        Pending(pending)
    }

    /// Ends the thread after its last job and hands the archive back; nothing if the thread panicked.
    pub(crate) fn close(self) -> Option<Archive> {
        match self {
            Self::Thread(jobs, thread) => {
                drop(jobs);
                thread.join().ok()
            }
            #[cfg(test)]
            Self::Here(archive) => Some(archive.into_inner()),
        }
    }
}

impl<T> Pending<T> {
    pub(crate) async fn done(self) -> Result<T, Error> {
        self.0
            .await
            .unwrap_or_else(|_| Err(Kind::WriterGone.into()))
    }
}
