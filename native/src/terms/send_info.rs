//! What is said of a message that is sent: a list of records, as RFC 6458 section 9.12 has it.

use rustler::types::tuple::get_tuple;
use rustler::{Atom, Term};
use sctp::types::flags;
use sctp::{AssocId, SndInfo};

use crate::terms::atoms;
use crate::terms::info::flag_bits;
use crate::terms::value::{assoc_id_or_none, list, or_default, uint};

/// Records in the list: one of each kind.
const KINDS: usize = 3;

/// When a message is given up: a policy of `flags::PR_MASK`, and what it counts.
type Policy = (u16, u32);

/// The records of a list.
#[derive(Default)]
struct Infos {
    snd: Option<SndInfo>,
    pr: Option<Policy>,
    key: Option<u16>,
}

/// What a list says of a message to an association, and where it says nothing the defaults do; `None`
/// if it is wrong.
pub(crate) fn to_send(infos: Term, defaults: SndInfo) -> Option<SndInfo> {
    let assoc = defaults.assoc;
    let mut found = Infos::default();
    list(infos, KINDS, |info| put(&mut found, info, assoc)).ok()?;
    let Infos { snd, pr, key } = found;
    let given_up = pr.unwrap_or((defaults.flags & flags::PR_MASK, defaults.timetolive));
    let info = snd.unwrap_or(SndInfo { flags: defaults.flags & !flags::PR_MASK, ..defaults });
    let (policy, timetolive) = given_up;
    Some(SndInfo { flags: info.flags | policy, timetolive, key, ..info })
}

/// Adds a record of a kind that is not there yet.
fn put(found: &mut Infos, record: Term, assoc: AssocId) -> Option<()> {
    let elements = get_tuple(record).ok()?;
    let (tag, fields) = elements.split_first()?;
    match tag.decode::<Atom>().ok()? {
        tag if tag == atoms::sctp_sndinfo() && found.snd.is_none() => {
            found.snd = Some(snd_info(fields, assoc)?);
        }
        tag if tag == atoms::sctp_prinfo() && found.pr.is_none() => {
            found.pr = Some(pr_info(fields)?);
        }
        tag if tag == atoms::sctp_authinfo() && found.key.is_none() => {
            found.key = Some(auth_info(fields)?);
        }
        _ => return None,
    }
    Some(())
}

/// `#sctp_sndinfo{}`. Another association than the one that the message is for is wrong.
fn snd_info(fields: &[Term], assoc: AssocId) -> Option<SndInfo> {
    let [sid, flags, ppid, context, to] = fields else { return None };
    let to = assoc_id_or_none(*to)?;
    (to == AssocId::FUTURE || to == assoc).then_some(())?;
    Some(SndInfo {
        stream: or_default(*sid)?,
        flags: flag_bits(*flags, (atoms::sack_immediately(), flags::SACK_IMMEDIATELY))?,
        ppid: or_default(*ppid)?,
        context: or_default(*context)?,
        timetolive: 0,
        assoc,
        key: None,
    })
}

/// `#sctp_prinfo{}`. Without a policy there is nothing that a number could say. The kernel takes a
/// time of 0 for none.
fn pr_info(fields: &[Term]) -> Option<Policy> {
    let [policy, value] = fields else { return None };
    match policy.decode::<Atom>().ok()? {
        none if none == atoms::none() => (or_default::<u32>(*value)? == 0).then_some((0, 0)),
        ttl if ttl == atoms::ttl() => {
            let time = uint::<u32>(*value).filter(|time| *time > 0)?;
            Some((flags::PR_TTL, time))
        }
        rtx if rtx == atoms::rtx() => Some((flags::PR_RTX, uint(*value)?)),
        prio if prio == atoms::prio() => Some((flags::PR_PRIO, uint(*value)?)),
        _ => None,
    }
}

/// `#sctp_authinfo{}`: the number of a key.
fn auth_info(fields: &[Term]) -> Option<u16> {
    let [key] = fields else { return None };
    uint(*key)
}
