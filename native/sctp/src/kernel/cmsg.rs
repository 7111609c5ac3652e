//! Ancillary data, built and taken apart as byte strings.
//!
//! A control message is a `size_t` length that counts header and payload, an `int` level, an `int`
//! type, then the payload; the next one starts at a multiple of the size of `size_t`.

use crate::abi::{SOL_SCTP, cmsg_type, rcvinfo, sndrcvinfo};
use crate::bytes::{
    i32_at, put_i32, put_u16, put_usize, u8_at, u16_at, u32_at, u32_be_at, usize_at,
};
use crate::types::{Ancillary, AssocId, RcvInfo, SndInfo};

const ALIGN: usize = size_of::<usize>();
const LEVEL: usize = ALIGN;
const TYPE: usize = LEVEL + 4;
const HEADER_SIZE: usize = TYPE + 4;

const _: () = assert!(HEADER_SIZE == size_of::<libc::cmsghdr>());

/// Bytes of one control message with a `struct sctp_sndrcvinfo`; needs no padding.
pub const SNDRCV_SPACE: usize = HEADER_SIZE + sndrcvinfo::SIZE;

const _: () = assert!(SNDRCV_SPACE.is_multiple_of(ALIGN));

/// The length of one with a `struct sctp_authinfo`, and its bytes with what fills them up.
const AUTH_LENGTH: usize = HEADER_SIZE + size_of::<u16>();
const AUTH_SPACE: usize = AUTH_LENGTH.next_multiple_of(ALIGN);

/// Room for everything the kernel may deliver with a message here: three kinds of SCTP data, time
/// stamps and the fields of the IP header do not fill it.
pub const RECV_SPACE: usize = 256;

/// The control data of a send: one `SCTP_SNDRCV`. The newer `SCTP_SNDINFO` has no lifetime.
pub fn encode_sndrcv(info: &SndInfo) -> [u8; SNDRCV_SPACE] {
    let mut out = [0; SNDRCV_SPACE];
    put_header(&mut out, SNDRCV_SPACE, cmsg_type::SNDRCV);
    out[HEADER_SIZE..].copy_from_slice(&info.encode());
    out
}

/// The same, and after it an `SCTP_AUTHINFO`: the number of a key.
pub fn encode_signed(info: &SndInfo, key: u16) -> [u8; SNDRCV_SPACE + AUTH_SPACE] {
    let mut out = [0; SNDRCV_SPACE + AUTH_SPACE];
    let (sndrcv, auth) = out.split_at_mut(SNDRCV_SPACE);
    sndrcv.copy_from_slice(&encode_sndrcv(info));
    put_header(auth, AUTH_LENGTH, cmsg_type::AUTHINFO);
    put_u16(auth, HEADER_SIZE, key);
    out
}

fn put_header(out: &mut [u8], length: usize, kind: i32) {
    put_usize(out, 0, length);
    put_i32(out, LEVEL, SOL_SCTP);
    put_i32(out, TYPE, kind);
}

/// One control message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlMessage<'a> {
    /// Protocol level.
    pub level: i32,
    /// Type within the level.
    pub kind: i32,
    /// Payload without padding.
    pub payload: &'a [u8],
}

/// The control messages in `control`, which is as long as the kernel says it filled it. Ends at the
/// first one that is not wholly there.
pub fn iter(control: &[u8]) -> impl Iterator<Item = ControlMessage<'_>> {
    let mut rest = control;
    std::iter::from_fn(move || {
        let header: &[u8; HEADER_SIZE] = rest.first_chunk()?;
        let length = usize_at(header, 0)?;
        let message = ControlMessage {
            level: i32_at(header, LEVEL)?,
            kind: i32_at(header, TYPE)?,
            payload: rest.get(HEADER_SIZE..length)?,
        };
        let next = length.checked_next_multiple_of(ALIGN)?;
        rest = rest.get(next..).unwrap_or_default();
        Some(message)
    })
}

/// Reads all control messages that this crate understands; incomplete ones are left out.
#[inline(always)]
pub fn decode(control: &[u8]) -> Ancillary {
    let mut found = Ancillary::default();
    for ControlMessage { level, kind, payload } in iter(control) {
        match (level, kind) {
            (SOL_SCTP, cmsg_type::RCVINFO) => found.info = decode_rcvinfo(payload),
            (libc::IPPROTO_IP, libc::IP_TOS) => found.tos = u8_at(payload, 0),
            (libc::IPPROTO_IP, libc::IP_TTL) => found.ttl = i32_at(payload, 0),
            (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT) => found.ttl = i32_at(payload, 0),
            (libc::IPPROTO_IPV6, libc::IPV6_TCLASS) => found.tclass = i32_at(payload, 0),
            _ => {}
        }
    }
    found
}

