//! Addresses from and to Erlang terms.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use beam::term::{byte_list, tuple};
use rustler::types::tuple::get_tuple;
use rustler::{Atom, Encoder, Env, Term};
use sctp::Family;

use crate::terms::atoms;
use crate::terms::value::{list, uint};

/// An IP tuple.
fn decode_ip(term: Term) -> Option<IpAddr> {
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
pub(crate) fn decode(term: Term) -> Option<SocketAddr> {
    let parts = get_tuple(term).ok()?;
    match parts[..] {
        [addr, port] => Some(SocketAddr::new(decode_ip(addr)?, uint(port)?)),
        [addr, port, flowinfo, scope] => match decode_ip(addr)? {
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
pub(crate) fn decode_all(term: Term) -> Option<Vec<SocketAddr>> {
    list(term, 255, decode).ok()
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
        Err(_) => decode(term),
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
        Err(_) => decode_ip(addr).filter(|ip| ip.is_ipv4() == (family == Family::Inet))?,
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

/// `{IP, Port}`.
pub(crate) fn encode<'a>(env: Env<'a>, address: SocketAddr) -> Term<'a> {
    ip_port(env, Some(address)).encode(env)
}

/// A list of them.
pub(crate) fn encode_all(env: Env, addresses: Vec<SocketAddr>) -> Vec<Term> {
    addresses.into_iter().map(|address| encode(env, address)).collect()
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
pub(crate) fn raw<'a>(env: Env<'a>, address: Option<SocketAddr>) -> Term<'a> {
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
