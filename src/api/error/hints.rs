//! What the person who reads an error could do next.
//!
//! The advice depends on what happened, on which service it was, and on what the run proves itself with: whoever signs
//! with a key is told nothing of tokens.

use crate::model::time::{MINUTE, Timestamp};

use super::super::quote;
use super::{ApiError, ErrorKind, Proof, Purpose, Request};

/// How far two clocks may differ before it is worth a hint: early enough to be of use before the cloud objects.
const CLOCKS_DIFFER: i64 = 5 * MINUTE;

/// How far the date of a signed request may be off before the gateway refuses it; from the rules of the signature.
const SIGNATURE_LIMIT: i64 = 15 * MINUTE;

/// The codes that say that a credential belongs to another region or project.
const ELSEWHERE: [&str; 3] = ["APIGW.0307", "DCS.1004", "111401004"];

/// What the gateway says of a key that it has locked.
const LOCKED: &str = "reach the limit";

impl ApiError {
    /// Returns what the person who reads this could do next; `now` is this machine's clock.
    pub(crate) fn hints(&self, now: Timestamp) -> Vec<String> {
        if self.is_unauthorized() {
            return self.hints_of_refusal(now);
        }
        let hints = match self.0.request.purpose {
            Purpose::Metadata => [Some(self.hint_of_metadata()), None],
            Purpose::Login | Purpose::Lookup => [self.hint_of_iam(), self.hint_of_the_way()],
            Purpose::Read => [self.hint_of_dcs(), self.hint_of_the_way()],
        };
        hints.into_iter().flatten().map(str::to_owned).collect()
    }

