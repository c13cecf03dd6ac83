//! An upstream that does what a script says: a raw HTTP/1.1 server on loopback that counts what it is asked.
//!
//! A script is a closure from a request to an action; an action is what is written, in which steps, and what becomes of
//! the connection then. Nothing here checks what is written, so that an answer can be wrong in every way.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::{DATE, page};

/// No connection of a test is held longer: a server thread that nobody talks to ends.
const LONGEST: Duration = Duration::from_secs(30);

/// What was asked, and the how many-th question this was.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    /// From 1, over all connections.
    pub(crate) number: usize,
    /// From 1: which connection it came on.
    pub(crate) connection: usize,
    /// Without the query.
    pub(crate) path: String,
    pub(crate) instance: String,
    pub(crate) offset: usize,
    pub(crate) limit: usize,
    pub(crate) query: BTreeMap<String, String>,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(known, _)| known == name);
        header.map(|(_, value)| value.as_str())
    }
}

type Script = Arc<dyn Fn(&Request) -> Action + Send + Sync>;

enum Step {
    Send(Vec<u8>),
    /// Byte by byte, with a pause after each.
    Drip(Vec<u8>, Duration),
    /// Over and over, until the client goes away.
    Repeat(Vec<u8>),
    Do(Box<dyn FnOnce() + Send>),
}

#[derive(Clone, Copy)]
enum End {
    /// Wait for the next request on this connection.
    Keep,
    Close,
    Reset,
    /// Say nothing more, and wait until the client goes away.
    Stall,
}

/// What is done with one request.
pub(crate) struct Action {
    steps: Vec<Step>,
    end: End,
}

impl Action {
    fn of(steps: Vec<Step>, end: End) -> Self {
        Self { steps, end }
    }

    /// A proper answer; the headers are lines such as `Retry-After: 1`. A `Date` among them replaces the usual one.
    pub(crate) fn reply(status: u16, headers: &[&str], body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let mut bytes = head(status, headers, Some(body.len())).into_bytes();
        bytes.extend_from_slice(body);
        Self::of(vec![Step::Send(bytes)], End::Keep)
    }

    /// A proper 200.
    pub(crate) fn json(body: &Value) -> Self {
        Self::text(body.to_string())
    }

    /// A 200 with that body, JSON or not.
    pub(crate) fn text(body: impl AsRef<[u8]>) -> Self {
        Self::reply(200, &["Content-Type: application/json"], body)
    }

