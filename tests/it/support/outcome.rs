//! What a user would see of a run: both streams and how it ended.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Output;

#[derive(Debug)]
pub(crate) struct Outcome {
    /// The exit code; none if a signal ended the process.
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            signal: output.status.signal(),
            out: String::from_utf8(output.stdout).expect("the program writes UTF-8"),
            err: String::from_utf8(output.stderr).expect("the program writes UTF-8"),
        }
    }
}

impl Outcome {
    /// Stops the test unless the program ended with this code; shows everything that was said.
    #[track_caller]
    pub(crate) fn expect_code(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Stops the test unless standard error says each of these.
    #[track_caller]
    pub(crate) fn expect_said(&self, parts: &[&str]) -> &Self {
        for part in parts {
            assert!(self.err.contains(part), "{part:?} is not said:\n{self:#?}");
        }
        self
    }
}
