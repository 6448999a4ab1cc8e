//! A URL shortener over HTTP: `shortener IMAGE [ADDRESS]`.
#![forbid(unsafe_code)]

use cutpoint_engine::device::{FileDevice, Geometry};
use cutpoint_engine::{FormatOptions, Store};
use cutpoint_shortener::{Links, LinksError};
use std::env;
use std::error::Error;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;
use tiny_http::{Header, Method, Request, Response, Server};

const BLOCK_SIZE: u32 = 4096;
const BLOCK_COUNT: u32 = 1024;

type Reply = Response<std::io::Cursor<Vec<u8>>>;

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let (Some(image), address, None) = (arguments.next(), arguments.next(), arguments.next())
    else {
        eprintln!("usage: shortener IMAGE [ADDRESS]");
        return ExitCode::from(2);
    };
    let address = address.unwrap_or_else(|| "127.0.0.1:8080".into());
    match serve(Path::new(&image), &address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("shortener: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(image: &Path, address: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut links = Links::open(device(image)?)?;
    let server = Server::http(address)?;
    // Port 0 asks for any that is free, so say which it is.
    println!("http://{}/", server.server_addr());
    for mut request in server.incoming_requests() {
        let reply = answer(&mut links, &mut request).unwrap_or_else(|error| match error {
            LinksError::NoLink => text(400, &error.to_string()),
            error => text(500, &error.to_string()),
        });
        // Whoever asked may be gone.
        let _ = request.respond(reply);
    }
    Ok(())
}

/// The image; where there is none, one is made under another name and renamed once it holds a store, so that a cut in
/// between leaves none.
fn device(image: &Path) -> Result<FileDevice, Box<dyn Error + Send + Sync>> {
    if !image.exists() {
        let new = image.with_extension("new");
        let geometry = Geometry::new(BLOCK_SIZE, BLOCK_COUNT)?;
        let device = FileDevice::create(&new, geometry)?;
        Store::format(device, &FormatOptions::default())?;
        fs::File::open(&new)?.sync_all()?;
        fs::rename(&new, image)?;
        let folder = image
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(FileDevice::open(image, BLOCK_SIZE)?)
}

/// `POST /` with a link as its body keeps it; `GET /CODE` leads to it.
fn answer(links: &mut Links<FileDevice>, request: &mut Request) -> Result<Reply, LinksError> {
    match request.method() {
        Method::Post if request.url() == "/" => {
            let mut link = String::new();
            let limit = cutpoint_shortener::LONGEST as u64 + 2;
            let read = request.as_reader().take(limit).read_to_string(&mut link);
            let link = read.map_or("", |_| link.trim_end());
            Ok(text(201, &format!("/{}", links.shorten(link)?)))
        }
        Method::Get => {
            let code = request.url().trim_start_matches('/').to_owned();
            Ok(match links.find(&code)? {
                Some(link) => match Header::from_bytes("Location", link) {
                    Ok(location) => text(302, "").with_header(location),
                    Err(()) => text(500, "the link cannot be sent"),
                },
                None => text(404, "there is no such link"),
            })
        }
        _ => Ok(text(405, "POST / a link, or GET one")),
    }
}

fn text(status: u16, text: &str) -> Reply {
    let line = if text.is_empty() {
        String::new()
    } else {
        format!("{text}\n")
    };
    Response::from_string(line).with_status_code(status)
}
