//! Faults of the network, N01 to N20: the answer does not come, does not come whole, or comes from elsewhere.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::support::env::Program;
use crate::support::fake_api::{Action, FakeApi, list, part_of, wait};
use crate::support::faults::{
    Expected, PAGES, RECORDS, THIRD_PAGE, TWO_PAGES, body, for_good, once,
};
use crate::support::{PROJECT, TOKEN, page, tasks};

/// A fault from the third page on that is retried to the end: four attempts behind three good answers.
const RETRIED: Expected<'_> = Expected {
    code: 5,
    kept: TWO_PAGES,
    asked: 3 + 4,
    said: &["offset=6", "4 attempts"],
};

/// A limit that a stalled server runs into, and one retry, so that a test takes twice that and no more.
const IMPATIENT: [&str; 4] = ["--timeout", "300ms", "--retries", "1"];

#[test]
fn n01_a_host_that_is_down_is_tried_four_times_and_no_other_instance_is_tried_on_it() {
    let program = Program::new();
    let address = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let token = program.home().join("token");
    let url = format!("http://{address}");
    let outcome = program.run(&[
        "sync",
        "--endpoint",
        &url,
        "--project-id",
        PROJECT,
        "--token-file",
        token.to_str().unwrap(),
        "--instance",
        "first",
        "--instance",
        "second",
    ]);
    outcome
        .expect_code(5)
        .expect_said(&[&url, "cannot connect", "4 attempts"]);
    assert_eq!(
        program.rows("SELECT requests, exit_code FROM syncs"),
        ["4|5"]
    );
    assert_eq!(program.number("SELECT count(*) FROM tasks"), 0);
    assert!(!outcome.err.contains("instances/second"), "{outcome:#?}");
    let api = FakeApi::start(list(tasks(3)));
    program.recovers(&api, &tasks(3));
}

#[test]
fn n02_a_connection_lost_before_the_answer_is_made_again() {
    for at in 1..=THIRD_PAGE {
        let closed = once(at, &[], |_| Action::close());
        let reset = once(at, &[], |_| Action::reset());
        // The first request meets a fresh connection, so it is the cloud that failed, and a person is told.
        if at == 1 {
            closed.expect_said(&["the connection was closed before an answer", "asking again"]);
            reset.expect_said(&["the connection was closed before an answer", "asking again"]);
        }
    }
}

#[test]
fn n03_a_reset_in_mid_body_discards_the_page() {
    let outcome = for_good(THIRD_PAGE, &[], RETRIED, |request| {
        Action::text(body(request)).half().then_reset()
    });
    outcome.expect_said(&["the answer broke off after", "bytes"]);
    once(THIRD_PAGE, &[], |request| {
        Action::text(body(request)).half().then_reset()
    });
}

#[test]
fn n04_a_body_that_ends_early_is_an_error_even_if_what_came_parses() {
    for_good(THIRD_PAGE, &[], RETRIED, |request| {
        Action::text(body(request)).half().then_close()
    })
    .expect_said(&["the answer broke off after"]);
    for_good(THIRD_PAGE, &[], RETRIED, |request| {
        let body = body(request);
        Action::of_length(body.len() + 10, body)
    })
    .expect_said(&["the answer broke off after"]);
    for_good(THIRD_PAGE, &[], RETRIED, |request| {
        Action::chunks_without_end(body(request))
    })
    .expect_said(&["the answer broke off after"]);
}

#[test]
fn n05_a_content_length_that_is_too_short_gives_no_page() {
    // An answer that makes no sense is asked for again twice.
    let expected = Expected {
        asked: 3 + 3,
        said: &["offset=6", "3 attempts", "cut off"],
        ..RETRIED
    };
    for_good(THIRD_PAGE, &[], expected, |request| {
        let body = body(request);
        Action::of_length(body.len() - 20, body)
    });
}

#[test]
fn n06_a_server_that_never_answers_runs_into_the_limit() {
    let expected = Expected {
        asked: 3 + 2,
        said: &["no complete answer within 300ms", "--timeout", "offset=6"],
        ..RETRIED
    };
    for_good(THIRD_PAGE, &IMPATIENT, expected, |_| Action::stall());
    for_good(THIRD_PAGE, &IMPATIENT, expected, |request| {
        Action::text(body(request)).half().then_stall()
    });
}

