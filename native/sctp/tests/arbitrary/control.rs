//! Ancillary data and what is in it.

use proptest::prelude::*;
use sctp::abi::{SOL_SCTP, cmsg_type, rcvinfo};
use sctp::bytes::{put_i32, put_u16, put_u32, put_u32_be, put_usize};
use sctp::kernel::cmsg;
use sctp::{Ancillary, AssocId, RcvInfo, SndInfo, SndRcvInfo};

use crate::{config, edge, noise};

const ALIGN: usize = size_of::<usize>();
const HEADER: usize = ALIGN + 8;

#[derive(Clone, Debug)]
struct Part {
    level: i32,
    kind: i32,
    payload: Vec<u8>,
}

/// Levels and types that mean something, and others.
fn part() -> impl Strategy<Value = Part> {
    let known = prop_oneof![
        4 => Just((SOL_SCTP, cmsg_type::RCVINFO)),
        1 => Just((SOL_SCTP, cmsg_type::SNDRCV)),
        1 => Just((libc::IPPROTO_IP, libc::IP_TOS)),
        1 => Just((libc::IPPROTO_IP, libc::IP_TTL)),
        1 => Just((libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT)),
        1 => Just((libc::IPPROTO_IPV6, libc::IPV6_TCLASS)),
        1 => any::<(i32, i32)>(),
    ];
    (known, noise(40)).prop_map(|((level, kind), payload)| Part { level, kind, payload })
}

fn parts() -> impl Strategy<Value = Vec<Part>> {
    proptest::collection::vec(part(), 0..6)
}

/// As the kernel writes them; where each begins, and where the last one ends.
fn written(parts: &[Part]) -> (Vec<u8>, Vec<usize>) {
    let mut out = Vec::new();
    let mut starts = Vec::new();
    for Part { level, kind, payload } in parts {
        let start = out.len();
        starts.push(start);
        out.resize(start + (HEADER + payload.len()).next_multiple_of(ALIGN), 0);
        put_usize(&mut out, start, HEADER + payload.len());
        put_i32(&mut out, start + ALIGN, *level);
        put_i32(&mut out, start + ALIGN + 4, *kind);
        out[start + HEADER..start + HEADER + payload.len()].copy_from_slice(payload);
    }
    (out, starts)
}

fn read(control: &[u8]) -> Vec<(i32, i32, Vec<u8>)> {
    cmsg::iter(control).map(|m| (m.level, m.kind, m.payload.to_vec())).collect()
}

fn expected(parts: &[Part]) -> Vec<(i32, i32, Vec<u8>)> {
    parts.iter().map(|p| (p.level, p.kind, p.payload.clone())).collect()
}

fn rcv_info() -> impl Strategy<Value = RcvInfo> {
    (any::<(u16, u16, u16)>(), any::<(u32, u32, u32, u32, i32)>()).prop_map(
        |((stream, ssn, flags), (ppid, tsn, cumtsn, context, assoc))| RcvInfo {
            stream,
            ssn,
            flags,
            ppid,
            tsn,
            cumtsn,
            context,
            assoc: AssocId(assoc),
        },
    )
}

