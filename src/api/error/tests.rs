//! What an error says, what it advises, and what it is taken for.

use super::*;
use crate::api::{error_body::ErrorBody, retry::Class};

const URL: &str = "https://dcs.example.com/v2/p/instances/i/tasks?offset=0&limit=1000";

fn at(text: &str) -> Timestamp {
    Timestamp::parse_upstream(text).unwrap()
}

fn failure(kind: ErrorKind, status: Option<u16>, code: &str, message: &str) -> Box<Failure> {
    let filled = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let mut failure = Failure::new(kind);
    failure.status = status;
    failure.said = ErrorBody {
        code: filled(code),
        message: filled(message),
        request_id: None,
    };
    failure
}

fn request(purpose: Purpose, proof: Proof) -> Request {
    Request {
        method: "GET",
        url: URL.to_owned(),
        endpoint: "https://dcs.example.com".to_owned(),
        project: "p".to_owned(),
        purpose,
        proof,
    }
}

fn error(failure: Failure, attempts: u32, stop: Stop) -> ApiError {
    let request = request(Purpose::Read, Proof::Token);
    ApiError::new(failure, request, attempts, stop)
}

fn status(status: u16, code: &str, message: &str) -> ApiError {
    let failure = failure(ErrorKind::Status, Some(status), code, message);
    error(*failure, 1, Stop::Final)
}

#[test]
fn an_error_names_the_request_the_status_the_code_the_id_and_the_attempts() {
    let mut full = failure(ErrorKind::Status, Some(503), "APIGW.0201", "Backend down");
    full.said.request_id = Some("5bf2".to_owned());
    let mut waiting = failure(ErrorKind::Status, Some(429), "", "");
    waiting.asked = Asked::TooLong(Duration::from_hours(24));
    waiting.date = Some(at("2026-11-23T20:00:00Z"));
    let bad = ErrorKind::BadAnswer {
        found: "not JSON".to_owned(),
        begins: "<html>".to_owned(),
    };
    let cut = ErrorKind::Truncated {
        read: 7,
        promised: Some(9),
    };
    let slow = ErrorKind::Timeout {
        limit: Duration::from_mins(1),
        read: 3,
    };
    let cases = [
        (
            full,
            4,
            Stop::Attempts,
            "status 503 Service Unavailable, code APIGW.0201, \"Backend down\", request id 5bf2, 4 attempts",
        ),
        (
            waiting,
            1,
            Stop::AskedToWait,
            "status 429 Too Many Requests, 1 attempt, the server asks to wait 1d (until 2026-11-24T20:00:00.000Z)",
        ),
        (
            failure(bad, Some(200), "", ""),
            3,
            Stop::Attempts,
            "not an answer of the API: not JSON; it begins `<html>`, status 200 OK, 3 attempts",
        ),
        (
            failure(cut, Some(200), "", ""),
            4,
            Stop::Attempts,
            "the answer broke off after 7 of 9 bytes, 4 attempts",
        ),
        (
            failure(slow, None, "", ""),
            2,
            Stop::Budget,
            "no complete answer within 1m (3 bytes read), 2 attempts, the run has used up its retries",
        ),
        (
            failure(ErrorKind::AlreadyRefused, None, "", ""),
            0,
            Stop::Final,
            "not sent, because the credential was refused before in this run",
        ),
    ];
    for (failure, attempts, stop, expected) in cases {
        let error = error(*failure, attempts, stop);
        assert_eq!(error.to_string(), format!("GET {URL}: {expected}"));
    }
}

#[test]
fn a_smaller_page_is_tried_only_when_limit_is_blamed() {
    let cases = [
        (400, "DCS.4800", "Invalid limit in the request.", true),
        (400, "111400063", "invalid pageLimit", true),
        (400, "dcs.4062", "LIMIT out of range", true),
        (400, "DCS.9999", "parameter 'limit' must be below 100", true),
        (400, "", "limit", true),
        (400, "DCS.9999", "invalid pageLimit", false),
        (400, "DCS.9999", "unlimited is not allowed", false),
        (400, "", "rate_limit reached", false),
        (400, "DCS.4800", "Invalid offset in the request.", false),
        (400, "DCS.4800", "", false),
        (
            429,
            "APIGW.0308",
            "policy user over ratelimit,limit:200,time:5 minute",
            false,
        ),
        (403, "DCS.4800", "Invalid limit in the request.", false),
    ];
    for (number, code, message, expected) in cases {
        let error = status(number, code, message);
        assert_eq!(error.blames_limit(), expected, "{error}");
    }
}

