//! The server is killed while it takes links; each one that it had answered must be there when it starts again.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

struct Running {
    child: Child,
    address: String,
}

impl Running {
    fn start(image: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_shortener"))
            .arg(image)
            .arg("127.0.0.1:0")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let output = child.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        let address = line
            .trim()
            .trim_start_matches("http://")
            .trim_end_matches('/');
        let address = address.to_owned();
        Self { child, address }
    }

    /// Ends it without a word of warning: `SIGKILL`.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The head and the body of the answer; none where the server went away.
fn ask(address: &str, request: &str) -> Option<(String, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.to_owned(), body.trim_end().to_owned()))
}

fn post(address: &str, link: &str) -> Option<(String, String)> {
    let length = link.len();
    ask(
        address,
        &format!(
            "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{link}"
        ),
    )
}

fn get(address: &str, path: &str) -> Option<(String, String)> {
    let head = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    ask(address, &head)
}

#[test]
fn every_answered_link_is_there_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("links.img");
    let mut answered: Vec<(String, String)> = Vec::new();
    for round in 0..8_u64 {
        let mut server = Running::start(&image);
        for (link, path) in &answered {
            let (head, _) = get(&server.address, path).unwrap();
            assert!(
                head.contains(" 302 ") && head.contains(&format!("Location: {link}")),
                "{path}: {head}"
            );
        }
        let address = server.address.clone();
        let client = thread::spawn(move || {
            let mut answered = Vec::new();
            for number in 0..10_000 {
                let link = format!("https://example.org/{round}/{number}");
                match post(&address, &link) {
                    Some((head, path)) if head.contains(" 201 ") => answered.push((link, path)),
                    Some((head, _)) => panic!("{head}"),
                    None => break,
                }
            }
            answered
        });
        thread::sleep(Duration::from_millis(20 + 17 * round));
        server.kill();
        answered.extend(client.join().unwrap());
    }
    assert!(!answered.is_empty());
    let server = Running::start(&image);
    for (link, path) in &answered {
        let (head, _) = get(&server.address, path).unwrap();
        assert!(
            head.contains(&format!("Location: {link}")),
            "{path}: {head}"
        );
    }
}

#[test]
fn what_is_no_link_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(&folder.path().join("links.img"));
    let status = |answer: Option<(String, String)>| answer.unwrap().0[9..12].to_owned();
    assert_eq!(status(post(&server.address, "javascript:alert(1)")), "400");
    assert_eq!(
        status(post(&server.address, "https://a\r\nSet-Cookie: b")),
        "400"
    );
    assert_eq!(
        status(post(
            &server.address,
            &format!("https://{}", "a".repeat(2000))
        )),
        "400"
    );
    assert_eq!(status(get(&server.address, "/zz")), "404");
    assert_eq!(status(get(&server.address, "/../links")), "404");
    assert_eq!(
        status(ask(
            &server.address,
            "PUT / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        )),
        "405"
    );
}