#[test]
fn n06_n20_after_a_stall_the_retry_does_not_go_down_the_same_connection() {
    let program = Program::new();
    let api = FakeApi::start(|request| match request.number {
        THIRD_PAGE => Action::stall(),
        _ => part_of(&tasks(RECORDS), request),
    });
    program
        .sync_with(&api, &[&PAGES[..], &IMPATIENT].concat())
        .expect_code(0);
    let connections: Vec<_> = api
        .requests()
        .iter()
        .map(|request| request.connection)
        .collect();
    assert_eq!(connections, [1, 1, 1, 1, 2]);
}

#[test]
fn n06_a_run_has_an_end_of_its_own() {
    let expected = Expected {
        asked: THIRD_PAGE,
        said: &[
            "the time for the whole run (400ms) is over",
            "--run-timeout",
        ],
        ..RETRIED
    };
    for_good(THIRD_PAGE, &["--run-timeout", "400ms"], expected, |_| {
        Action::stall()
    });
}

#[test]
fn n07_a_drip_runs_into_the_limit_for_the_whole_request() {
    let expected = Expected {
        asked: 3 + 2,
        said: &["no complete answer within 300ms", "bytes read"],
        ..RETRIED
    };
    for_good(THIRD_PAGE, &IMPATIENT, expected, |request| {
        Action::drip(body(request), Duration::from_millis(20))
    });
}

/// Refused at the first look: one request, nothing stored.
fn refused_at_once<'a>(said: &'a [&'a str]) -> Expected<'a> {
    Expected {
        code: 5,
        kept: 0,
        asked: 1,
        said,
    }
}

#[test]
fn n08_n15_a_compressed_answer_is_refused_unread() {
    for encoding in ["gzip", "br", "zstd", "deflate", "x-unheard-of"] {
        let header = format!("Content-Encoding: {encoding}");
        // The head alone: whoever unpacked the body would wait for it.
        for_good(
            1,
            &[],
            refused_at_once(&["compressed", encoding]),
            move |request| {
                Action::reply(200, &[&header], body(request))
                    .half()
                    .then_stall()
            },
        );
    }
    once(THIRD_PAGE, &[], |request| {
        Action::reply(200, &["Content-Encoding: identity"], body(request))
    });
}

#[test]
fn n09_an_endless_or_huge_body_meets_the_size_limit() {
    let said: &[&str] = &["the size limit of 1048576 bytes", "--max-body"];
    let limit = ["--max-body", "1MiB"];
    for_good(1, &limit, refused_at_once(said), |_| Action::endless());
    // A body that says how large it is need not be read at all.
    for_good(1, &limit, refused_at_once(said), |_| {
        Action::of_length(10 << 30, "{").then_stall()
    });
}

#[test]
fn n10_n11_a_redirect_is_never_followed() {
    let elsewhere = FakeApi::start(list(tasks(1)));
    let targets = [
        (
            format!("{}/v2/x", elsewhere.url()),
            elsewhere.url().to_owned(),
        ),
        (
            "http://dcs.example.com/steal".to_owned(),
            "http://dcs.example.com".to_owned(),
        ),
        ("file:///etc/passwd".to_owned(), "file: address".to_owned()),
        (
            "/v2/round/and/round".to_owned(),
            "another path of the same origin".to_owned(),
        ),
    ];
    for (status, (location, named)) in [301, 302, 307, 308].into_iter().zip(targets) {
        let expected = Expected {
            asked: THIRD_PAGE,
            said: &["redirected to", &named, "not followed", &status.to_string()],
            ..RETRIED
        };
        for_good(THIRD_PAGE, &[], expected, move |_| {
            Action::redirect(status, &location)
        });
    }
    assert_eq!(elsewhere.asked(), 0);
}

#[test]
fn n12_a_slow_server_raises_no_alarm() {
    let program = Program::new();
    let api = FakeApi::start(|request| {
        wait(Duration::from_millis(30));
        Action::drip(body(request), Duration::from_micros(50))
    });
    program.sync_with(&api, &PAGES).expect_code(0);
    assert_eq!(program.rows("SELECT requests, retries FROM syncs"), ["4|0"]);
}

#[test]
fn n13_a_connection_dropped_while_idle_is_no_failure_of_the_server() {
    let program = Program::new();
    let api = FakeApi::start(|request| part_of(&tasks(RECORDS), request).then_close());
    let outcome = program.sync_with(&api, &[&PAGES[..], &["--retries", "0"]].concat());
    outcome.expect_code(0);
    assert_eq!(program.number("SELECT retries FROM syncs"), 0);
    assert!(!outcome.err.contains("asking again"), "{outcome:#?}");
}

/// Serves a list of three over TLS under a certificate that nobody vouches for; returns its address and the certificate.
fn tls_server() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let chain = vec![CertificateDer::from(certificate.der().to_vec())];
    let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream);
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read_exact(&mut byte).is_ok() {
                head.push(byte[0]);
            }
            let shown = if head.windows(8).any(|part| part == b"limit=2&") {
                2
            } else {
                3
            };
            let body = page(&tasks(3)[..shown], 3).to_string();
            let length = body.len();
            // A client that refuses the certificate is gone already.
            let _gone = write!(
                stream,
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
            );
            stream.conn.send_close_notify();
            let _gone = stream.flush();
        }
    });
    (format!("https://{address}"), certificate.pem())
}

