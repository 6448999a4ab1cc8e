//! Blocks as logs that can be changed: taken apart into commits and tags, and put together again with right checksums.

use super::tag::{FIRST_TAG, Tag, be32, checksum};

/// One block, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Log {
    pub(super) revision: u32,
    /// Whole commits; the last tag of each is its checksum's.
    pub(super) commits: Vec<Vec<Record>>,
    /// What stands behind the last of them.
    pub(super) rest: Vec<u8>,
}

/// A tag, freed of the XOR, and its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) tag: Tag,
    pub(super) data: Vec<u8>,
}

impl Log {
    /// The log of a block; none where it does not begin with a commit. Checksums are not looked at.
    pub(super) fn of(block: &[u8]) -> Option<Self> {
        let revision = u32::from_le_bytes(block.get(..FIRST_TAG)?.try_into().ok()?);
        let mut commits = Vec::new();
        let mut commit = Vec::new();
        let (mut offset, mut end) = (FIRST_TAG, FIRST_TAG);
        let mut previous = u32::MAX;
        while let Some(stored) = be32(block, offset) {
            let tag = Tag(stored ^ previous);
            let data = offset + 4..offset + 4 + tag.data_len();
            if !tag.is_valid() || data.end > block.len() {
                break;
            }
            previous = tag.0;
            offset = data.end;
            let data = block[data].to_vec();
            commit.push(Record { tag, data });
            if tag.is_checksum() {
                previous ^= tag.next_valid_bit();
                commits.push(std::mem::take(&mut commit));
                end = offset;
            }
        }
        let rest = block[end..].to_vec();
        (!commits.is_empty()).then_some(Self {
            revision,
            commits,
            rest,
        })
    }

    /// Writes it into a block, as far as there is room, with the checksum of every commit. Behind it stands what stood
    /// behind it, moved to where it ends now.
    pub(super) fn write(&self, block: &mut [u8]) {
        let mut bytes = self.revision.to_le_bytes().to_vec();
        let mut previous = u32::MAX;
        let mut start = 0;
        for Record { tag, data } in self.commits.iter().flatten() {
            bytes.extend((tag.0 ^ previous).to_be_bytes());
            previous = tag.0;
            let mut data = data.clone();
            if tag.is_checksum() {
                let covered = checksum(&bytes[start..]);
                if let Some(field) = data.get_mut(..4) {
                    field.copy_from_slice(&covered.to_le_bytes());
                }
                start = bytes.len() + data.len();
                previous ^= tag.next_valid_bit();
            }
            bytes.extend(data);
        }
        bytes.extend(&self.rest);
        bytes.resize(block.len(), 0xff);
        block.copy_from_slice(&bytes);
    }

    /// Has the last commit's checksum of erased bytes say what now stands behind the commit.
    pub(super) fn trust_what_follows(&mut self) {
        let Some(record) = self.commits.last_mut().and_then(|commit| {
            let is_forward = |record: &&mut Record| record.tag.kind() == 0x5ff;
            commit.iter_mut().find(is_forward)
        }) else {
            return;
        };
        let Some((length, field)) = record.data.split_first_chunk_mut::<4>() else {
            return;
        };
        let length = u32::from_le_bytes(*length) as usize;
        if let (Some(covered), Some(field)) = (self.rest.get(..length), field.get_mut(..4)) {
            field.copy_from_slice(&checksum(covered).to_le_bytes());
        }
    }

    /// All tags with their data.
    pub(super) fn records(&mut self) -> impl Iterator<Item = &mut Record> {
        self.commits.iter_mut().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    #[test]
    fn blocks_of_images_are_the_same_taken_apart_and_put_together() {
        let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus/images");
        let mut logs = 0;
        for name in ["basic_512_v21", "split_512_v21", "renames_512_v21"] {
            let image = fs::read(images.join(name).with_extension("img")).unwrap();
            for block in image.chunks(512) {
                let Some(log) = Log::of(block) else {
                    continue;
                };
                let mut again = vec![0; 512];
                log.write(&mut again);
                assert!(again == block, "{name}");
                logs += 1;
            }
        }
        assert!(logs > 20, "{logs}");
    }
}
