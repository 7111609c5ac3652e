//! What the kernel says of associations and of the paths to their peers.

use std::io;
use std::net::{IpAddr, SocketAddr};

use super::socket::Socket;
use super::sys;
use crate::abi::{SOL_SCTP, assoc_stats, optname, paddrinfo};
use crate::address;
use crate::bytes::put_i32;
use crate::look::{AssocStats, Path, Status, Tick};
use crate::types::{AssocId, Style};

impl Socket {
    /// The associations of any socket: of a one-to-one socket its one, when it is up.
    pub(crate) fn assocs(&self) -> io::Result<Vec<AssocId>> {
        if self.style() == Style::OneToMany {
            return self.assoc_ids();
        }
        match self.status(AssocId::FUTURE) {
            Ok(status) => Ok(vec![status.assoc]),
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// The state of an association.
    pub(crate) fn status(&self, assoc: AssocId) -> io::Result<Status> {
        let bytes = self.status_bytes(assoc)?;
        Status::decode(&bytes, tick()?).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// The paths to all addresses of an association's peer.
    pub(crate) fn paths(&self, assoc: AssocId) -> io::Result<Vec<Path>> {
        let primary = self.status(assoc)?.primary.address;
        let mut paths = Vec::new();
        let mut gone = None;
        for addr in self.peer_addrs(assoc)? {
            match self.path(assoc, addr) {
                Ok(path) => paths.push(Path { primary: primary == Some(addr), ..path }),
                // It has been removed since the list was made, or the association has ended.
                Err(error) if error.raw_os_error() == Some(libc::EINVAL) => gone = Some(error),
                Err(error) => return Err(error),
            }
        }
        match gone {
            Some(error) if paths.is_empty() => Err(error),
            _ => Ok(paths),
        }
    }

    pub(super) fn path(&self, assoc: AssocId, addr: SocketAddr) -> io::Result<Path> {
        match self.path_as(assoc, addr, addr) {
            // The kernel shows an IPv4 address as a mapped one, but looks for it as what it is.
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => match unmapped(addr) {
                Some(plain) => self.path_as(assoc, addr, plain),
                None => Err(error),
            },
            result => result,
        }
    }

    /// The path to `addr`, asked for by another form of it.
    fn path_as(&self, assoc: AssocId, addr: SocketAddr, form: SocketAddr) -> io::Result<Path> {
        let mut value = [0; paddrinfo::SIZE];
        put_i32(&mut value, paddrinfo::ASSOC_ID, assoc.0);
        address::put_storage(&mut value, paddrinfo::ADDRESS, &form);
        match self.get_option(SOL_SCTP, optname::GET_PEER_ADDR_INFO, &mut value) {
            Ok(_) => {
                let path = Path::decode(&value, tick()?)
                    .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
                Ok(Path { address: Some(addr), ..path })
            }
            // Potentially failed, and not to be exposed.
            Err(error) if error.raw_os_error() == Some(libc::EACCES) => Ok(Path::unexposed(addr)),
            Err(error) => Err(error),
        }
    }

    /// The counters of an association.
    pub(crate) fn assoc_stats(&self, assoc: AssocId) -> io::Result<AssocStats> {
        let mut value = [0; assoc_stats::SIZE];
        put_i32(&mut value, assoc_stats::ASSOC_ID, assoc.0);
        self.get_option(SOL_SCTP, optname::GET_ASSOC_STATS, &mut value)?;
        AssocStats::decode(&value, tick()?).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}

/// The kernel's tick: what the coarse clock counts in.
fn tick() -> io::Result<Tick> {
    sys::clock_getres(libc::CLOCK_MONOTONIC_COARSE).map(Tick)
}

/// The IPv4 address that a mapped one stands for.
pub(super) fn unmapped(addr: SocketAddr) -> Option<SocketAddr> {
    match addr.ip() {
        IpAddr::V6(ip) => Some(SocketAddr::new(ip.to_ipv4_mapped()?.into(), addr.port())),
        IpAddr::V4(_) => None,
    }
}
