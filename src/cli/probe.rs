//! The part of `wget` that the probes of a Flagger Deployment need: one GET, exit code 0 for a 2xx answer.
//!
//! Flagger's chart probes with `wget --spider http://localhost:8080/healthz` inside the container, and an image with
//! only this binary has no `wget`. The image links the binary under that name too.

use std::{
    io::{self, Read as _, Write as _},
    net::{TcpStream, ToSocketAddrs as _},
    process::ExitCode,
    time::Duration,
};

/// Longest wait for each of connecting, sending and reading.
const PATIENCE: Duration = Duration::from_secs(4);

/// Fetches the last argument and ignores `wget`'s other arguments.
pub(super) fn main(argv: &[String]) -> ExitCode {
    match argv.last().map(|url| fetch(url)) {
        Some(Ok(200..=299)) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// The status code that a plain http address answers with.
fn fetch(url: &str) -> io::Result<u16> {
    let bad = |what: &str| io::Error::new(io::ErrorKind::InvalidInput, what.to_owned());
    let rest = url.strip_prefix("http://").ok_or_else(|| bad("only http is fetched"))?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let address = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
    let mut last = bad("the host has no address");
    for candidate in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&candidate, PATIENCE) {
            Ok(stream) => return ask(stream, host, path),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn ask(mut stream: TcpStream, host: &str, path: &str) -> io::Result<u16> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = format!("GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut head = [0; 12];
    stream.read_exact(&mut head)?;
    let text = std::str::from_utf8(&head).ok();
    let code = text.and_then(|t| t.strip_prefix("HTTP/1.")?.get(2..)?.parse().ok());
    code.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not an HTTP answer"))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn answering(status: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 256];
            let read = stream.read(&mut request).unwrap();
            assert!(request[..read].starts_with(b"GET /healthz HTTP/1.1\r\n"));
            write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").unwrap();
        });
        format!("http://localhost:{port}/healthz")
    }

    #[test]
    fn the_answer_is_the_verdict() {
        assert_eq!(fetch(&answering("200 OK")).unwrap(), 200);
        assert_eq!(fetch(&answering("503 Service Unavailable")).unwrap(), 503);
        assert!(fetch("https://localhost/").is_err());
    }
}
