//! Lists behind a socket that does what a test tells it to.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

use crate::model::time::Timestamp;

/// One answer.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: String,
    pub(super) date: Option<Timestamp>,
}

impl Reply {
    pub(super) fn failed(status: u16, code: &str, date: Timestamp) -> Self {
        Self {
            status,
            body: format!(r#"{{"error_code":"{code}","error_msg":"so it is"}}"#),
            date: Some(date),
        }
    }

    pub(super) fn ok(body: String, date: Timestamp) -> Self {
        Self {
            status: 200,
            body,
            date: Some(date),
        }
    }
}

/// A request for a page, as the server reads it.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// Whose tasks; empty for the list of instances.
    pub(super) instance: String,
    pub(super) offset: usize,
    pub(super) limit: usize,
    pub(super) start: Option<String>,
    /// The lower bound under its other name.
    pub(super) begin: Option<String>,
}

pub(super) type Handler = Box<dyn FnMut(&Asked) -> Reply + Send>;

/// Serves until the process ends; a test swaps the handler.
pub(super) struct Fake {
    pub(super) address: String,
    handler: Arc<Mutex<Handler>>,
}

impl Fake {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let handler: Arc<Mutex<Handler>> = Arc::new(Mutex::new(Box::new(|_| panic!("no handler"))));
        let shared = Arc::clone(&handler);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, handler) = (stream.unwrap(), Arc::clone(&shared));
                std::thread::spawn(move || serve(stream, &handler));
            }
        });
        Self { address, handler }
    }

    pub(super) fn answer_with(&self, handler: Handler) {
        *self.handler.lock().unwrap() = handler;
    }
}

fn serve(stream: TcpStream, handler: &Mutex<Handler>) {
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first).unwrap_or(0) == 0 {
            return;
        }
        let mut header = String::new();
        while reader.read_line(&mut header).unwrap_or(0) > 2 {
            header.clear();
        }
        let target = first.split(' ').nth(1).unwrap();
        let reply = (handler.lock().unwrap())(&asked(target));
        let date = reply
            .date
            .map(|date| format!("Date: {}\r\n", http_date(date)))
            .unwrap_or_default();
        let head = format!(
            "HTTP/1.1 {} X\r\n{date}Content-Length: {}\r\n\r\n",
            reply.status,
            reply.body.len()
        );
        if stream
            .write_all(format!("{head}{}", reply.body).as_bytes())
            .is_err()
        {
            return;
        }
    }
}

pub(super) fn asked(target: &str) -> Asked {
    let (path, query) = target.split_once('?').unwrap();
    let query: BTreeMap<&str, &str> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .collect();
    Asked {
        instance: path.split('/').nth(4).unwrap_or_default().to_owned(),
        offset: query["offset"].parse().unwrap(),
        limit: query["limit"].parse().unwrap(),
        start: query.get("start_time").map(|start| (*start).to_owned()),
        begin: query.get("begin_time").map(|begin| (*begin).to_owned()),
    }
}

pub(super) fn http_date(time: Timestamp) -> String {
    let moment = chrono::DateTime::from_timestamp_millis(time.millis()).unwrap();
    moment.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
