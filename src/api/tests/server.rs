//! A tiny HTTP server that does what its script says, once, and remembers what it was asked.

use std::{
    collections::VecDeque,
    io::{Read, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// One thing that the server does with one request.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// Sends this and keeps the connection.
    Send(Vec<u8>),
    /// Sends this once so many requests have come, this one and those before it among them.
    SendOnceAsked(usize, Vec<u8>),
    /// Sends this and closes the connection.
    SendAndClose(Vec<u8>),
    /// Sends this, and then nothing until the server is dropped.
    SendAndStall(Vec<u8>),
    /// Sends a head at once and then a byte every few milliseconds.
    Drip(Vec<u8>),
    /// Sends this again and again until the other end goes away.
    Flood(Vec<u8>),
    /// Closes the connection with a reset.
    Reset,
}

impl Act {
    pub(super) fn status(status: u16, headers: &str, body: &str) -> Self {
        Self::Send(
            format!(
                "HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\n\r\n{body}",
                body.len()
            )
            .into_bytes(),
        )
    }

    /// The same, once so many requests have come.
    pub(super) fn once_asked(self, times: usize) -> Self {
        match self {
            Self::Send(bytes) => Self::SendOnceAsked(times, bytes),
            other => other,
        }
    }

    pub(super) fn ok(body: &str) -> Self {
        Self::status(200, "", body)
    }
}

/// What the server was asked.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) head: String,
    pub(super) body: String,
}

impl Asked {
    /// Returns the value of a header, whose name is in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// Returns method and target.
    pub(super) fn line(&self) -> &str {
        let line = self.head.lines().next().unwrap_or_default();
        line.strip_suffix(" HTTP/1.1").unwrap_or(line)
    }
}

#[derive(Default)]
struct Shared {
    script: Mutex<VecDeque<Act>>,
    asked: Mutex<Vec<Asked>>,
    over: AtomicBool,
}

pub(super) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Server {
    pub(super) fn start(script: impl IntoIterator<Item = Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            script: Mutex::new(script.into_iter().collect()),
            ..Shared::default()
        });
        let server = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if server.over.load(Ordering::Relaxed) {
                    break;
                }
                let server = Arc::clone(&server);
                thread::spawn(move || server.serve(stream));
            }
        });
        Self { address, shared }
    }

    pub(super) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the heads of the requests that came, in lower case.
    pub(super) fn heads(&self) -> Vec<String> {
        let asked = self.shared.asked.lock().unwrap();
        asked
            .iter()
            .map(|asked| asked.head.to_lowercase())
            .collect()
    }

    /// Returns the requests that came, as they came.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        // Wakes the listener, so that its port is free again.
        drop(TcpStream::connect(self.address));
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) {
        loop {
            // A byte that was left unread makes the kernel send a reset instead of a quiet end.
            let front = self.script.lock().unwrap().front().cloned();
            let end = match front {
                Some(Act::Reset) => "\r\n\r",
                _ => "\r\n\r\n",
            };
            let Some(head) = read_head(&mut stream, end) else {
                break;
            };
            let mut asked = Asked {
                head,
                body: String::new(),
            };
            let length = asked.header("content-length").map(str::parse);
            let mut body = vec![0; length.map_or(0, Result::unwrap)];
            if stream.read_exact(&mut body).is_err() {
                break;
            }
            asked.body = String::from_utf8(body).unwrap();
            self.asked.lock().unwrap().push(asked);
            let act = self.script.lock().unwrap().pop_front();
            // No test expects this status, so a request too many never passes for anything else.
            let act = act.unwrap_or_else(|| Act::status(418, "", "the script is over"));
            if self.perform(act, &mut stream).is_none() {
                break;
            }
        }
    }

    /// Returns something if the connection is to be kept.
    fn perform(&self, act: Act, stream: &mut TcpStream) -> Option<()> {
        match act {
            Act::Send(bytes) => stream.write_all(&bytes).ok(),
            Act::SendOnceAsked(times, bytes) => {
                let is_waited_for = || self.asked.lock().unwrap().len() < times;
                while is_waited_for() && !self.over.load(Ordering::Relaxed) {
                    thread::park_timeout(Duration::from_millis(5));
                }
                stream.write_all(&bytes).ok()
            }
            Act::SendAndClose(bytes) => {
                stream.write_all(&bytes).ok()?;
                None
            }
            Act::SendAndStall(bytes) => {
                stream.write_all(&bytes).ok()?;
                while !self.over.load(Ordering::Relaxed) {
                    thread::park_timeout(Duration::from_millis(5));
                }
                None
            }
            Act::Drip(bytes) => {
                stream.set_nodelay(true).ok()?;
                for byte in bytes {
                    stream.write_all(&[byte]).ok()?;
                    thread::park_timeout(Duration::from_millis(10));
                    if self.over.load(Ordering::Relaxed) {
                        break;
                    }
                }
                None
            }
            Act::Flood(bytes) => {
                while !self.over.load(Ordering::Relaxed) {
                    stream.write_all(&bytes).ok()?;
                }
                None
            }
            Act::Reset => None,
        }
    }
}

/// Reads a request's head up to this end of it.
pub(super) fn read_head(stream: &mut impl Read, end: &str) -> Option<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(end.as_bytes()) {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}
