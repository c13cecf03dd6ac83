//! The server of a world: answers as its manner is, and goes wrong as the seed says.
//!
//! It runs on the runtime of the sync that asks, so that one seed has one order of events.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

use super::{
    super::fake::{Asked, asked, http_date},
    world::{Entry, Filtering, Paging, World, time},
};
use crate::model::time::Timestamp;
use crate::simulator::rng::Rng;

/// What goes wrong with one answer; the rows of the fault list that the network, the gateway and the service can cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// N02: the connection ends before the answer.
    Close,
    /// N03, N04: the body ends early.
    Short,
    /// N05: less is announced than comes.
    Announced,
    /// N06: nothing ever comes.
    Silence,
    /// N09 in small: the answer is no JSON for long.
    Noise,
    /// N10
    Redirect,
    /// H04, H05: busy, come back at once.
    Busy,
    /// H06: busy, come back in a day.
    BusyForADay,
    /// H07, H08
    Broken(u16),
    /// H09: an error in an answer of success.
    Envelope,
    /// H10, H11
    Nonsense(&'static str),
    /// H01
    Refused,
    /// H02
    Forbidden,
    /// H03: a 404 of somebody else's.
    NotFound,
    /// H13
    BadRequest,
    /// G11: an empty page where records are.
    Empty,
    /// P19: a byte order mark, which is no fault to anybody.
    Marked,
    /// T22: no date.
    Undated,
}

const NONSENSE: [&str; 9] = [
    "",
    "{}",
    "null",
    "[]",
    "\"no\"",
    "<html>Maintenance</html>",
    r#"{"tasks":{}}"#,
    r#"{"task_count":0,"instance_num":0}"#,
    r#"{"tasks":[{"id":"#,
];

fn fault(rng: &mut Rng) -> Fault {
    match rng.below(24) {
        0..=1 => Fault::Close,
        2..=3 => Fault::Short,
        4 => Fault::Announced,
        5 if rng.one_in(6) => Fault::Silence,
        6 => Fault::Noise,
        7 => Fault::Redirect,
        8..=9 => Fault::Busy,
        10 => Fault::BusyForADay,
        11..=13 => Fault::Broken(rng.pick([500, 502, 503, 504])),
        14 => Fault::Envelope,
        15..=16 => Fault::Nonsense(rng.pick(NONSENSE)),
        17 if rng.one_in(3) => Fault::Refused,
        18 => Fault::Forbidden,
        19 => Fault::NotFound,
        20 => Fault::BadRequest,
        21 => Fault::Empty,
        22 => Fault::Marked,
        _ => Fault::Undated,
    }
}

/// What one sync meets.
pub(super) struct Weather {
    /// A fault comes once in so many answers; 0 for never.
    pub(super) fault_every: u64,
    /// Things happen before one in so many answers; 0 for never.
    pub(super) change_every: u64,
    /// How far behind the copy is that answers.
    pub(super) lag: i64,
    /// The sync is killed when it asks for the so manieth time.
    pub(super) killed_at: Option<u64>,
    /// Every request is answered with this.
    pub(super) outage: Option<u16>,
}

impl Weather {
    pub(super) const FAIR: Self = Self {
        fault_every: 0,
        change_every: 0,
        lag: 0,
        killed_at: None,
        outage: None,
    };
}

/// What was shown in one sync, and what was there throughout it.
#[derive(Default)]
pub(super) struct Shown {
    /// Every state of a task in an answer that arrived whole: instance, task and version.
    pub(super) tasks: BTreeSet<(String, u32, u32)>,
    pub(super) junk: BTreeSet<(String, String)>,
    /// Every version that a task had for those who looked during this sync.
    pub(super) during: BTreeMap<(String, u32), BTreeSet<u32>>,
    /// The tasks that were there whenever one looked.
    pub(super) throughout: BTreeSet<(String, u32)>,
    /// The instances that the list had whenever one looked.
    pub(super) listed: BTreeSet<String>,
    pub(super) requests: u64,
}

