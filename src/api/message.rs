//! A request before it is sent, and an answer after it was read.

use reqwest::{Method, StatusCode, Url, header::HeaderMap};

use super::{
    client::{Answer, BadAnswer},
    error::{ErrorKind, Failure},
    error_body,
};

/// A request that is complete but for its credential. It may hold a password in its body, so it has no debug output.
#[derive(Clone)]
pub(super) struct Outgoing {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// The one status that means that it worked.
    pub(super) success: StatusCode,
    pub(super) content: Content,
}

/// What an answer of success holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Something that an error may quote.
    Open,
    /// A secret, which no error shows however odd the rest of it is.
    Secret,
}

impl Outgoing {
    /// A request for something that is there to be read.
    pub(super) fn get(url: Url) -> Self {
        Self {
            method: Method::GET,
            url,
            headers: HeaderMap::new(),
            body: Vec::new(),
            success: StatusCode::OK,
            content: Content::Open,
        }
    }
}

/// An answer of success, and its head.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) answer: Answer,
}

impl Reply {
    /// Turns an answer that its reader makes nothing of into a failure with the other end's own words.
    pub(super) fn is_not_what_was_asked(&self, bad: BadAnswer, content: Content) -> Box<Failure> {
        let mut failure = Failure::new(ErrorKind::BadAnswer {
            found: bad.found,
            begins: begin(&self.answer.body, content),
        });
        let said = error_body::read_envelope(&self.answer.body);
        failure.status = Some(self.status);
        failure.date = self.answer.date;
        failure.said = error_body::ErrorBody {
            request_id: self.answer.request_id.clone().or(said.request_id),
            ..said
        };
        failure
    }
}

/// Returns the first bytes of a body as text, more than any message shows; of a secret one, nothing.
pub(super) fn begin(body: &[u8], content: Content) -> String {
    /// Enough to hold a token whole, so that the scrubbing sees all of it.
    const BEGIN: usize = 16 * 1024;
    if content == Content::Secret {
        return String::new();
    }
    String::from_utf8_lossy(&body[..body.len().min(BEGIN)]).into_owned()
}
