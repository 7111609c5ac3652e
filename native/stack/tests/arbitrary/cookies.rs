//! The state cookie.

use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::time::Duration;

use proptest::prelude::*;
use stack::cookie::{Cookie, Opened, Secrets, TieTags};
use stack::types::{Route, Time, Tsn};

use crate::mutate::mutate;
use crate::source::Source;
use crate::{config, decisions, feed};

fn ip(source: &mut Source<'_>) -> IpAddr {
    match source.bool() {
        true => source.array::<4>().into(),
        false => source.array::<16>().into(),
    }
}

fn address(source: &mut Source<'_>) -> SocketAddr {
    match ip(source) {
        IpAddr::V4(ip) => (ip, source.u16()).into(),
        IpAddr::V6(ip) => SocketAddrV6::new(ip, source.u16(), 0, source.u32()).into(),
    }
}

fn cookie(source: &mut Source<'_>) -> Cookie {
    Cookie {
        local_port: source.u16(),
        peer_port: source.u16(),
        route: Route { local: address(source), remote: address(source) },
        addresses: (0..source.below(4)).map(|_| ip(source)).collect(),
        local_tag: source.u32(),
        peer_tag: source.u32(),
        local_tsn: Tsn(source.u32()),
        peer_tsn: Tsn(source.u32()),
        peer_window: source.u32(),
        outbound: source.u16(),
        inbound: source.u16(),
        tie_tags: source.bool().then(|| TieTags { local: source.u32(), peer: source.u32() }),
        forward_tsn: source.bool(),
        adaptation: source.bool().then(|| source.u32()),
        made: Time(source.u64()),
        life: Duration::from_micros(source.u64()),
    }
}

fn secrets() -> Secrets {
    Secrets::new(Time(0), |key| key.copy_from_slice(b"a secret that nobody could guess"))
}

/// A cookie that was made opens at any time, as what it was; a changed one does not.
fn case(source: &mut Source<'_>) {
    let mut secrets = secrets();
    let (cookie, now) = (cookie(source), Time(source.u64()));
    let mut bytes = secrets.seal(Time(0), &cookie, |_| panic!("no new secret in the first minute"));
    match secrets.open(now, &bytes) {
        Opened::Fresh(opened) => {
            assert_eq!(opened, cookie);
            assert!(now <= cookie.made + cookie.life);
        }
        Opened::Stale { by, cookie: opened } => {
            assert_eq!(opened, cookie);
            assert_eq!(cookie.made + cookie.life + by, now);
            assert!(by > Duration::ZERO);
        }
        Opened::Forged => panic!("{cookie:?}"),
    }
    let before = bytes.clone();
    mutate(source, &mut bytes, 0);
    if bytes != before {
        assert_eq!(secrets.open(now, &bytes), Opened::Forged);
    }
    assert_eq!(secrets.open(now, source.0), Opened::Forged);
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_cookie_opens_only_as_it_was_sealed(bytes in decisions()) {
        case(&mut Source(&bytes));
    }

    #[test]
    fn no_other_bytes_are_a_cookie(bytes in decisions(), now in any::<u64>()) {
        prop_assert_eq!(secrets().open(Time(now), &bytes), Opened::Forged);
    }
}

#[test]
fn many_cookies() {
    feed(|bytes| case(&mut Source(bytes)));
}
