//! Who a run is to the cloud, as far as anybody may see it: names and the first characters of an access key, no secret.

use crate::api::auth::{Auth, Domain, User};

/// A name, its value and a note.
pub(super) type Fact = (&'static str, String, &'static str);

/// What stands for a secret, however long it is.
const MASKED: &str = "***";

/// Tells a credential.
pub(super) fn rows(auth: &Auth) -> Vec<Fact> {
    let masked = || MASKED.to_owned();
    match auth {
        Auth::Token { renew, .. } => vec![
            ("kind", "token".to_owned(), ""),
            (
                "token",
                masked(),
                if renew.is_some() {
                    "renewed once in a run if it is refused"
                } else {
                    "one that is refused is not sent again"
                },
            ),
        ],
        Auth::Keys(keys) => {
            let mut rows = vec![
                ("kind", "access key".to_owned(), "each request is signed"),
                ("access key", keys.access_key.masked(), ""),
                ("secret key", masked(), ""),
            ];
            if keys.security_token.is_some() {
                rows.push(("security token", masked(), "the keys are temporary"));
            }
            rows
        }
        Auth::Password(login) => {
            let mut rows = vec![("kind", "password".to_owned(), "IAM gives a token for it")];
            match &login.user {
                User::Id(id) => rows.push(("user id", id.clone(), "")),
                User::Name { name, domain } => {
                    rows.push(("user name", name.clone(), ""));
                    rows.push(match domain {
                        Domain::Id(id) => ("domain id", id.clone(), ""),
                        Domain::Name(name) => ("domain name", name.clone(), ""),
                    });
                }
            }
            rows.push(("password", masked(), ""));
            rows
        }
        Auth::Agency(agency) => vec![
            (
                "kind",
                "agency".to_owned(),
                "the machine's own, with temporary keys",
            ),
            ("metadata", agency.metadata.clone(), ""),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::auth::{AccessKey, Agency, Keys, Login, Scope};
    use crate::api::endpoint::Endpoint;
    use crate::api::secret::{Password, Secret};

    fn secret(text: &str) -> Secret {
        Secret::parse(text.to_owned()).unwrap()
    }

    #[test]
    fn nothing_secret_is_told_of_any_credential() {
        let keys = |token: Option<&str>| {
            Auth::Keys(Keys {
                access_key: AccessKey::parse("QTWAOYTTINDUT2QVKYUC".to_owned()).unwrap(),
                secret_key: secret("hunter2-secret"),
                security_token: token.map(secret),
            })
        };
        let login = Auth::Password(Login {
            iam: Endpoint::parse("https://iam.example.com", false).unwrap(),
            user: User::Name {
                name: "dora".to_owned(),
                domain: Domain::Name("acme".to_owned()),
            },
            password: Password::parse("hunter2".to_owned()).unwrap(),
            scope: Scope::ProjectName("eu-de".to_owned()),
        });
        let token = Auth::Token {
            token: secret("hunter2-token"),
            renew: None,
        };
        let agency = Auth::Agency(Agency {
            metadata: "http://169.254.169.254".to_owned(),
        });
        let cases = [
            (token, "token kind=token,token=***"),
            (
                keys(None),
                "key kind=access key,access key=QTWA***,secret key=***",
            ),
            (
                keys(Some("hunter2-security")),
                "key kind=access key,access key=QTWA***,secret key=***,security token=***",
            ),
            (
                login,
                "login kind=password,user name=dora,domain name=acme,password=***",
            ),
            (agency, "agency kind=agency,metadata=http://169.254.169.254"),
        ];
        for (auth, expected) in cases {
            let told: Vec<_> = rows(&auth)
                .into_iter()
                .map(|(name, value, _)| format!("{name}={value}"))
                .collect();
            let (_, expected) = expected.split_once(' ').unwrap();
            assert_eq!(told.join(","), expected);
        }
    }
}
