//! What goes wrong on demand: requests that fail in one of the forms that failures have, and too many requests.

use std::time::{Duration, Instant};

use serde_json::json;

use super::manners::{Manners, Shape, Trouble};
use super::refusal::{Refusal, iam_error};
use super::reply::Reply;
use super::rng::Rng;
use super::route::Asked;

/// The forms that a failure of any form takes turns in.
const ANY: [Shape; 5] = [
    Shape::Service,
    Shape::Guide,
    Shape::Gateway,
    Shape::Iam,
    Shape::Html,
];

/// Says how a request fails, if it is one of those that do.
pub(crate) fn failure(trouble: Trouble, seed: u64, asked: &Asked<'_>) -> Option<Reply> {
    let every = u64::from(trouble.every?.get());
    if !asked.number.is_multiple_of(every) {
        return None;
    }
    let shape = match trouble.shape {
        Shape::Any => Rng::new(seed, "trouble", asked.number).pick(ANY),
        shape => shape,
    };
    Some(shaped(shape, asked))
}

fn shaped(shape: Shape, asked: &Asked<'_>) -> Reply {
    match shape {
        Shape::Service => {
            let body = json!({
                "error_code": "DCS.5000",
                "error_msg": "Internal service error.",
                "error_ext_msg": null,
            });
            Reply::json(500, body.to_string())
        }
        Shape::Guide => {
            let error = json!({"code": "111500000", "message": "Internal service error."});
            Reply::json(503, json!({"error": error}).to_string())
        }
        Shape::Any | Shape::Gateway => {
            let body = json!({
                "error_msg": "Backend unavailable",
                "error_code": "APIGW.0201",
                "request_id": asked.id,
            });
            Reply::json(502, body.to_string())
        }
        Shape::Iam => iam_error(500, "An unexpected error occurred."),
        Shape::Html => html(502, "502 Bad Gateway", &repeated(asked)),
        Shape::Portal => html(200, "Welcome to our network", "Please sign in to go on."),
    }
}

fn html(status: u16, title: &str, text: &str) -> Reply {
    let page = format!(
        "<!DOCTYPE html>\n<html><head><title>{title}</title></head>\n<body><h1>{title}</h1>\n<pre>{text}</pre>\n</body></html>\n"
    );
    Reply::new(status, "text/html", page)
}

/// What was sent, credentials included: some proxies say so, and whoever shows their words has to take care.
fn repeated(asked: &Asked<'_>) -> String {
    let mut text = format!("{} {}?{}\n", asked.method, asked.path, asked.query);
    for (name, value) in asked.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        text.extend([name.as_str(), ": ", &value, "\n"]);
    }
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Counts requests, second by second of the machine's time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Throttle {
    second: Instant,
    requests: u32,
}

impl Throttle {
    pub(crate) const fn new(now: Instant) -> Self {
        Self {
            second: now,
            requests: 0,
        }
    }

