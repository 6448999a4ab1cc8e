//! The engine.

use super::{Subject, Summary};
use crate::ram::Ram;
use cutpoint_engine::{FormatOptions, Key, MountOptions, Store};
use std::hint::black_box;

/// The engine's store, with its options as they come but for wear levelling, which is off on both sides.
#[derive(Debug)]
pub(crate) struct Engine(Store<Ram>);

impl Subject for Engine {
    type Key = Key;

    fn key(path: &str) -> Key {
        Key::new(path)
    }

    fn format(mut ram: Ram) -> Ram {
        Store::format(&mut ram, &FormatOptions::default()).expect("engine: format");
        ram
    }

    fn mount(ram: Ram) -> Self {
        let options = MountOptions::default().with_block_cycles(0);
        Self(Store::mount(ram, &options).expect("engine: mount"))
    }

    fn unmount(self) -> Ram {
        self.0.unmount()
    }

    fn create_dictionary(&mut self, key: &Key) {
        self.0
            .create_dictionary(key)
            .expect("engine: create_dictionary");
    }

    fn set(&mut self, key: &Key, value: &[u8]) {
        self.0.set(key, value).expect("engine: set");
    }

    fn append(&mut self, key: &Key, size: u32, part: &[u8]) {
        self.0
            .set_partial(key, size, part)
            .expect("engine: set_partial");
    }

    fn append_through(&mut self, key: &Key, value: &[u8], part: usize) {
        for (index, chunk) in value.chunks(part).enumerate() {
            self.append(key, (index * part) as u32, chunk);
        }
    }

    fn exists(&mut self, key: &Key) -> bool {
        self.0.exists(key).expect("engine: exists").is_some()
    }

    fn read_at(&mut self, key: &Key, offset: u32, buffer: &mut [u8]) -> usize {
        self.0
            .read_at(key, offset, buffer)
            .expect("engine: read_at")
    }

    fn read_through(&mut self, key: &Key, buffer: &mut [u8], part: usize) -> usize {
        let chunks = buffer.chunks_mut(part).enumerate();
        chunks
            .map(|(index, chunk)| self.read_at(key, (index * part) as u32, chunk))
            .sum()
    }

    fn list(&mut self, key: &Key) -> usize {
        black_box(self.0.list(key).expect("engine: list")).len()
    }

    fn remove(&mut self, key: &Key) {
        self.0.remove(key).expect("engine: remove");
    }

    fn summarise(&mut self, key: &Key, summary: Summary) -> bool {
        match summary {
            Summary::LastModified => {
                black_box(self.0.last_modified(key).expect("engine: last_modified"));
            }
            Summary::Digest => {
                black_box(self.0.digest(key).expect("engine: digest"));
            }
        }
        true
    }
}