#[test]
fn n14_a_certificate_that_nobody_vouches_for_is_refused_unless_a_file_does() {
    let program = Program::new();
    let (url, pem) = tls_server();
    let token = program.home().join("token");
    let authority = program.home().join("ca.pem");
    std::fs::write(&authority, pem).unwrap();
    let plain = [
        "sync",
        "--endpoint",
        &url,
        "--project-id",
        PROJECT,
        "--token-file",
        token.to_str().unwrap(),
    ];
    let refused = program.run(&plain);
    refused.expect_code(5).expect_said(&[
        "refused before any request was sent",
        "certificate",
        "--ca-file",
    ]);
    assert_eq!(program.number("SELECT count(*) FROM tasks"), 0);
    let trusted = [&plain[..], &["--ca-file", authority.to_str().unwrap()]].concat();
    program.run(&trusted).expect_code(0);
    assert_eq!(program.number("SELECT count(*) FROM tasks"), 3);
}

#[test]
fn n16_no_proxy_stands_between_the_program_and_its_own_machine() {
    let program = Program::new();
    let api = FakeApi::start(list(tasks(3)));
    let args = program.sync_args(&api, &[]);
    let mut command = program.command(&args.iter().map(String::as_str).collect::<Vec<_>>());
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
        command.env(name, "http://user:hunter2@127.0.0.1:9");
    }
    let outcome = crate::support::env::finish(command.spawn().unwrap());
    outcome.expect_code(0);
    assert!(!outcome.err.contains("hunter2"));
    program.check(&outcome);
}

/// Answers everything with 407, as a proxy does that was not told who asks; returns what it was asked.
fn proxy_that_asks_for_a_password() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let heads = Arc::new(Mutex::new(Vec::new()));
    let asked = Arc::clone(&heads);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let (mut head, mut byte) = (Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n > 0) {
                head.push(byte[0]);
            }
            let head = String::from_utf8_lossy(&head).into_owned();
            // Such a page repeats what it was sent.
            let answer = format!(
                "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\
                 Connection: close\r\nContent-Length: {}\r\n\r\n{head}",
                head.len()
            );
            asked.lock().unwrap().push(head);
            // The program may be gone already, and says so itself.
            let _unsent = stream.write_all(answer.as_bytes());
        }
    });
    (address, heads)
}

#[test]
fn n16_a_proxy_that_refuses_is_named_without_its_password() {
    let program = Program::new();
    let token = program.home().join("token");
    for (endpoint, line) in [
        (
            "https://dcs.example.invalid",
            "CONNECT dcs.example.invalid:443",
        ),
        (
            "http://dcs.example.invalid",
            "GET http://dcs.example.invalid/v2/",
        ),
    ] {
        let (address, heads) = proxy_that_asks_for_a_password();
        let mut command = program.command(&[
            "sync",
            "--insecure-http",
            "--endpoint",
            endpoint,
            "--project-id",
            PROJECT,
            "--token-file",
            token.to_str().unwrap(),
        ]);
        command.env("ALL_PROXY", format!("http://user:hunter2@{address}"));
        let outcome = crate::support::env::finish(command.spawn().unwrap());
        outcome.expect_code(5).expect_said(&[
            &format!("the proxy http://{address} wants a user and a password (407"),
            "hint: the proxy's user and password are set in HTTPS_PROXY",
        ]);
        // `user:hunter2` in base64 is what the proxy is sent.
        for secret in ["hunter2", "dXNlcjpodW50ZXIy"] {
            assert!(!outcome.err.contains(secret), "{outcome:#?}");
        }
        let heads = heads.lock().unwrap();
        assert_eq!(heads.len(), 1, "{heads:?}");
        assert!(heads[0].starts_with(line), "{heads:?}");
        let lower = heads[0].to_lowercase();
        assert!(lower.contains("proxy-authorization: basic dxnlcjpodw50zxiy"));
    }
}

