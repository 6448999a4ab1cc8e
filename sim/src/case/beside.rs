use crate::workload::images::{self, CorpusImage};
use std::fs;
use std::path::{Component, Path, PathBuf};

/// What a case names but does not hold: files that stand beside it, and images of the corpus.
pub trait Beside {
    /// What the file with this name holds.
    ///
    /// # Errors
    ///
    /// Why there is none, for people.
    fn file(&self, name: &str) -> Result<Vec<u8>, String>;

    /// The image of the corpus with this name.
    ///
    /// # Errors
    ///
    /// Why there is none, for people.
    fn image(&self, name: &str) -> Result<CorpusImage, String>;
}

/// Nothing: cases that name a file or an image are refused.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Beside for Alone {
    fn file(&self, _: &str) -> Result<Vec<u8>, String> {
        Err("this case stands alone".into())
    }

    fn image(&self, _: &str) -> Result<CorpusImage, String> {
        Err("this case stands alone".into())
    }
}

/// The folder that a case is in, and the folder of images with their manifest.
#[derive(Clone, Debug)]
pub struct Folder {
    /// Where the case is.
    pub cases: PathBuf,
    /// Where the images of the corpus are.
    pub images: PathBuf,
}

impl Beside for Folder {
    fn file(&self, name: &str) -> Result<Vec<u8>, String> {
        // What is beside a case moves with it; what is elsewhere does not.
        let mut parts = Path::new(name).components();
        let (Some(Component::Normal(_)), None) = (parts.next(), parts.next()) else {
            return Err("it is no plain file name".into());
        };
        fs::read(self.cases.join(name)).map_err(|error| error.to_string())
    }

    fn image(&self, name: &str) -> Result<CorpusImage, String> {
        let images = images::read_images(&self.images).map_err(|error| error.to_string())?;
        let image = images.into_iter().find(|image| image.name == name);
        image.ok_or_else(|| format!("{} has none of this name", self.images.display()))
    }
}
