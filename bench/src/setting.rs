//! The sizes that both sides run with.

use cutpoint_engine::device::Geometry;
use serde::Serialize;
use std::fmt;
use std::str::FromStr;

/// Bytes of the device.
const CAPACITY: u32 = 8 << 20;
/// Bytes in a unit of reading and programming.
pub(crate) const UNIT: u32 = 16;

/// A block size, and a cache size for the side that has caches (the C littlefs; the engine has none to set).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Setting {
    pub(crate) block: u32,
    pub(crate) cache: u32,
}

impl Setting {
    pub(crate) const ALL: [Self; 3] = [
        Self::of(512, 512),
        Self::of(4096, 512),
        Self::of(4096, 4096),
    ];

    const fn of(block: u32, cache: u32) -> Self {
        Self { block, cache }
    }

    pub(crate) fn geometry(self) -> Geometry {
        Geometry::new(self.block, CAPACITY / self.block)
            .and_then(|geometry| geometry.with_prog_size(UNIT))
            .expect("the settings above are valid")
    }
}

/// `512-512`: block, then cache.
impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.block, self.cache)
    }
}

impl FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter();
        let mut named = known.filter(|setting| setting.to_string() == text);
        named.next().ok_or_else(|| {
            let all = Self::ALL.map(|setting| setting.to_string()).join(", ");
            format!("no setting {text:?}; there are {all}")
        })
    }
}