    /// An error as the service phrases it.
    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        let body = serde_json::json!({"error_code": code, "error_msg": message});
        let headers = [
            "Content-Type: application/json",
            "X-Request-Id: req-fedcba98",
        ];
        Self::reply(status, &headers, body.to_string())
    }

    /// The same, sent at another time than the usual one; for answers that are text.
    pub(crate) fn dated(mut self, date: &str) -> Self {
        for step in &mut self.steps {
            if let Step::Send(bytes) = step {
                let text = String::from_utf8_lossy(bytes);
                *bytes = text
                    .replacen(&format!("Date: {DATE}"), &format!("Date: {date}"), 1)
                    .into_bytes();
            }
        }
        self
    }

    /// Exactly these bytes; the connection is closed after them.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self::of(vec![Step::Send(bytes.into())], End::Close)
    }

    /// The connection is closed without an answer.
    pub(crate) fn close() -> Self {
        Self::of(Vec::new(), End::Close)
    }

    /// The connection is reset without an answer.
    pub(crate) fn reset() -> Self {
        Self::of(Vec::new(), End::Reset)
    }

    /// No answer ever comes.
    pub(crate) fn stall() -> Self {
        Self::of(Vec::new(), End::Stall)
    }

    /// A 200 whose body comes byte by byte.
    pub(crate) fn drip(body: impl Into<Vec<u8>>, pause: Duration) -> Self {
        let body = body.into();
        let head = Step::Send(head(200, &[], Some(body.len())).into_bytes());
        Self::of(vec![head, Step::Drip(body, pause)], End::Keep)
    }

    /// A 200 that says it is so long, whatever it holds; the connection is closed after it.
    pub(crate) fn of_length(length: usize, body: impl AsRef<[u8]>) -> Self {
        let mut bytes = head(200, &[], Some(length)).into_bytes();
        bytes.extend_from_slice(body.as_ref());
        Self::raw(bytes)
    }

    /// A chunked 200 without the last chunk; the connection is closed after it.
    pub(crate) fn chunks_without_end(body: impl AsRef<[u8]>) -> Self {
        let mut bytes = head(200, &["Transfer-Encoding: chunked"], None).into_bytes();
        bytes.extend(format!("{:x}\r\n", body.as_ref().len()).bytes());
        bytes.extend_from_slice(body.as_ref());
        bytes.extend_from_slice(b"\r\n");
        Self::raw(bytes)
    }

    /// A chunked 200 that goes on for as long as the client listens.
    pub(crate) fn endless() -> Self {
        let head = head(200, &["Transfer-Encoding: chunked"], None);
        let start = format!("{head}d\r\n{{\"tasks\": [  \r\n");
        let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
        let steps = vec![
            Step::Send(start.into_bytes()),
            Step::Repeat(chunk.into_bytes()),
        ];
        Self::of(steps, End::Close)
    }

    pub(crate) fn redirect(status: u16, location: &str) -> Self {
        Self::reply(status, &[&format!("Location: {location}")], "")
    }

    /// Sends only so much of the answer, head included; then the connection ends as the next call says.
    fn cut(mut self, keep: impl Fn(usize) -> usize) -> Self {
        if let Some(Step::Send(bytes)) = self.steps.last_mut() {
            let head = bytes
                .windows(4)
                .position(|part| part == b"\r\n\r\n")
                .map_or(0, |at| at + 4);
            let kept = head + keep(bytes.len() - head);
            bytes.truncate(kept);
        }
        self
    }

    /// Half of the body.
    pub(crate) fn half(self) -> Self {
        self.cut(|length| length / 2)
    }

    pub(crate) fn then_close(mut self) -> Self {
        self.end = End::Close;
        self
    }

    pub(crate) fn then_reset(mut self) -> Self {
        self.end = End::Reset;
        self
    }

    pub(crate) fn then_stall(mut self) -> Self {
        self.end = End::Stall;
        self
    }

    /// Does something once everything so far was sent.
    pub(crate) fn then_do(mut self, work: impl FnOnce() + Send + 'static) -> Self {
        self.steps.push(Step::Do(Box::new(work)));
        self
    }
}

fn head(status: u16, headers: &[&str], length: Option<usize>) -> String {
    let mut lines = vec![format!("HTTP/1.1 {status} Status")];
    if !headers.iter().any(|header| header.starts_with("Date:")) {
        lines.push(format!("Date: {DATE}"));
    }
    lines.extend(headers.iter().map(|header| (*header).to_owned()));
    lines.extend(length.map(|length| format!("Content-Length: {length}")));
    lines.join("\r\n") + "\r\n\r\n"
}

/// The script of a service that behaves: these records for every instance, cut as asked.
pub(crate) fn list(records: Vec<Value>) -> impl Fn(&Request) -> Action + Send + Sync {
    move |request| part_of(&records, request)
}

/// The proper answer to one request for these records.
pub(crate) fn part_of(records: &[Value], request: &Request) -> Action {
    let from = request.offset.min(records.len());
    let to = (from + request.limit).min(records.len());
    Action::json(&page(&records[from..to], records.len()))
}

/// The upstream, at work until the test ends.
pub(crate) struct FakeApi {
    url: String,
    shared: Arc<Shared>,
}

struct Shared {
    script: Mutex<Script>,
    requests: Mutex<Vec<Request>>,
    connections: Mutex<usize>,
}

