//! The store of docs/tutorial.md under power cuts, as it is at the beginning and at the end.

mod log;

use cutpoint::subject::KeyValueSubject;
use cutpoint_engine::device::{Geometry, GeometryError};
use log::Log;

fn main() -> Result<(), GeometryError> {
    let disk = Geometry::new(4096, 64)?.with_prog_size(512)?;
    for fixed in [false, true] {
        let subject = KeyValueSubject::on_files("log", move |files| Log::open(files, fixed));
        println!("{}", cutpoint::check(&subject, disk).outcome());
    }
    Ok(())
}
