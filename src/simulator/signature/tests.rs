//! The published signatures, those that the vendor's own signer made, and everything that spoils one.

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};

use super::*;

/// The key pair that the vendor publishes for its examples.
const DUMMY: (&str, &str) = (
    "QTWAOYTTINDUT2QVKYUC",
    "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc",
);
const PLAIN: (&str, &str) = ("AccessKey", "SecretKey");

const TASKS: &str =
    "/v2/a4d31cb6-3d72-4fdc-8ec9-6e3a41e47f71/instances/5560df16-cebf-4473-95c4-d1b573c16e79/tasks";
const INSTANCES: &str = "/v2/a4d31cb6-3d72-4fdc-8ec9-6e3a41e47f71/instances";
const PROJECT: &str = "a4d31cb6-3d72-4fdc-8ec9-6e3a41e47f71";
const NORTH: &str = "dcs.cn-north-4.myhuaweicloud.com";

/// A request with the signature that is known for it.
struct Vector {
    keys: (&'static str, &'static str),
    method: &'static str,
    path: &'static str,
    query: &'static str,
    headers: Vec<(&'static str, &'static str)>,
    body: &'static str,
    signed: &'static str,
    signature: &'static str,
}

/// Those that are published.
fn published() -> Vec<Vector> {
    let java = |host, path, query, signature| Vector {
        keys: DUMMY,
        method: "GET",
        path,
        query,
        headers: vec![
            ("x-sdk-date", "20191115T033655Z"),
            ("host", host),
            ("content-type", "application/json"),
        ],
        body: "",
        signed: "content-type;host;x-sdk-date",
        signature,
    };
    let vpcs = "/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs";
    let go = |method, query, body, signature| Vector {
        keys: PLAIN,
        method,
        path: "/path",
        query,
        headers: vec![
            ("x-sdk-date", "20060102T150405Z"),
            ("host", "example.huaweicloud.com"),
        ],
        body,
        signed: "x-sdk-date",
        signature,
    };
    let python = |method, body, signature| Vector {
        keys: PLAIN,
        method,
        path: "/resources",
        query: "size=1",
        headers: vec![
            ("x-sdk-date", "20200608T023900Z"),
            ("host", "service.endpoint.myhuaweicloud.com"),
        ],
        body,
        signed: "host;x-sdk-date",
        signature,
    };
    vec![
        java(
            "service.region.example.com",
            vpcs,
            "limit=2&marker=13551d6b-755d-4757-b956-536f674975c0",
            "7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe",
        ),
        java(
            "service.test-region-1.myhuaweicloud.com",
            vpcs,
            "",
            "4a30e690c3032a1975323588d79e858f188834f91df411a47ada7def6ad8081f",
        ),
        go(
            "GET",
            "limit=1",
            "",
            "5a2ce64c865e0e6046321c6f3d5a77ba8413eeaf355c3166c03d58d02ac79624",
        ),
        go(
            "POST",
            "key=value",
            "{\"Name\":\"test\",\"Id\":1}\n",
            "cecc2af119b18ab70b4d094c0750f3b42c02f254903179a0fc2cc72fc9db4f59",
        ),
        python(
            "GET",
            "",
            "cfb4171acec81de07d50e53d57eb77edd537414d66ddb1d7d780f128e12cd842",
        ),
        python(
            "POST",
            "{\"name\":\"test\",\"id\":1}",
            "436b1ac0a1ae03705934bb70ef2f2e09f7bfed2117d731a38235053199323a1f",
        ),
    ]
}

