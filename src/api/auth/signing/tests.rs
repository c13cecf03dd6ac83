//! The published examples, and those that the vendor's own signer was asked for: each one to the last bit.

use super::*;
use crate::api::endpoint::Endpoint;

/// The key pair that the vendor's documentation publishes as an example; it opens nothing.
const EXAMPLE: (&str, &str) = (
    "QTWAOYTTINDUT2QVKYUC",
    "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc",
);
/// The key pair of the tests in the vendor's Go and Python libraries.
const PLAIN: (&str, &str) = ("AccessKey", "SecretKey");

const P: &str = "a4d31cb6-3d72-4fdc-8ec9-6e3a41e47f71";
const I: &str = "5560df16-cebf-4473-95c4-d1b573c16e79";

struct Vector<'a> {
    keys: (&'a str, &'a str),
    method: &'a str,
    url: Url,
    date: &'a str,
    /// Besides the date.
    headers: &'a [(&'a str, &'a str)],
    body: &'a str,
    /// Not every publication gives it.
    canonical_hash: Option<&'a str>,
    signature: &'a str,
}

impl Vector<'_> {
    fn check(&self) {
        let mut headers = self.headers.to_vec();
        headers.push(("x-sdk-date", self.date));
        let parts = Parts {
            method: self.method,
            url: &self.url,
            headers: &headers,
            body: self.body.as_bytes(),
        };
        if let Some(hash) = self.canonical_hash {
            let canonical = parts.canonical();
            assert_eq!(sha256(canonical.as_bytes()), hash, "{canonical}");
        }
        let access_key = AccessKey::parse(self.keys.0.to_owned()).unwrap();
        let secret_key = Secret::parse(self.keys.1.to_owned()).unwrap();
        let header = authorization(&parts, &access_key, &secret_key, self.date);
        let mut names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        assert_eq!(
            header,
            format!(
                "SDK-HMAC-SHA256 Access={}, SignedHeaders={}, Signature={}",
                self.keys.0,
                names.join(";"),
                self.signature
            ),
            "{}",
            self.url
        );
    }
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

#[test]
fn the_example_of_the_documentation_is_signed_as_published() {
    let cases = [
        Vector {
            keys: EXAMPLE,
            method: "GET",
            url: url(
                "https://service.region.example.com/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs?limit=2&marker=13551d6b-755d-4757-b956-536f674975c0",
            ),
            date: "20191115T033655Z",
            headers: &[
                ("content-type", "application/json"),
                ("host", "service.region.example.com"),
            ],
            body: "",
            canonical_hash: Some(
                "b25362e603ee30f4f25e7858e8a7160fd36e803bb2dfe206278659d71a9bcd7a",
            ),
            signature: "7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe",
        },
        Vector {
            keys: EXAMPLE,
            method: "GET",
            url: url(
                "https://service.test-region-1.myhuaweicloud.com/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs",
            ),
            date: "20191115T033655Z",
            headers: &[
                ("content-type", "application/json"),
                ("host", "service.test-region-1.myhuaweicloud.com"),
            ],
            body: "",
            canonical_hash: None,
            signature: "4a30e690c3032a1975323588d79e858f188834f91df411a47ada7def6ad8081f",
        },
    ];
    for vector in cases {
        vector.check();
    }
}

#[test]
fn the_examples_of_the_vendors_libraries_are_signed_as_published() {
    let (go, python) = ("20060102T150405Z", "20200608T023900Z");
    let host: &[(&str, &str)] = &[("host", "service.endpoint.myhuaweicloud.com")];
    let resources = "https://service.endpoint.myhuaweicloud.com/resources";
    let cases = [
        (
            "GET",
            "https://example.huaweicloud.com/path?limit=1",
            go,
            &[][..],
            "",
            "5a2ce64c865e0e6046321c6f3d5a77ba8413eeaf355c3166c03d58d02ac79624",
        ),
        (
            "POST",
            "https://example.huaweicloud.com/path?key=value",
            go,
            &[],
            "{\"Name\":\"test\",\"Id\":1}\n",
            "cecc2af119b18ab70b4d094c0750f3b42c02f254903179a0fc2cc72fc9db4f59",
        ),
        (
            "GET",
            &format!("{resources}?size=1"),
            python,
            host,
            "",
            "cfb4171acec81de07d50e53d57eb77edd537414d66ddb1d7d780f128e12cd842",
        ),
        (
            "POST",
            &format!("{resources}?size=1"),
            python,
            host,
            "{\"name\":\"test\",\"id\":1}",
            "436b1ac0a1ae03705934bb70ef2f2e09f7bfed2117d731a38235053199323a1f",
        ),
    ];
    for (method, text, date, headers, body, signature) in cases {
        Vector {
            keys: PLAIN,
            method,
            url: url(text),
            date,
            headers,
            body,
            canonical_hash: None,
            signature,
        }
        .check();
    }
}

/// Host, path, query, headers besides host and date; canonical hash and signature.
type Case<'a> = (
    &'a str,
    &'a [&'a str],
    &'a [(&'a str, &'a str)],
    &'a [(&'a str, &'a str)],
    [&'a str; 2],
);