    /// Returns what helps whichever service was asked.
    fn hint_of_the_way(&self) -> Option<&'static str> {
        Some(match self.kind() {
            ErrorKind::Connect => {
                "check the endpoint and the network; HTTPS_PROXY, ALL_PROXY and NO_PROXY are honoured"
            }
            ErrorKind::ProxyRefuses { .. } => {
                "the proxy's user and password are set in HTTPS_PROXY, as http://USER:PASSWORD@HOST:PORT; hosts in NO_PROXY \
                 are reached without it"
            }
            ErrorKind::Tls { .. } => {
                "check the endpoint; the certificate of a private authority is added with --ca-file"
            }
            ErrorKind::Timeout { .. } => "--timeout sets how long one request may take",
            ErrorKind::Deadline { .. } => {
                "what was read is stored and the next run goes on; --run-timeout sets how long a run may take"
            }
            ErrorKind::TooLarge { .. } => {
                "--page-size makes answers smaller, --max-body allows larger ones"
            }
            ErrorKind::Compressed { .. } => {
                "something between here and the cloud compresses answers; make it stop for this host"
            }
            ErrorKind::Redirect { .. } => {
                "redirects are never followed, because the credential would go along; give the endpoint itself"
            }
            _ => return None,
        })
    }

    fn hint_of_dcs(&self) -> Option<&'static str> {
        Some(match self.kind() {
            ErrorKind::BadAnswer { .. } => {
                "check that the endpoint is that of DCS and that no portal or proxy answers in its place"
            }
            ErrorKind::Status if self.is_forbidden() => {
                "the user needs dcs:instance:getBackgroundTask in this project (DCS ReadOnlyAccess holds it)"
            }
            ErrorKind::Status if self.status() == Some(404) && !self.instance_absent() => {
                "check the endpoint, the region and the project id"
            }
            _ => return None,
        })
    }

    fn hint_of_iam(&self) -> Option<&'static str> {
        Some(match self.kind() {
            ErrorKind::Status if self.is_forbidden() => {
                "the credential may not list projects; give the project with --project-id"
            }
            ErrorKind::Connect
            | ErrorKind::Redirect { .. }
            | ErrorKind::BadAnswer { .. }
            | ErrorKind::Status
                if self.status().is_none_or(|status| status < 500) =>
            {
                "check the address of IAM (--iam-endpoint) and that no portal or proxy answers in its place"
            }
            _ => return None,
        })
    }

    fn hint_of_metadata(&self) -> &'static str {
        if self.status() == Some(404) {
            "no agency is bound to this ECS; bind one that may read DCS, or give another credential"
        } else {
            "the metadata service answers on an ECS only, never through a proxy and within 3 seconds; give another \
             credential if this machine is none"
        }
    }

    fn hints_of_refusal(&self, now: Timestamp) -> Vec<String> {
        let Request { proof, .. } = &self.0.request;
        let mut hints = vec![if self.has_code(&ELSEWHERE) {
            self.hint_of_elsewhere()
        } else {
            self.hint_of_proof()
        }];
        if let Some(date) = self.date() {
            let is_signed = matches!(proof, Proof::Keys { .. } | Proof::Agency);
            let clocks = clocks_differ(now, date, is_signed);
            // Beyond the limit of a signature, it is the clock before it is anything else.
            let is_why = is_signed && now.distance(date) > SIGNATURE_LIMIT;
            let place = if is_why { 0 } else { hints.len() };
            hints.splice(place..place, clocks);
        }
        hints
    }

    fn hint_of_elsewhere(&self) -> String {
        let Request {
            endpoint,
            project,
            proof,
            ..
        } = &self.0.request;
        let subject = match proof {
            Proof::Token => "the token".to_owned(),
            Proof::Password => "the token that IAM gave".to_owned(),
            Proof::Keys { access_key, .. } => format!("the access key {access_key}"),
            Proof::Agency => "the access key of this ECS's agency".to_owned(),
        };
        format!(
            "{subject} belongs to another region or project than endpoint {endpoint} and project {}",
            quote::quote(project, quote::IDENTIFIER)
        )
    }

    /// Returns what to do about a credential that is wrong, expired, or not enough.
    fn hint_of_proof(&self) -> String {
        let is_locked = self.message().is_some_and(|said| {
            let said = said.to_ascii_lowercase();
            said.contains(LOCKED)
        });
        match &self.0.request.proof {
            Proof::Token => {
                "the token has expired or is wrong; get a new one for this project and give it with --token-file, \
                 --token-command or DCS_HISTORY_TOKEN"
                    .to_owned()
            }
            Proof::Keys { access_key, .. } if is_locked => format!(
                "the access key {access_key} is locked, because it was refused too often; wait five minutes, and find out \
                 who else uses it"
            ),
            Proof::Keys {
                access_key,
                are_temporary,
            } => {
                let why = if *are_temporary {
                    "has expired, as temporary ones do within a day, or does not fit its secret and its security token; \
                     get new ones"
                } else {
                    "does not exist, is disabled, or does not fit its secret; check both halves"
                };
                format!(
                    "the access key {access_key} {why}. It was not sent again, because five refusals lock a key for five minutes"
                )
            }
            Proof::Password if self.0.request.purpose == Purpose::Login => {
                "IAM refuses the user, the password, the domain or the project; it was not asked again, because repeated \
                 refusals lock a user. An account of a HUAWEI ID cannot log in here: that takes an IAM user"
                    .to_owned()
            }
            Proof::Password if *self.kind() == ErrorKind::NotRenewed => {
                "the cloud refused the token and IAM gave no other; check that the user still exists and has its password"
                    .to_owned()
            }
            Proof::Password => {
                "the cloud refuses what IAM has just given; check that user, endpoint and project belong together"
                    .to_owned()
            }
            Proof::Agency => {
                "the cloud refuses the keys of this ECS's agency; check that the agency may read DCS, and that endpoint and \
                 project are those of this ECS"
                    .to_owned()
            }
        }
    }
}

/// Says by how much two clocks differ, if that could be why a credential is refused.
fn clocks_differ(ours: Timestamp, theirs: Timestamp, is_signed: bool) -> Option<String> {
    let distance = ours.distance(theirs);
    let way = if ours > theirs { "ahead of" } else { "behind" };
    let so_what = if is_signed {
        "signed requests are refused beyond 15"
    } else {
        "credentials are refused for that too"
    };
    (distance > CLOCKS_DIFFER).then(|| {
        format!(
            "the clock of this machine is {} minutes {way} the server's; {so_what}",
            distance / MINUTE
        )
    })
}
