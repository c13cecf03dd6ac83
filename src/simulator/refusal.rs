//! Every way to refuse a request, in the words and the form of whoever would refuse it: the gateway in front, the service
//! behind it, or IAM.

use serde_json::json;
use thiserror::Error;

use super::reply::Reply;
use super::signature::Fault;

/// A request that is refused, with the text that the body carries.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum Refusal {
    #[error("Invalid offset in the request.")]
    Offset,
    #[error("Invalid limit in the request.")]
    Limit,
    #[error("Invalid {0} in the request.")]
    Time(&'static str),
    #[error("Invalid project ID format.")]
    ProjectFormat,
    #[error("Invalid DCS instance ID format.")]
    InstanceFormat,
    #[error("Invalid token.")]
    WrongToken,
    #[error("The token has expired.")]
    Expired,
    #[error("The token is missing from the request header.")]
    NoToken,
    #[error("The project ID in the URL does not match the project that the token is for.")]
    OtherProject,
    #[error("The token must be updated: it is for another region.")]
    OtherRegion,
    #[error("Incorrect IAM authentication information: {0}")]
    Signature(Fault),
    #[error("This DCS instance does not exist.")]
    NoInstance,
    #[error("The API does not exist or has not been published in the environment")]
    NoApi,
    #[error("The API does not support this HTTP method")]
    Method(&'static str),
    #[error("The request body is too large")]
    TooLarge,
    #[error(
        "The throttling threshold has been reached: policy user over ratelimit,limit:{0},time:1 second"
    )]
    Throttled(u32),
}

impl Refusal {
    /// The HTTP status and the error code.
    pub(crate) const fn codes(&self) -> (u16, &'static str) {
        match self {
            Self::Offset => (400, "DCS.4800"),
            Self::Limit => (400, "DCS.4062"),
            Self::Time(_) => (400, "DCS.4063"),
            Self::ProjectFormat => (400, "DCS.4002"),
            Self::InstanceFormat => (400, "DCS.4061"),
            Self::WrongToken => (401, "DCS.1001"),
            Self::Expired => (401, "DCS.1002"),
            Self::NoToken => (401, "DCS.1003"),
            Self::OtherProject => (401, "DCS.1004"),
            Self::OtherRegion => (401, "APIGW.0307"),
            Self::Signature(_) => (401, "APIGW.0301"),
            Self::NoInstance => (404, "DCS.3022"),
            Self::NoApi => (404, "APIGW.0101"),
            Self::Method(_) => (405, "APIGW.0101"),
            Self::TooLarge => (413, "APIGW.0201"),
            Self::Throttled(_) => (429, "APIGW.0308"),
        }
    }

    /// The answer: the gateway in front of the service and the service itself each have their own form.
    pub(crate) fn reply(&self, request_id: &str) -> Reply {
        let (status, code) = self.codes();
        let message = self.to_string();
        let body = if code.starts_with("APIGW") {
            json!({
                "error_msg": message,
                "error_code": code,
                "request_id": request_id,
            })
        } else {
            json!({
                "error_code": code,
                "error_msg": message,
                "error_ext_msg": null,
            })
        };
        let reply = Reply::json(status, body.to_string());
        match self {
            Self::Method(allowed) => reply.with("allow", *allowed),
            _ => reply,
        }
    }

    /// The same as IAM would put it, whose codes are integers and stand in an object of their own.
    pub(crate) fn iam_reply(&self) -> Reply {
        iam_error(self.codes().0, &self.to_string())
    }
}

/// An error in IAM's form.
pub(crate) fn iam_error(status: u16, message: &str) -> Reply {
    let title = match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        _ => "Internal Server Error",
    };
    let body = json!({"error": {"code": status, "message": message, "title": title}});
    Reply::json(status, body.to_string())
}