fn encode_rcv_info(info: &RcvInfo) -> Vec<u8> {
    let mut out = vec![0; rcvinfo::SIZE];
    put_u16(&mut out, rcvinfo::STREAM, info.stream);
    put_u16(&mut out, rcvinfo::SSN, info.ssn);
    put_u16(&mut out, rcvinfo::FLAGS, info.flags);
    put_u32_be(&mut out, rcvinfo::PPID, info.ppid);
    put_u32(&mut out, rcvinfo::TSN, info.tsn);
    put_u32(&mut out, rcvinfo::CUMTSN, info.cumtsn);
    put_u32(&mut out, rcvinfo::CONTEXT, info.context);
    put_i32(&mut out, rcvinfo::ASSOC_ID, info.assoc.0);
    out
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_is_written_is_read(parts in parts()) {
        let (control, _) = written(&parts);
        prop_assert_eq!(read(&control), expected(&parts));
        cmsg::decode(&control);
    }

    /// Cut off anywhere, all that is wholly there is found, and nothing else.
    #[test]
    fn a_cut_leaves_what_is_before_it(parts in parts(), cut in any::<prop::sample::Index>()) {
        let (mut control, starts) = written(&parts);
        control.truncate(cut.index(control.len() + 1));
        let whole = starts.iter().zip(&parts);
        let whole = whole.filter(|(at, part)| *at + HEADER + part.payload.len() <= control.len());
        prop_assert_eq!(read(&control), expected(&parts[..whole.count()]));
    }

    /// A length that lies spoils nothing before it, and nothing outside is read.
    #[test]
    fn a_lie_spoils_only_what_follows(
        parts in proptest::collection::vec(part(), 1..6),
        which in any::<prop::sample::Index>(),
        length in edge(HEADER + 20),
    ) {
        let (mut control, starts) = written(&parts);
        let which = which.index(parts.len());
        put_usize(&mut control, starts[which], length);
        let found = read(&control);
        prop_assert_eq!(&found[..which.min(found.len())], &expected(&parts[..which])[..]);
        prop_assert!(found.iter().map(|(_, _, payload)| payload.len()).sum::<usize>() <= control.len());
        if length < HEADER || length > control.len() - starts[which] {
            prop_assert_eq!(found.len(), which);
        }
        cmsg::decode(&control);
    }

    #[test]
    fn noise_is_survived(control in noise(cmsg::RECV_SPACE)) {
        // Each takes a header, so there is an end.
        prop_assert!(cmsg::iter(&control).count() <= control.len() / HEADER);
        cmsg::decode(&control);
    }

    #[test]
    fn rcvinfo_is_read_as_it_lies(info in rcv_info(), more in noise(8), cut in 0..rcvinfo::SIZE) {
        let mut bytes = encode_rcv_info(&info);
        prop_assert_eq!(cmsg::decode_rcvinfo(&bytes[..cut]), None);
        bytes.extend(more);
        prop_assert_eq!(cmsg::decode_rcvinfo(&bytes), Some(info));
    }

    #[test]
    fn sndrcvinfo_goes_and_comes(
        (stream, flags) in any::<(u16, u16)>(),
        (ppid, context, timetolive, assoc) in any::<(u32, u32, u32, i32)>(),
        key in any::<u16>(),
    ) {
        let assoc = AssocId(assoc);
        let info = SndInfo { stream, flags, ppid, context, timetolive, assoc, key: None };
        let bytes = info.encode();
        prop_assert_eq!(SndInfo::decode(&bytes), Some(info));
        for cut in 0..bytes.len() {
            prop_assert_eq!(SndRcvInfo::decode(&bytes[..cut]), None);
        }
        let sndrcv = (SOL_SCTP, cmsg_type::SNDRCV, bytes.to_vec());
        let control = cmsg::encode_sndrcv(&info);
        prop_assert_eq!(read(&control), vec![sndrcv.clone()]);
        let auth = (SOL_SCTP, cmsg_type::AUTHINFO, key.to_ne_bytes().to_vec());
        prop_assert_eq!(read(&cmsg::encode_signed(&info, key)), vec![sndrcv, auth]);
        // What we send is not what we receive.
        prop_assert_eq!(cmsg::decode(&control), Ancillary::default());
    }

    #[test]
    fn the_last_rcvinfo_counts(first in rcv_info(), last in rcv_info()) {
        let parts = [first, last].map(|info| Part {
            level: SOL_SCTP,
            kind: cmsg_type::RCVINFO,
            payload: encode_rcv_info(&info),
        });
        prop_assert_eq!(cmsg::decode(&written(&parts).0).info, Some(last));
    }
}
