//! The parameters of INIT and INIT ACK (RFC 9260, sections 3.2.1, 3.3.2.1 and 3.3.3.1).

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::list::List;
use super::tlv::{self, Action, Malformed, Walk};
use crate::bytes::Reader;

/// The types.
#[allow(missing_docs)]
pub mod parameter_type {
    pub const HEARTBEAT_INFO: u16 = 1;
    pub const IPV4_ADDRESS: u16 = 5;
    pub const IPV6_ADDRESS: u16 = 6;
    pub const STATE_COOKIE: u16 = 7;
    pub const UNRECOGNIZED: u16 = 8;
    pub const COOKIE_PRESERVATIVE: u16 = 9;
    pub const HOST_NAME: u16 = 11;
    pub const SUPPORTED_ADDRESS_TYPES: u16 = 12;
    /// RFC 4960, appendix A.
    pub const ECN_CAPABLE: u16 = 0x8000;
    /// RFC 5061, section 4.2.7.
    pub const SUPPORTED_EXTENSIONS: u16 = 0x8008;
    /// RFC 3758, section 3.1.
    pub const FORWARD_TSN_SUPPORTED: u16 = 0xc000;
    /// RFC 5061, section 4.2.6.
    pub const ADAPTATION: u16 = 0xc006;
}