#[test]
fn a_refusal_is_taken_for_what_status_and_code_say_together() {
    let says = |error: &ApiError| {
        let answers = [
            ("absent", error.instance_absent()),
            ("unsupported", error.no_background_tasks()),
            ("unauthorized", error.is_unauthorized()),
            ("forbidden", error.is_forbidden()),
            ("dead", error.origin_is_dead()),
            ("deadline", error.is_deadline()),
        ];
        let said = answers.iter().filter(|(_, said)| *said);
        said.map(|(name, _)| *name).collect::<Vec<_>>().join(" ")
    };
    let cases = [
        (404, "DCS.3022", "absent"),
        (404, "111404022", "absent"),
        (404, "DCS.4001", ""),
        (404, "", ""),
        (400, "DCS.3022", ""),
        (400, "DCS.4094", "unsupported"),
        (400, "111400094", "unsupported"),
        (404, "DCS.4094", ""),
        (401, "DCS.1002", "unauthorized"),
        (401, "", "unauthorized"),
        (403, "DCS.2003", "forbidden"),
        (503, "", ""),
    ];
    for (number, code, expected) in cases {
        assert_eq!(says(&status(number, code, "")), expected, "{number} {code}");
    }
    let limit = Duration::from_hours(1);
    let kinds = [
        (ErrorKind::Connect, "dead"),
        (ErrorKind::Tls { check: "expired" }, "dead"),
        (ErrorKind::Closed, ""),
        (ErrorKind::NotRenewed, "unauthorized"),
        (ErrorKind::AlreadyRefused, "unauthorized"),
        (ErrorKind::Deadline { limit }, "deadline"),
    ];
    for (kind, expected) in kinds {
        let error = error(*Failure::new(kind.clone()), 1, Stop::Final);
        assert_eq!(says(&error), expected, "{kind:?}");
    }
}

#[test]
fn a_refused_token_comes_with_the_advice_that_fits() {
    let now = at("2026-11-23T20:00:00Z");
    let cases = [
        ("DCS.1002", None, ["expired or is wrong", ""]),
        (
            "APIGW.0307",
            None,
            ["endpoint https://dcs.example.com and project p", ""],
        ),
        ("DCS.1004", None, ["another region or project", ""]),
        ("111401004", None, ["another region or project", ""]),
        ("", Some("2026-11-23T20:05:00Z"), ["expired", ""]),
        (
            "",
            Some("2026-11-23T20:07:30Z"),
            ["expired", "clock of this machine is 7 minutes behind"],
        ),
        (
            "APIGW.0301",
            Some("2026-11-23T19:00:00Z"),
            ["expired", "clock of this machine is 60 minutes ahead of"],
        ),
    ];
    for (code, date, expected) in cases {
        let mut refused = failure(ErrorKind::Status, Some(401), code, "");
        refused.date = date.map(at);
        let hints = error(*refused, 1, Stop::Final).hints(now);
        for (place, expected) in expected.into_iter().enumerate() {
            let hint = hints.get(place).map_or("", String::as_str);
            assert!(hint.contains(expected), "{code}: {hints:?}");
            assert_eq!(hint.is_empty(), expected.is_empty(), "{code}: {hints:?}");
        }
    }
    let elsewhere = status(503, "", "");
    assert!(elsewhere.hints(now).is_empty());
}

fn signer() -> Proof {
    Proof::Keys {
        access_key: "QTWA***".to_owned(),
        are_temporary: false,
    }
}