impl FakeApi {
    pub(crate) fn start(script: impl Fn(&Request) -> Action + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            script: Mutex::new(Arc::new(script)),
            requests: Mutex::default(),
            connections: Mutex::default(),
        });
        let server = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = Arc::clone(&server);
                thread::spawn(move || server.serve(&stream));
            }
        });
        let url = format!("http://{address}");
        Self { url, shared }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Goes by another script from now on, and forgets what was asked so far.
    pub(crate) fn behave(&self, script: impl Fn(&Request) -> Action + Send + Sync + 'static) {
        *self.shared.script.lock().unwrap() = Arc::new(script);
        self.shared.requests.lock().unwrap().clear();
    }

    /// Everything that was asked since the script began.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// How often it was asked since the script began.
    pub(crate) fn asked(&self) -> usize {
        self.shared.requests.lock().unwrap().len()
    }
}

impl Shared {
    fn serve(&self, stream: &TcpStream) {
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(LONGEST)).unwrap();
        stream.set_write_timeout(Some(LONGEST)).unwrap();
        let connection = {
            let mut connections = self.connections.lock().unwrap();
            *connections += 1;
            *connections
        };
        while let Some(head) = read_head(stream) {
            let mut request = parse(&head);
            request.connection = connection;
            let script = {
                let mut requests = self.requests.lock().unwrap();
                request.number = requests.len() + 1;
                requests.push(request.clone());
                Arc::clone(&self.script.lock().unwrap())
            };
            let action = script(&request);
            // A client that went away is what many scripts are about.
            if perform(stream, action.steps).is_none() || !go_on(stream, action.end) {
                return;
            }
        }
    }
}

fn perform(mut stream: &TcpStream, steps: Vec<Step>) -> Option<()> {
    for step in steps {
        match step {
            Step::Send(bytes) => stream.write_all(&bytes).ok()?,
            Step::Drip(bytes, pause) => {
                for byte in bytes {
                    stream.write_all(&[byte]).ok()?;
                    wait(pause);
                }
            }
            Step::Repeat(bytes) => loop {
                stream.write_all(&bytes).ok()?;
            },
            Step::Do(work) => work(),
        }
    }
    Some(())
}

/// Ends the exchange; says whether another may follow.
fn go_on(mut stream: &TcpStream, end: End) -> bool {
    // One byte of every request is left unread until here: a socket closed over unread bytes resets its connection.
    match end {
        End::Reset => false,
        End::Keep => stream.read_exact(&mut [0]).is_ok(),
        End::Close => {
            let _gone = stream.read_exact(&mut [0]);
            false
        }
        End::Stall => {
            while stream.read(&mut [0; 64]).is_ok_and(|read| read > 0) {}
            false
        }
    }
}

/// Reads a request's head but for its last byte, which is left in the socket.
fn read_head(mut stream: &TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    String::from_utf8(head).ok()
}

fn parse(head: &str) -> Request {
    let mut lines = head.lines();
    let target = lines.next().unwrap_or_default().split(' ').nth(1);
    let (path, query) = {
        let target = target.unwrap_or_default();
        target.split_once('?').unwrap_or((target, ""))
    };
    let parameter = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let found = pairs.find(|(known, _)| *known == name);
        found.map(|(_, value)| value.to_owned())
    };
    let number = |name| parameter(name).and_then(|value| value.parse().ok());
    Request {
        path: path.to_owned(),
        instance: path.split('/').nth(4).unwrap_or_default().to_owned(),
        query: query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        offset: number("offset").unwrap_or(0),
        limit: number("limit").unwrap_or(10),
        headers: lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect(),
        ..Request::default()
    }
}

/// Lets time pass in a thread of the server, where nothing else waits for it.
#[expect(
    clippy::disallowed_methods,
    reason = "a slow server is what is simulated, and it has a thread of its own"
)]
pub(crate) fn wait(pause: Duration) {
    thread::sleep(pause);
}