/// Those that the vendor's signer for Python made of requests like those of this program.
fn made() -> Vec<Vector> {
    let made = |host, path, query, more: &[(&'static str, &'static str)], signed, signature| {
        let mut headers = vec![("x-sdk-date", "20200617T160000Z"), ("host", host)];
        headers.extend(more);
        Vector {
            keys: DUMMY,
            method: "GET",
            path,
            query,
            headers,
            body: "",
            signed,
            signature,
        }
    };
    let usual = "host;x-sdk-date";
    vec![
        made(
            "dcs.eu-de.otc.t-systems.com",
            TASKS,
            "offset=0&limit=10",
            &[],
            usual,
            "e1fda10e40efa13b0d8e63afb5d92e9d76e41181afaa176d5b1b5a3408985260",
        ),
        made(
            NORTH,
            TASKS,
            "offset=0&limit=1000&start_time=20200609160000&end_time=20200617155959",
            &[
                ("content-type", "application/json"),
                ("x-project-id", PROJECT),
            ],
            "content-type;host;x-project-id;x-sdk-date",
            "cebc741d57107a492b7f4e2f70a0533bcba9dd2cf0df3495b2b36617e36f8904",
        ),
        made(
            NORTH,
            INSTANCES,
            "offset=0&limit=1000",
            &[("x-project-id", PROJECT), ("x-security-token", "tok+en/==")],
            "host;x-project-id;x-sdk-date;x-security-token",
            "9661cb9685639b1a1d48781b2be9ddc6466d7a3600bbffd7b7b66c75c7409083",
        ),
        made(
            NORTH,
            TASKS,
            "",
            &[],
            usual,
            "08660807a2211e8345857f06039445ddf62617c73d27bb26eb293ab02b7b59df",
        ),
        made(
            "iam.myhuaweicloud.com",
            "/v3/projects",
            "name=cn-north-4",
            &[],
            usual,
            "c34aa0dd3651eca706d3438b1ba115fc1bd84a12068dfcd37caac0c5900845f3",
        ),
        made(
            NORTH,
            INSTANCES,
            "name=a%20b%2F%2B%C3%A9~%2A&limit=10",
            &[],
            usual,
            "3ac0bef95898e1755697a75fcefcb1180111b58f7f8d4b741f9e99fa4d1c8e00",
        ),
    ]
}

