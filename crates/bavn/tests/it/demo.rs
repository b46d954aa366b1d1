//! `bavn demo`: page up, clean end, and a clear word when the port is taken.

use super::{bavn, stderr};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};

#[test]
fn a_taken_port_is_told_with_a_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = bavn(&["demo", "--port", &port]);
    let words = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{words}");
    assert!(
        words.contains(&format!("port {port} is taken")) && words.contains("--port 0"),
        "{words}"
    );
}

#[test]
#[cfg(unix)]
fn the_page_is_up_at_the_printed_address_until_interrupted() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_bavn"))
        .args(["demo", "--port", "0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.map_while(Result::ok).find(|line| line.contains("http://")).unwrap();
    let address = line.split("http://").nth(1).unwrap().trim_end_matches('/').to_owned();
    for (path, wanted) in [("/", "<!DOCTYPE html>"), ("/queue.json", "\"alarms\":")] {
        let page = get(&address, path);
        assert!(page.starts_with("HTTP/1.1 200") && page.contains(wanted), "{path}: {page}");
        assert!(page.contains("default-src 'none'"), "{path} is unguarded");
        assert!(!page.contains("Patient/"), "{path} names a patient");
    }
    let interrupt = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    page
}
