//! Short links, kept in a store of the engine: what the server of this crate answers from.
#![forbid(unsafe_code)]

use cutpoint_engine::device::BlockDevice;
use cutpoint_engine::{Error, Key, MountError, MountOptions, Store};
use thiserror::Error as ThisError;

/// The longest link that is taken, in bytes.
pub const LONGEST: usize = 2000;

/// The links on a device. A link that [`shorten`](Self::shorten) has returned a code for survives a power cut.
#[derive(Debug)]
pub struct Links<D> {
    store: Store<D>,
    /// The number of the next link.
    next: u64,
}

/// Why a link could not be kept or found.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum LinksError {
    /// It is not `http://` or `https://` and printable, or too long.
    #[error(
        "a link begins with http:// or https://, is printable ASCII and has at most {LONGEST} bytes"
    )]
    NoLink,
    /// The device holds no store.
    #[error("the image holds no store: {0}")]
    Mount(#[from] MountError),
    /// The store refused or failed.
    #[error("the store: {0}")]
    Store(#[from] Error),
}

impl<D: BlockDevice> Links<D> {
    /// The links of the store on `device`, which has been formatted.
    ///
    /// # Errors
    ///
    /// [`LinksError::Mount`] where there is none, [`LinksError::Store`] where it cannot be read.
    pub fn open(device: D) -> Result<Self, LinksError> {
        let mut store = Store::mount(device, &MountOptions::default())?;
        let entries = match store.list(&dictionary()) {
            Ok(entries) => entries,
            Err(Error::NotFound(_)) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        let codes = entries.iter().filter_map(|(key, _)| {
            let code = std::str::from_utf8(key.name()?).ok()?;
            u64::from_str_radix(code, 36).ok()
        });
        let next = codes.max().map_or(1, |newest| newest + 1);
        Ok(Self { store, next })
    }

    /// Keeps a link, and returns the code that stands for it once it is on the medium.
    ///
    /// # Errors
    ///
    /// [`LinksError::NoLink`], or [`LinksError::Store`] where it is not kept.
    pub fn shorten(&mut self, link: &str) -> Result<String, LinksError> {
        let is_link = link.starts_with("http://") || link.starts_with("https://");
        if !is_link || link.len() > LONGEST || !link.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(LinksError::NoLink);
        }
        let code = code(self.next);
        self.store
            .set(&dictionary().child(&code), link.as_bytes())?;
        self.next += 1;
        Ok(code)
    }

    /// The link that a code stands for; none where it is no code.
    ///
    /// # Errors
    ///
    /// [`LinksError::Store`] where the store cannot be read.
    pub fn find(&mut self, code: &str) -> Result<Option<String>, LinksError> {
        if code.is_empty() || !code.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Ok(None);
        }
        match self.store.get(&dictionary().child(code)) {
            Ok(link) => Ok(Some(String::from_utf8_lossy(&link).into_owned())),
            Err(Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Where the links are.
fn dictionary() -> Key {
    Key::new("/links")
}

/// A number in base 36.
fn code(mut number: u64) -> String {
    let mut digits = Vec::new();
    while number > 0 || digits.is_empty() {
        digits.push(char::from(
            b"0123456789abcdefghijklmnopqrstuvwxyz"[(number % 36) as usize],
        ));
        number /= 36;
    }
    digits.into_iter().rev().collect()
}
