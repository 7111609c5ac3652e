//! Events that `gen_sctp` does not have, as the records of `gen_sctp_nif.hrl`.

use beam::term::tuple;
use rustler::{Atom, Encoder, Env, NewBinary, Term};
use sctp::{Notification, SndInfo};

use crate::terms::atoms;

/// Bits of the flags of a DATA chunk (RFC 9260 section 3.3.1), which is what the kernel has kept of a
/// message that was not sent.
mod chunk_flags {
    pub(super) const LAST: u16 = 0x01;
    pub(super) const FIRST: u16 = 0x02;
    pub(super) const UNORDERED: u16 = 0x04;
    pub(super) const IMMEDIATE: u16 = 0x08;
}

/// The record of such an event; `undefined` for another.
pub(crate) fn record<'a>(env: Env<'a>, event: &Notification) -> Term<'a> {
    match event {
        Notification::SenderDry { assoc } => {
            (atoms::sctp_sender_dry_event(), assoc.to_u32()).encode(env)
        }
        Notification::SendFailedEvent { sent, error, info, assoc, data } => {
            let fields = [
                atoms::sctp_send_failed_event().to_term(env),
                if *sent { atoms::sent() } else { atoms::unsent() }.to_term(env),
                error.encode(env),
                snd_info(env, info),
                fragment(info.flags).to_term(env),
                assoc.to_u32().encode(env),
                NewBinary::from_slice(env, data).into(),
            ];
            tuple(env, fields)
        }
        Notification::Authentication { key, indication, assoc } => {
            let indication = match indication {
                0 => atoms::new_key().to_term(env),
                1 => atoms::free_key().to_term(env),
                2 => atoms::no_auth().to_term(env),
                other => other.encode(env),
            };
            (atoms::sctp_authkey_event(), key, indication, assoc.to_u32()).encode(env)
        }
        Notification::StreamReset { flags, assoc, streams } => {
            let streams = match streams.is_empty() {
                true => atoms::all().to_term(env),
                false => streams.encode(env),
            };
            let flags = reset_flags(*flags);
            (atoms::sctp_stream_reset_event(), flags, assoc.to_u32(), streams).encode(env)
        }
        Notification::AssocReset { flags, assoc, local_tsn, remote_tsn } => {
            let (tag, flags) = (atoms::sctp_assoc_reset_event(), reset_flags(*flags));
            // Linux up to 7.2 calls the peer's next TSN the local one, on both sides; RFC 6525 means
            // ours.
            let (ours, theirs) = (remote_tsn, local_tsn);
            (tag, flags, assoc.to_u32(), ours, theirs).encode(env)
        }
        Notification::StreamChange { flags, assoc, inbound_streams, outbound_streams } => {
            let (tag, flags) = (atoms::sctp_stream_change_event(), reset_flags(*flags));
            (tag, flags, assoc.to_u32(), inbound_streams, outbound_streams).encode(env)
        }
        _ => atoms::undefined().to_term(env),
    }
}

/// `#sctp_sndinfo{}` of what was not sent.
fn snd_info<'a>(env: Env<'a>, info: &SndInfo) -> Term<'a> {
    let flags = names(
        info.flags,
        [
            (chunk_flags::UNORDERED, atoms::unordered()),
            (chunk_flags::IMMEDIATE, atoms::sack_immediately()),
        ],
    );
    let assoc = info.assoc.to_u32();
    (atoms::sctp_sndinfo(), info.stream, flags, info.ppid, info.context, assoc).encode(env)
}

/// Which part of its message it is.
fn fragment(flags: u16) -> Atom {
    match (flags & chunk_flags::FIRST != 0, flags & chunk_flags::LAST != 0) {
        (true, true) => atoms::whole(),
        (true, false) => atoms::first(),
        (false, false) => atoms::middle(),
        (false, true) => atoms::last(),
    }
}

/// The flags of the events of RFC 6525 section 6.1.
fn reset_flags(bits: u16) -> Vec<Atom> {
    let all = [
        (1, atoms::incoming()),
        (2, atoms::outgoing()),
        (4, atoms::denied()),
        (8, atoms::failed()),
    ];
    names(bits, all)
}

fn names<const N: usize>(bits: u16, all: [(u16, Atom); N]) -> Vec<Atom> {
    all.into_iter().filter(|(bit, _)| bits & bit != 0).map(|(_, name)| name).collect()
}
