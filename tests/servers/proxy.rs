//! A wire between a run and its server that is cut at a COMMIT.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Where the wire is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The server never sees the COMMIT.
    Before,
    /// The server sees it, and nobody is there any more.
    During,
    /// The server answers, and the answer is lost.
    After,
}

pub(crate) const CUTS: [Cut; 3] = [Cut::Before, Cut::During, Cut::After];

/// A wire that is cut once.
pub(crate) struct Proxy {
    port: u16,
    cut: Arc<AtomicBool>,
}

impl Proxy {
    /// Starts to listen; `url` is the server behind.
    pub(crate) fn start(url: &str, cut: Cut) -> Self {
        let upstream = address(url).to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let done = Arc::new(AtomicBool::new(false));
        let armed = Arc::clone(&done);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(&upstream)) else {
                    return;
                };
                relay(&client, &server, cut, &armed);
            }
        });
        Self { port, cut: done }
    }

    /// Returns the URL that leads through the wire.
    pub(crate) fn url(&self, url: &str) -> String {
        url.replace(address(url), &format!("127.0.0.1:{}", self.port))
    }

    /// Says whether the wire was cut.
    pub(crate) fn was_cut(&self) -> bool {
        self.cut.load(Ordering::SeqCst)
    }
}

/// Returns host and port of a URL.
fn address(url: &str) -> &str {
    let rest = url.split_once("://").unwrap().1;
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    rest.split('/').next().unwrap()
}

/// Copies both ways on threads of their own until one side ends, or the wire is cut.
fn relay(client: &TcpStream, server: &TcpStream, cut: Cut, cut_once: &Arc<AtomicBool>) {
    let swallow = Arc::new(AtomicBool::new(false));
    let ends = || (client.try_clone().unwrap(), server.try_clone().unwrap());
    let close = |one: &TcpStream, other: &TcpStream| {
        let _ = one.shutdown(Shutdown::Both);
        let _ = other.shutdown(Shutdown::Both);
    };
    let (mut from, mut to) = ends();
    let (lost, once) = (Arc::clone(&swallow), Arc::clone(cut_once));
    std::thread::spawn(move || {
        let mut bytes = vec![0; 1 << 20];
        while let Ok(length @ 1..) = from.read(&mut bytes) {
            let message = bytes.get(..length).unwrap_or_default();
            let commits = message.windows(6).any(|word| word == b"COMMIT");
            let now = commits && !once.swap(commits, Ordering::SeqCst);
            if now && cut == Cut::Before {
                break;
            }
            lost.fetch_or(now, Ordering::SeqCst);
            if to.write_all(message).is_err() || (now && cut == Cut::During) {
                break;
            }
        }
        close(&from, &to);
    });
    let (mut to, mut from) = ends();
    std::thread::spawn(move || {
        let mut bytes = vec![0; 1 << 16];
        while let Ok(length @ 1..) = from.read(&mut bytes) {
            let message = bytes.get(..length).unwrap_or_default();
            if swallow.load(Ordering::SeqCst) || to.write_all(message).is_err() {
                break;
            }
        }
        close(&from, &to);
    });
}
