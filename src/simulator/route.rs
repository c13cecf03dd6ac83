//! What is asked: a request as the answers see it, and what its path names.

use hyper::HeaderMap;

use super::refusal::Refusal;

/// A request, as far as the answer depends on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
    /// The number of the request since the start, and the id that its answer carries; gateway errors repeat that.
    pub(crate) number: u64,
    pub(crate) id: &'a str,
}

impl Asked<'_> {
    /// The value of a header; one that is not even text is an empty one, not a missing one.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let value = self.headers.get(name)?;
        Some(value.to_str().unwrap_or_default())
    }
}

/// What a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    /// DCS: the instances of a project, and the tasks of one of them.
    Instances {
        project: &'a str,
    },
    Tasks {
        project: &'a str,
        instance: &'a str,
    },
    /// IAM: where a password is given for a token, and the projects.
    Tokens,
    Projects,
    /// The metadata service of an ECS: its own tokens, and the keys of the agency.
    MetadataToken,
    SecurityKey,
}

impl<'a> Route<'a> {
    /// Reads a request's path and method.
    pub(crate) fn of(asked: &Asked<'a>) -> Result<Self, Refusal> {
        let route = Self::read(asked.path)?;
        if route.method() == asked.method {
            Ok(route)
        } else {
            Err(Refusal::Method(route.method()))
        }
    }

    /// Reads a path; there are exactly six.
    pub(crate) fn read(path: &'a str) -> Result<Self, Refusal> {
        let parts: Vec<&str> = path.split('/').collect();
        match *parts.as_slice() {
            ["", "v2", project, "instances"] => Ok(Self::Instances { project }),
            ["", "v2", project, "instances", instance, "tasks"] => {
                Ok(Self::Tasks { project, instance })
            }
            ["", "v3", "auth", "tokens"] => Ok(Self::Tokens),
            ["", "v3", "projects"] => Ok(Self::Projects),
            ["", "meta-data", "latest", "api", "token"] => Ok(Self::MetadataToken),
            ["", "openstack", "latest", "securitykey"] => Ok(Self::SecurityKey),
            _ => Err(Refusal::NoApi),
        }
    }

    const fn method(self) -> &'static str {
        match self {
            Self::Tokens => "POST",
            Self::MetadataToken => "PUT",
            Self::Instances { .. } | Self::Tasks { .. } | Self::Projects | Self::SecurityKey => {
                "GET"
            }
        }
    }

    /// Says whether the path is one of the metadata service, which nothing stands in front of.
    pub(crate) const fn is_metadata(self) -> bool {
        matches!(self, Self::MetadataToken | Self::SecurityKey)
    }
}

/// Says whether a project id could be one: 32 hexadecimal digits, or with the dashes of a UUID.
pub(crate) fn is_project_id(text: &str) -> bool {
    is_uuid(text) || (text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Says whether a text has the form of a dashed UUID.
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(position, byte)| {
            if matches!(position, 8 | 13 | 18 | 23) {
                byte == b'-'
            } else {
                byte.is_ascii_hexdigit()
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_six_paths_are_known() {
        assert_eq!(
            Route::read("/v2/p/instances"),
            Ok(Route::Instances { project: "p" })
        );
        assert_eq!(
            Route::read("/v2/p/instances/i/tasks"),
            Ok(Route::Tasks {
                project: "p",
                instance: "i"
            })
        );
        for (path, route) in [
            ("/v3/auth/tokens", Route::Tokens),
            ("/v3/projects", Route::Projects),
            ("/meta-data/latest/api/token", Route::MetadataToken),
            ("/openstack/latest/securitykey", Route::SecurityKey),
        ] {
            assert_eq!(Route::read(path), Ok(route));
        }
        for path in [
            "/",
            "",
            "/v1.0/p/instances",
            "/v2/p/instances/",
            "/v2/p/instances/i",
            "/v2/p/instances/i/tasks/",
            "/v2/p/instances/i/tasks/t",
            "/v2/p/tasks",
            "//v2/p/instances",
            "/v3",
            "/v3/auth/tokens/",
            "/openstack/latest",
        ] {
            assert_eq!(Route::read(path), Err(Refusal::NoApi), "{path}");
        }
    }

    #[test]
    fn ids_are_known_by_their_form() {
        let (plain, dashed) = (
            "0123456789abcdef0123456789ABCDEF",
            "a4d31cb6-3d72-4fdc-8ec9-6e3a41e47f71",
        );
        assert!(is_project_id(plain) && is_project_id(dashed) && is_uuid(dashed));
        assert!(!is_uuid(plain));
        for wrong in [
            "",
            "nope",
            "a4d31cb6-3d72-4fdc-8ec9-6e3a41e47f7g",
            "a4d31cb603d7204fdc08ec906e3a41e47f71",
        ] {
            assert!(!is_project_id(wrong) && !is_uuid(wrong), "{wrong}");
        }
    }
}
