//! A backend that refuses everything with `EOPNOTSUPP`: what another one has to have.

use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::time::Duration;

use crate::look::{AssocStats, Path, Status};
use crate::readiness::Readiness;
use crate::types::{AssocId, Bindx, Family, Half, Received, SndInfo, Style, To};

/// A socket that can do nothing.
#[derive(Debug)]
pub struct Socket {
    family: Family,
    style: Style,
    readiness: Readiness,
}

/// The answer to every call.
pub(crate) fn refused<T>() -> io::Result<T> {
    Err(io::Error::from_raw_os_error(libc::EOPNOTSUPP))
}

#[expect(clippy::unused_self, reason = "the calls of a backend")]
impl Socket {
    /// One without a descriptor.
    pub fn new(family: Family, style: Style) -> Socket {
        Socket { family, style, readiness: Readiness::default() }
    }

    /// Where its events would come from.
    pub fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    pub(crate) fn family(&self) -> Family {
        self.family
    }

    pub(crate) fn style(&self) -> Style {
        self.style
    }

    pub(crate) fn encapsulates(&self) -> bool {
        false
    }

    pub(crate) fn bind(&self, _addr: SocketAddr) -> io::Result<()> {
        refused()
    }

    pub(crate) fn bindx(&self, _op: Bindx, _addrs: &[SocketAddr]) -> io::Result<()> {
        refused()
    }

    pub(crate) fn listen(&self, _backlog: i32) -> io::Result<()> {
        refused()
    }

    pub(crate) fn is_listening(&self) -> bool {
        false
    }

    pub(crate) fn connect(&self, _addrs: &[SocketAddr]) -> io::Result<AssocId> {
        refused()
    }

    pub(crate) fn send(&self, _info: &SndInfo, _payload: &[u8]) -> io::Result<()> {
        refused()
    }

    pub(crate) fn send_to(&self, _to: To, _info: &SndInfo, _payload: &[u8]) -> io::Result<()> {
        refused()
    }

    pub(crate) fn send_batch(&self, _assoc: AssocId, _messages: &[(SndInfo, &[u8])]) -> usize {
        0
    }

    pub(crate) fn recv(&self, _bufs: &mut [IoSliceMut<'_>]) -> io::Result<Received> {
        refused()
    }

    pub(crate) fn has_waiting(&self) -> io::Result<bool> {
        refused()
    }

    pub(crate) fn shutdown(&self, _half: Half) -> io::Result<()> {
        refused()
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        refused()
    }

    pub(crate) fn peer_addr(&self) -> io::Result<SocketAddr> {
        refused()
    }

    pub(crate) fn local_addrs(&self, _assoc: AssocId) -> io::Result<Vec<SocketAddr>> {
        refused()
    }

    pub(crate) fn peer_addrs(&self, _assoc: AssocId) -> io::Result<Vec<SocketAddr>> {
        refused()
    }

    pub(crate) fn assoc_count(&self) -> io::Result<u32> {
        refused()
    }

    pub(crate) fn assoc_ids(&self) -> io::Result<Vec<AssocId>> {
        refused()
    }

    pub(crate) fn assocs(&self) -> io::Result<Vec<AssocId>> {
        refused()
    }

    pub(crate) fn status(&self, _assoc: AssocId) -> io::Result<Status> {
        refused()
    }

    pub(crate) fn paths(&self, _assoc: AssocId) -> io::Result<Vec<Path>> {
        refused()
    }

    pub(crate) fn assoc_stats(&self, _assoc: AssocId) -> io::Result<AssocStats> {
        refused()
    }

    pub(crate) fn has_assoc(&self, _assoc: AssocId) -> bool {
        false
    }

    pub(crate) fn default_send_info(&self, _assoc: AssocId) -> io::Result<SndInfo> {
        refused()
    }

    pub(crate) fn abort(&self, _assoc: AssocId) -> io::Result<()> {
        refused()
    }

    pub(crate) fn awaits_peer(&self, _assoc: AssocId) -> bool {
        false
    }

    pub(crate) fn abort_at_close(&self) -> io::Result<()> {
        refused()
    }

    pub(crate) fn closes_quickly(&self) -> bool {
        true
    }

    pub(crate) fn prepare_close(&self, _unread: bool) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn lingering_time(&self) -> Option<Duration> {
        None
    }

    pub(crate) fn begin_ends(&self) -> Option<Vec<AssocId>> {
        None
    }
}