/// Reads `struct sctp_rcvinfo`; `None` if the bytes are too few.
pub fn decode_rcvinfo(bytes: &[u8]) -> Option<RcvInfo> {
    let bytes: &[u8; rcvinfo::SIZE] = bytes.first_chunk()?;
    Some(RcvInfo {
        stream: u16_at(bytes, rcvinfo::STREAM)?,
        ssn: u16_at(bytes, rcvinfo::SSN)?,
        flags: u16_at(bytes, rcvinfo::FLAGS)?,
        ppid: u32_be_at(bytes, rcvinfo::PPID)?,
        tsn: u32_at(bytes, rcvinfo::TSN)?,
        cumtsn: u32_at(bytes, rcvinfo::CUMTSN)?,
        context: u32_at(bytes, rcvinfo::CONTEXT)?,
        assoc: AssocId(i32_at(bytes, rcvinfo::ASSOC_ID)?),
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::bytes::{put_u32, put_u32_be};
    use crate::testing::Prng;

    /// One control message as the kernel writes it, padded.
    fn message(level: i32, kind: i32, payload: &[u8]) -> Vec<u8> {
        let length = HEADER_SIZE + payload.len();
        let mut out = vec![0; length.next_multiple_of(ALIGN)];
        put_usize(&mut out, 0, length);
        put_i32(&mut out, LEVEL, level);
        put_i32(&mut out, TYPE, kind);
        out[HEADER_SIZE..length].copy_from_slice(payload);
        out
    }

    fn rcvinfo_payload() -> (RcvInfo, Vec<u8>) {
        let info = RcvInfo {
            stream: 1,
            ssn: 2,
            flags: 1,
            ppid: 0x0102_0304,
            tsn: 5,
            cumtsn: 6,
            context: 7,
            assoc: AssocId(8),
        };
        let mut bytes = vec![0; rcvinfo::SIZE];
        put_u16(&mut bytes, 0, 1);
        put_u16(&mut bytes, 2, 2);
        put_u16(&mut bytes, 4, 1);
        put_u32_be(&mut bytes, 8, 0x0102_0304);
        put_u32(&mut bytes, 12, 5);
        put_u32(&mut bytes, 16, 6);
        put_u32(&mut bytes, 20, 7);
        put_i32(&mut bytes, 24, 8);
        (info, bytes)
    }

    #[test]
    fn sndrcv_is_one_complete_message() {
        let info = SndInfo { stream: 3, ppid: 46, assoc: AssocId(9), ..SndInfo::default() };
        let control = encode_sndrcv(&info);
        let messages: Vec<_> = iter(&control).collect();
        assert_eq!(messages.len(), 1);
        assert_eq!((messages[0].level, messages[0].kind), (132, 1));
        assert_eq!(messages[0].payload.len(), 32);
        assert_eq!(SndInfo::decode(messages[0].payload), Some(info));
    }

    #[test]
    fn a_key_is_a_second_message() {
        let info = SndInfo { stream: 3, key: Some(0x0102), ..SndInfo::default() };
        let control = encode_signed(&info, 0x0102);
        // The kernel takes the length of the struct alone, and the next one at a multiple of 8.
        assert_eq!(control.len(), 48 + 24);
        assert_eq!(control[48..56], 18usize.to_ne_bytes());
        let messages: Vec<_> = iter(&control).collect();
        assert_eq!(messages.len(), 2);
        assert_eq!(SndInfo::decode(messages[0].payload), Some(SndInfo { key: None, ..info }));
        assert_eq!((messages[1].level, messages[1].kind), (132, 6));
        assert_eq!(messages[1].payload, 0x0102u16.to_ne_bytes());
    }

    #[test]
    fn everything_known_is_found() {
        let (info, payload) = rcvinfo_payload();
        let control = [
            message(libc::SOL_SOCKET, libc::SCM_TIMESTAMP, &[0; 16]),
            message(SOL_SCTP, 3, &payload),
            message(libc::IPPROTO_IP, libc::IP_TOS, &[0x10]),
            message(libc::IPPROTO_IP, libc::IP_TTL, &64i32.to_ne_bytes()),
            message(libc::IPPROTO_IPV6, libc::IPV6_TCLASS, &8i32.to_ne_bytes()),
        ]
        .concat();
        let expected =
            Ancillary { info: Some(info), tos: Some(0x10), ttl: Some(64), tclass: Some(8) };
        assert_eq!(decode(&control), expected);
        let hops = message(libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT, &3i32.to_ne_bytes());
        assert_eq!(decode(&hops).ttl, Some(3));
    }

    /// The control message that tells whose a message is.
    pub(in crate::kernel) fn rcvinfo_message() -> Vec<u8> {
        message(SOL_SCTP, cmsg_type::RCVINFO, &rcvinfo_payload().1)
    }

    #[test]
    fn a_truncated_message_is_left_out() {
        let (info, payload) = rcvinfo_payload();
        let tos = message(libc::IPPROTO_IP, libc::IP_TOS, &[1]);
        let control = [tos, message(SOL_SCTP, 3, &payload)].concat();
        let whole = decode(&control);
        assert_eq!((whole.tos, whole.info), (Some(1), Some(info)));
        let end = control.len() - ALIGN;
        assert_eq!(decode(&control[..end]), Ancillary { info: None, ..whole });
        assert_eq!(decode(&message(SOL_SCTP, 3, &payload[..27])), Ancillary::default());
    }

    #[test]
    fn the_last_message_needs_no_padding() {
        let (info, payload) = rcvinfo_payload();
        let control = message(SOL_SCTP, 3, &payload);
        let end = HEADER_SIZE + payload.len();
        assert_eq!(decode(&control[..end]).info, Some(info));
    }

    #[test]
    fn absurd_lengths_end_the_walk() {
        for length in [0, 1, HEADER_SIZE - 1, usize::MAX, usize::MAX - 7, 1 << 40] {
            let mut control = message(SOL_SCTP, 3, &[0; 28]);
            put_usize(&mut control, 0, length);
            assert_eq!(iter(&control).count(), 0, "length {length}");
        }
    }

    #[test]
    fn any_bytes_are_survived() {
        let mut prng = Prng::new(2);
        let mut found = 0;
        for _ in 0..20_000 {
            let mut control = prng.bytes(200);
            if control.len() >= HEADER_SIZE {
                let length = prng.below(control.len() + 8);
                put_usize(&mut control, 0, length);
            }
            found += iter(&control).count();
            decode(&control);
        }
        assert!(found > 1000, "the loop must reach the payloads: {found}");
    }
}
