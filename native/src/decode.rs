//! Addresses and send parameters from Erlang terms.

use std::ffi::CString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use rustler::types::tuple::get_tuple;
use rustler::{Atom, Encoder, Env, Error, NifResult, Term};
use sctp::types::{AssocId, Family, SndInfo, flags};

use crate::atoms;

/// An integer in the range of `T`.
///
/// rustler's own decoders of 8- and 16-bit integers let larger ones wrap around.
pub(crate) fn uint<T: TryFrom<u32>>(term: Term) -> Option<T> {
    term.decode::<u32>().ok()?.try_into().ok()
}

/// A list that is refused.
pub(crate) enum BadList {
    /// For what is in it, or how much.
    Element,
    /// For what is in the place of its end.
    Improper,
}

impl BadList {
    /// What OTP answers, or raises.
    pub(crate) fn answer(self, env: Env) -> NifResult<Term> {
        match self {
            BadList::Element => Ok(env.error_tuple(atoms::einval())),
            BadList::Improper => Err(Error::RaiseAtom("function_clause")),
        }
    }
}

/// What the elements of a list stand for; there are at most `most`.
///
/// rustler's own iterator panics at the end of an improper list.
pub(crate) fn list<'a, T>(
    mut rest: Term<'a>,
    most: usize,
    mut element: impl FnMut(Term<'a>) -> Option<T>,
) -> Result<Vec<T>, BadList> {
    let mut elements = Vec::new();
    while !rest.is_empty_list() {
        let (head, tail) = rest.list_get_cell().map_err(|_| BadList::Improper)?;
        if elements.len() == most {
            return Err(BadList::Element);
        }
        elements.push(element(head).ok_or(BadList::Element)?);
        rest = tail;
    }
    Ok(elements)
}

/// Has a list more than `most` elements? Looks at no more of them: the VM's own count of a list takes
/// as long as that is.
pub(crate) fn is_longer(mut list: Term, most: usize) -> bool {
    (0..=most).all(|_| {
        list.list_get_cell().is_ok_and(|(_, tail)| {
            list = tail;
            true
        })
    })
}

/// A path as C reads it: up to the first NUL.
pub(crate) fn path(bytes: &[u8]) -> CString {
    let before = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    CString::new(before).unwrap_or_default()
}

/// An IP tuple.
fn ip(term: Term) -> Option<IpAddr> {
    let parts = get_tuple(term).ok()?;
    match parts.len() {
        4 => {
            let mut octets = [0u8; 4];
            for (octet, part) in octets.iter_mut().zip(parts) {
                *octet = uint(part)?;
            }
            Some(Ipv4Addr::from(octets).into())
        }
        8 => {
            let mut segments = [0u16; 8];
            for (segment, part) in segments.iter_mut().zip(parts) {
                *segment = uint(part)?;
            }
            Some(Ipv6Addr::from(segments).into())
        }
        _ => None,
    }
}

/// `{IP, Port}` or `{IP, Port, FlowInfo, ScopeId}`.
pub(crate) fn address(term: Term) -> Option<SocketAddr> {
    let parts = get_tuple(term).ok()?;
    match parts[..] {
        [addr, port] => Some(SocketAddr::new(ip(addr)?, uint(port)?)),
        [addr, port, flowinfo, scope] => match ip(addr)? {
            IpAddr::V6(ip) => {
                let (flowinfo, scope) = (uint(flowinfo)?, uint(scope)?);
                Some(SocketAddrV6::new(ip, uint(port)?, flowinfo, scope).into())
            }
            IpAddr::V4(_) => None,
        },
        _ => None,
    }
}

/// A list of addresses, at most as many as one call of the kernel takes in OTP.
pub(crate) fn addresses(term: Term) -> Option<Vec<SocketAddr>> {
    list(term, 255, address).ok()
}

/// An address as option records have it: `{IP, Port}`, `{any | loopback, Port}`,
/// `{inet | inet6, Address}` or a socket address map.
pub(crate) fn record_address(term: Term, family: Family) -> Option<SocketAddr> {
    if term.is_map() {
        return map_address(term);
    }
    let parts = get_tuple(term).ok()?;
    let [first, second] = parts[..] else { return None };
    match first.decode::<Atom>() {
        Err(_) => address(term),
        Ok(atom) if atom == atoms::inet() => named_or_ip(second, Family::Inet),
        Ok(atom) if atom == atoms::inet6() => named_or_ip(second, Family::Inet6),
        Ok(name) => Some(SocketAddr::new(named(name, family)?, uint(second)?)),
    }
}

