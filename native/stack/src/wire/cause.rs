//! The error causes of ABORT and ERROR (RFC 9260, section 3.3.10).

use std::time::Duration;

use super::list::List;
use super::tlv::{self, Malformed, Walk};
use crate::bytes::Reader;
use crate::types::{StreamId, Tsn};

/// The codes.
#[allow(missing_docs)]
pub mod cause_code {
    pub const INVALID_STREAM: u16 = 1;
    pub const MISSING_PARAMETERS: u16 = 2;
    pub const STALE_COOKIE: u16 = 3;
    pub const OUT_OF_RESOURCE: u16 = 4;
    pub const UNRESOLVABLE_ADDRESS: u16 = 5;
    pub const UNRECOGNIZED_CHUNK: u16 = 6;
    pub const INVALID_MANDATORY_PARAMETER: u16 = 7;
    pub const UNRECOGNIZED_PARAMETERS: u16 = 8;
    pub const NO_USER_DATA: u16 = 9;
    pub const COOKIE_WHILE_SHUTTING_DOWN: u16 = 10;
    pub const RESTART_WITH_NEW_ADDRESSES: u16 = 11;
    pub const USER_INITIATED_ABORT: u16 = 12;
    pub const PROTOCOL_VIOLATION: u16 = 13;
    /// draft-tuexen-tsvwg-sctp-udp-encaps-cons, section 4; Linux sends it.
    pub const RESTART_WITH_NEW_ENCAPSULATION_PORT: u16 = 14;
}

