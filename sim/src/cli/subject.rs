//! From a name on the command line to a subject.

use super::CliError;
use crate::subject::Subject;
use crate::subjects::EngineSubject;
use crate::workload::Workload;
use clap::{Args, ValueEnum};

/// The option that names a subject.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct SubjectArgument {
    /// The engine under test, as 'cutpoint list' shows them
    #[arg(long = "subject", value_name = "NAME", value_enum, default_value_t)]
    pub(super) name: SubjectName,
}

/// The subjects that a command line can name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum SubjectName {
    /// The key-value store of this workspace
    #[default]
    Engine,
    /// The C littlefs
    LittlefsC,
}

impl SubjectName {
    /// All of them.
    pub(super) const ALL: [Self; 2] = [Self::Engine, Self::LittlefsC];

    /// As it is typed.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Engine => EngineSubject::NAME,
            Self::LittlefsC => "littlefs-c",
        }
    }

    /// What it is, with its version.
    pub(super) fn description(self) -> String {
        match self {
            Self::Engine => format!("the engine of this workspace {}", env!("CARGO_PKG_VERSION")),
            #[cfg(feature = "littlefs-c")]
            Self::LittlefsC => cutpoint_littlefs_c::version(),
            #[cfg(not(feature = "littlefs-c"))]
            Self::LittlefsC => {
                "the C littlefs; not built in: build with --features littlefs-c".into()
            }
        }
    }

    /// Whether this command has it built in.
    pub(super) const fn is_built_in(self) -> bool {
        match self {
            Self::Engine => true,
            Self::LittlefsC => cfg!(feature = "littlefs-c"),
        }
    }

    /// The subject, ready for this workload.
    ///
    /// # Errors
    ///
    /// Where this command was built without it.
    #[cfg_attr(
        feature = "littlefs-c",
        allow(clippy::unnecessary_wraps, reason = "a plain build leaves one out")
    )]
    pub(super) fn subject(self, workload: &Workload) -> Result<Box<dyn Subject>, CliError> {
        match self {
            Self::Engine => {
                let block_cycles = workload.block_cycles();
                Ok(Box::new(
                    EngineSubject::default().moving_after(block_cycles),
                ))
            }
            #[cfg(feature = "littlefs-c")]
            Self::LittlefsC => {
                let attributes = workload.attribute_kinds();
                let subject = crate::subjects::LittlefsCSubject::looking_for(attributes);
                Ok(Box::new(subject))
            }
            #[cfg(not(feature = "littlefs-c"))]
            Self::LittlefsC => Err(CliError::argument(
                "--subject littlefs-c",
                "not built into this command; with libclang and a C compiler at hand, build it with \
                 'cargo build --release --features littlefs-c'",
            )),
        }
    }
}