#[test]
fn requests_like_ours_are_signed_as_the_vendors_signer_does() {
    let tasks = ["v2", P, "instances", I, "tasks"];
    let instances = ["v2", P, "instances"];
    let json = ("content-type", "application/json");
    let project = ("x-project-id", P);
    let cases: [Case<'_>; 6] = [
        (
            "dcs.eu-de.otc.t-systems.com",
            &tasks,
            &[("offset", "0"), ("limit", "10")],
            &[],
            [
                "7a83b8dce5a0370b509bbbfa2ea6eefcb8c666c02b43f093fc558d6849a98d32",
                "e1fda10e40efa13b0d8e63afb5d92e9d76e41181afaa176d5b1b5a3408985260",
            ],
        ),
        (
            "dcs.cn-north-4.myhuaweicloud.com",
            &tasks,
            &[
                ("offset", "0"),
                ("limit", "1000"),
                ("start_time", "20200609160000"),
                ("end_time", "20200617155959"),
            ],
            &[json, project],
            [
                "2ca928649eaad8339eb10e39065c0070d7cfdeb837920236a58d89426b9c9be3",
                "cebc741d57107a492b7f4e2f70a0533bcba9dd2cf0df3495b2b36617e36f8904",
            ],
        ),
        (
            "dcs.cn-north-4.myhuaweicloud.com",
            &instances,
            &[("offset", "0"), ("limit", "1000")],
            &[project, ("x-security-token", "tok+en/==")],
            [
                "b17a0e775f4f8c06004c963d1f6eb2ef8a9c40b43827e588b748c495e9ee3918",
                "9661cb9685639b1a1d48781b2be9ddc6466d7a3600bbffd7b7b66c75c7409083",
            ],
        ),
        (
            "dcs.cn-north-4.myhuaweicloud.com",
            &tasks,
            &[],
            &[],
            [
                "5b585732799a75e14a49b9738c7b011bb2aa00a9717b3a08ea00e20d08bb9de3",
                "08660807a2211e8345857f06039445ddf62617c73d27bb26eb293ab02b7b59df",
            ],
        ),
        (
            "iam.myhuaweicloud.com",
            &["v3", "projects"],
            &[("name", "cn-north-4")],
            &[],
            [
                "564a811a61d0ecb36de1c07a029180935211870e208806460e431fd201bd9e49",
                "c34aa0dd3651eca706d3438b1ba115fc1bd84a12068dfcd37caac0c5900845f3",
            ],
        ),
        (
            "dcs.cn-north-4.myhuaweicloud.com",
            &instances,
            &[("name", "a b/+é~*"), ("limit", "10")],
            &[],
            [
                "c45de4966e584a57bfabed5793e36a10b905bdca58de1c60305e10c3de504443",
                "3ac0bef95898e1755697a75fcefcb1180111b58f7f8d4b741f9e99fa4d1c8e00",
            ],
        ),
    ];
    for (host, path, query, more, [canonical_hash, signature]) in cases {
        let endpoint = Endpoint::parse(&format!("https://{host}"), false).unwrap();
        let headers = [more, &[("host", host)]].concat();
        Vector {
            keys: EXAMPLE,
            method: "GET",
            // The very builder that requests are made with.
            url: endpoint.url(path, query).unwrap(),
            date: "20200617T160000Z",
            headers: &headers,
            body: "",
            canonical_hash: Some(canonical_hash),
            signature,
        }
        .check();
    }
}

#[test]
fn a_query_is_sorted_and_its_bytes_are_those_sent() {
    let endpoint = Endpoint::parse("https://dcs.example.com", false).unwrap();
    let query = [
        ("limit", "1"),
        ("enable", "true"),
        ("test", "一 (&=?!#%.*)"),
        ("path", "/tmp/123"),
        ("multi", "3"),
        ("multi", "1"),
        ("multi", "2"),
    ];
    let sent = endpoint.url(&["x"], &query).unwrap();
    let cases = [
        (
            sent.query().unwrap(),
            "enable=true&limit=1&multi=1&multi=2&multi=3&path=%2Ftmp%2F123&test=%E4%B8%80%20%28%26%3D%3F%21%23%25.%2A%29",
        ),
        ("name=a%20b%2F&limit=10", "limit=10&name=a%20b%2F"),
        ("a-b=1&a=2", "a=2&a-b=1"),
        ("b&a=", "a=&b="),
        ("", ""),
    ];
    for (query, expected) in cases {
        assert_eq!(canonical_query(query), expected, "{query}");
    }
}

#[test]
fn dates_and_hosts_are_written_as_the_cloud_reads_them() {
    let date = Timestamp::parse_upstream("2020-06-17T16:00:00.999Z").unwrap();
    assert_eq!(sdk_date(date), "20200617T160000Z");
    let cases = [
        ("https://dcs.example.com/", "dcs.example.com"),
        ("https://dcs.example.com:443/", "dcs.example.com"),
        ("https://dcs.example.com:8443/", "dcs.example.com:8443"),
        ("http://127.0.0.1:18080/", "127.0.0.1:18080"),
        ("http://[::1]:18080/", "[::1]:18080"),
    ];
    for (text, expected) in cases {
        assert_eq!(host(&url(text)), expected);
    }
}