pub(super) struct State {
    pub(super) world: World,
    pub(super) rng: Rng,
    pub(super) weather: Weather,
    pub(super) shown: Shown,
    /// The token of the sync that is at work: what one that was killed had still asked for is nobody's any more.
    pub(super) token: String,
    syncs: u32,
    /// A page that was empty and should not have been comes at most once in a sync: twice the same lie is the truth to anybody.
    lied: bool,
    /// The last answer had a date.
    dated: bool,
    /// What happened, for whoever has to understand it.
    pub(super) log: Vec<String>,
}

/// What goes back over the wire.
struct Reply {
    status: u16,
    headers: String,
    body: Vec<u8>,
    /// More or less than the body has.
    announced: usize,
}

impl State {
    pub(super) fn new(world: World, rng: Rng) -> Self {
        Self {
            world,
            rng,
            weather: Weather::FAIR,
            shown: Shown::default(),
            token: String::new(),
            syncs: 0,
            lied: false,
            dated: false,
            log: Vec::new(),
        }
    }

    pub(super) fn begin(&mut self, weather: Weather) {
        self.weather = weather;
        self.syncs += 1;
        self.token = format!("token-{}", self.syncs);
        self.lied = false;
        self.dated = false;
        self.shown = Shown::default();
        let seen = self.world.seen(self.weather.lag);
        self.shown.throughout = seen
            .iter()
            .flat_map(|instance| {
                let id = &instance.id;
                instance.tasks.iter().map(|task| (id.clone(), task.id))
            })
            .collect();
        let listed = self.world.instances.iter().filter(|one| one.is_listed);
        self.shown.listed = listed.map(|one| one.id.clone()).collect();
        self.look();
    }

    /// Notes what somebody who looks now can see.
    fn look(&mut self) {
        let mut there = BTreeSet::new();
        for instance in self.world.seen(self.weather.lag) {
            for task in &instance.tasks {
                let key = (instance.id.clone(), task.id);
                let versions = self.shown.during.entry(key.clone()).or_default();
                versions.insert(task.version);
                there.insert(key);
            }
        }
        self.shown.throughout.retain(|key| there.contains(key));
        let listed = |id: &String| {
            let mut instances = self.world.instances.iter();
            instances.any(|one| one.id == *id && one.is_listed)
        };
        self.shown.listed.retain(listed);
    }

    /// Answers a request, or says which fault leaves it without an answer.
    fn answer(&mut self, asked: &Asked) -> Result<Reply, Fault> {
        self.shown.requests += 1;
        self.world.clock += 500;
        if let Some(status) = self.weather.outage {
            let mut reply = failed(status, "APIGW.0301", "not today");
            reply.headers = date_line(time(self.world.clock));
            return Ok(reply);
        }
        let changes = self.weather.change_every;
        if changes > 0 && self.rng.one_in(changes) {
            // At most two: with three, a list ordered by update can hide a move from every seam and every count, which
            // the rules leave to the next walk.
            for _ in 0..self.rng.between(1, 2) {
                self.world.act(&mut self.rng);
                self.look();
            }
        }
        if self.weather.lag > 0 {
            // Time goes on for the copy as well, so that it may get to know what happened before.
            self.look();
        }
        let every = self.weather.fault_every;
        let fault = (every > 0 && self.rng.one_in(every)).then(|| fault(&mut self.rng));
        let fault = fault.filter(|fault| *fault != Fault::Empty || !self.lied);
        self.lied |= fault == Some(Fault::Empty);
        // One answer without a date is told the time by the one before.
        let fault = fault.filter(|fault| *fault != Fault::Undated || self.dated);
        self.dated = fault != Some(Fault::Undated);
        let (page, honest) = self.page(asked, fault == Some(Fault::Empty));
        let what = (&asked.instance, asked.offset, asked.limit, &asked.start);
        let reply = self.spoil(page, fault);
        let told = match &reply {
            Ok(reply) => format!("{} {}", reply.status, String::from_utf8_lossy(&reply.body)),
            Err(_) => "nothing".to_owned(),
        };
        self.log.push(format!("{what:?} {fault:?}: {told}"));
        let reply = reply?;
        let arrives = reply.status == 200
            && matches!(
                fault,
                None | Some(Fault::Marked | Fault::Undated | Fault::Empty)
            );
        for (instance, entry) in honest.into_iter().filter(|_| arrives) {
            match entry {
                Entry::Task(task) => {
                    // What a stale page showed during the sync may be what the sync has.
                    let key = (instance.clone(), task.id);
                    let during = self.shown.during.entry(key).or_default();
                    during.insert(task.version);
                    self.shown.tasks.insert((instance, task.id, task.version));
                }
                Entry::Junk(text) => {
                    self.shown.junk.insert((instance, text));
                }
            }
        }
        Ok(reply)
    }

