//! Messages, notifications and addresses as Erlang terms, in the records of `inet_sctp.hrl`.

use std::net::{IpAddr, SocketAddr};

use rustler::{Atom, Encoder, Env, NewBinary, Resource, ResourceArc, Term};
use sctp::notification::{self, AssocState, Notification, PeerAddrState};
use sctp::types::{RcvInfo, SndRcvInfo, flags};

use crate::atoms;
use crate::message::{Message, Payload};
use crate::socket::UserOptions;
use beam::term::{byte_list, tuple};

/// Does a message arrive as `sctp` or as `sctp_error`; as `{ok, _}` or as `{error, _}`?
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Normal,
    Error,
}

/// What a message is; `None` for a notification that Erlang has no record for, or no state.
#[inline]
pub(crate) fn class(message: &Message) -> Option<Class> {
    if message.meta.notification { class_of_event(message) } else { Some(Class::Normal) }
}

fn class_of_event(event: &Message) -> Option<Class> {
    match notification::parse(&event.payload)? {
        Notification::AssocChange { state, .. } => assoc_state(state).and(Some(Class::Normal)),
        Notification::PeerAddrChange { state, .. } => addr_state(state).and(Some(Class::Normal)),
        Notification::Shutdown { .. } | Notification::Adaptation { .. } => Some(Class::Normal),
        Notification::SendFailed { .. }
        | Notification::RemoteError { .. }
        | Notification::PartialDelivery { .. } => Some(Class::Error),
        _ => None,
    }
}

/// The list of ancillary data.
pub(crate) fn ancillary<'a>(env: Env<'a>, meta: &sctp::Received, data_io: bool) -> Term<'a> {
    let none = Term::list_new_empty(env);
    let mut list = none;
    if let Some(class) = meta.anc.tclass {
        list = list.list_prepend((atoms::tclass(), class));
    }
    if let Some(ttl) = meta.anc.ttl {
        list = list.list_prepend((atoms::ttl(), ttl));
    }
    if let Some(tos) = meta.anc.tos {
        list = list.list_prepend((atoms::tos(), tos));
    }
    match &meta.anc.info {
        Some(info) if data_io && !meta.notification => list.list_prepend(rcv_info(env, info, none)),
        _ => list,
    }
}

/// The data, as a list of bytes or a binary, or the event's record.
#[inline]
pub(crate) fn body<'a>(
    env: Env<'a>,
    meta: &sctp::Received,
    payload: Payload,
    list: bool,
) -> Term<'a> {
    if meta.notification {
        return match notification::parse(&payload) {
            Some(event) => record(env, &event),
            None => atoms::undefined().to_term(env),
        };
    }
    match payload {
        payload if list => byte_list(env, &payload),
        Payload::Binary(binary) => binary.release(env).to_term(env),
        Payload::Kept(bytes) if bytes.len() >= HANDED_OVER_MIN => handed_over(env, bytes),
        payload => binary(env, &payload),
    }
}

/// What recv answers with a message: `{ok, {IP, Port, Anc, Data}}` or `{error, {Raw, Anc, Event}}`.
pub(crate) fn received<'a>(env: Env<'a>, message: Message, user: &UserOptions) -> Term<'a> {
    let class = class(&message);
    let anc = ancillary(env, message.meta, user.data_io);
    let from = message.meta.from;
    let body = body(env, message.meta, message.payload, user.list);
    if class == Some(Class::Error) {
        (atoms::error(), (raw_address(env, from), anc, body)).encode(env)
    } else {
        let (ip, port) = ip_port(env, from);
        (atoms::ok(), (ip, port, anc, body)).encode(env)
    }
}

/// `{ok, #sctp_assoc_change{}}` if the association came up, else `{error, #sctp_assoc_change{}}`.
pub(crate) fn connect_result<'a>(env: Env<'a>, message: &Message) -> Term<'a> {
    match notification::parse(&message.payload) {
        Some(event) => {
            let up = matches!(event, Notification::AssocChange { state: AssocState::CommUp, .. });
            let tag = if up { atoms::ok() } else { atoms::error() };
            (tag, record(env, &event)).encode(env)
        }
        None => env.error_tuple(atoms::einval()),
    }
}

/// From this size on, a message that was put together of pieces is not copied once more: the largest
/// would keep a scheduler for tens of milliseconds.
const HANDED_OVER_MIN: usize = 64 * 1024;

/// Bytes that live as long as the binary that is made of them.
struct Bytes(Vec<u8>);

#[rustler::resource_impl]
impl Resource for Bytes {}

fn handed_over(env: Env, mut bytes: Vec<u8>) -> Term {
    bytes.shrink_to_fit();
    ResourceArc::new(Bytes(bytes)).make_binary(env, |bytes| &bytes.0).to_term(env)
}

fn binary<'a>(env: Env<'a>, bytes: &[u8]) -> Term<'a> {
    NewBinary::from_slice(env, bytes).into()
}

