//! What the options about the source come to, for a command that looks at them one by one.

use super::SourceArgs;
use crate::api::{auth::Auth, client::Client, endpoint::Endpoint, tls::BuildError};
use crate::cli::error::CliError;
use crate::model::time::Timestamp;
use crate::output::Format;
use crate::sync::selection::Selection;

impl SourceArgs {
    pub(crate) fn address(&self) -> Result<Endpoint, CliError> {
        self.network.endpoint(&self.endpoint, "--endpoint")
    }

    pub(crate) fn auth(&self) -> Result<Auth, CliError> {
        self.credentials.resolve()
    }

    pub(crate) fn project(&self) -> &str {
        &self.project_id
    }

    pub(crate) fn selection(&self) -> Selection {
        self.which.typed()
    }

    pub(crate) fn format(&self) -> Format {
        self.output
    }

    /// Makes the client, whose time begins to run.
    pub(crate) fn client(
        &self,
        endpoint: Endpoint,
        auth: Auth,
        clock: fn() -> Timestamp,
    ) -> Result<Client, BuildError> {
        let (settings, deadline) = (self.network.settings(), self.network.deadline());
        Client::new(endpoint, auth, &settings, deadline, clock)
    }
}