/// A parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter<'a> {
    /// An address of the sender.
    Ipv4Address(Ipv4Addr),
    /// An address of the sender.
    Ipv6Address(Ipv6Addr),
    /// What is to come back in COOKIE ECHO.
    StateCookie(&'a [u8]),
    /// In INIT ACK: a parameter of the INIT, header and all, without padding.
    Unrecognized(&'a [u8]),
    /// By how much the cookie's life should be longer than usual; milliseconds on the wire.
    CookiePreservative(Duration),
    /// Deprecated: is answered by an ABORT with the cause [`super::Cause::UnresolvableAddress`].
    HostName(&'a [u8]),
    /// The types of address parameters that the sender can use.
    SupportedAddressTypes(List<'a, u16>),
    /// The sender can do ECN.
    EcnCapable,
    /// The sender understands FORWARD TSN.
    ForwardTsnSupported,
    /// The types of chunks that the sender understands besides those of RFC 9260.
    SupportedExtensions(&'a [u8]),
    /// The sender's adaptation layer indication.
    Adaptation(u32),
    /// Any other: see [`Parameter::action`].
    Unknown {
        /// Its type.
        kind: u16,
        /// Its value, without header and padding.
        value: &'a [u8],
    },
}

/// Parameters that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters<'a> {
    bytes: &'a [u8],
}

impl<'a> Parameters<'a> {
    /// Of bytes as they are on the wire; see [`Parameter::write`].
    pub const fn new(bytes: &'a [u8]) -> Parameters<'a> {
        Parameters { bytes }
    }

    /// As they are on the wire.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// One by one. After [`Malformed::Length`] comes nothing more, after [`Malformed::Contents`] the
    /// next one.
    pub fn iter(&self) -> impl Iterator<Item = Result<Parameter<'a>, Malformed>> + Clone + use<'a> {
        Walk::new(self.bytes).map(|tlv| match tlv {
            Ok(tlv) => {
                let kind = u16::from_be_bytes(tlv.head);
                Parameter::parse(kind, tlv.value).ok_or(Malformed::Contents { kind })
            }
            Err(head) => Err(Malformed::Length { kind: u16::from_be_bytes(head) }),
        })
    }
}

impl<'a> Parameter<'a> {
    /// What is longer than it need be is taken, as Linux does.
    fn parse(kind: u16, value: &'a [u8]) -> Option<Parameter<'a>> {
        let mut fields = Reader::new(value);
        Some(match kind {
            parameter_type::IPV4_ADDRESS => Parameter::Ipv4Address(fields.array::<4>()?.into()),
            parameter_type::IPV6_ADDRESS => Parameter::Ipv6Address(fields.array::<16>()?.into()),
            parameter_type::STATE_COOKIE => Parameter::StateCookie(value),
            parameter_type::UNRECOGNIZED => Parameter::Unrecognized(value),
            parameter_type::COOKIE_PRESERVATIVE => {
                Parameter::CookiePreservative(Duration::from_millis(fields.u32()?.into()))
            }
            parameter_type::HOST_NAME => Parameter::HostName(value),
            parameter_type::SUPPORTED_ADDRESS_TYPES => {
                Parameter::SupportedAddressTypes(List::new(value))
            }
            parameter_type::ECN_CAPABLE => Parameter::EcnCapable,
            parameter_type::FORWARD_TSN_SUPPORTED => Parameter::ForwardTsnSupported,
            parameter_type::SUPPORTED_EXTENSIONS => Parameter::SupportedExtensions(value),
            parameter_type::ADAPTATION => Parameter::Adaptation(fields.u32()?),
            _ => Parameter::Unknown { kind, value },
        })
    }

    /// Its type.
    pub fn kind(&self) -> u16 {
        match self {
            Parameter::Ipv4Address(_) => parameter_type::IPV4_ADDRESS,
            Parameter::Ipv6Address(_) => parameter_type::IPV6_ADDRESS,
            Parameter::StateCookie(_) => parameter_type::STATE_COOKIE,
            Parameter::Unrecognized(_) => parameter_type::UNRECOGNIZED,
            Parameter::CookiePreservative(_) => parameter_type::COOKIE_PRESERVATIVE,
            Parameter::HostName(_) => parameter_type::HOST_NAME,
            Parameter::SupportedAddressTypes(_) => parameter_type::SUPPORTED_ADDRESS_TYPES,
            Parameter::EcnCapable => parameter_type::ECN_CAPABLE,
            Parameter::ForwardTsnSupported => parameter_type::FORWARD_TSN_SUPPORTED,
            Parameter::SupportedExtensions(_) => parameter_type::SUPPORTED_EXTENSIONS,
            Parameter::Adaptation(_) => parameter_type::ADAPTATION,
            Parameter::Unknown { kind, .. } => *kind,
        }
    }

    /// What to do where it is not known (section 3.2.1).
    pub fn action(&self) -> Action {
        Action::of_parameter(self.kind())
    }

    /// Appends it, header and all, to others, which are padded before it.
    pub fn write(&self, to: &mut Vec<u8>) {
        let head = self.kind().to_be_bytes();
        let mut append = |value: &[u8]| tlv::append(to, head, &[value]);
        match self {
            Parameter::Ipv4Address(address) => append(&address.octets()),
            Parameter::Ipv6Address(address) => append(&address.octets()),
            Parameter::CookiePreservative(longer) => {
                let millis = u32::try_from(longer.as_millis()).unwrap_or(u32::MAX);
                append(&millis.to_be_bytes());
            }
            Parameter::SupportedAddressTypes(types) => append(types.as_bytes()),
            Parameter::EcnCapable | Parameter::ForwardTsnSupported => append(&[]),
            Parameter::Adaptation(indication) => append(&indication.to_be_bytes()),
            Parameter::StateCookie(value)
            | Parameter::Unrecognized(value)
            | Parameter::HostName(value)
            | Parameter::SupportedExtensions(value)
            | Parameter::Unknown { value, .. } => append(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each, and how the RFC draws it.
    fn all() -> Vec<(Parameter<'static>, &'static [u8])> {
        vec![
            (Parameter::Ipv4Address([1, 2, 3, 4].into()), &[0, 5, 0, 8, 1, 2, 3, 4]),
            (
                Parameter::Ipv6Address([7; 16].into()),
                &[0, 6, 0, 20, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7],
            ),
            (Parameter::StateCookie(&[1, 2, 3]), &[0, 7, 0, 7, 1, 2, 3]),
            (Parameter::Unrecognized(&[0x80, 1, 0, 4]), &[0, 8, 0, 8, 0x80, 1, 0, 4]),
            (
                Parameter::CookiePreservative(Duration::from_millis(0x0102_0304)),
                &[0, 9, 0, 8, 1, 2, 3, 4],
            ),
            (Parameter::HostName(b"a.b\0"), &[0, 11, 0, 8, b'a', b'.', b'b', 0]),
            (Parameter::SupportedAddressTypes(List::new(&[0, 5])), &[0, 12, 0, 6, 0, 5]),
            (Parameter::EcnCapable, &[0x80, 0, 0, 4]),
            (Parameter::ForwardTsnSupported, &[0xc0, 0, 0, 4]),
            (Parameter::SupportedExtensions(&[192, 130, 15]), &[0x80, 8, 0, 7, 192, 130, 15]),
            (Parameter::Adaptation(0x0102_0304), &[0xc0, 6, 0, 8, 1, 2, 3, 4]),
            (Parameter::Unknown { kind: 0xc123, value: &[9] }, &[0xc1, 0x23, 0, 5, 9]),
        ]
    }

    #[test]
    fn each_as_the_rfc_draws_it() {
        for (parameter, bytes) in all() {
            let mut written = Vec::new();
            parameter.write(&mut written);
            assert_eq!(written, bytes, "{parameter:?}");
            assert!(Parameters::new(bytes).iter().eq([Ok(parameter)]), "{parameter:?}");
        }
    }

    #[test]
    fn one_after_the_other() {
        let mut bytes = Vec::new();
        let all = all().into_iter().map(|(parameter, _)| parameter);
        all.clone().for_each(|parameter| parameter.write(&mut bytes));
        assert!(Parameters::new(&bytes).iter().eq(all.map(Ok)));
    }

    #[test]
    fn what_is_too_short_is_an_error_and_the_next_one_follows() {
        for kind in [
            parameter_type::IPV4_ADDRESS,
            parameter_type::IPV6_ADDRESS,
            parameter_type::COOKIE_PRESERVATIVE,
            parameter_type::ADAPTATION,
        ] {
            let [high, low] = kind.to_be_bytes();
            let bytes = [high, low, 0, 7, 1, 2, 3, 0, 0x80, 0, 0, 4];
            let expected = [Err(Malformed::Contents { kind }), Ok(Parameter::EcnCapable)];
            assert!(Parameters::new(&bytes).iter().eq(expected), "{kind}");
        }
    }

    #[test]
    fn a_length_that_lies_is_the_last() {
        let bytes = [0x80, 0, 0, 4, 0xc1, 0x23, 0, 9, 1, 2, 3, 4];
        let expected = [Ok(Parameter::EcnCapable), Err(Malformed::Length { kind: 0xc123 })];
        assert!(Parameters::new(&bytes).iter().eq(expected));
    }

    #[test]
    fn the_type_says_what_to_do() {
        for (kind, action) in [
            (0x0fff, Action::Stop),
            (0x4001, Action::StopAndReport),
            (0x8001, Action::Skip),
            // Padding (RFC 4820) needs no more than that.
            (0x8005, Action::Skip),
            (0xc001, Action::SkipAndReport),
        ] {
            assert_eq!(Parameter::Unknown { kind, value: &[] }.action(), action);
        }
    }
}