#[test]
fn n16_a_proxy_that_is_down_is_named_and_no_proxy_goes_past_it() {
    let program = Program::new();
    let token = program.home().join("token");
    let gone = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    for (exempt, through) in [("", true), ("other.invalid, .example.invalid", false)] {
        let mut command = program.command(&[
            "sync",
            "--endpoint",
            "https://dcs.example.invalid",
            "--project-id",
            PROJECT,
            "--token-file",
            token.to_str().unwrap(),
            "--retries",
            "0",
        ]);
        command
            .env("HTTPS_PROXY", format!("http://user:hunter2@{gone}"))
            .env("NO_PROXY", exempt);
        let outcome = crate::support::env::finish(command.spawn().unwrap());
        outcome
            .expect_code(5)
            .expect_said(&["cannot connect", "NO_PROXY"]);
        let words = format!("cannot connect through the proxy http://{gone}, 1 attempt");
        assert_eq!(outcome.err.contains(&words), through, "{outcome:#?}");
        assert!(!outcome.err.contains("hunter2"), "{outcome:#?}");
    }
}

#[test]
fn n17_a_name_that_does_not_resolve_is_a_dead_host() {
    let program = Program::new();
    let token = program.home().join("token");
    let outcome = program.run(&[
        "sync",
        "--endpoint",
        "https://nowhere.invalid",
        "--project-id",
        PROJECT,
        "--token-file",
        token.to_str().unwrap(),
        "--retries",
        "1",
        "--connect-timeout",
        "1s",
    ]);
    outcome
        .expect_code(5)
        .expect_said(&["nowhere.invalid", "cannot connect"]);
    assert_eq!(program.number("SELECT count(*) FROM tasks"), 0);
}

#[test]
fn n18_n19_an_endpoint_that_is_not_a_plain_https_origin_is_wrong_usage() {
    let cases = [
        ("http://dcs.example.com", "--insecure-http"),
        ("http://10.0.0.1", "--insecure-http"),
        ("https://user:hunter2@dcs.example.com", "endpoint"),
        ("https://dcs.example.com?x=hunter2", "endpoint"),
        ("https://dcs.example.com/#hunter2", "endpoint"),
        ("https://dcs.example.com/v2/../hunter2", "endpoint"),
        ("https://dcs.example.com/%2e%2e/", "endpoint"),
        ("file:///etc/passwd", "endpoint"),
        ("dcs.example.com", "endpoint"),
        ("", "endpoint"),
    ];
    let program = Program::new();
    let token = program.home().join("token");
    for (url, said) in cases {
        let outcome = program.run(&[
            "sync",
            "--endpoint",
            url,
            "--project-id",
            PROJECT,
            "--token-file",
            token.to_str().unwrap(),
        ]);
        outcome.expect_code(2).expect_said(&[said]);
        assert!(!outcome.err.contains("hunter2"), "{outcome:#?}");
        assert!(!program.db().exists(), "{url}");
    }
}

#[test]
fn the_token_goes_in_one_header_of_every_request_and_nowhere_else() {
    let program = Program::new();
    let api = FakeApi::start(list(tasks(3)));
    program.sync(&api).expect_code(0);
    assert!(api.asked() >= 2);
    for request in api.requests() {
        assert_eq!(request.header("x-auth-token"), Some(TOKEN));
        assert_eq!(request.header("accept-encoding"), None);
        assert!(!request.path.contains(TOKEN));
        let others = request
            .headers
            .iter()
            .filter(|(name, _)| name != "x-auth-token");
        assert!(
            others
                .map(|(_, value)| value)
                .all(|value| !value.contains(TOKEN))
        );
    }
}
