//! Many messages received by one call of recvmmsg(2).

use std::collections::VecDeque;
use std::io;
use std::os::fd::AsFd;

use super::socket::{Socket, received};
use super::sys::{self, RawReceived};
use crate::types::Received;

/// Room for what the kernel says of each message, kept from call to call.
pub struct Headers(Vec<RawReceived>);

impl Headers {
    /// None yet.
    pub const fn new() -> Headers {
        Headers(Vec::new())
    }
}

impl Default for Headers {
    fn default() -> Headers {
        Headers::new()
    }
}

impl Socket {
    /// Receives as many messages as there are, up to `most`, each into one of the `payloads`; adds
    /// what is said of them to `found`.
    pub fn recv_many<'a>(
        &self,
        payloads: impl Iterator<Item = &'a mut [u8]>,
        most: usize,
        headers: &mut Headers,
        found: &mut VecDeque<io::Result<Received>>,
    ) -> io::Result<()> {
        let headers = &mut headers.0;
        if headers.len() < most {
            headers.resize_with(most, || RawReceived::NOTHING);
        }
        let count = sys::recvmmsg(self.as_fd(), payloads, &mut headers[..most])?;
        found.extend(headers[..count].iter().map(|header| received(header, header.len)));
        Ok(())
    }
}