/// A cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause<'a> {
    /// 1: DATA on a stream that is not there.
    InvalidStream(StreamId),
    /// 2: the types of parameters that INIT or INIT ACK must have.
    MissingParameters(List<'a, u16>),
    /// 3: by how much the cookie was too late; microseconds on the wire.
    StaleCookie(Duration),
    /// 4.
    OutOfResource,
    /// 5: the address parameter, header and all.
    UnresolvableAddress(&'a [u8]),
    /// 6: the chunk, header and all.
    UnrecognizedChunk(&'a [u8]),
    /// 7.
    InvalidMandatoryParameter,
    /// 8: the parameters, header and all.
    UnrecognizedParameters(&'a [u8]),
    /// 9: the TSN of the DATA chunk that was empty.
    NoUserData(Tsn),
    /// 10.
    CookieWhileShuttingDown,
    /// 11: the new addresses, as parameters.
    RestartWithNewAddresses(&'a [u8]),
    /// 12: the reason, if its user gave one.
    UserInitiatedAbort(&'a [u8]),
    /// 13: more about it, if anything.
    ProtocolViolation(&'a [u8]),
    /// 14: a restart from another UDP port.
    RestartWithNewEncapsulationPort {
        /// The UDP port of the association.
        current: u16,
        /// That of the INIT.
        new: u16,
    },
    /// Any other.
    Unknown {
        /// Its code.
        code: u16,
        /// What follows its header.
        value: &'a [u8],
    },
}

/// Causes that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Causes<'a> {
    bytes: &'a [u8],
}

impl<'a> Causes<'a> {
    /// Of bytes as they are on the wire; see [`Cause::write`].
    pub const fn new(bytes: &'a [u8]) -> Causes<'a> {
        Causes { bytes }
    }

    /// As they are on the wire.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// One by one. After [`Malformed::Length`] comes nothing more, after [`Malformed::Contents`] the
    /// next one.
    pub fn iter(&self) -> impl Iterator<Item = Result<Cause<'a>, Malformed>> + Clone + use<'a> {
        Walk::new(self.bytes).map(|tlv| match tlv {
            Ok(tlv) => {
                let code = u16::from_be_bytes(tlv.head);
                Cause::parse(code, tlv.value).ok_or(Malformed::Contents { kind: code })
            }
            Err(head) => Err(Malformed::Length { kind: u16::from_be_bytes(head) }),
        })
    }
}

impl<'a> Cause<'a> {
    fn parse(code: u16, value: &'a [u8]) -> Option<Cause<'a>> {
        let mut fields = Reader::new(value);
        Some(match code {
            cause_code::INVALID_STREAM => Cause::InvalidStream(fields.u16()?),
            cause_code::MISSING_PARAMETERS => {
                let number = usize::try_from(fields.u32()?).ok()?;
                Cause::MissingParameters(List::new(fields.take(number.checked_mul(2)?)?))
            }
            cause_code::STALE_COOKIE => {
                Cause::StaleCookie(Duration::from_micros(fields.u32()?.into()))
            }
            cause_code::OUT_OF_RESOURCE => Cause::OutOfResource,
            cause_code::UNRESOLVABLE_ADDRESS => Cause::UnresolvableAddress(value),
            cause_code::UNRECOGNIZED_CHUNK => Cause::UnrecognizedChunk(value),
            cause_code::INVALID_MANDATORY_PARAMETER => Cause::InvalidMandatoryParameter,
            cause_code::UNRECOGNIZED_PARAMETERS => Cause::UnrecognizedParameters(value),
            cause_code::NO_USER_DATA => Cause::NoUserData(Tsn(fields.u32()?)),
            cause_code::COOKIE_WHILE_SHUTTING_DOWN => Cause::CookieWhileShuttingDown,
            cause_code::RESTART_WITH_NEW_ADDRESSES => Cause::RestartWithNewAddresses(value),
            cause_code::USER_INITIATED_ABORT => Cause::UserInitiatedAbort(value),
            cause_code::PROTOCOL_VIOLATION => Cause::ProtocolViolation(value),
            cause_code::RESTART_WITH_NEW_ENCAPSULATION_PORT => {
                Cause::RestartWithNewEncapsulationPort {
                    current: fields.u16()?,
                    new: fields.u16()?,
                }
            }
            _ => Cause::Unknown { code, value },
        })
    }

    /// Its code.
    pub fn code(&self) -> u16 {
        match self {
            Cause::InvalidStream(_) => cause_code::INVALID_STREAM,
            Cause::MissingParameters(_) => cause_code::MISSING_PARAMETERS,
            Cause::StaleCookie(_) => cause_code::STALE_COOKIE,
            Cause::OutOfResource => cause_code::OUT_OF_RESOURCE,
            Cause::UnresolvableAddress(_) => cause_code::UNRESOLVABLE_ADDRESS,
            Cause::UnrecognizedChunk(_) => cause_code::UNRECOGNIZED_CHUNK,
            Cause::InvalidMandatoryParameter => cause_code::INVALID_MANDATORY_PARAMETER,
            Cause::UnrecognizedParameters(_) => cause_code::UNRECOGNIZED_PARAMETERS,
            Cause::NoUserData(_) => cause_code::NO_USER_DATA,
            Cause::CookieWhileShuttingDown => cause_code::COOKIE_WHILE_SHUTTING_DOWN,
            Cause::RestartWithNewAddresses(_) => cause_code::RESTART_WITH_NEW_ADDRESSES,
            Cause::UserInitiatedAbort(_) => cause_code::USER_INITIATED_ABORT,
            Cause::ProtocolViolation(_) => cause_code::PROTOCOL_VIOLATION,
            Cause::RestartWithNewEncapsulationPort { .. } => {
                cause_code::RESTART_WITH_NEW_ENCAPSULATION_PORT
            }
            Cause::Unknown { code, .. } => *code,
        }
    }

    /// Alone.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes);
        bytes
    }

    /// Appends it, header and all, to others, which are padded before it. What is longer than a
    /// length can say is cut.
    pub fn write(&self, to: &mut Vec<u8>) {
        let head = self.code().to_be_bytes();
        let mut append = |value: &[&[u8]]| tlv::append(to, head, value);
        match self {
            Cause::InvalidStream(stream) => append(&[&stream.to_be_bytes(), &[0; 2]]),
            Cause::MissingParameters(types) => {
                // A length of 16 bits holds fewer.
                let number = u32::try_from(types.len()).unwrap_or(u32::MAX);
                append(&[&number.to_be_bytes(), types.as_bytes()]);
            }
            Cause::StaleCookie(by) => {
                let micros = u32::try_from(by.as_micros()).unwrap_or(u32::MAX);
                append(&[&micros.to_be_bytes()]);
            }
            Cause::NoUserData(tsn) => append(&[&tsn.0.to_be_bytes()]),
            Cause::RestartWithNewEncapsulationPort { current, new } => {
                append(&[&current.to_be_bytes(), &new.to_be_bytes()]);
            }
            Cause::OutOfResource
            | Cause::InvalidMandatoryParameter
            | Cause::CookieWhileShuttingDown => append(&[]),
            Cause::UnresolvableAddress(value)
            | Cause::UnrecognizedChunk(value)
            | Cause::UnrecognizedParameters(value)
            | Cause::RestartWithNewAddresses(value)
            | Cause::UserInitiatedAbort(value)
            | Cause::ProtocolViolation(value)
            | Cause::Unknown { value, .. } => append(&[value]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each, and how the RFC draws it.
    fn all() -> Vec<(Cause<'static>, &'static [u8])> {
        vec![
            (Cause::InvalidStream(0x0102), &[0, 1, 0, 8, 1, 2, 0, 0]),
            (
                Cause::MissingParameters(List::new(&[0, 7, 0, 8])),
                &[0, 2, 0, 12, 0, 0, 0, 2, 0, 7, 0, 8],
            ),
            (Cause::StaleCookie(Duration::from_micros(0x0102_0304)), &[0, 3, 0, 8, 1, 2, 3, 4]),
            (Cause::OutOfResource, &[0, 4, 0, 4]),
            (Cause::UnresolvableAddress(&[0, 11, 0, 5, b'a']), &[0, 5, 0, 9, 0, 11, 0, 5, b'a']),
            (Cause::UnrecognizedChunk(&[99, 1, 0, 5, 2]), &[0, 6, 0, 9, 99, 1, 0, 5, 2]),
            (Cause::InvalidMandatoryParameter, &[0, 7, 0, 4]),
            (
                Cause::UnrecognizedParameters(&[0xc1, 0x23, 0, 5, 2]),
                &[0, 8, 0, 9, 0xc1, 0x23, 0, 5, 2],
            ),
            (Cause::NoUserData(Tsn(0x0102_0304)), &[0, 9, 0, 8, 1, 2, 3, 4]),
            (Cause::CookieWhileShuttingDown, &[0, 10, 0, 4]),
            (
                Cause::RestartWithNewAddresses(&[0, 5, 0, 8, 1, 2, 3, 4]),
                &[0, 11, 0, 12, 0, 5, 0, 8, 1, 2, 3, 4],
            ),
            (Cause::UserInitiatedAbort(b"enough"), &[0, 12, 0, 10, 101, 110, 111, 117, 103, 104]),
            (Cause::ProtocolViolation(&[]), &[0, 13, 0, 4]),
            (
                Cause::RestartWithNewEncapsulationPort { current: 0x0102, new: 0x0304 },
                &[0, 14, 0, 8, 1, 2, 3, 4],
            ),
            // RFC 5061, section 4.3.3.
            (Cause::Unknown { code: 0xa2, value: &[9] }, &[0, 0xa2, 0, 5, 9]),
        ]
    }

    #[test]
    fn each_as_the_rfc_draws_it() {
        for (cause, bytes) in all() {
            let mut written = Vec::new();
            cause.write(&mut written);
            assert_eq!(written, bytes, "{cause:?}");
            assert!(Causes::new(bytes).iter().eq([Ok(cause)]), "{cause:?}");
        }
    }

    #[test]
    fn one_after_the_other() {
        let mut bytes = Vec::new();
        let all = all().into_iter().map(|(cause, _)| cause);
        all.clone().for_each(|cause| cause.write(&mut bytes));
        assert!(Causes::new(&bytes).iter().eq(all.map(Ok)));
    }

    #[test]
    fn what_is_too_short_is_an_error_and_the_next_one_follows() {
        for (code, length) in [(1, 5), (2, 7), (3, 7), (9, 7), (14, 7)] {
            let bytes = [0, code, 0, length, 0, 0, 0, 0, 0, 4, 0, 4];
            let expected =
                [Err(Malformed::Contents { kind: code.into() }), Ok(Cause::OutOfResource)];
            assert!(Causes::new(&bytes).iter().eq(expected), "{code}");
        }
    }

    #[test]
    fn more_missing_parameters_than_came_are_an_error() {
        for number in [[0, 0, 0, 2], [0x80, 0, 0, 1], [0xff; 4]] {
            let mut bytes = [0, 2, 0, 10, 0, 0, 0, 0, 0, 7];
            bytes[4..8].copy_from_slice(&number);
            assert!(Causes::new(&bytes).iter().eq([Err(Malformed::Contents { kind: 2 })]));
        }
    }

    #[test]
    fn a_length_that_lies_is_the_last() {
        let bytes = [0, 4, 0, 4, 0, 13, 0, 9, 1, 2, 3, 4];
        let expected = [Ok(Cause::OutOfResource), Err(Malformed::Length { kind: 13 })];
        assert!(Causes::new(&bytes).iter().eq(expected));
    }

    #[test]
    fn numbers_that_are_too_large_are_the_largest() {
        let mut bytes = Vec::new();
        Cause::StaleCookie(Duration::from_secs(5000)).write(&mut bytes);
        assert_eq!(bytes, [0, 3, 0, 8, 255, 255, 255, 255]);
    }
}
