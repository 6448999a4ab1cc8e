//! From a name on the command line to a subject.

use super::CliError;
use crate::explore::{self, Sweep};
#[cfg(feature = "littlefs-c")]
use crate::model::TIME_ATTRIBUTE;
use crate::report::{peer_option, subject_option};
use crate::subject::Subject;
use crate::subjects::EngineSubject;
#[cfg(feature = "littlefs-c")]
use crate::subjects::LittlefsCSubject;
use crate::workload::Workload;
use clap::{Args, ValueEnum};

/// The options that name a subject and a peer.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct SubjectArgument {
    /// The engine under test, as 'cutpoint list' shows them
    #[arg(long = "subject", value_name = "NAME", value_enum, default_value_t)]
    pub(super) name: SubjectName,
    /// A second implementation that must see the same on each crash state
    #[arg(long, value_name = "NAME", value_enum)]
    pub(super) peer: Option<PeerName>,
}

impl SubjectArgument {
    /// The options as they are typed, with a blank before each; none for what goes without saying.
    pub(super) fn options(self) -> String {
        let peer = self.peer.map(PeerName::as_str);
        format!(
            "{}{}",
            subject_option(self.name.as_str()),
            peer_option(peer)
        )
    }

    /// The subject and the peer, where there is one, ready for this workload.
    ///
    /// # Errors
    ///
    /// Where this command was built without one of them.
    pub(super) fn parties(self, workload: &Workload) -> Result<Parties<'_>, CliError> {
        Ok(Parties {
            workload,
            subject: self.name.subject(workload)?,
            peer: self.peer.map(|peer| peer.peer(workload)).transpose()?,
        })
    }
}

/// A workload, a subject to run it on, and a peer.
pub(super) struct Parties<'a> {
    workload: &'a Workload,
    pub(super) subject: Box<dyn Subject>,
    peer: Option<Box<dyn Subject>>,
}

impl Parties<'_> {
    /// The peer, where there is one.
    pub(super) fn peer(&self) -> Option<&dyn Subject> {
        self.peer.as_deref()
    }

    /// A sweep.
    pub(super) fn sweep(&self) -> Sweep<'_> {
        let sweep = Sweep::new(&*self.subject, self.workload);
        match &self.peer {
            Some(peer) => sweep.with_peer(&**peer),
            None => sweep,
        }
    }
}

/// The peers that a command line can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum PeerName {
    /// The C littlefs, which repairs before it is asked
    LittlefsC,
}

impl PeerName {
    /// As it is typed.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::LittlefsC => SubjectName::LittlefsC.as_str(),
        }
    }

    /// It, as a run names it.
    pub(super) fn named(self) -> explore::PeerName {
        let Self::LittlefsC = self;
        explore::PeerName {
            name: self.as_str().to_owned(),
            full_name: SubjectName::LittlefsC.description(),
        }
    }

    #[cfg(feature = "littlefs-c")]
    #[allow(clippy::unnecessary_wraps, reason = "a plain build leaves it out")]
    pub(super) fn peer(self, workload: &Workload) -> Result<Box<dyn Subject>, CliError> {
        let Self::LittlefsC = self;
        let attributes = workload.attribute_kinds().into_iter();
        let peer = LittlefsCSubject::looking_for(attributes.chain([TIME_ATTRIBUTE]));
        Ok(Box::new(peer.repairing_on_mount()))
    }

    #[cfg(not(feature = "littlefs-c"))]
    pub(super) fn peer(self, _: &Workload) -> Result<Box<dyn Subject>, CliError> {
        Err(not_built_in(&format!("--peer {}", self.as_str())))
    }
}

#[cfg(not(feature = "littlefs-c"))]
fn not_built_in(option: &str) -> CliError {
    CliError::argument(
        option,
        "not built into this command; with libclang and a C compiler at hand, build it with \
         'cargo build --release --features littlefs-c'",
    )
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
            Self::Engine => Ok(Box::new(EngineSubject::for_workload(workload))),
            #[cfg(feature = "littlefs-c")]
            Self::LittlefsC => {
                let attributes = workload.attribute_kinds();
                Ok(Box::new(LittlefsCSubject::looking_for(attributes)))
            }
            #[cfg(not(feature = "littlefs-c"))]
            Self::LittlefsC => Err(not_built_in("--subject littlefs-c")),
        }
    }
}