    /// The answer without a fault, and the entries in it.
    fn page(&mut self, asked: &Asked, empty: bool) -> (Reply, Vec<(String, Entry)>) {
        if let Paging::Refuses(most) = self.world.manner.paging
            && asked.limit > most
        {
            return (failed(400, "DCS.4922", "limit is out of range"), Vec::new());
        }
        if asked.instance.is_empty() {
            let (count, shown) = self.world.list_page(asked.offset, asked.limit);
            let texts: Vec<_> = shown.iter().map(super::world::Instance::json).collect();
            let texts = if empty {
                String::new()
            } else {
                texts.join(",")
            };
            let body = format!(r#"{{{count}"instances":[{texts}]}}"#);
            return (Reply::ok(&body), Vec::new());
        }
        let seen = self.world.seen(self.weather.lag);
        let found = seen.iter().find(|one| one.id == asked.instance).cloned();
        let Some(instance) = found.filter(|one| one.is_there) else {
            return (failed(404, "DCS.3022", "no such instance"), Vec::new());
        };
        if instance.without_tasks {
            return (failed(400, "DCS.4094", "no background tasks"), Vec::new());
        }
        if asked.start.is_some() && self.world.manner.filtering == Filtering::Refused {
            return (failed(400, "DCS.4800", "unknown parameter"), Vec::new());
        }
        let start = asked.start.as_deref().map(start);
        let window = (start, asked.offset, asked.limit);
        let (count, shown) = self.world.page(&instance, window, &mut self.rng);
        if empty {
            return (Reply::ok(&format!(r#"{{{count}"tasks":[]}}"#)), Vec::new());
        }
        let texts: Vec<_> = shown.iter().map(Entry::text).collect();
        let body = format!(r#"{{{count}"tasks":[{}]}}"#, texts.join(","));
        let entries = shown.into_iter().map(|entry| (instance.id.clone(), entry));
        (Reply::ok(&body), entries.collect())
    }

    /// The answer as it is sent; the fault where none is.
    fn spoil(&self, mut reply: Reply, fault: Option<Fault>) -> Result<Reply, Fault> {
        let skew = self.world.manner.skew;
        let date = skew.map(|skew| date_line(time(self.world.clock + skew)));
        let date = date.unwrap_or_default();
        let mut headers = String::new();
        match fault {
            None | Some(Fault::Empty | Fault::Undated) => {}
            Some(fault @ (Fault::Close | Fault::Silence)) => return Err(fault),
            Some(Fault::Short) => reply.body.truncate(reply.body.len() / 2),
            Some(Fault::Announced) => reply.announced = reply.body.len() / 2,
            Some(Fault::Noise) => reply = Reply::ok(&"x".repeat(100_000)),
            Some(Fault::Redirect) => {
                reply = Reply::of(302, "");
                headers.push_str("Location: http://127.0.0.2:9/\r\n");
            }
            Some(Fault::Busy) => {
                reply = failed(429, "APIGW.0308", "too many requests");
                headers.push_str("Retry-After: 0\r\n");
            }
            Some(Fault::BusyForADay) => {
                reply = failed(429, "APIGW.0308", "too many requests");
                headers.push_str("Retry-After: 86400\r\n");
            }
            Some(Fault::Broken(status)) => reply = Reply::of(status, "<html>broken</html>"),
            Some(Fault::Envelope) => {
                reply = failed(500, "DCS.5000", "internal error");
                reply.status = 200;
            }
            Some(Fault::Nonsense(text)) => reply = Reply::ok(text),
            Some(Fault::Refused) => reply = failed(401, "APIGW.0301", "token expired"),
            Some(Fault::Forbidden) => reply = failed(403, "DCS.1005", "not allowed"),
            Some(Fault::NotFound) => reply = failed(404, "APIGW.0101", "no such API"),
            Some(Fault::BadRequest) => reply = failed(400, "DCS.4000", "bad request"),
            Some(Fault::Marked) => {
                let marked = [&[0xEF, 0xBB, 0xBF], reply.body.as_slice()].concat();
                reply.announced = marked.len();
                reply.body = marked;
            }
        }
        if fault != Some(Fault::Undated) {
            headers.push_str(&date);
        }
        reply.headers = headers;
        Ok(reply)
    }
}

impl Reply {
    fn ok(body: &str) -> Self {
        Self::of(200, body)
    }

    fn of(status: u16, body: &str) -> Self {
        Self {
            status,
            headers: String::new(),
            body: body.as_bytes().to_vec(),
            announced: body.len(),
        }
    }
}

fn failed(status: u16, code: &str, message: &str) -> Reply {
    let body = format!(r#"{{"error_code":"{code}","error_msg":"{message}"}}"#);
    Reply::of(status, &body)
}

fn date_line(date: Timestamp) -> String {
    format!("Date: {}\r\n", http_date(date))
}

/// Reads a bound as the upstream does, `yyyyMMddHHmmss`.
fn start(text: &str) -> i64 {
    let moment = chrono::NaiveDateTime::parse_from_str(text, "%Y%m%d%H%M%S").unwrap();
    moment.and_utc().timestamp_millis() - time(0).millis()
}

/// Longer than anybody waits here.
const SILENCE: Duration = Duration::from_secs(5);

/// Answers until the runtime ends. Raises `kill` when the sync is to die.
pub(super) async fn serve(listener: TcpListener, state: Rc<RefCell<State>>, kill: Rc<Notify>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (state, kill) = (Rc::clone(&state), Rc::clone(&kill));
        tokio::task::spawn_local(async move { converse(stream, &state, &kill).await });
    }
}

async fn converse(mut stream: TcpStream, state: &RefCell<State>, kill: &Notify) {
    stream.set_nodelay(true).unwrap();
    let mut buffer = Vec::new();
    loop {
        let end = loop {
            if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            match stream.read_buf(&mut buffer).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        };
        let head = String::from_utf8(buffer.drain(..end).collect()).unwrap();
        let target = head.split(' ').nth(1).unwrap();
        if !target.contains('?') {
            return;
        }
        if !head.contains(&format!("x-auth-token: {}\r\n", state.borrow().token)) {
            return;
        }
        let reply = state.borrow_mut().answer(&asked(target));
        let dies = {
            let state = state.borrow();
            state.weather.killed_at == Some(state.shown.requests)
        };
        if dies {
            kill.notify_one();
            return;
        }
        let reply = match reply {
            Ok(reply) => reply,
            Err(fault) => {
                if fault == Fault::Silence {
                    tokio::time::sleep(SILENCE).await;
                }
                return;
            }
        };
        let cut = reply.announced > reply.body.len();
        let (status, headers, length) = (reply.status, &reply.headers, reply.announced);
        let head = format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {length}\r\n\r\n");
        let whole = [head.as_bytes(), &reply.body].concat();
        if stream.write_all(&whole).await.is_err() || cut || length != reply.body.len() {
            return;
        }
    }
}
