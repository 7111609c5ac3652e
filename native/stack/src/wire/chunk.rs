//! Chunks (RFC 9260, sections 3.2 and 3.3).

use super::cause::Causes;
use super::data::Data;
use super::forward_tsn::ForwardTsn;
use super::init::Init;
use super::parameter::parameter_type;
use super::sack::Sack;
use super::tlv::{Action, Malformed, Tlv, Walk};
use crate::bytes::Reader;
use crate::types::Tsn;

/// The types.
#[allow(missing_docs)]
pub mod chunk_type {
    pub const DATA: u8 = 0;
    pub const INIT: u8 = 1;
    pub const INIT_ACK: u8 = 2;
    pub const SACK: u8 = 3;
    pub const HEARTBEAT: u8 = 4;
    pub const HEARTBEAT_ACK: u8 = 5;
    pub const ABORT: u8 = 6;
    pub const SHUTDOWN: u8 = 7;
    pub const SHUTDOWN_ACK: u8 = 8;
    pub const ERROR: u8 = 9;
    pub const COOKIE_ECHO: u8 = 10;
    pub const COOKIE_ACK: u8 = 11;
    /// RFC 4960, appendix A.
    pub const ECNE: u8 = 12;
    /// RFC 4960, appendix A.
    pub const CWR: u8 = 13;
    pub const SHUTDOWN_COMPLETE: u8 = 14;
    /// RFC 3758, section 3.2.
    pub const FORWARD_TSN: u8 = 192;
}

