use crate::case::{Beside, Case};
use crate::workload::images::CorpusImage;

/// Takes `bytes` as the text of a case and reads it. Beside it stands a file of any name, whose bytes are those of its
/// name over and over.
///
/// # Panics
///
/// Where a promise is broken: a panic inside the parser, or a case that reads differently once it is printed.
///
/// ```
/// cutpoint::fuzzing::case(b"title \"not all of a case\"");
/// ```
pub fn case(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let case = match Case::parse(text, &Everything) {
        Ok(case) => case,
        Err(error) => {
            assert!(error.position.is_some(), "nowhere: {error}");
            return;
        }
    };
    let printed = case.to_string();
    let again = Case::parse(&printed, &Everything);
    assert_eq!(again.as_ref(), Ok(&case), "printed as\n{printed}");
    let workload = case.workload("fuzzed");
    assert_eq!(workload.operations(), case.operations);
}

/// Bytes of a file: the smallest device.
const FILE_BYTES: usize = 256;

/// Has a file of each name, and no images.
struct Everything;

impl Beside for Everything {
    fn file(&self, name: &str) -> Result<Vec<u8>, String> {
        match name {
            "" => Err("it has no name".into()),
            name => Ok(name.bytes().cycle().take(FILE_BYTES).collect()),
        }
    }

    fn image(&self, _: &str) -> Result<CorpusImage, String> {
        Err("there are none".into())
    }
}
