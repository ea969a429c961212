//! Why a command did not do what it was asked, and the exit code that says so.

use std::io::{self, Write};
use std::process::ExitCode;

use crate::entitlement::{ExplainError, RunError};
use crate::registry::RegistryError;

/// Why a command ends early.
#[derive(Debug)]
pub enum Failure {
    /// The answer is "no", or input was rejected: exit code 1.
    No(String),
    /// Usage, or something failed: exit code 2.
    Failed(String),
    /// Whoever reads the output has closed it: not an error.
    Pipe,
}

impl Failure {
    /// Something failed, with what it says of itself.
    pub fn of(error: impl std::fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }

    /// The exit code.
    pub const fn exit(&self) -> u8 {
        match self {
            Self::Pipe => 0,
            Self::No(_) => 1,
            Self::Failed(_) => super::EXIT_FAILED,
        }
    }

    /// Prints the message and answers with the exit code.
    pub(super) fn report(&self, json: bool) -> ExitCode {
        let exit = self.exit();
        if let Self::No(text) | Self::Failed(text) = self {
            let text = if json {
                as_json(text, exit)
            } else {
                format!("error: {text}")
            };
            // Nothing can be said of a stream that does not take the message itself.
            let _ = writeln!(io::stderr(), "{text}");
        }
        ExitCode::from(exit)
    }
}

/// An error as one line of JSON.
pub(super) fn as_json(text: &str, exit: u8) -> String {
    serde_json::json!({ "error": text, "exit": exit }).to_string()
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::Pipe
        } else {
            Self::Failed(format!("cannot write the output: {error}"))
        }
    }
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        use RegistryError as E;
        let text = error.to_string();
        let no = match &error {
            E::Run(error) => matches!(
                **error,
                RunError::Settled { .. }
                    | RunError::NoRun { .. }
                    | RunError::NoSuchProvince(_)
                    | RunError::ExistsWithDifferent { .. }
                    | RunError::CampaignChanged { .. }
                    | RunError::CampaignMerged { .. }
            ),
            E::Explain(error) => matches!(**error, ExplainError::NoPerson(..)),
            E::NoPerson { .. }
            | E::NoHousehold { .. }
            | E::NoCommune { .. }
            | E::WithoutHousehold { .. }
            | E::PersonDiffers { .. }
            | E::Reference { .. } => true,
            other => other.refusal().is_some(),
        };
        if no { Self::No(text) } else { Self::Failed(text) }
    }
}

impl From<crate::kernel::ReadError> for Failure {
    fn from(error: crate::kernel::ReadError) -> Self {
        Self::of(error)
    }
}

impl From<crate::kernel::WriteError> for Failure {
    fn from(error: crate::kernel::WriteError) -> Self {
        RegistryError::from(error).into()
    }
}
