//! Events as the records of `inet_sctp.hrl`.

use rustler::{Atom, Encoder, Env, NewBinary, Term};
use sctp::Notification;
use sctp::notification::{self, AssocState, PeerAddrState};

use crate::terms::added_event;
use crate::terms::address::ip_port;
use crate::terms::atoms;
use crate::terms::info::snd_rcv_info;

/// Does an event arrive as `sctp` or as `sctp_error`; as `{ok, _}` or as `{error, _}`?
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Normal,
    Error,
}

/// What an event is; `None` if Erlang has no record for it, or no state.
pub(crate) fn class(event: &Notification) -> Option<Class> {
    match event {
        Notification::AssocChange { state, .. } => assoc_state(*state).and(Some(Class::Normal)),
        Notification::PeerAddrChange { state, .. } => addr_state(*state).and(Some(Class::Normal)),
        Notification::Shutdown { .. }
        | Notification::Adaptation { .. }
        | Notification::Authentication { .. }
        | Notification::SenderDry { .. }
        | Notification::StreamReset { .. }
        | Notification::AssocReset { .. }
        | Notification::StreamChange { .. } => Some(Class::Normal),
        Notification::SendFailed { .. }
        | Notification::SendFailedEvent { .. }
        | Notification::RemoteError { .. }
        | Notification::PartialDelivery { .. } => Some(Class::Error),
        Notification::Unknown { .. } => None,
    }
}

/// The record of an event that has a [`class`].
pub(crate) fn record<'a>(env: Env<'a>, event: &Notification) -> Term<'a> {
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
            let (info, data) =
                (snd_rcv_info(env, info, none), Term::from(NewBinary::from_slice(env, data)));
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
        added => added_event::record(env, added),
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
        // Only for those who know of it: see `UserOptions::wants`.
        PeerAddrState::PotentiallyFailed => atoms::addr_potentially_failed(),
        PeerAddrState::Unknown(_) => return None,
    })
}

/// What connect answers: `{ok, #sctp_assoc_change{}}` if the association came up, else
/// `{error, #sctp_assoc_change{}}`.
pub(crate) fn connected<'a>(env: Env<'a>, event: &Notification) -> Term<'a> {
    let up = matches!(event, Notification::AssocChange { state: AssocState::CommUp, .. });
    let tag = if up { atoms::ok() } else { atoms::error() };
    (tag, record(env, event)).encode(env)
}

/// `[{abort_causes, [{Code, Info}]}]` of the end of an association by an ABORT, else `[]`.
pub(crate) fn causes<'a>(env: Env<'a>, event: &Notification) -> Term<'a> {
    let chunk = match event {
        Notification::AssocChange { info, .. } => &info[..],
        _ => &[],
    };
    let list: Vec<(u16, Term)> = notification::causes(chunk)
        .map(|(code, info)| (code, NewBinary::from_slice(env, info).into()))
        .collect();
    match list.is_empty() {
        true => Term::list_new_empty(env),
        false => vec![(atoms::abort_causes(), list)].encode(env),
    }
}
