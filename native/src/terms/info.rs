//! What comes and goes with a message: `#sctp_sndrcvinfo{}` and other ancillary data.

use beam::term::tuple;
use rustler::types::tuple::get_tuple;
use rustler::{Atom, Encoder, Env, Term};
use sctp::types::{Ancillary, RcvInfo, SndRcvInfo, flags};
use sctp::{AssocId, SndInfo};

use crate::terms::atoms;
use crate::terms::value::{is_undefined, list, or_default};

/// A `#sctp_sndrcvinfo{}` to send with; `None` if a field is of the wrong type or range, or one
/// that only a receiver sees is given.
pub(crate) fn to_send(record: Term) -> Option<SndInfo> {
    let fields = get_tuple(record).ok()?;
    let [tag, stream, ssn, flags, ppid, context, timetolive, tsn, cumtsn, assoc] = fields[..]
    else {
        return None;
    };
    if tag.decode::<Atom>().ok()? != atoms::sctp_sndrcvinfo()
        || ![ssn, tsn, cumtsn].into_iter().all(is_undefined)
    {
        return None;
    }
    Some(SndInfo {
        stream: or_default(stream)?,
        flags: flag_bits(flags, (atoms::addr_over(), flags::ADDR_OVER))?,
        ppid: or_default(ppid)?,
        context: or_default(context)?,
        timetolive: or_default(timetolive)?,
        assoc: AssocId::from_u32(or_default(assoc)?),
        key: None,
    })
}

/// The bits of a list of flags: those that all records have, and the record's own.
pub(crate) fn flag_bits(term: Term, (own, bit): (Atom, u16)) -> Option<u16> {
    /// Each of the four may be there more than once.
    const MOST: usize = 64;
    if is_undefined(term) || term.is_empty_list() {
        return Some(0);
    }
    let bits = list(term, MOST, |flag| match flag.decode::<Atom>().ok()? {
        atom if atom == atoms::unordered() => Some(flags::UNORDERED),
        atom if atom == own => Some(bit),
        atom if atom == atoms::abort() => Some(flags::ABORT),
        atom if atom == atoms::eof() => Some(flags::EOF),
        _ => None,
    });
    Some(bits.ok()?.into_iter().fold(0, |set, bit| set | bit))
}

/// What a receiver wants to know of data.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// `#sctp_sndrcvinfo{}` (`data_io_event`).
    pub(crate) data_io: bool,
    /// `#sctp_rcvinfo{}` instead (`sctp_recvrcvinfo`).
    pub(crate) rcvinfo: bool,
}

impl Default for Wanted {
    fn default() -> Wanted {
        Wanted { data_io: true, rcvinfo: false }
    }
}

/// The list of ancillary data.
pub(crate) fn ancillary<'a>(env: Env<'a>, anc: &Ancillary, wanted: Wanted) -> Term<'a> {
    let none = Term::list_new_empty(env);
    let mut list = none;
    if let Some(class) = anc.tclass {
        list = list.list_prepend((atoms::tclass(), class));
    }
    if let Some(ttl) = anc.ttl {
        list = list.list_prepend((atoms::ttl(), ttl));
    }
    if let Some(tos) = anc.tos {
        list = list.list_prepend((atoms::tos(), tos));
    }
    match &anc.info {
        Some(info) if wanted.rcvinfo => list.list_prepend(rcv_info(env, info, none)),
        Some(info) if wanted.data_io => list.list_prepend(received(env, info, none)),
        _ => list,
    }
}

/// `#sctp_rcvinfo{}` (RFC 6458 section 5.3.5).
fn rcv_info<'a>(env: Env<'a>, info: &RcvInfo, none: Term<'a>) -> Term<'a> {
    let fields = [
        atoms::sctp_rcvinfo().to_term(env),
        info.stream.encode(env),
        info.ssn.encode(env),
        flag_list(info.flags, none),
        info.ppid.encode(env),
        info.tsn.encode(env),
        info.cumtsn.encode(env),
        info.context.encode(env),
        info.assoc.to_u32().encode(env),
    ];
    tuple(env, fields)
}

/// `#sctp_sndrcvinfo{}` of received data. `none` is the empty list, which is a call of the VM.
fn received<'a>(env: Env<'a>, info: &RcvInfo, none: Term<'a>) -> Term<'a> {
    snd_rcv_info(
        env,
        &SndRcvInfo {
            stream: info.stream,
            ssn: info.ssn,
            flags: info.flags,
            ppid: info.ppid,
            context: info.context,
            timetolive: 0,
            tsn: info.tsn,
            cumtsn: info.cumtsn,
            assoc: info.assoc,
        },
        none,
    )
}

#[inline(always)]
pub(crate) fn snd_rcv_info<'a>(env: Env<'a>, info: &SndRcvInfo, none: Term<'a>) -> Term<'a> {
    let fields = [
        atoms::sctp_sndrcvinfo().to_term(env),
        info.stream.encode(env),
        info.ssn.encode(env),
        flag_list(info.flags, none),
        info.ppid.encode(env),
        info.context.encode(env),
        info.timetolive.encode(env),
        info.tsn.encode(env),
        info.cumtsn.encode(env),
        info.assoc.to_u32().encode(env),
    ];
    tuple(env, fields)
}

#[inline(always)]
fn flag_list(bits: u16, none: Term) -> Term {
    if bits == 0 { none } else { some_flags(bits, none) }
}

#[inline(never)]
fn some_flags(bits: u16, none: Term) -> Term {
    let names = [
        (flags::EOF, atoms::eof()),
        (flags::ABORT, atoms::abort()),
        (flags::ADDR_OVER, atoms::addr_over()),
        (flags::UNORDERED, atoms::unordered()),
    ];
    let mut list = none;
    for (_, name) in names.into_iter().filter(|(bit, _)| bits & bit != 0) {
        list = list.list_prepend(name);
    }
    list
}