#[test]
fn advice_fits_what_the_run_proves_itself_with() {
    let now = at("2026-11-23T20:00:00Z");
    let temporary = Proof::Keys {
        access_key: "QTWA***".to_owned(),
        are_temporary: true,
    };
    let locked = "AK access failed to reach the limit,forbidden.";
    let cases = [
        (signer(), "", "", "QTWA*** does not exist, is disabled"),
        (signer(), "APIGW.0301", locked, "QTWA*** is locked"),
        (
            signer(),
            "apigw.0307",
            "",
            "the access key QTWA*** belongs to another region or project than endpoint https://dcs.example.com",
        ),
        (temporary.clone(), "", "", "QTWA*** has expired"),
        (temporary, "APIGW.0301", locked, "QTWA*** is locked"),
        (
            Proof::Password,
            "",
            "",
            "user, endpoint and project belong together",
        ),
        (
            Proof::Password,
            "DCS.1004",
            "",
            "the token that IAM gave belongs to another region",
        ),
        (Proof::Agency, "", "", "the agency may read DCS"),
        (
            Proof::Agency,
            "DCS.1004",
            "",
            "the access key of this ECS's agency belongs to another",
        ),
        (Proof::Token, "APIGW.0301", locked, "the token has expired"),
    ];
    for (proof, code, message, expected) in cases {
        let refused = failure(ErrorKind::Status, Some(401), code, message);
        let asked = request(Purpose::Read, proof);
        let hints = ApiError::new(*refused, asked, 1, Stop::Final).hints(now);
        assert!(hints[0].contains(expected), "{hints:?}");
        assert_eq!(hints.len(), 1, "{hints:?}");
    }
}

#[test]
fn a_clock_beyond_the_limit_of_a_signature_is_the_first_thing_said() {
    let now = at("2026-11-23T20:00:00Z");
    let cases = [
        (signer(), "2026-11-23T20:04:00Z", None),
        (signer(), "2026-11-23T20:15:00Z", Some(1)),
        (signer(), "2026-11-23T20:15:01Z", Some(0)),
        (Proof::Agency, "2026-11-23T19:44:00Z", Some(0)),
        (Proof::Token, "2026-11-23T19:44:00Z", Some(1)),
    ];
    for (proof, date, place) in cases {
        let mut refused = failure(ErrorKind::Status, Some(401), "", "");
        refused.date = Some(at(date));
        let is_signed = proof != Proof::Token;
        let asked = request(Purpose::Read, proof);
        let hints = ApiError::new(*refused, asked, 1, Stop::Final).hints(now);
        let found = hints.iter().position(|hint| hint.contains("the clock of"));
        assert_eq!(found, place, "{hints:?}");
        let limit = hints.iter().any(|hint| hint.contains("beyond 15"));
        assert_eq!(limit, is_signed && place.is_some(), "{hints:?}");
    }
}

#[test]
fn what_an_error_means_for_the_run_depends_on_what_was_asked_for() {
    let means = |purpose, kind, number| {
        let failure = failure(kind, number, "", "limit");
        let asked = request(purpose, Proof::Password);
        let error = ApiError::new(*failure, asked, 3, Stop::Final);
        let answers = [
            ("unauthorized", error.is_unauthorized()),
            ("forbidden", error.is_forbidden()),
            ("dead", error.origin_is_dead()),
            ("limit", error.blames_limit()),
        ];
        let said = answers.iter().filter(|(_, said)| *said);
        let said: Vec<&str> = said.map(|(name, _)| *name).collect();
        (said.join(" "), error.attempts())
    };
    let status = |purpose, number| means(purpose, ErrorKind::Status, Some(number));
    let cases = [
        (Purpose::Read, 400, "limit", 3),
        (Purpose::Read, 401, "unauthorized", 3),
        (Purpose::Read, 403, "forbidden", 3),
        (Purpose::Read, 503, "", 3),
        (Purpose::Lookup, 401, "unauthorized", 3),
        (Purpose::Lookup, 403, "forbidden", 3),
        (Purpose::Lookup, 503, "", 3),
        (Purpose::Login, 400, "unauthorized", 0),
        (Purpose::Login, 401, "unauthorized", 0),
        (Purpose::Login, 403, "unauthorized", 0),
        (Purpose::Login, 404, "dead", 0),
        (Purpose::Login, 503, "dead", 0),
        (Purpose::Metadata, 400, "dead", 0),
        (Purpose::Metadata, 401, "unauthorized", 0),
        (Purpose::Metadata, 403, "unauthorized", 0),
        (Purpose::Metadata, 404, "dead", 0),
    ];
    for (purpose, number, expected, attempts) in cases {
        let found = status(purpose, number);
        assert_eq!(
            found,
            (expected.to_owned(), attempts),
            "{purpose:?} {number}"
        );
    }
    let limit = Duration::from_hours(1);
    let proxy = "http://proxy.example.com:3128".to_owned();
    for purpose in [Purpose::Read, Purpose::Lookup, Purpose::Login] {
        let refuses = ErrorKind::ProxyRefuses {
            proxy: proxy.clone(),
        };
        assert_eq!(means(purpose, refuses, None).0, "dead");
        assert_eq!(means(purpose, ErrorKind::Connect, None).0, "dead");
        let over = ErrorKind::Deadline { limit };
        assert_eq!(means(purpose, over, None).0, "");
    }
}