/// A chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunk<'a> {
    /// 3.3.1.
    Data(Data<'a>),
    /// 3.3.2.
    Init(Init<'a>),
    /// 3.3.3.
    InitAck(Init<'a>),
    /// 3.3.4.
    Sack(Sack<'a>),
    /// 3.3.5: the value of the Heartbeat Info parameter.
    Heartbeat(&'a [u8]),
    /// 3.3.6: the same value.
    HeartbeatAck(&'a [u8]),
    /// 3.3.7.
    Abort {
        /// T bit: the packet's tag is the one that its sender had received, for want of another.
        reflected_tag: bool,
        /// Why; often empty.
        causes: Causes<'a>,
    },
    /// 3.3.8: the cumulative TSN.
    Shutdown(Tsn),
    /// 3.3.9.
    ShutdownAck,
    /// 3.3.10.
    Error(Causes<'a>),
    /// 3.3.11: the cookie.
    CookieEcho(&'a [u8]),
    /// 3.3.12.
    CookieAck,
    /// ECN echo: the lowest TSN (RFC 4960, appendix A).
    Ecne(Tsn),
    /// Congestion window reduced: the lowest TSN (RFC 4960, appendix A).
    Cwr(Tsn),
    /// 3.3.13.
    ShutdownComplete {
        /// T bit, as in ABORT.
        reflected_tag: bool,
    },
    /// RFC 3758, section 3.2.
    ForwardTsn(ForwardTsn<'a>),
    /// Any other: see [`Chunk::action`].
    Unknown {
        /// Its type.
        kind: u8,
        /// All of it, header included, without padding: as an ERROR chunk reports it.
        bytes: &'a [u8],
    },
}

/// T bit of ABORT and SHUTDOWN COMPLETE.
pub(super) const REFLECTED_TAG: u8 = 1;

impl<'a> Chunk<'a> {
    /// Flags that are not defined are not looked at, nor is what follows a chunk's last field.
    pub(super) fn parse(tlv: &Tlv<'a>) -> Result<Chunk<'a>, Malformed> {
        let [kind, flags] = tlv.head;
        let value = tlv.value;
        let chunk = match kind {
            chunk_type::DATA => Data::parse(flags, value).map(Chunk::Data),
            chunk_type::INIT => Init::parse(value).map(Chunk::Init),
            chunk_type::INIT_ACK => Init::parse(value).map(Chunk::InitAck),
            chunk_type::SACK => Sack::parse(value).map(Chunk::Sack),
            chunk_type::HEARTBEAT => heartbeat_info(value).map(Chunk::Heartbeat),
            chunk_type::HEARTBEAT_ACK => heartbeat_info(value).map(Chunk::HeartbeatAck),
            chunk_type::ABORT => Some(Chunk::Abort {
                reflected_tag: flags & REFLECTED_TAG != 0,
                causes: Causes::new(value),
            }),
            chunk_type::SHUTDOWN => tsn(value).map(Chunk::Shutdown),
            chunk_type::SHUTDOWN_ACK => Some(Chunk::ShutdownAck),
            chunk_type::ERROR => Some(Chunk::Error(Causes::new(value))),
            chunk_type::COOKIE_ECHO => Some(Chunk::CookieEcho(value)),
            chunk_type::COOKIE_ACK => Some(Chunk::CookieAck),
            chunk_type::ECNE => tsn(value).map(Chunk::Ecne),
            chunk_type::CWR => tsn(value).map(Chunk::Cwr),
            chunk_type::SHUTDOWN_COMPLETE => {
                Some(Chunk::ShutdownComplete { reflected_tag: flags & REFLECTED_TAG != 0 })
            }
            chunk_type::FORWARD_TSN => ForwardTsn::parse(value).map(Chunk::ForwardTsn),
            _ => Some(Chunk::Unknown { kind, bytes: tlv.all }),
        };
        chunk.ok_or(Malformed::Contents { kind: kind.into() })
    }

    /// Its type.
    pub fn kind(&self) -> u8 {
        match self {
            Chunk::Data(_) => chunk_type::DATA,
            Chunk::Init(_) => chunk_type::INIT,
            Chunk::InitAck(_) => chunk_type::INIT_ACK,
            Chunk::Sack(_) => chunk_type::SACK,
            Chunk::Heartbeat(_) => chunk_type::HEARTBEAT,
            Chunk::HeartbeatAck(_) => chunk_type::HEARTBEAT_ACK,
            Chunk::Abort { .. } => chunk_type::ABORT,
            Chunk::Shutdown(_) => chunk_type::SHUTDOWN,
            Chunk::ShutdownAck => chunk_type::SHUTDOWN_ACK,
            Chunk::Error(_) => chunk_type::ERROR,
            Chunk::CookieEcho(_) => chunk_type::COOKIE_ECHO,
            Chunk::CookieAck => chunk_type::COOKIE_ACK,
            Chunk::Ecne(_) => chunk_type::ECNE,
            Chunk::Cwr(_) => chunk_type::CWR,
            Chunk::ShutdownComplete { .. } => chunk_type::SHUTDOWN_COMPLETE,
            Chunk::ForwardTsn(_) => chunk_type::FORWARD_TSN,
            Chunk::Unknown { kind, .. } => *kind,
        }
    }

    /// What to do where it is not known (section 3.2).
    pub fn action(&self) -> Action {
        Action::of_chunk(self.kind())
    }
}

fn tsn(value: &[u8]) -> Option<Tsn> {
    Reader::new(value).u32().map(Tsn)
}

/// Of a HEARTBEAT or HEARTBEAT ACK: the one parameter that it has (section 3.3.5).
fn heartbeat_info(value: &[u8]) -> Option<&[u8]> {
    let info = Walk::new(value).next()?.ok()?;
    (u16::from_be_bytes(info.head) == parameter_type::HEARTBEAT_INFO).then_some(info.value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Cause;
    use crate::wire::testing::{build, parse};

    #[test]
    fn each_small_one_as_the_rfc_draws_it() {
        let mut causes = Vec::new();
        Cause::OutOfResource.write(&mut causes);
        let causes = Causes::new(&causes);
        let none = Causes::new(&[]);
        let tsn = Tsn(0x0102_0304);
        for (chunk, bytes) in [
            (Chunk::Heartbeat(&[9]), &[4, 0, 0, 9, 0, 1, 0, 5, 9, 0, 0, 0][..]),
            (Chunk::Heartbeat(&[]), &[4, 0, 0, 8, 0, 1, 0, 4]),
            (Chunk::HeartbeatAck(&[9, 8, 7, 6]), &[5, 0, 0, 12, 0, 1, 0, 8, 9, 8, 7, 6]),
            (Chunk::Abort { reflected_tag: false, causes }, &[6, 0, 0, 8, 0, 4, 0, 4]),
            (Chunk::Abort { reflected_tag: true, causes: none }, &[6, 1, 0, 4]),
            (Chunk::Shutdown(tsn), &[7, 0, 0, 8, 1, 2, 3, 4]),
            (Chunk::ShutdownAck, &[8, 0, 0, 4]),
            (Chunk::Error(causes), &[9, 0, 0, 8, 0, 4, 0, 4]),
            (Chunk::CookieEcho(&[1, 2, 3]), &[10, 0, 0, 7, 1, 2, 3, 0]),
            (Chunk::CookieAck, &[11, 0, 0, 4]),
            (Chunk::Ecne(tsn), &[12, 0, 0, 8, 1, 2, 3, 4]),
            (Chunk::Cwr(tsn), &[13, 0, 0, 8, 1, 2, 3, 4]),
            (Chunk::ShutdownComplete { reflected_tag: false }, &[14, 0, 0, 4]),
            (Chunk::ShutdownComplete { reflected_tag: true }, &[14, 1, 0, 4]),
            (Chunk::Unknown { kind: 99, bytes: &[99, 7, 0, 5, 1] }, &[99, 7, 0, 5, 1, 0, 0, 0]),
        ] {
            assert_eq!(build(&chunk), bytes, "{chunk:?}");
            assert_eq!(parse(bytes), Ok(chunk));
        }
    }

    #[test]
    fn what_is_too_short_is_an_error() {
        for kind in [chunk_type::SHUTDOWN, chunk_type::ECNE, chunk_type::CWR] {
            let error = Err(Malformed::Contents { kind: kind.into() });
            assert_eq!(parse(&[kind, 0, 0, 7, 1, 2, 3, 0]), error);
        }
    }

    #[test]
    fn heartbeats_have_their_parameter() {
        for kind in [chunk_type::HEARTBEAT, chunk_type::HEARTBEAT_ACK] {
            let error = Err(Malformed::Contents { kind: kind.into() });
            assert_eq!(parse(&[kind, 0, 0, 4]), error, "none");
            assert_eq!(parse(&[kind, 0, 0, 8, 0, 2, 0, 4]), error, "another");
            assert_eq!(parse(&[kind, 0, 0, 8, 0, 1, 0, 5]), error, "longer than the chunk");
            assert_eq!(parse(&[kind, 0, 0, 8, 0, 1, 0, 3]), error, "shorter than its header");
        }
    }

    #[test]
    fn reserved_flags_mean_nothing() {
        let none = Causes::new(&[]);
        let abort = Chunk::Abort { reflected_tag: false, causes: none };
        assert_eq!(parse(&[6, 0xfe, 0, 4]), Ok(abort));
        assert_eq!(parse(&[11, 0xff, 0, 4]), Ok(Chunk::CookieAck));
    }

    /// Of chunks of other documents too, as long as they are not known here.
    #[test]
    fn the_type_says_what_to_do() {
        for (kind, action) in [
            (15, Action::Stop),           // AUTH, RFC 4895
            (64, Action::StopAndReport),  // I-DATA, RFC 8260
            (130, Action::Skip),          // RE-CONFIG, RFC 6525
            (132, Action::Skip),          // PAD, RFC 4820
            (193, Action::SkipAndReport), // ASCONF, RFC 5061
        ] {
            let bytes = [kind, 0, 0, 4];
            let chunk = parse(&bytes).unwrap();
            assert_eq!(chunk, Chunk::Unknown { kind, bytes: &bytes });
            assert_eq!(chunk.action(), action);
        }
    }
}
