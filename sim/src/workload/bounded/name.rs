//! Names of sequences: `bounded:1234`, and `bounded:1234@512x64x16` on 64 blocks of 512 bytes with a program size of 16.

use super::{Sequences, USUAL};
use crate::workload::Workload;
use cutpoint_engine::device::{Geometry, GeometryError};
use thiserror::Error;

/// What all names begin with.
const PREFIX: &str = "bounded:";

/// A name that begins as those of sequences do and is none.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SequenceNameError {
    /// What follows the colon is no number of a sequence.
    #[error("'{text}' is no number of a sequence: 0 to {last} are")]
    NoNumber {
        /// What stands there.
        text: String,
        /// The last number there is.
        last: u64,
    },
    /// What follows the at sign are no sizes of a device.
    #[error(
        "'{0}' are no sizes of a device: block size, block count and program size are needed, as in 512x64x16"
    )]
    NoSizes(String),
    /// They are the sizes of no device.
    #[error(transparent)]
    Geometry(#[from] GeometryError),
}

/// The name of the sequence with this number.
pub(super) fn of(sequences: &Sequences, number: u64) -> String {
    let geometry = sequences.geometry();
    if geometry == USUAL {
        return format!("{PREFIX}{number}");
    }
    let (size, count) = (geometry.block_size(), geometry.block_count());
    format!("{PREFIX}{number}@{size}x{count}x{}", geometry.prog_size())
}

impl Sequences {
    /// The sequence with this name; none where it is not the name of a sequence but of another workload.
    ///
    /// ```
    /// use cutpoint::workload::bounded::Sequences;
    ///
    /// let workload = Sequences::named("bounded:1234")?.expect("the name of a sequence");
    /// assert_eq!(workload.name(), "bounded:1234");
    /// assert!(Sequences::named("rename-512")?.is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SequenceNameError`] where no sequence has this number or no device these sizes.
    pub fn named(name: &str) -> Result<Option<Workload>, SequenceNameError> {
        let Some(rest) = name.strip_prefix(PREFIX) else {
            return Ok(None);
        };
        let (number, sequences) = match rest.split_once('@') {
            Some((number, sizes)) => (number, Self::on(geometry_of(sizes)?)),
            None => (rest, Self::new()),
        };
        let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let workload = number
            .parse()
            .ok()
            .filter(|_| digits)
            .and_then(|number| sequences.workload(number));
        workload
            .map(Some)
            .ok_or_else(|| SequenceNameError::NoNumber {
                text: number.to_owned(),
                last: sequences.last(),
            })
    }
}

fn geometry_of(sizes: &str) -> Result<Geometry, SequenceNameError> {
    let numbers: Result<Vec<u32>, _> = sizes.split('x').map(str::parse).collect();
    let Ok([size, count, prog_size]) = numbers.as_deref() else {
        return Err(SequenceNameError::NoSizes(sizes.to_owned()));
    };
    Ok(Geometry::new(*size, *count)?.with_prog_size(*prog_size)?)
}
