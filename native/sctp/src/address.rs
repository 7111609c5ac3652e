//! Socket addresses as the kernel's `sockaddr_in` and `sockaddr_in6`, alone and in lists.
//!
//! Ports are numbers in host order on our side and big endian on the kernel's. Flow information and
//! scope ids are passed as they are, as the standard library and stock Erlang do.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use crate::abi::STORAGE_SIZE;
use crate::bytes::{put_u16, put_u16_be, put_u32, u16_at, u16_be_at, u32_at};
use crate::types::Family;

/// `sizeof(struct sockaddr_in)`.
pub const INET_SIZE: usize = 16;
/// `sizeof(struct sockaddr_in6)`.
pub const INET6_SIZE: usize = 28;

const AF_INET: u16 = libc::AF_INET as u16;
const AF_INET6: u16 = libc::AF_INET6 as u16;

/// The wildcard address of a family, port 0.
pub const fn any(family: Family) -> SocketAddr {
    match family {
        Family::Inet => SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
        Family::Inet6 => SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0),
    }
}

/// Bytes `addr` takes as a `sockaddr`.
pub const fn size(addr: &SocketAddr) -> usize {
    match addr {
        SocketAddr::V4(_) => INET_SIZE,
        SocketAddr::V6(_) => INET6_SIZE,
    }
}

/// Writes `addr` to the start of `out` and gives the number of bytes written; bytes after them are
/// left alone. Panics if `out` is shorter than [`size`].
pub fn put(out: &mut [u8], addr: &SocketAddr) -> usize {
    let size = size(addr);
    out[..size].fill(0);
    match addr {
        SocketAddr::V4(addr) => {
            put_u16(out, 0, AF_INET);
            put_u16_be(out, 2, addr.port());
            out[4..8].copy_from_slice(&addr.ip().octets());
        }
        SocketAddr::V6(addr) => {
            put_u16(out, 0, AF_INET6);
            put_u16_be(out, 2, addr.port());
            put_u32(out, 4, addr.flowinfo());
            out[8..24].copy_from_slice(&addr.ip().octets());
            put_u32(out, 24, addr.scope_id());
        }
    }
    size
}

/// Writes `addr` as a `struct sockaddr_storage` at `offset`, its unused bytes zero. Panics if there
/// is no room for 128 bytes.
pub fn put_storage(out: &mut [u8], offset: usize, addr: &SocketAddr) {
    let storage = &mut out[offset..offset + STORAGE_SIZE];
    storage.fill(0);
    put(storage, addr);
}

/// The address at the start of `bytes`; `None` for another family (`AF_UNSPEC` means there is no
/// address) and for too few bytes.
pub fn get(bytes: &[u8]) -> Option<SocketAddr> {
    match u16_at(bytes, 0)? {
        AF_INET => {
            let bytes = bytes.get(..INET_SIZE)?;
            let ip: [u8; 4] = *bytes[4..].first_chunk()?;
            Some(SocketAddr::V4(SocketAddrV4::new(ip.into(), u16_be_at(bytes, 2)?)))
        }
        AF_INET6 => {
            let bytes = bytes.get(..INET6_SIZE)?;
            let ip: [u8; 16] = *bytes[8..].first_chunk()?;
            Some(SocketAddr::V6(SocketAddrV6::new(
                ip.into(),
                u16_be_at(bytes, 2)?,
                u32_at(bytes, 4)?,
                u32_at(bytes, 24)?,
            )))
        }
        _ => None,
    }
}

/// The address in the `struct sockaddr_storage` at `offset`; `None` as with [`get`].
pub fn get_storage(bytes: &[u8], offset: usize) -> Option<SocketAddr> {
    get(bytes.get(offset..)?.get(..STORAGE_SIZE)?)
}

/// Addresses back to back without padding, as the kernel takes them.
pub fn put_list(addrs: &[SocketAddr]) -> Vec<u8> {
    let mut out = vec![0; addrs.iter().map(size).sum()];
    let mut used = 0;
    for addr in addrs {
        used += put(&mut out[used..], addr);
    }
    out
}

/// Reads `count` addresses that lie back to back; `None` if they are not all there.
pub fn get_list(mut bytes: &[u8], count: usize) -> Option<Vec<SocketAddr>> {
    let mut addrs = Vec::new();
    for _ in 0..count {
        let addr = get(bytes)?;
        bytes = &bytes[size(&addr)..];
        addrs.push(addr);
    }
    Some(addrs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Prng;

    const V4: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::new(10, 1, 2, 3), 0x1234));
    const V6: SocketAddr = SocketAddr::V6(SocketAddrV6::new(
        Ipv6Addr::new(0xfe80, 0, 0, 0, 1, 2, 3, 4),
        0x5678,
        0x000a_bcde,
        7,
    ));

    #[test]
    fn inet_layout() {
        let mut out = [0xff; 20];
        assert_eq!(put(&mut out, &V4), 16);
        assert_eq!(out[0..2], AF_INET.to_ne_bytes());
        assert_eq!(out[2..16], [0x12, 0x34, 10, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(out[16..], [0xff; 4]);
        assert_eq!(get(&out), Some(V4));
        assert_eq!(get(&out[..15]), None);
    }

    #[test]
    fn inet6_layout() {
        let mut out = [0xff; 28];
        assert_eq!(put(&mut out, &V6), 28);
        assert_eq!(out[0..2], AF_INET6.to_ne_bytes());
        assert_eq!(out[2..4], [0x56, 0x78]);
        assert_eq!(out[4..8], 0x000a_bcdeu32.to_ne_bytes());
        assert_eq!(out[8..10], [0xfe, 0x80]);
        assert_eq!(out[24..], 7u32.to_ne_bytes());
        assert_eq!(get(&out), Some(V6));
        assert_eq!(get(&out[..27]), None);
    }

    #[test]
    fn storage_is_cleared() {
        let mut out = [0xff; 132];
        put_storage(&mut out, 2, &V4);
        assert_eq!(get_storage(&out, 2), Some(V4));
        assert_eq!(out[18..130], [0; 112]);
        assert_eq!((out[1], out[130]), (0xff, 0xff));
        assert_eq!(get_storage(&out, 5), None, "no room for a whole storage");
        assert_eq!(get_storage(&[0; 128], 0), None, "AF_UNSPEC");
    }

    #[test]
    fn lists() {
        let bytes = put_list(&[V4, V6, V4]);
        assert_eq!(bytes.len(), 60);
        assert_eq!(get_list(&bytes, 3), Some(vec![V4, V6, V4]));
        assert_eq!(get_list(&bytes, 2), Some(vec![V4, V6]));
        assert_eq!(get_list(&bytes, 4), None);
        assert_eq!(get_list(&[], 0), Some(vec![]));
    }

    #[test]
    fn any_bytes_are_survived() {
        let mut prng = Prng::new(1);
        let mut found = 0;
        for _ in 0..20_000 {
            let mut bytes = prng.bytes(64);
            if let Some(first) = bytes.first_mut() {
                *first = [AF_INET as u8, AF_INET6 as u8, *first][prng.below(3)];
            }
            if let Some(second) = bytes.get_mut(1) {
                *second = 0;
            }
            found += get_list(&bytes, prng.below(5)).is_some_and(|l| !l.is_empty()) as u32;
        }
        assert!(found > 100, "the loop must reach the decoder: {found}");
    }
}
