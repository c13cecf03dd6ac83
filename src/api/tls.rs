//! Who the other end is: the cryptography, the authorities that are trusted, and what a failed check is called.

use std::{error::Error, fs, io, path::PathBuf, sync::OnceLock};

use reqwest::Certificate;
use rustls::{CertificateError, InvalidMessage};

use super::endpoint::EndpointError;

/// Why no client could be made; all of it is configuration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BuildError {
    #[error("cannot read the CA file {}", path.display())]
    CaFileUnreadable { path: PathBuf, source: io::Error },
    #[error("the CA file {} holds no PEM certificate", path.display())]
    CaFileEmpty { path: PathBuf },
    #[error("the CA file {} holds a certificate that cannot be read", path.display())]
    CaFileInvalid {
        path: PathBuf,
        source: reqwest::Error,
    },
    #[error(
        "cannot set up TLS; if this machine has no CA certificates, install its `ca-certificates` package or give --ca-file"
    )]
    Tls { source: reqwest::Error },
    #[error("the address of the metadata service cannot be used")]
    Metadata { source: EndpointError },
}

/// Reads the certificates that are trusted besides the machine's own.
pub(super) fn read_ca_file(path: &PathBuf) -> Result<Vec<Certificate>, BuildError> {
    let pem = fs::read(path).map_err(|source| BuildError::CaFileUnreadable {
        path: path.clone(),
        source,
    })?;
    let certificates =
        Certificate::from_pem_bundle(&pem).map_err(|source| BuildError::CaFileInvalid {
            path: path.clone(),
            source,
        })?;
    if certificates.is_empty() {
        return Err(BuildError::CaFileEmpty { path: path.clone() });
    }
    Ok(certificates)
}

/// Installs ring as the source of cryptography. reqwest panics without one, and a second call would fail.
pub(super) fn install_crypto() {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        // Somebody who was first (a test's server) has installed one just as well.
        let _there_already = rustls::crypto::ring::default_provider().install_default();
    });
}

/// Says which check of the other end's identity failed, if it was one; asking again would not change it.
pub(super) fn failed_check(error: &reqwest::Error) -> Option<&'static str> {
    let mut found = None;
    chain_has(error, |error| {
        found = check_of(error);
        found.is_some()
    });
    found
}

fn check_of(error: &rustls::Error) -> Option<&'static str> {
    Some(match error {
        rustls::Error::InvalidCertificate(error) => match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "the certificate has expired"
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "the certificate is not valid yet"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "the certificate is made out to another host name"
            }
            CertificateError::UnknownIssuer => {
                "the certificate is self-signed or signed by an unknown authority"
            }
            CertificateError::BadSignature => "the certificate's signature does not hold",
            CertificateError::Revoked => "the certificate was revoked",
            _ => "the certificate is not acceptable",
        },
        rustls::Error::NoCertificatesPresented => "no certificate was presented",
        rustls::Error::PeerIncompatible(_) => "TLS 1.2 or later with common ciphers is not offered",
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "this is not a TLS port"
        }
        _ => return None,
    })
}

/// Says whether a certificate that was to be trusted is not one.
pub(super) fn is_bad_certificate(error: &reqwest::Error) -> bool {
    chain_has(error, |error| {
        matches!(error, rustls::Error::InvalidCertificate(_))
    })
}

/// Says whether a TLS error of some sort is anywhere behind this one.
fn chain_has(error: &reqwest::Error, mut is: impl FnMut(&rustls::Error) -> bool) -> bool {
    let mut next: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = next {
        if error.downcast_ref().is_some_and(&mut is) {
            return true;
        }
        // An I/O error gives the source of what it wraps as its own, and so hides what it wraps.
        let wrapped = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        next = match wrapped {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    false
}