/// Signs a request without a query, a body or a host of its own, for tests of what comes after a good signature.
pub(in crate::simulator) fn sign(
    (access_key, secret): (&str, &str),
    method: &str,
    path: &str,
    now: Timestamp,
) -> [(&'static str, String); 2] {
    let date = basic(now);
    let headers = map(&[("x-sdk-date", &date)]);
    let asked = Asked {
        method,
        path,
        query: "",
        headers: &headers,
        body: b"",
        number: 1,
        id: "1",
    };
    let canonical = canonical_request(&asked, &["x-sdk-date"]).unwrap();
    let to_sign = format!("{ALGORITHM}\n{date}\n{}", sha256(&canonical));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = hex(hmac::sign(&key, to_sign.as_bytes()).as_ref());
    let authorization =
        format!("{ALGORITHM} Access={access_key}, SignedHeaders=x-sdk-date, Signature={signature}");
    [("x-sdk-date", date), ("authorization", authorization)]
}

fn map(headers: &[(&str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        );
    }
    map
}

impl Vector {
    /// Judges the request as it would arrive; `ahead` is how many milliseconds the gateway's clock is ahead.
    fn judge(&self, ahead: i64) -> Result<(), Fault> {
        let (access_key, secret) = self.keys;
        let authorization = format!(
            "SDK-HMAC-SHA256 Access={access_key}, SignedHeaders={}, Signature={}",
            self.signed, self.signature
        );
        let claim = Claim::parse(&authorization)?;
        assert_eq!(claim.access_key, access_key);
        let headers = map(&self.headers);
        let asked = Asked {
            method: self.method,
            path: self.path,
            query: self.query,
            headers: &headers,
            body: self.body.as_bytes(),
            number: 1,
            id: "1",
        };
        let date = self.headers.iter().find(|(name, _)| *name == "x-sdk-date");
        let now = date.and_then(|(_, date)| moment(date));
        claim.verify(&asked, secret, now.unwrap_or(Timestamp::EPOCH).plus(ahead))
    }

    fn header(&mut self, name: &str, value: &'static str) {
        for header in &mut self.headers {
            if header.0 == name {
                header.1 = value;
            }
        }
    }
}

fn vectors() -> Vec<Vector> {
    published().into_iter().chain(made()).collect()
}

#[test]
fn every_known_signature_is_accepted() {
    assert_eq!(vectors().len(), 12);
    for vector in vectors() {
        assert_eq!(vector.judge(0), Ok(()), "{}", vector.signature);
    }
}

#[test]
fn what_is_signed_is_hashed_as_the_documentation_hashes_it() {
    let hashes = [
        (
            0,
            "b25362e603ee30f4f25e7858e8a7160fd36e803bb2dfe206278659d71a9bcd7a",
        ),
        (
            6,
            "7a83b8dce5a0370b509bbbfa2ea6eefcb8c666c02b43f093fc558d6849a98d32",
        ),
        (
            7,
            "2ca928649eaad8339eb10e39065c0070d7cfdeb837920236a58d89426b9c9be3",
        ),
        (
            8,
            "b17a0e775f4f8c06004c963d1f6eb2ef8a9c40b43827e588b748c495e9ee3918",
        ),
        (
            9,
            "5b585732799a75e14a49b9738c7b011bb2aa00a9717b3a08ea00e20d08bb9de3",
        ),
        (
            10,
            "564a811a61d0ecb36de1c07a029180935211870e208806460e431fd201bd9e49",
        ),
        (
            11,
            "c45de4966e584a57bfabed5793e36a10b905bdca58de1c60305e10c3de504443",
        ),
    ];
    let vectors = vectors();
    for (number, hash) in hashes {
        let vector = &vectors[number];
        let headers = map(&vector.headers);
        let asked = Asked {
            method: vector.method,
            path: vector.path,
            query: vector.query,
            headers: &headers,
            body: vector.body.as_bytes(),
            number: 1,
            id: "1",
        };
        let names: Vec<&str> = vector.signed.split(';').collect();
        let canonical = canonical_request(&asked, &names).unwrap();
        assert_eq!(sha256(&canonical), hash, "{number}");
    }
}

#[test]
fn a_query_is_sorted_and_encoded_as_the_vendors_signers_do() {
    let query = "limit=1&enable=true&test=%E4%B8%80%20%28%26%3D%3F%21%23%25.%2A%29&path=%2Ftmp%2F123\
                 &multi=3&multi=1&multi=2";
    assert_eq!(
        canonical_query(query),
        "enable=true&limit=1&multi=1&multi=2&multi=3&path=%2Ftmp%2F123\
         &test=%E4%B8%80%20%28%26%3D%3F%21%23%25.%2A%29"
    );
    for (query, canonical) in [
        ("", ""),
        ("b&a=", "a=&b="),
        ("a=b+c", "a=b%20c"),
        ("a=~-_.", "a=~-_."),
    ] {
        assert_eq!(canonical_query(query), canonical);
    }
    for (path, canonical) in [
        ("", "/"),
        ("/", "/"),
        ("/a/", "/a/"),
        ("/a%20b/%C3%A9*", "/a%20b/%C3%A9%2A/"),
    ] {
        assert_eq!(canonical_path(path), canonical);
    }
}

/// Changes one thing about a request that was signed.
type Change = fn(&mut Vector);

#[test]
fn whatever_was_changed_on_the_way_spoils_the_signature() {
    let changes: [(&str, Change); 8] = [
        ("method", |vector| vector.method = "PUT"),
        ("path", |vector| vector.path = "/v2/other/instances"),
        ("query", |vector| vector.query = "offset=1&limit=1000"),
        ("body", |vector| vector.body = "{}"),
        ("secret", |vector| vector.keys.1 = "another"),
        ("host", |vector| {
            vector.header("host", "dcs.cn-north-4.myhuaweicloud.com:8443");
        }),
        ("project", |vector| vector.header("x-project-id", "another")),
        ("token", |vector| {
            vector.header("x-security-token", "another");
        }),
    ];
    for (what, change) in changes {
        // The one with a security token signs all that can be changed.
        let mut vector = made().remove(2);
        change(&mut vector);
        let fault = vector.judge(0).unwrap_err();
        assert!(matches!(fault, Fault::Mismatch(_)), "{what}: {fault}");
    }
    let mut vector = made().remove(3);
    vector.path = "/v2/p/instances";
    assert_eq!(
        vector.judge(0).unwrap_err().to_string(),
        "verify aksk signature fail, canonicalRequest:GET|/v2/p/instances/||\
         host:dcs.cn-north-4.myhuaweicloud.com|x-sdk-date:20200617T160000Z||host;x-sdk-date|\
         e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
}

#[test]
fn a_clock_may_be_a_quarter_of_an_hour_off() {
    for (ahead, in_time) in [
        (0, true),
        (SKEW, true),
        (-SKEW, true),
        (SKEW + 1, false),
        (-SKEW - 1, false),
    ] {
        let judged = made().remove(0).judge(ahead);
        assert_eq!(judged.is_ok(), in_time, "{ahead}");
    }
    assert_eq!(
        made().remove(0).judge(20 * MINUTE).unwrap_err().to_string(),
        "signature expired, signature time:20200617T160000Z,server time:20200617T162000Z"
    );
}

#[test]
fn headers_that_cannot_be_signed_so_are_refused_before_anything_is_compared() {
    for (signed, fault) in [
        ("host", Fault::SignedHeaders),
        ("x-sdk-date;host", Fault::SignedHeaders),
        ("host;host;x-sdk-date", Fault::SignedHeaders),
        ("Host;x-sdk-date", Fault::SignedHeaders),
        ("host;via;x-sdk-date", Fault::SignedHeaders),
        ("", Fault::SignedHeaders),
    ] {
        let vector = Vector {
            signed,
            ..made().remove(0)
        };
        assert_eq!(vector.judge(0), Err(fault), "{signed}");
    }
    for date in [
        "",
        "20200617",
        "20200617T160000",
        "20201317T160000Z",
        "20200617 160000Z",
        "2020061\u{e9}T16000Z",
    ] {
        let mut vector = made().remove(0);
        vector.header("x-sdk-date", date);
        assert_eq!(vector.judge(0), Err(Fault::Date), "{date}");
    }
}

#[test]
fn the_header_has_one_form() {
    let good = "SDK-HMAC-SHA256 Access=a, SignedHeaders=host;x-sdk-date, Signature=0f";
    let claim = Claim::parse(good).unwrap();
    assert_eq!((claim.access_key, claim.signature), ("a", "0f"));
    for wrong in [
        "",
        "Basic abc",
        "SDK-HMAC-SHA256",
        "SDK-HMAC-SHA256, Access=a, SignedHeaders=host;x-sdk-date, Signature=0f",
        "SDK-HMAC-SHA256  Access=a, SignedHeaders=host;x-sdk-date, Signature=0f",
        "SDK-HMAC-SHA256 Access=a,SignedHeaders=host;x-sdk-date,Signature=0f",
        "SDK-HMAC-SHA256 Access=a, Signature=0f, SignedHeaders=host;x-sdk-date",
        "SDK-HMAC-SHA256 Access=a, SignedHeaders=host;x-sdk-date, Signature=0f, More=b",
        "SDK-HMAC-SHA256 Credential=a/20200617///sdk_request, SignedHeaders=host, Signature=0f",
        "V11-HMAC-SHA256 Credential=a/20200617/r/s, SignedHeaders=host, Signature=0f",
    ] {
        assert_eq!(Claim::parse(wrong), Err(Fault::Form), "{wrong}");
    }
}

#[test]
fn a_body_that_is_not_json_may_be_left_unsigned() {
    let hash = |kind: &str, said: &str, body: &str| {
        let headers = map(&[("content-type", kind), ("x-sdk-content-sha256", said)]);
        body_hash(&Asked {
            method: "POST",
            path: "/",
            query: "",
            headers: &headers,
            body: body.as_bytes(),
            number: 1,
            id: "1",
        })
    };
    assert_eq!(
        hash("text/plain", "UNSIGNED-PAYLOAD", "x"),
        "UNSIGNED-PAYLOAD"
    );
    for (kind, said, body) in [
        ("application/json", "UNSIGNED-PAYLOAD", "{}"),
        ("text/plain", "UNSIGNED-PAYLOAD", ""),
        ("text/plain", "0f", "x"),
    ] {
        assert_eq!(hash(kind, said, body), sha256(body.as_bytes()));
    }
}
