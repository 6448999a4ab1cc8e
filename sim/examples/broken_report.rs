//! The page that a store which loses data leaves: `cargo run --example broken_report -- broken.html`.
//!
//! The store keeps all its values in one block and rewrites it in place. Between the erase and the program there is
//! nothing on the medium, so that a power cut there takes everything.

use cutpoint::contract;
use cutpoint::explore::{Place, Sweep};
use cutpoint::html::Page;
use cutpoint::op::{Operation, Value};
use cutpoint::refusal::Refusal;
use cutpoint::report::replay::ReplayText;
use cutpoint::subject::{Contents, Device, Health, Mounted, Promises, Subject, SubjectError};
use cutpoint::workload::Workload;
use cutpoint_engine::Key;
use cutpoint_engine::device::{BlockDevice, BlockId, Geometry};
use std::collections::BTreeMap;
use std::error::Error;

const BLOCK: BlockId = BlockId::new(0);
const BLOCK_SIZE: u32 = 512;

struct InPlace;

struct Opened {
    device: Device,
    values: BTreeMap<Key, Vec<u8>>,
}

impl Subject for InPlace {
    fn name(&self) -> &'static str {
        "in-place"
    }

    fn promises(&self) -> Promises {
        Promises::default()
    }

    fn format(&self, mut device: Device) -> Result<(), SubjectError> {
        Ok(device.erase(BLOCK)?)
    }

    fn mount(&self, mut device: Device) -> Result<Box<dyn Mounted>, SubjectError> {
        let mut block = [0; BLOCK_SIZE as usize];
        device.read(BLOCK, 0, &mut block)?;
        let (mut values, mut rest) = (BTreeMap::new(), &block[..]);
        while let [1..=254, ..] = rest {
            let (key, value) = rest[2..].split_at(rest[0].into());
            values.insert(Key::new(key), value[..rest[1].into()].to_vec());
            rest = &value[rest[1].into()..];
        }
        Ok(Box::new(Opened { device, values }))
    }
}

impl Mounted for Opened {
    fn apply(&mut self, operation: &Operation) -> Result<(), SubjectError> {
        match operation {
            Operation::Set { value, .. } if value.len() > 99 => return Err(Refusal::NoSpace.into()),
            Operation::Set { key, value } => self.values.insert(key.clone(), value.bytes().into()),
            Operation::Remove { key } => self.values.remove(key),
            _ => return Err(SubjectError::Other("not made for this".into())),
        };
        let mut block = Vec::new();
        for (key, value) in &self.values {
            // Neither is longer than 99 bytes.
            block.extend([key.as_bytes().len() as u8, value.len() as u8]);
            block.extend([key.as_bytes(), value].concat());
        }
        self.device.erase(BLOCK)?;
        self.device.prog(BLOCK, 0, &block)?;
        Ok(self.device.sync()?)
    }

    fn contents(&mut self) -> Result<Contents, SubjectError> {
        Ok(Contents::of_values(self.values.clone()))
    }

    fn check(&mut self) -> Result<Health, SubjectError> {
        Ok(Health::default())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let workload = Workload::new("bookmarks", Geometry::new(BLOCK_SIZE, 4)?)
        .then(Operation::set("/home", Value::literal("https://mirage.io")))
        .then(Operation::set(
            "/<script>",
            Value::literal("shown, not run"),
        ))
        .then(Operation::set("/home", Value::literal("https://ocaml.org")))
        .then(Operation::remove("/<script>"));
    let sweep = Sweep::new(&InPlace, &workload);
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [file] => {
            let mut page = Page::new("A store that rewrites its block in place").with_replay(again);
            for contract in [&contract::PREFIX, &contract::TORN] {
                let sweep = sweep.under(contract);
                page.add_sweep(&sweep, &sweep.run(), None);
            }
            std::fs::write(file, page.render()?)?;
            println!("The report is in {file}.");
        }
        [option, contract, state] if option == "--replay" => {
            let contract = contract::by_name(contract).ok_or("no such contract")?;
            let replay = sweep.under(contract).replay(&state.parse()?)?;
            print!("{}", ReplayText::new(&replay, InPlace.name()));
        }
        _ => return Err("give the file to write, or --replay CONTRACT STATE".into()),
    }
    Ok(())
}

/// The command that shows a crash state of this store again.
fn again(report: &cutpoint::explore::SweepReport, place: &Place) -> String {
    let example = "cargo run --example broken_report --";
    match place {
        Place::State(state) => format!("{example} --replay {} '{state}'", report.contract),
        Place::Recording { .. } | Place::Epoch { .. } => format!("{example} broken.html"),
    }
}
