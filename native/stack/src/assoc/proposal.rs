//! INIT and INIT ACK as we send them (RFC 9260, sections 3.3.2, 3.3.3 and 5.1).

use std::net::IpAddr;
use std::time::Duration;

use crate::assoc::offer::{Offer, WINDOW_MIN};
use crate::params::Params;
use crate::types::Tsn;
use crate::wire::parameter_type;
use crate::wire::{Builder, Chunk, Full, Header, Init, List, Parameter, Parameters, chunk_type};

/// What we propose.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Proposal {
    pub(crate) tag: u32,
    pub(crate) tsn: Tsn,
    pub(crate) window: u32,
    pub(crate) outbound: u16,
    pub(crate) inbound: u16,
    pub(crate) adaptation: Option<u32>,
}

impl Proposal {
    pub(crate) fn new(tag: u32, tsn: Tsn, params: &Params) -> Proposal {
        Proposal {
            tag,
            tsn,
            window: window(params),
            outbound: params.init.outbound_streams,
            inbound: params.init.inbound_streams,
            adaptation: params.adaptation,
        }
    }

    /// Streams out and in, when the peer proposes this (section 5.1.1).
    pub(crate) fn streams(&self, offer: &Offer) -> (u16, u16) {
        (self.outbound.min(offer.inbound), self.inbound.min(offer.outbound))
    }

    /// An INIT, which is alone in its packet.
    pub(crate) fn init(
        &self,
        ports: Ports,
        local: IpAddr,
        preservative: Option<Duration>,
    ) -> Vec<u8> {
        let mut parameters = Vec::new();
        if let Some(by) = preservative {
            Parameter::CookiePreservative(by).write(&mut parameters);
        }
        // Only the packet's own address is used: others of its type are of no use to us.
        let family = if local.is_ipv4() {
            parameter_type::IPV4_ADDRESS
        } else {
            parameter_type::IPV6_ADDRESS
        };
        let family = family.to_be_bytes();
        Parameter::SupportedAddressTypes(List::new(&family)).write(&mut parameters);
        self.write_extensions(&mut parameters);
        let header = ports.header(0);
        let mut packet = Builder::new(header, usize::MAX);
        let pushed = packet.push(&Chunk::Init(self.chunk(&parameters)));
        debug_assert_eq!(pushed, Ok(()));
        packet.finish()
    }

    /// An INIT ACK of at most `limit` bytes. What the peer does not need is left out of one that
    /// is too long: which of its parameters are not known, and then the list of extensions, of which
    /// the only one has a parameter of its own.
    pub(crate) fn init_ack(
        &self,
        ports: Ports,
        offer: &Offer,
        cookie: &[u8],
        limit: usize,
    ) -> Option<Vec<u8>> {
        let mut parameters = Vec::new();
        Parameter::StateCookie(cookie).write(&mut parameters);
        self.write_extensions(&mut parameters);
        let needed = parameters.len();
        for unrecognized in &offer.unrecognized {
            Parameter::Unrecognized(unrecognized).write(&mut parameters);
        }
        let with = |parameters: &[u8]| -> Result<Vec<u8>, Full> {
            let mut packet = Builder::new(ports.header(offer.tag), limit);
            packet.push(&Chunk::InitAck(self.chunk(parameters)))?;
            Ok(packet.finish())
        };
        let short = || {
            let mut parameters = Vec::new();
            Parameter::StateCookie(cookie).write(&mut parameters);
            self.write_options(&mut parameters);
            with(&parameters)
        };
        with(&parameters).or_else(|Full| with(&parameters[..needed])).or_else(|Full| short()).ok()
    }

    fn chunk<'a>(&self, parameters: &'a [u8]) -> Init<'a> {
        Init {
            tag: self.tag,
            window: self.window,
            outbound: self.outbound,
            inbound: self.inbound,
            tsn: self.tsn,
            parameters: Parameters::new(parameters),
        }
    }

    fn write_extensions(&self, parameters: &mut Vec<u8>) {
        // RFC 5061, section 4.2.7.
        Parameter::SupportedExtensions(&[chunk_type::FORWARD_TSN]).write(parameters);
        self.write_options(parameters);
    }

    fn write_options(&self, parameters: &mut Vec<u8>) {
        // RFC 3758, section 3.1.
        Parameter::ForwardTsnSupported.write(parameters);
        if let Some(indication) = self.adaptation {
            Parameter::Adaptation(indication).write(parameters);
        }
    }
}

/// The window that is advertised first.
pub(crate) fn window(params: &Params) -> u32 {
    u32::try_from(params.receive_buffer).unwrap_or(u32::MAX).max(WINDOW_MIN)
}

/// The SCTP ports of an association.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ports {
    pub(crate) local: u16,
    pub(crate) peer: u16,
}

impl Ports {
    pub(crate) fn header(self, tag: u32) -> Header {
        Header { source: self.local, destination: self.peer, tag }
    }
}
