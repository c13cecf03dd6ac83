//! Who is believed to be the endpoint: certificates made for the test, served on loopback.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use rcgen::{CertificateParams, CertifiedIssuer, DnType, KeyPair, date_time_ymd};
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use tempfile::TempDir;

use super::{
    super::{
        client::Settings,
        error::ErrorKind,
        tls::BuildError,
        transport::{Transport, Way},
    },
    Endpoint, LIST, ask, client_with, server, settings, token,
};

/// Serves the list over TLS, and counts the requests that got through.
struct TlsServer {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
}

impl TlsServer {
    fn start(certificate: CertificateDer<'static>, key: &KeyPair) -> Self {
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let (config, requests) = (Arc::new(config), Arc::new(AtomicUsize::new(0)));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let counter = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                let mut stream = StreamOwned::new(connection, stream);
                if server::read_head(&mut stream, "\r\n\r\n").is_some() {
                    counter.fetch_add(1, Ordering::Relaxed);
                    let answer = format!(
                        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{LIST}",
                        LIST.len()
                    );
                    // The client may be gone already, and says so itself.
                    let _unsent = stream.write_all(answer.as_bytes());
                    stream.conn.send_close_notify();
                    let _unsent = stream.flush();
                }
            }
        });
        Self { address, requests }
    }

    fn origin(&self) -> String {
        format!("https://{}", self.address)
    }
}

/// A folder for CA files, which lives as long as the test.
struct Shelf(TempDir);

impl Shelf {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn put(&self, name: &str, text: &str) -> Settings {
        let path = self.0.path().join(name);
        File::create_new(&path)
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        with_ca(path)
    }
}

fn with_ca(path: PathBuf) -> Settings {
    Settings {
        ca_file: Some(path),
        ..settings()
    }
}

fn params(host: &str) -> CertificateParams {
    CertificateParams::new([host.to_owned()]).unwrap()
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

#[tokio::test]
async fn a_self_signed_certificate_is_refused_before_any_request_and_accepted_from_a_file() {
    let key = KeyPair::generate().unwrap();
    let certificate = params("127.0.0.1").self_signed(&key).unwrap();
    let server = TlsServer::start(certificate.der().clone(), &key);
    let shelf = Shelf::new();

    let stranger = shelf.put("stranger.pem", &authority("stranger").pem());
    let client = client_with(&server.origin(), &stranger, token(None));
    let error = ask(&client).await.unwrap_err();
    let check = "the certificate is self-signed or signed by an unknown authority";
    assert_eq!(*error.kind(), ErrorKind::Tls { check });
    assert!(error.origin_is_dead());
    assert_eq!((error.attempts(), client.retries()), (1, 0));
    assert_eq!(server.requests.load(Ordering::Relaxed), 0);

    let itself = shelf.put("itself.pem", &certificate.pem());
    let client = client_with(&server.origin(), &itself, token(None));
    assert_eq!(ask(&client).await.unwrap().value, LIST);
    assert_eq!(server.requests.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn expired_early_and_misaddressed_certificates_are_refused_by_name() {
    let authority = authority("ours");
    let shelf = Shelf::new();
    let settings = shelf.put("ca.pem", &authority.pem());
    let mut expired = params("127.0.0.1");
    expired.not_before = date_time_ymd(2001, 1, 1);
    expired.not_after = date_time_ymd(2002, 1, 1);
    let mut early = params("127.0.0.1");
    early.not_before = date_time_ymd(2990, 1, 1);
    early.not_after = date_time_ymd(2999, 1, 1);
    let cases = [
        (expired, "the certificate has expired"),
        (early, "the certificate is not valid yet"),
        (
            params("dcs.example.com"),
            "the certificate is made out to another host name",
        ),
    ];
    for (params, check) in cases {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        let server = TlsServer::start(certificate.der().clone(), &key);
        let client = client_with(&server.origin(), &settings, token(None));
        let error = ask(&client).await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Tls { check });
        assert_eq!(error.attempts(), 1);
        assert_eq!(server.requests.load(Ordering::Relaxed), 0);
    }
}

#[tokio::test]
async fn a_certificate_of_an_authority_from_the_file_is_accepted() {
    let authority = authority("ours");
    let shelf = Shelf::new();
    let key = KeyPair::generate().unwrap();
    let certificate = params("127.0.0.1").signed_by(&key, &authority).unwrap();
    let server = TlsServer::start(certificate.der().clone(), &key);
    let bundle = format!("{}{}", self::authority("another").pem(), authority.pem());
    let settings = shelf.put("bundle.pem", &bundle);
    let client = client_with(&server.origin(), &settings, token(None));
    assert_eq!(ask(&client).await.unwrap().value, LIST);
}

#[tokio::test]
async fn a_port_without_tls_is_named_and_not_asked_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("https://{}", listener.local_addr().unwrap());
    let heard = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut heard = vec![0; 4096];
        let length = stream.read(&mut heard).unwrap();
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .unwrap();
        heard.truncate(length);
        String::from_utf8_lossy(&heard).to_lowercase()
    });
    let shelf = Shelf::new();
    let settings = shelf.put("ca.pem", &authority("stranger").pem());
    let error = ask(&client_with(&origin, &settings, token(None))).await;
    let error = error.unwrap_err();
    let check = "this is not a TLS port";
    assert_eq!(*error.kind(), ErrorKind::Tls { check });
    assert_eq!(error.attempts(), 1);
    assert!(!heard.join().unwrap().contains("x-auth-token"));
}

#[test]
fn a_ca_file_that_cannot_be_used_is_an_error_of_configuration() {
    let shelf = Shelf::new();
    let endpoint = Endpoint::parse("https://127.0.0.1:1", false).unwrap();
    let refused = |settings: &Settings| {
        Transport::new(&endpoint, settings, Way::ThroughProxy)
            .err()
            .unwrap()
    };
    let key = KeyPair::generate().unwrap().serialize_pem();
    let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

    let missing = with_ca(shelf.0.path().join("missing.pem"));
    assert!(matches!(
        refused(&missing),
        BuildError::CaFileUnreadable { .. }
    ));
    for (name, text) in [
        ("empty.pem", ""),
        ("text.pem", "hello\n"),
        ("key.pem", &key),
    ] {
        let error = refused(&shelf.put(name, text));
        assert!(
            matches!(error, BuildError::CaFileEmpty { .. }),
            "{name}: {error}"
        );
        assert!(error.to_string().contains(name), "{error}");
    }
    let error = refused(&shelf.put("garbage.pem", garbage));
    assert!(
        matches!(error, BuildError::CaFileInvalid { .. }),
        "{error:?}"
    );
}

#[test]
fn plain_loopback_needs_no_certificates_at_all() {
    let endpoint = Endpoint::parse("http://127.0.0.1:1", false).unwrap();
    assert!(Transport::new(&endpoint, &settings(), Way::ThroughProxy).is_ok());
}
