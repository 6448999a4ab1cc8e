//! Work that may take its process down is done in a second one, so that somebody is left to say what happened.
//!
//! A subject that aborts or overflows its stack ends the process it runs in. The workers' places are on disk
//! ([`crate::inflight`]); the supervising process reads them and names the crash states in question.

use super::subject::SubjectArgument;
use super::{CliError, EXIT_CUT_SHORT, Outcome};
use crate::inflight;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

/// Where the working process finds the folder for its workers' places.
const FOLDER: &str = "CUTPOINT_IN_FLIGHT";

/// A file beside the places, by which the supervising process asks the other one to stop.
const STOP: &str = "stop";

/// Whether the supervising process has asked to stop.
pub(super) fn is_stopped(folder: &Path) -> bool {
    folder.join(STOP).exists()
}

/// The folder for the workers' places, in the process that does the work; none in the one that supervises.
pub(super) fn working_in() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

/// The folder of the workers' places, in the one that a run leaves.
const IN_FLIGHT: &str = "in-flight";

/// Runs this same command line, which is about `subject`, again in a second process, and tells where it was brought down.
/// The workers' places are below `kept`, the folder that the run leaves; without one, in a temporary folder.
///
/// # Errors
///
/// Where a folder cannot be made or the process cannot be started.
pub(super) fn report(
    kept: Option<&Path>,
    subject: SubjectArgument,
    out: &mut dyn Write,
) -> Result<Outcome, CliError> {
    let temporary;
    let folder = if let Some(folder) = kept {
        std::fs::create_dir_all(folder).map_err(|error| CliError::at(folder, error))?;
        folder.join(IN_FLIGHT)
    } else {
        temporary =
            tempfile::tempdir().map_err(|error| CliError::argument("temporary folder", error))?;
        temporary.path().to_owned()
    };
    match run(&folder, subject)? {
        Supervised::Ended(outcome) => Ok(outcome),
        Supervised::Failed => Ok(Outcome::Reported),
        Supervised::BroughtDown { how, places } => {
            writeln!(
                out,
                "The subject brought the process down ({how}) at one of these places:"
            )?;
            for place in places {
                writeln!(out, "  {place}")?;
            }
            Ok(Outcome::Found)
        }
    }
}

/// Runs this same command line, which is about `subject`, again in a second process, with its workers' places below `folder`, and waits.
///
/// # Errors
///
/// Where the process cannot be started.
fn run(folder: &Path, subject: SubjectArgument) -> Result<Supervised, CliError> {
    let program = std::env::current_exe().map_err(|error| CliError::argument("cutpoint", error))?;
    std::fs::create_dir_all(folder).map_err(|error| CliError::at(folder, error))?;
    let stop = folder.join(STOP);
    // One that an earlier run has left.
    let _ = std::fs::remove_file(&stop);
    // This process stays to tell what became of the other. An interrupt from the keyboard goes to both; one that was sent
    // to this one alone is passed on.
    let asked = stop.clone();
    ctrlc::set_handler(move || drop(std::fs::write(&asked, [])))
        .map_err(|error| CliError::argument("interrupts", error))?;
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let status = Command::new(program)
        .args(arguments)
        .env(FOLDER, folder)
        .status()
        .map_err(|error| CliError::argument("cutpoint", error))?;
    let _ = std::fs::remove_file(&stop);
    Ok(Supervised::of(status, folder, subject))
}

/// What became of the working process.
#[derive(Debug, PartialEq, Eq)]
enum Supervised {
    /// It ended by itself, and has said all there is to say.
    Ended(Outcome),
    /// It ended by itself, with an error that it has reported.
    Failed,
    /// It was brought down while its workers were at these places.
    BroughtDown { how: String, places: Vec<String> },
}

impl Supervised {
    fn of(status: ExitStatus, folder: &Path, subject: SubjectArgument) -> Self {
        match status.code() {
            Some(0) => Self::Ended(Outcome::Clean),
            Some(1) => Self::Ended(Outcome::Found),
            Some(code) if code == i32::from(EXIT_CUT_SHORT) => Self::Ended(Outcome::CutShort),
            Some(code) if code == i32::from(CliError::EXIT_CODE) => Self::Failed,
            _ => Self::BroughtDown {
                how: status.to_string(),
                places: last_places(folder, subject),
            },
        }
    }
}

/// The places that stand below `folder`, each with the command that goes there again with `subject`.
pub(super) fn last_places(folder: &Path, subject: SubjectArgument) -> Vec<String> {
    let options = subject.options();
    let records = inflight::read(folder).unwrap_or_default();
    records
        .into_iter()
        .map(|record| {
            // States with other syncs than the subject's are those of an audit.
            if record.place.contains(", with") {
                return format!(
                    "{}, {}; again: cutpoint audit {}{options}",
                    record.workload, record.place, record.workload
                );
            }
            let option = |place, name| {
                let id = record.place.strip_prefix(place);
                id.map(|id| format!(" --{name} {id}"))
            };
            let id = option("crash state ", "state").or_else(|| option("fault ", "fault"));
            let id = id.unwrap_or_default();
            format!(
                "{}, {}; again: cutpoint replay {}{options}{id}",
                record.workload, record.place, record.workload
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::subject::{PeerName, SubjectName};
    use crate::inflight::Inflight;

    const LITTLEFS_C_BESIDE_ITSELF: SubjectArgument = SubjectArgument {
        name: SubjectName::LittlefsC,
        peer: Some(PeerName::LittlefsC),
    };

    #[test]
    fn a_process_that_was_brought_down_leaves_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let inflight = Inflight::create(dir.path(), 1).unwrap();
        std::mem::forget(inflight.note("split-ascending-512", "crash state 17"));
        let audited = "crash state 9-{3,5}, without sync 2";
        let status = Command::new("sh")
            .args(["-c", "kill -ABRT $$"])
            .status()
            .unwrap();
        let Supervised::BroughtDown { how, places } =
            Supervised::of(status, dir.path(), LITTLEFS_C_BESIDE_ITSELF)
        else {
            panic!("a signal is no way to end");
        };
        assert!(how.contains('6'), "{how}");
        assert_eq!(
            places,
            [
                "split-ascending-512, crash state 17; again: cutpoint replay split-ascending-512 --subject littlefs-c \
                 --peer littlefs-c --state 17"
            ]
        );
        for (place, again) in [
            (audited, "cutpoint audit rename-512"),
            (
                "fault no-space:7",
                "cutpoint replay rename-512 --fault no-space:7",
            ),
        ] {
            std::mem::forget(inflight.note("rename-512", place));
            let engine = SubjectArgument {
                name: SubjectName::Engine,
                peer: None,
            };
            assert_eq!(
                last_places(dir.path(), engine),
                [format!("rename-512, {place}; again: {again}")]
            );
        }
    }

    #[test]
    fn a_process_that_ended_by_itself_keeps_its_word() {
        let dir = tempfile::tempdir().unwrap();
        for (code, expected) in [
            (0, Supervised::Ended(Outcome::Clean)),
            (1, Supervised::Ended(Outcome::Found)),
            (2, Supervised::Failed),
            (3, Supervised::Ended(Outcome::CutShort)),
        ] {
            let script = format!("exit {code}");
            let status = Command::new("sh").args(["-c", &script]).status().unwrap();
            assert_eq!(
                Supervised::of(status, dir.path(), LITTLEFS_C_BESIDE_ITSELF),
                expected
            );
        }
    }
}