#[test]
fn a_proxy_on_the_way_is_part_of_what_happened() {
    let proxy = "http://proxy.example.com:3128".to_owned();
    let mut down = failure(ErrorKind::Connect, None, "", "");
    down.via = Some(proxy.clone());
    let refuses = failure(ErrorKind::ProxyRefuses { proxy }, Some(407), "", "");
    let cases = [
        (
            down,
            4,
            "cannot connect through the proxy http://proxy.example.com:3128, 4 attempts",
        ),
        (
            refuses,
            1,
            "the proxy http://proxy.example.com:3128 wants a user and a password (407 Proxy Authentication Required), 1 attempt",
        ),
    ];
    for (failure, attempts, expected) in cases {
        assert_eq!(failure.class() == Class::Never, attempts == 1);
        let error = error(*failure, attempts, Stop::Final);
        assert_eq!(error.to_string(), format!("GET {URL}: {expected}"));
        assert_eq!(error.hints(at("2026-11-23T20:00:00Z")).len(), 1);
    }
}

#[test]
fn every_kind_of_failure_is_in_its_class() {
    let limit = Duration::from_secs(1);
    let bad = ErrorKind::BadAnswer {
        found: String::new(),
        begins: String::new(),
    };
    let promised = None;
    let text = String::new;
    let cases = [
        (ErrorKind::Connect, None, Class::Transient),
        (
            ErrorKind::Truncated { read: 1, promised },
            Some(200),
            Class::Transient,
        ),
        (
            ErrorKind::Timeout { limit, read: 1 },
            None,
            Class::Transient,
        ),
        (ErrorKind::Closed, None, Class::Closed),
        (bad, Some(200), Class::Malformed),
        (ErrorKind::Status, Some(503), Class::Transient),
        (ErrorKind::Status, Some(404), Class::Never),
        (ErrorKind::Tls { check: "" }, None, Class::Never),
        (ErrorKind::TooLarge { limit: 1 }, Some(200), Class::Never),
        (
            ErrorKind::Compressed { encoding: text() },
            Some(200),
            Class::Never,
        ),
        (
            ErrorKind::Redirect { target: text() },
            Some(302),
            Class::Never,
        ),
        (ErrorKind::UnusableId, None, Class::Never),
        (ErrorKind::NotRenewed, Some(401), Class::Never),
        (ErrorKind::AlreadyRefused, None, Class::Never),
        (ErrorKind::Deadline { limit }, None, Class::Never),
    ];
    for (kind, status, expected) in cases {
        let failure = failure(kind, status, "", "");
        assert_eq!(failure.class(), expected, "{failure:?}");
    }
}

#[test]
fn what_servers_say_is_scrubbed_before_it_is_cut_and_escaped() {
    let token = crate::api::secret::Secret::parse("MIIFvgYJKoZIhvcNAQcCoIIFrzCCBas".to_owned());
    let token = token.unwrap();
    let long = format!("{} MIIFvgYJKoZIhvcNAQcCoIIFrzCCBas", "x".repeat(190));
    let mut failure = failure(ErrorKind::Status, Some(502), "X\u{1b}[2J", &long);
    failure.said.request_id = Some("MIIFvgYJKoZIhvcNAQcCoIIFrzCCBas\r\n".to_owned());
    failure.make_safe(|text| token.scrub(text));
    let message = failure.said.message.as_deref().unwrap();
    assert!(message.ends_with("x ***"), "{message}");
    assert_eq!(failure.said.code.as_deref(), Some("X\\u{1b}[2J"));
    assert_eq!(failure.said.request_id.as_deref(), Some("***"));
}
