//! Whether a connection comes from a command that the load tester runs. Commands can reach the loopback address, as can
//! people who run something in the Pod, and must not change gates.
//!
//! Reads `/proc` to find the process of a socket, and its parents.

use std::{
    fs,
    net::{IpAddr, SocketAddr},
};

use crate::server::listen::Ends;

/// Most ancestors of a process that are checked.
const GENERATIONS: usize = 64;

/// Whether the client at the other end is a process of this machine that is not one of our commands. A client that
/// cannot be found is refused, because a command may send its request and end.
pub(super) fn is_a_person(ends: Ends) -> bool {
    let (client, server) = (plain(ends.peer), plain(ends.local));
    inode(client, server).and_then(|inode| owner(&inode)).is_some_and(|pid| !is_ours(pid))
}

/// Whether a client connected from within the Pod, through an address that only the Pod can reach.
pub(super) fn is_within(ends: Ends) -> bool {
    plain(ends.local).ip().is_loopback()
}

fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// The socket of a connection's client, as the kernel lists it.
fn inode(client: SocketAddr, server: SocketAddr) -> Option<String> {
    let (from, to) = (listed(client), listed(server));
    let table = if client.is_ipv4() { "/proc/self/net/tcp" } else { "/proc/self/net/tcp6" };
    let text = fs::read_to_string(table).ok()?;
    text.lines().find_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let is_it = fields.get(1) == Some(&from.as_str()) && fields.get(2) == Some(&to.as_str());
        is_it.then(|| fields.get(9).map(|inode| (*inode).to_owned())).flatten()
    })
}

/// An address in the format of `/proc/net/tcp`: words of four bytes, each in native byte order.
fn listed(address: SocketAddr) -> String {
    let bytes = match address.ip() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let words = bytes.chunks_exact(4).map(|word| {
        let word = u32::from_ne_bytes([word[0], word[1], word[2], word[3]]);
        format!("{word:08X}")
    });
    format!("{}:{:04X}", words.collect::<String>(), address.port())
}

/// A process that has the socket open.
fn owner(inode: &str) -> Option<u32> {
    let socket = format!("socket:[{inode}]");
    fs::read_dir("/proc").ok()?.flatten().find_map(|process| {
        let pid = process.file_name().to_str()?.parse().ok()?;
        let mut files = fs::read_dir(process.path().join("fd")).ok()?.flatten();
        files
            .any(|file| fs::read_link(file.path()).is_ok_and(|to| to.as_os_str() == socket.as_str()))
            .then_some(pid)
    })
}

/// Whether we started a process or one of its ancestors.
fn is_ours(pid: u32) -> bool {
    let parents = std::iter::successors(parent(pid), |pid| parent(*pid)).take(GENERATIONS);
    parents.into_iter().any(|parent| parent == std::process::id())
}

/// The parent of a process, if it is visible here.
fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // the name of the program is in parentheses, and may itself contain some
    let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
    Some(parent).filter(|parent| *parent != 0)
}
