//! Addresses, alone and in lists, and scalars at offsets.

use std::net::SocketAddr;

use proptest::prelude::*;
use sctp::{address, bytes};

use crate::{config, edge, noise};

fn socket_address() -> impl Strategy<Value = SocketAddr> {
    let v4 = any::<(std::net::Ipv4Addr, u16)>().prop_map(SocketAddr::from);
    let v6 = any::<(std::net::Ipv6Addr, u16, u32, u32)>().prop_map(|(ip, port, flow, scope)| {
        SocketAddr::V6(std::net::SocketAddrV6::new(ip, port, flow, scope))
    });
    prop_oneof![v4, v6]
}

/// Noise with a family that may be one of ours.
fn bytes_of_address() -> impl Strategy<Value = Vec<u8>> {
    let family = prop_oneof![
        Just(libc::AF_INET as u16),
        Just(libc::AF_INET6 as u16),
        Just(libc::AF_UNSPEC as u16),
        any::<u16>(),
    ];
    (family, noise(160)).prop_map(|(family, mut bytes)| {
        if bytes.len() >= 2 {
            bytes::put_u16(&mut bytes, 0, family);
        }
        bytes
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn lists_go_and_come(addrs in proptest::collection::vec(socket_address(), 0..300)) {
        let list = address::put_list(&addrs);
        prop_assert_eq!(list.len(), addrs.iter().map(address::size).sum::<usize>());
        prop_assert_eq!(address::get_list(&list, addrs.len() + 1), None);
        for cut in [1, 15, 16, 28].into_iter().filter(|cut| *cut <= list.len()) {
            prop_assert_eq!(address::get_list(&list[..list.len() - cut], addrs.len()), None);
        }
        prop_assert_eq!(address::get_list(&list, addrs.len()), Some(addrs));
    }

    /// The standard library's and the kernel's idea of an address, by way of another crate.
    #[test]
    fn the_layout_is_socket2s(addr in socket_address()) {
        let theirs = socket2::SockAddr::from(addr);
        prop_assert_eq!(theirs.len() as usize, address::size(&addr));
        prop_assert_eq!(theirs.as_socket(), address::get(&address::put_list(&[addr])));
    }

    #[test]
    fn storages_lie_anywhere(addr in socket_address(), before in 0..200_usize, cut in 1..128_usize) {
        let mut out = vec![0xff; before + 128];
        address::put_storage(&mut out, before, &addr);
        prop_assert_eq!(address::get_storage(&out, before), Some(addr));
        prop_assert!(out[..before].iter().all(|byte| *byte == 0xff));
        out.truncate(before + 128 - cut);
        prop_assert_eq!(address::get_storage(&out, before), None);
    }

    #[test]
    fn noise_is_survived(bytes in bytes_of_address(), offset in edge(32), count in edge(6)) {
        let alone = address::get(&bytes);
        address::get_storage(&bytes, offset);
        let list = address::get_list(&bytes, count);
        if let Some(list) = &list {
            prop_assert_eq!(list.len(), count);
            prop_assert!(list.iter().map(address::size).sum::<usize>() <= bytes.len());
            if count > 0 {
                prop_assert_eq!(alone, Some(list[0]));
            }
        }
        // What is read is written as it was, but for what has no meaning.
        if let Some(addr) = alone {
            prop_assert_eq!(address::get(&address::put_list(&[addr])), Some(addr));
        }
    }

    #[test]
    fn scalars_are_there_or_not(bytes in noise(32), offset in edge(24)) {
        let room = bytes.len().saturating_sub(offset);
        prop_assert_eq!(bytes::u8_at(&bytes, offset).is_some(), room >= 1);
        prop_assert_eq!(bytes::u16_at(&bytes, offset).is_some(), room >= 2);
        prop_assert_eq!(
            bytes::u16_be_at(&bytes, offset),
            bytes::u16_at(&bytes, offset).map(u16::to_be)
        );
        prop_assert_eq!(bytes::u32_at(&bytes, offset).is_some(), room >= 4);
        prop_assert_eq!(
            bytes::u32_be_at(&bytes, offset),
            bytes::u32_at(&bytes, offset).map(u32::to_be)
        );
        prop_assert_eq!(
            bytes::i32_at(&bytes, offset),
            bytes::u32_at(&bytes, offset).map(u32::cast_signed)
        );
        prop_assert_eq!(bytes::usize_at(&bytes, offset).is_some(), room >= size_of::<usize>());
    }
}