    /// Counts a request, and refuses it if there were enough in this second.
    pub(crate) fn refusal(
        &mut self,
        manners: &Manners,
        asked: &Asked<'_>,
        now: Instant,
    ) -> Option<Reply> {
        let limit = manners.throttle?;
        if now.saturating_duration_since(self.second) >= Duration::from_secs(1) {
            *self = Self::new(now);
        }
        if self.requests < limit {
            self.requests += 1;
            return None;
        }
        let reply = Refusal::Throttled(limit).reply(asked.id);
        Some(match manners.retry_after {
            // The header knows whole seconds only.
            Some(wait) => {
                let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                reply.with("retry-after", seconds.to_string())
            }
            None => reply,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use hyper::HeaderMap;
    use hyper::header::HeaderValue;

    use super::*;

    fn asked(headers: &HeaderMap, number: u64) -> Asked<'_> {
        Asked {
            method: "GET",
            path: "/v2/p/instances",
            query: "offset=0&limit=1",
            headers,
            body: b"",
            number,
            id: "request-7",
        }
    }

    fn fail(every: u32, shape: Shape, seed: u64, number: u64) -> Option<Reply> {
        let trouble = Trouble {
            every: NonZeroU32::new(every),
            shape,
        };
        let mut headers = HeaderMap::new();
        headers.insert("x-auth-token", HeaderValue::from_static("<secret>"));
        failure(trouble, seed, &asked(&headers, number))
    }

    #[test]
    fn every_so_many_requests_fail_and_the_seed_says_how() {
        let failing = |every| -> Vec<u64> {
            (1..=9)
                .filter(|number| fail(every, Shape::Any, 1, *number).is_some())
                .collect()
        };
        assert!(failing(0).is_empty());
        assert_eq!(failing(3), [3, 6, 9]);
        assert_eq!(failing(1), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        let many = |seed| -> Vec<Reply> {
            (1..=60)
                .filter_map(|number| fail(1, Shape::Any, seed, number))
                .collect()
        };
        assert_eq!(many(1), many(1));
        assert_ne!(many(1), many(2));
        for shape in ANY {
            assert!(
                many(1).contains(&fail(1, shape, 1, 1).unwrap()),
                "{shape:?}"
            );
        }
        let portal = fail(1, Shape::Portal, 1, 1).unwrap();
        assert!(
            !many(1).contains(&portal),
            "nobody fails with success unless told to"
        );
    }

    #[test]
    fn each_form_of_a_failure_is_the_documented_one() {
        for (shape, status, kind, part) in [
            (
                Shape::Service,
                500,
                "application/json",
                "\"error_code\":\"DCS.5000\"",
            ),
            (
                Shape::Guide,
                503,
                "application/json",
                "{\"error\":{\"code\":\"111500000\"",
            ),
            (
                Shape::Gateway,
                502,
                "application/json",
                "\"request_id\":\"request-7\"",
            ),
            (
                Shape::Iam,
                500,
                "application/json",
                "{\"error\":{\"code\":500,",
            ),
            (
                Shape::Html,
                502,
                "text/html",
                "x-auth-token: &lt;secret&gt;\n",
            ),
            (Shape::Portal, 200, "text/html", "Please sign in"),
        ] {
            let reply = fail(1, shape, 1, 1).unwrap();
            assert_eq!(
                (reply.status, reply.content_type),
                (status, kind),
                "{shape:?}"
            );
            assert!(reply.body.contains(part), "{}", reply.body);
        }
    }

    #[test]
    fn so_many_requests_a_second_and_then_refusals_that_say_the_policy() {
        let headers = HeaderMap::new();
        let begin = Instant::now();
        let mut throttle = Throttle::new(begin);
        let mut manners = Manners {
            throttle: Some(2),
            ..Manners::default()
        };
        let mut ask = |manners: &Manners, millis| {
            let now = begin + Duration::from_millis(millis);
            throttle.refusal(manners, &asked(&headers, 1), now)
        };
        assert_eq!([ask(&manners, 0), ask(&manners, 500)], [None, None]);
        let refused = ask(&manners, 999).unwrap();
        assert_eq!((refused.status, refused.headers.len()), (429, 0));
        assert!(refused.body.contains("APIGW.0308"), "{}", refused.body);
        assert!(
            refused
                .body
                .contains("policy user over ratelimit,limit:2,time:1 second"),
            "{}",
            refused.body
        );
        assert_eq!([ask(&manners, 1000), ask(&manners, 1001)], [None, None]);
        manners.retry_after = Some(Duration::from_millis(1500));
        let refused = ask(&manners, 1002).unwrap();
        assert_eq!(refused.headers, [("retry-after", "2".to_owned())]);
        manners.throttle = Some(0);
        assert_eq!(ask(&manners, 60_000).unwrap().status, 429);
        manners.throttle = None;
        assert_eq!(ask(&manners, 60_000), None);
    }
}
