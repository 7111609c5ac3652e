//! What this kernel and this network namespace allow.

use std::io;

use super::socket::Socket;
use super::sysctl::is_open;
use crate::abi::SOL_SCTP;
use crate::bytes::put_u32;
use crate::feature::{
    AUTH_SUPPORTED, FRAGMENT_INTERLEAVE, Feature, GATES, OPTIONS, Probe, SCHEDULERS,
    STREAM_SCHEDULER,
};
use crate::option::assoc_value;
use crate::types::{Family, Style};

/// Room for any struct that is asked for.
const ROOM: usize = 256;

/// Everything of [`crate::feature`], and `sctp`: whether there are sockets at all. In the network
/// namespace of the calling thread. Can take long: the kernel may have to load modules. An error where
/// no socket could be had for a reason that says nothing of SCTP, as for want of descriptors.
pub fn features() -> io::Result<Vec<(&'static str, bool)>> {
    let socket = match Socket::open(Family::Inet, Style::OneToMany, None) {
        Ok(socket) => Some(socket),
        Err(error) if is_without_sctp(&error) => None,
        Err(error) => return Err(error),
    };
    let mut found = vec![("sctp", socket.is_some())];
    found.extend(GATES.iter().map(|gate| (*gate, is_open(gate))));
    let socket = socket.as_ref();
    let ask = |probe: &dyn Fn(&Socket) -> bool| socket.is_some_and(probe);
    found.extend(OPTIONS.iter().map(|option| (option.name, ask(&|it| it.has(option)))));
    found.extend(SCHEDULERS.iter().map(|(name, value)| {
        (*name, ask(&|it| it.set_on_endpoint(STREAM_SCHEDULER, *value).is_ok()))
    }));
    Ok(found)
}

fn is_without_sctp(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::ESOCKTNOSUPPORT | libc::EPROTONOSUPPORT | libc::EAFNOSUPPORT)
    )
}

impl Socket {
    fn has(&self, option: &Feature) -> bool {
        let Feature { optname, probe, .. } = *option;
        self.knows(optname)
            && match probe {
                Probe::Known => true,
                Probe::On => self.set_on_endpoint(optname, 1).is_ok(),
                Probe::OnInterleaved => self
                    .set_option(SOL_SCTP, FRAGMENT_INTERLEAVE, &1i32.to_ne_bytes())
                    .and_then(|()| self.set_on_endpoint(optname, 1))
                    .is_ok(),
                Probe::Auth => {
                    is_open("auth_enable") || self.set_on_endpoint(AUTH_SUPPORTED, 1).is_ok()
                }
                Probe::Size(size) => {
                    let len = self.get_option(SOL_SCTP, optname, &mut [0; ROOM]);
                    len.is_ok_and(|len| len >= size)
                }
                Probe::Gate(gate) => is_open(gate),
            }
    }

    /// Nothing is changed: every option refuses a value without a byte, in other words than one that
    /// does not exist. Some can only be got, or only be set.
    fn knows(&self, optname: i32) -> bool {
        is_known(&self.get_option(SOL_SCTP, optname, &mut []))
            || is_known(&self.set_option(SOL_SCTP, optname, &[]))
    }

    /// Sets a `struct sctp_assoc_value` of the endpoint.
    fn set_on_endpoint(&self, optname: i32, value: u32) -> io::Result<()> {
        let mut bytes = [0; assoc_value::SIZE];
        put_u32(&mut bytes, assoc_value::VALUE, value);
        self.set_option(SOL_SCTP, optname, &bytes)
    }
}

fn is_known<T>(result: &io::Result<T>) -> bool {
    match result {
        Ok(_) => true,
        Err(error) => error.raw_os_error() != Some(libc::ENOPROTOOPT),
    }
}
