//! Values out of a string of bytes: as long as there are any.

use std::time::Duration;

use stack::types::{Ssn, Tsn};
use stack::wire::{
    Cause, Causes, Chunk, Data, ForwardTsn, Header, Init, Item, List, Parameter, Parameters, Sack,
    chunk_type,
};

/// Gives its bytes from the front, and zeros when they are used up.
pub(crate) struct Source<'a>(pub(crate) &'a [u8]);

impl<'a> Source<'a> {
    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        let taken = self.take(N);
        array[..taken.len()].copy_from_slice(taken);
        array
    }

    pub(crate) fn u8(&mut self) -> u8 {
        self.array::<1>()[0]
    }

    pub(crate) fn u16(&mut self) -> u16 {
        u16::from_be_bytes(self.array())
    }

    pub(crate) fn u32(&mut self) -> u32 {
        u32::from_be_bytes(self.array())
    }

    pub(crate) fn u64(&mut self) -> u64 {
        u64::from_be_bytes(self.array())
    }

    pub(crate) fn bool(&mut self) -> bool {
        self.u8() & 1 == 1
    }

    /// Less than `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::from(self.u16()) % end
    }

    pub(crate) fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// A few bytes.
    pub(crate) fn bytes(&mut self) -> &'a [u8] {
        let length = self.below(24);
        self.take(length)
    }

    pub(crate) fn header(&mut self) -> Header {
        Header { source: self.u16(), destination: self.u16(), tag: self.u32() }
    }

    /// What does not fill an item is not seen.
    fn list<T: Item>(&mut self) -> List<'a, T> {
        List::new(self.bytes())
    }

    fn parameter(&mut self) -> Parameter<'a> {
        match self.below(13) {
            0 => Parameter::Ipv4Address(self.array::<4>().into()),
            1 => Parameter::Ipv6Address(self.array::<16>().into()),
            2 => Parameter::StateCookie(self.bytes()),
            3 => Parameter::Unrecognized(self.bytes()),
            4 => Parameter::CookiePreservative(Duration::from_millis(self.u32().into())),
            5 => Parameter::HostName(self.bytes()),
            6 => Parameter::SupportedAddressTypes(self.list()),
            7 => Parameter::EcnCapable,
            8 => Parameter::ForwardTsnSupported,
            9 => Parameter::SupportedExtensions(self.bytes()),
            10 => Parameter::Adaptation(self.u32()),
            _ => Parameter::Unknown { kind: self.u16() | 0x0100, value: self.bytes() },
        }
    }

    fn cause(&mut self) -> Cause<'a> {
        match self.below(16) {
            0 => Cause::InvalidStream(self.u16()),
            1 => Cause::MissingParameters(self.list()),
            2 => Cause::StaleCookie(Duration::from_micros(self.u32().into())),
            3 => Cause::OutOfResource,
            4 => Cause::UnresolvableAddress(self.bytes()),
            5 => Cause::UnrecognizedChunk(self.bytes()),
            6 => Cause::InvalidMandatoryParameter,
            7 => Cause::UnrecognizedParameters(self.bytes()),
            8 => Cause::NoUserData(Tsn(self.u32())),
            9 => Cause::CookieWhileShuttingDown,
            10 => Cause::RestartWithNewAddresses(self.bytes()),
            11 => Cause::UserInitiatedAbort(self.bytes()),
            12 => Cause::ProtocolViolation(self.bytes()),
            13 => Cause::RestartWithNewEncapsulationPort { current: self.u16(), new: self.u16() },
            _ => Cause::Unknown { code: self.u16() | 0x0100, value: self.bytes() },
        }
    }

    /// Up to four, and how they are written.
    pub(crate) fn parameters(&mut self) -> (Vec<Parameter<'a>>, Vec<u8>) {
        let parameters: Vec<_> = (0..self.below(5)).map(|_| self.parameter()).collect();
        let mut bytes = Vec::new();
        parameters.iter().for_each(|parameter| parameter.write(&mut bytes));
        (parameters, bytes)
    }

    /// Up to four, and how they are written.
    pub(crate) fn causes(&mut self) -> (Vec<Cause<'a>>, Vec<u8>) {
        let causes: Vec<_> = (0..self.below(5)).map(|_| self.cause()).collect();
        let mut bytes = Vec::new();
        causes.iter().for_each(|cause| cause.write(&mut bytes));
        (causes, bytes)
    }

    fn init<'b>(&mut self, parameters: &'b [u8]) -> Init<'b> {
        Init {
            tag: self.u32(),
            window: self.u32(),
            outbound: self.u16(),
            inbound: self.u16(),
            tsn: Tsn(self.u32()),
            parameters: Parameters::new(parameters),
        }
    }

    /// Any chunk; `tlvs` are the parameters or causes of one that has such.
    pub(crate) fn chunk<'b>(&mut self, kind: u8, tlvs: &'b [u8]) -> Chunk<'b>
    where
        'a: 'b,
    {
        match kind {
            chunk_type::DATA => Chunk::Data(Data {
                immediate: self.bool(),
                unordered: self.bool(),
                beginning: self.bool(),
                end: self.bool(),
                tsn: Tsn(self.u32()),
                stream: self.u16(),
                ssn: Ssn(self.u16()),
                ppid: self.u32(),
                payload: self.bytes(),
            }),
            chunk_type::INIT => Chunk::Init(self.init(tlvs)),
            chunk_type::INIT_ACK => Chunk::InitAck(self.init(tlvs)),
            chunk_type::SACK => Chunk::Sack(Sack {
                cumulative: Tsn(self.u32()),
                window: self.u32(),
                gaps: self.list(),
                duplicates: self.list(),
            }),
            chunk_type::HEARTBEAT => Chunk::Heartbeat(self.bytes()),
            chunk_type::HEARTBEAT_ACK => Chunk::HeartbeatAck(self.bytes()),
            chunk_type::ABORT => {
                Chunk::Abort { reflected_tag: self.bool(), causes: Causes::new(tlvs) }
            }
            chunk_type::SHUTDOWN => Chunk::Shutdown(Tsn(self.u32())),
            chunk_type::SHUTDOWN_ACK => Chunk::ShutdownAck,
            chunk_type::ERROR => Chunk::Error(Causes::new(tlvs)),
            chunk_type::COOKIE_ECHO => Chunk::CookieEcho(self.bytes()),
            chunk_type::COOKIE_ACK => Chunk::CookieAck,
            chunk_type::ECNE => Chunk::Ecne(Tsn(self.u32())),
            chunk_type::CWR => Chunk::Cwr(Tsn(self.u32())),
            chunk_type::SHUTDOWN_COMPLETE => Chunk::ShutdownComplete { reflected_tag: self.bool() },
            _ => {
                Chunk::ForwardTsn(ForwardTsn { cumulative: Tsn(self.u32()), skipped: self.list() })
            }
        }
    }
}