fn named_or_ip(term: Term, family: Family) -> Option<SocketAddr> {
    let parts = get_tuple(term).ok()?;
    let [addr, port] = parts[..] else { return None };
    let ip = match addr.decode::<Atom>() {
        Ok(name) => named(name, family)?,
        Err(_) => ip(addr).filter(|ip| ip.is_ipv4() == (family == Family::Inet))?,
    };
    Some(SocketAddr::new(ip, uint(port)?))
}

fn named(name: Atom, family: Family) -> Option<IpAddr> {
    let any = name == atoms::any();
    if !any && name != atoms::loopback() {
        return None;
    }
    Some(match (family, any) {
        (Family::Inet, true) => Ipv4Addr::UNSPECIFIED.into(),
        (Family::Inet, false) => Ipv4Addr::LOCALHOST.into(),
        (Family::Inet6, true) => Ipv6Addr::UNSPECIFIED.into(),
        (Family::Inet6, false) => Ipv6Addr::LOCALHOST.into(),
    })
}

fn map_address(map: Term) -> Option<SocketAddr> {
    let env = map.get_env();
    let get = |key: Atom| map.map_get(key.encode(env)).ok();
    let family = match get(atoms::family())?.decode::<Atom>().ok()? {
        inet if inet == atoms::inet() => Family::Inet,
        inet6 if inet6 == atoms::inet6() => Family::Inet6,
        _ => return None,
    };
    let addr = get(atoms::addr())?;
    let port = get(atoms::port()).map_or(Some(0u16), uint)?;
    let address = named_or_ip((addr, port).encode(env), family)?;
    match address {
        SocketAddr::V4(_) => Some(address),
        SocketAddr::V6(v6) => {
            let flowinfo = uint(get(atoms::flowinfo())?)?;
            let scope = uint(get(atoms::scope_id())?)?;
            Some(SocketAddrV6::new(*v6.ip(), v6.port(), flowinfo, scope).into())
        }
    }
}

/// An association id: any 32 bits without a sign.
pub(crate) fn assoc_id(term: Term) -> Option<AssocId> {
    uint(term).map(AssocId::from_u32)
}

/// The same as a record may have it: undefined, which is 0.
pub(crate) fn assoc_id_or_none(term: Term) -> Option<AssocId> {
    if is_undefined(term) { Some(AssocId::FUTURE) } else { assoc_id(term) }
}

/// A `#sctp_sndrcvinfo{}` to send with; `None` if a field is of the wrong type or range, or one
/// that only a receiver sees is given.
pub(crate) fn send_info(record: Term) -> Option<SndInfo> {
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
        flags: send_flags(flags)?,
        ppid: or_default(ppid)?,
        context: or_default(context)?,
        timetolive: or_default(timetolive)?,
        assoc: AssocId::from_u32(or_default(assoc)?),
    })
}

pub(crate) fn is_undefined(term: Term) -> bool {
    term.decode::<Atom>().is_ok_and(|atom| atom == atoms::undefined())
}

fn or_default<T: Default + TryFrom<u32>>(term: Term) -> Option<T> {
    if is_undefined(term) { Some(T::default()) } else { uint(term) }
}

fn send_flags(term: Term) -> Option<u16> {
    /// Each of the four flags may be there more than once.
    const MOST: usize = 64;
    if is_undefined(term) || term.is_empty_list() {
        return Some(0);
    }
    let bits = list(term, MOST, |flag| match flag.decode::<Atom>().ok()? {
        atom if atom == atoms::unordered() => Some(flags::UNORDERED),
        atom if atom == atoms::addr_over() => Some(flags::ADDR_OVER),
        atom if atom == atoms::abort() => Some(flags::ABORT),
        atom if atom == atoms::eof() => Some(flags::EOF),
        _ => None,
    });
    Some(bits.ok()?.into_iter().fold(0, |set, bit| set | bit))
}
