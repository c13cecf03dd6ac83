//! The simulated cloud over HTTP, on loopback only.
//!
//! The server lives on a thread of its own with a runtime of its own, so that a plain test, an async one and a command can
//! all use it the same way; dropping its handle ends it. Between requests the world stands still: each request first moves
//! its clock by the time that went by since the last one, which comes to the same because the world does not depend on
//! the sizes of steps.

mod desk;

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, DATE, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::oneshot;

use super::LaggingCopy;
use super::account::Account;
use super::gateway::Locks;
use super::manners::Manners;
use super::refusal::Refusal;
use super::reply::Reply;
use super::route::Asked;
use super::trouble::Throttle;
use super::world::{self, World};
use crate::model::time::Timestamp;

/// How long to wait before accepting again when the machine has no room for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// The longest body that is read: a request for a token is a few hundred bytes.
const LONGEST_BODY: usize = 1 << 20;

/// How to run the simulated cloud.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    pub(crate) world: world::Options,
    /// The port on 127.0.0.1; 0 takes a free one.
    pub(crate) port: u16,
    /// Virtual seconds a second; with 0, the default, the clock moves only when the world is told to.
    pub(crate) speed: f64,
    /// The most records in a page, whatever limit is asked for.
    pub(crate) page_cap: Option<usize>,
    /// How long every answer takes.
    pub(crate) latency: Duration,
    pub(crate) manners: Manners,
}

/// A simulated cloud that is running; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    /// Such as `http://127.0.0.1:40123`: of DCS, of IAM, and of the metadata service of an ECS.
    pub(crate) endpoint: String,
    pub(crate) project_id: String,
    /// What opens it, and who owns it.
    pub(crate) account: Account,
    pub(crate) token: String,
    cloud: Arc<Cloud>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// The world behind the server, for reading its truth and moving its clock. The server answers nobody while the guard
    /// is held.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.cloud.world)
    }

    /// Lets the copy give the answers that it is made for; one that was not done yet is forgotten.
    pub(crate) fn lag(&self, copy: LaggingCopy) {
        *lock(&self.cloud.lagging) = Some(copy);
    }

    /// How many requests have come in, refused ones included.
    #[cfg(test)]
    pub(crate) fn requests(&self) -> u64 {
        self.cloud.requests.load(Ordering::Relaxed)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic over there has been reported by the panic hook; here is nobody left to tell.
            let _ended = thread.join();
        }
    }
}

/// What the connections share.
#[derive(Debug)]
struct Cloud {
    world: Mutex<World>,
    lagging: Mutex<Option<LaggingCopy>>,
    pace: Mutex<Pace>,
    requests: AtomicU64,
    account: Account,
    locks: Mutex<Locks>,
    throttle: Mutex<Throttle>,
    options: Options,
}

/// Turns time that went by here into time over there.
#[derive(Clone, Copy, Debug)]
struct Pace {
    speed: f64,
    last: Instant,
    /// The fraction of a virtual millisecond that is still owed.
    owed: f64,
}

impl Pace {
    /// Returns the virtual milliseconds since the last call.
    fn passed(&mut self, now: Instant) -> u64 {
        let real = now.saturating_duration_since(self.last).as_secs_f64();
        self.last = now;
        let passed = real * 1000.0 * self.speed + self.owed;
        self.owed = passed.fract();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the cast of a float saturates, a speed is not negative, and the fraction is kept"
        )]
        let whole = passed as u64;
        whole
    }
}

/// A lock that does not mind that a test panicked while holding it: the world has no half-done state to protect.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a simulated cloud; when this returns, it answers.
pub(crate) fn start(options: Options) -> io::Result<Running> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))?;
    listener.set_nonblocking(true)?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let world = World::new(options.world);
    let project_id = world.project_id().to_owned();
    let mut account = Account::new(options.world.seed, &world);
    account.token_ends = options
        .manners
        .token_life
        .map(|life| world::START.saturating_add(life));
    let cloud = Arc::new(Cloud {
        world: Mutex::new(world),
        lagging: Mutex::new(None),
        pace: Mutex::new(Pace {
            speed: options.speed,
            last: Instant::now(),
            owed: 0.0,
        }),
        requests: AtomicU64::new(0),
        account: account.clone(),
        locks: Mutex::default(),
        throttle: Mutex::new(Throttle::new(Instant::now())),
        options,
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let listener = {
        let _inside = runtime.enter();
        tokio::net::TcpListener::from_std(listener)?
    };
    let (stop, stopped) = oneshot::channel();
    let shared = Arc::clone(&cloud);
    let thread = std::thread::Builder::new()
        .name("simulated-cloud".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = serve(&listener, &shared) => {}
                    // Sent or dropped, both mean the end; dropping the runtime ends the connections.
                    _ = stopped => {}
                }
            });
        })?;
    Ok(Running {
        endpoint,
        project_id,
        token: account.token.clone(),
        account,
        cloud,
        stop: Some(stop),
        thread: Some(thread),
    })
}

async fn serve(listener: &tokio::net::TcpListener, cloud: &Arc<Cloud>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        // Small answers should not wait for each other; without it they are only slower.
        let _slower = stream.set_nodelay(true);
        let cloud = Arc::clone(cloud);
        drop(tokio::spawn(async move {
            let service = service_fn(|request| {
                let cloud = Arc::clone(&cloud);
                async move { Ok::<_, Infallible>(respond(&cloud, request).await) }
            });
            // A client that goes away in the middle is its own business.
            let _gone = http1::Builder::new()
                .timer(TokioTimer::new())
                .auto_date_header(false)
                .serve_connection(TokioIo::new(stream), service)
                .await;
        }));
    }
}

async fn respond(cloud: &Cloud, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let number = cloud.requests.fetch_add(1, Ordering::Relaxed) + 1;
    if !cloud.options.latency.is_zero() {
        tokio::time::sleep(cloud.options.latency).await;
    }
    let request_id = format!("{number:032x}");
    let (head, body) = request.into_parts();
    let body = Limited::new(body, LONGEST_BODY).collect().await;
    let passed = lock(&cloud.pace).passed(Instant::now());
    let (reply, now) = match body {
        Ok(body) => {
            let asked = Asked {
                method: head.method.as_str(),
                path: head.uri.path(),
                query: head.uri.query().unwrap_or_default(),
                headers: &head.headers,
                body: &body.to_bytes(),
                number,
                id: &request_id,
            };
            let mut world = lock(&cloud.world);
            world.advance(passed);
            (cloud.reply(&world, &asked), world.now())
        }
        Err(_) => (
            Refusal::TooLarge.reply(&request_id),
            lock(&cloud.world).now(),
        ),
    };
    written(reply, now, &request_id)
}

/// Makes a response of a reply.
fn written(reply: Reply, now: Timestamp, request_id: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(reply.body)));
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    let date = http_date(reply.date.unwrap_or(now));
    let more = reply.headers.into_iter();
    for (name, value) in more.chain([
        (DATE.as_str(), date),
        ("x-request-id", request_id.to_owned()),
    ]) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
    response
}

/// Writes a moment as the `Date` header does.
fn http_date(moment: Timestamp) -> String {
    let moment = DateTime::<Utc>::from_timestamp_millis(moment.millis()).unwrap_or_default();
    moment.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests;
