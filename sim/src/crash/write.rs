use super::Fate;
use super::tear::{ByteFate, Tear};
use crate::trace::Event;

/// One erase or program, and what it does to the bytes of its block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Write<'a> {
    pub(super) number: u32,
    /// Where it begins in the block, in bytes.
    pub(super) start: u32,
    pub(super) content: Content<'a>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Content<'a> {
    /// An erase: so many bytes of this value.
    Erased(u32, u8),
    Data(&'a [u8]),
}

impl<'a> Write<'a> {
    /// The write of this event on a device with blocks of `block_size` bytes that erases to `erase_value`; none where the
    /// event is no write.
    pub(super) fn of(
        number: u32,
        event: &'a Event,
        block_size: u32,
        erase_value: u8,
    ) -> Option<Self> {
        let (start, content) = match event {
            Event::Erase { .. } => (0, Content::Erased(block_size, erase_value)),
            Event::Prog { offset, data, .. } => (*offset, Content::Data(data)),
            Event::Sync | Event::OperationStart(_) | Event::OperationEnd(_) => return None,
        };
        Some(Self {
            number,
            start,
            content,
        })
    }

    pub(super) fn length(&self) -> u32 {
        match self.content {
            Content::Erased(length, _) => length,
            Content::Data(data) => data.len() as u32,
        }
    }

    pub(super) fn is_erase(&self) -> bool {
        matches!(self.content, Content::Erased(..))
    }

    /// Whether it can be left so.
    pub(super) fn can_be(&self, tear: Tear) -> bool {
        tear.fits(self.start, self.length(), self.is_erase())
    }

    /// Calls `set` with each byte that it changes of `length` bytes from `offset` on, by its place among these.
    pub(super) fn change(
        &self,
        fate: Fate,
        offset: u32,
        length: usize,
        mut set: impl FnMut(usize, u8),
    ) {
        let from = self.start.max(offset);
        let to = (self.start + self.length()).min(offset + length as u32);
        for position in from..to {
            let byte = match fate {
                Fate::Lost => return,
                Fate::Persisted => Some(self.byte(position)),
                Fate::Torn(tear) => match tear.fate(self.start, self.length(), position) {
                    ByteFate::Old => None,
                    ByteFate::New => Some(self.byte(position)),
                    ByteFate::Zeroed => Some(0),
                    ByteFate::Noise => Some(Tear::noise(self.number, position)),
                },
            };
            if let Some(byte) = byte {
                set((position - offset) as usize, byte);
            }
        }
    }

    /// Whether it covers any of `length` bytes from `offset` on.
    pub(super) fn touches(&self, offset: u32, length: usize) -> bool {
        self.start < offset + length as u32 && offset < self.start + self.length()
    }

    fn byte(&self, position: u32) -> u8 {
        match self.content {
            Content::Erased(_, value) => value,
            Content::Data(data) => data[(position - self.start) as usize],
        }
    }
}