fn record<'a>(env: Env<'a>, event: &Notification) -> Term<'a> {
    match event {
        Notification::AssocChange {
            state,
            error,
            outbound_streams,
            inbound_streams,
            assoc,
            ..
        } => {
            let tag = atoms::sctp_assoc_change();
            let state = assoc_state(*state);
            (tag, state, error, outbound_streams, inbound_streams, assoc.to_u32()).encode(env)
        }
        Notification::PeerAddrChange { addr, state, error, assoc } => {
            let (addr, state) = (ip_port(env, *addr), addr_state(*state));
            (atoms::sctp_paddr_change(), addr, state, error, assoc.to_u32()).encode(env)
        }
        Notification::SendFailed { sent, error, info, assoc, data } => {
            let none = Term::list_new_empty(env);
            let (info, data) = (snd_rcv_info(env, info, none), binary(env, data));
            (atoms::sctp_send_failed(), sent, error, info, assoc.to_u32(), data).encode(env)
        }
        // The kernel passes on one cause's body, of which OTP makes a list of further causes: its
        // mark for a list cut short is all that is ever right in it.
        Notification::RemoteError { error, assoc, .. } => {
            (atoms::sctp_remote_error(), error, assoc.to_u32(), vec![0]).encode(env)
        }
        Notification::Shutdown { assoc } => {
            (atoms::sctp_shutdown_event(), assoc.to_u32()).encode(env)
        }
        Notification::PartialDelivery { indication, assoc, .. } => {
            let indication = match indication {
                0 => atoms::partial_delivery_aborted().to_term(env),
                other => other.encode(env),
            };
            (atoms::sctp_pdapi_event(), indication, assoc.to_u32()).encode(env)
        }
        Notification::Adaptation { indication, assoc } => {
            (atoms::sctp_adaptation_event(), indication, assoc.to_u32()).encode(env)
        }
        // `class` lets nothing else through.
        _ => atoms::undefined().to_term(env),
    }
}

fn assoc_state(state: AssocState) -> Option<Atom> {
    Some(match state {
        AssocState::CommUp => atoms::comm_up(),
        AssocState::CommLost => atoms::comm_lost(),
        AssocState::Restart => atoms::restart(),
        AssocState::ShutdownComp => atoms::shutdown_comp(),
        AssocState::CantStrAssoc => atoms::cant_assoc(),
        AssocState::Unknown(_) => return None,
    })
}

fn addr_state(state: PeerAddrState) -> Option<Atom> {
    Some(match state {
        PeerAddrState::Available => atoms::addr_available(),
        PeerAddrState::Unreachable => atoms::addr_unreachable(),
        PeerAddrState::Removed => atoms::addr_removed(),
        PeerAddrState::Added => atoms::addr_added(),
        PeerAddrState::MadePrim => atoms::addr_made_prim(),
        PeerAddrState::Confirmed => atoms::addr_confirmed(),
        PeerAddrState::PotentiallyFailed | PeerAddrState::Unknown(_) => return None,
    })
}

/// `#sctp_sndrcvinfo{}` of received data. `none` is the empty list, which is a call of the VM.
fn rcv_info<'a>(env: Env<'a>, info: &RcvInfo, none: Term<'a>) -> Term<'a> {
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

fn snd_rcv_info<'a>(env: Env<'a>, info: &SndRcvInfo, none: Term<'a>) -> Term<'a> {
    let fields = [
        atoms::sctp_sndrcvinfo().to_term(env),
        info.stream.encode(env),
        info.ssn.encode(env),
        send_flags(info.flags, none),
        info.ppid.encode(env),
        info.context.encode(env),
        info.timetolive.encode(env),
        info.tsn.encode(env),
        info.cumtsn.encode(env),
        info.assoc.to_u32().encode(env),
    ];
    tuple(env, fields)
}

fn send_flags(bits: u16, none: Term) -> Term {
    if bits == 0 {
        return none;
    }
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

/// `{IP, Port}`.
pub(crate) fn address<'a>(env: Env<'a>, address: SocketAddr) -> Term<'a> {
    ip_port(env, Some(address)).encode(env)
}

/// An address taken apart; no address is the wildcard.
pub(crate) fn ip_port<'a>(env: Env<'a>, address: Option<SocketAddr>) -> (Term<'a>, u16) {
    match address {
        Some(address) => (ip(env, address.ip()), address.port()),
        None => ((0, 0, 0, 0).encode(env), 0),
    }
}

fn ip<'a>(env: Env<'a>, ip: IpAddr) -> Term<'a> {
    match ip {
        IpAddr::V4(ip) => tuple(env, ip.octets().map(|byte| byte.encode(env))),
        IpAddr::V6(ip) => tuple(env, ip.segments().map(|segment| segment.encode(env))),
    }
}

/// The bytes with which OTP's driver describes an address: family, port, IP.
fn raw_address<'a>(env: Env<'a>, address: Option<SocketAddr>) -> Term<'a> {
    let Some(address) = address else { return Term::list_new_empty(env) };
    let mut raw = Vec::with_capacity(19);
    raw.push(if address.is_ipv4() { 1 } else { 2 });
    raw.extend(address.port().to_be_bytes());
    match address.ip() {
        IpAddr::V4(ip) => raw.extend(ip.octets()),
        IpAddr::V6(ip) => raw.extend(ip.octets()),
    }
    byte_list(env, &raw)
}

/// The atom of an errno, or the number if it has no name.
pub(crate) fn errno(env: Env, errno: i32) -> Term {
    flow::errno::name(errno)
        .and_then(|name| Atom::from_str(env, name).ok())
        .map_or_else(|| errno.encode(env), |name| name.to_term(env))
}

/// `{error, Reason}` for an error of the kernel.
pub(crate) fn posix_error<'a>(env: Env<'a>, error: &std::io::Error) -> Term<'a> {
    env.error_tuple(errno(env, error.raw_os_error().unwrap_or(libc::EIO)))
}
