use super::*;

const NOW: Time = Time(1_000_000_000);
const LIFE: Duration = Duration::from_secs(60);

fn cookie(made: Time) -> Cookie {
    Cookie {
        local_port: 2905,
        peer_port: 2944,
        route: Route {
            local: "127.0.0.1:9899".parse().unwrap(),
            remote: "10.66.0.1:29899".parse().unwrap(),
        },
        addresses: Vec::new(),
        local_tag: 0x1111_1111,
        peer_tag: 0x2222_2222,
        local_tsn: Tsn(0x3333_3333),
        peer_tsn: Tsn(0x4444_4444),
        peer_window: 106_496,
        outbound: 10,
        inbound: 65535,
        tie_tags: None,
        forward_tsn: true,
        adaptation: None,
        made,
        life: LIFE,
    }
}

/// Different each time, and never random here.
fn fill(byte: u8) -> impl FnOnce(&mut [u8]) {
    move |key| key.fill(byte)
}

/// For when no new secret may be taken.
fn never(_: &mut [u8]) {
    panic!("it is too early for a new secret");
}

fn secrets() -> Secrets {
    Secrets::new(NOW, fill(1))
}

#[test]
fn opens_what_it_has_sealed() {
    let mut secrets = secrets();
    for tie_tags in [None, Some(TieTags { local: 5, peer: 6 })] {
        for forward_tsn in [false, true] {
            for adaptation in [None, Some(7)] {
                for address in ["1.2.3.4:5", "[fe80::1%3]:65535", "[fd66::1]:9899"] {
                    let address = address.parse().unwrap();
                    let route = Route { local: address, ..cookie(NOW).route };
                    let route = Route { remote: route.local, local: route.remote };
                    let cookie = Cookie { tie_tags, forward_tsn, adaptation, route, ..cookie(NOW) };
                    let bytes = secrets.seal(NOW, &cookie, never);
                    assert_eq!(secrets.open(NOW, &bytes), Opened::Fresh(cookie));
                }
            }
        }
    }
}

#[test]
fn keeps_the_addresses_that_the_peer_has_listed() {
    let mut secrets = secrets();
    let addresses = ["1.2.3.4", "fd66::1", "5.6.7.8"].map(|ip| ip.parse().unwrap()).to_vec();
    let cookie = Cookie { addresses, ..cookie(NOW) };
    let bytes = secrets.seal(NOW, &cookie, never);
    assert_eq!(secrets.open(NOW, &bytes), Opened::Fresh(cookie));
}

/// Its layout, and a signature that another implementation has made of it (Python's hmac).
#[test]
fn a_cookie_in_bytes() {
    let bytes = secrets().seal(NOW, &cookie(NOW), never);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        hex,
        concat!(
            "0102",
            "0b590b80",
            "047f00000126ab",
            "040a42000174cb",
            "1111111122222222",
            "3333333344444444",
            "0001a000",
            "000affff",
            "000000003b9aca00",
            "0000000003938700",
            "c42c164eb14128ac82436ad4bb0999a15466d32c993111117304e0295e8653f9"
        )
    );
}

#[test]
fn every_changed_bit_is_forgery() {
    let mut secrets = secrets();
    let mut bytes = secrets.seal(NOW, &cookie(NOW), never);
    for bit in 0..bytes.len() * 8 {
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(secrets.open(NOW, &bytes), Opened::Forged, "bit {bit}");
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    for length in 0..bytes.len() {
        assert_eq!(secrets.open(NOW, &bytes[..length]), Opened::Forged);
    }
    bytes.push(0);
    assert_eq!(secrets.open(NOW, &bytes), Opened::Forged);
}

#[test]
fn another_stack_has_other_secrets() {
    let bytes = secrets().seal(NOW, &cookie(NOW), never);
    assert_eq!(Secrets::new(NOW, fill(2)).open(NOW, &bytes), Opened::Forged);
}

#[test]
fn is_stale_after_its_life() {
    let mut secrets = secrets();
    let cookie = cookie(NOW);
    let mut bytes = secrets.seal(NOW, &cookie, never);
    let end = NOW + LIFE;
    assert_eq!(secrets.open(end, &bytes), Opened::Fresh(cookie.clone()));
    let by = Duration::from_micros(1);
    assert_eq!(secrets.open(end + by, &bytes), Opened::Stale { by, cookie });
    bytes[10] ^= 1;
    assert_eq!(secrets.open(end + by, &bytes), Opened::Forged, "whose it is comes first");
}

#[test]
fn a_secret_signs_for_a_minute_and_is_known_for_another() {
    let mut secrets = secrets();
    let last = NOW + Duration::from_secs(59);
    let old = secrets.seal(last, &cookie(last), never);
    let next = NOW + TERM;
    let new = secrets.seal(next, &cookie(next), fill(2));
    assert_ne!(old[old.len() - SIGNATURE..], new[new.len() - SIGNATURE..]);
    let late = next + Duration::from_secs(59);
    assert_eq!(secrets.open(late, &old), Opened::Fresh(cookie(last)));
    assert_eq!(secrets.open(late, &new), Opened::Fresh(cookie(next)));
    let third = next + TERM;
    secrets.seal(third, &cookie(third), fill(3));
    assert_eq!(secrets.open(third, &old), Opened::Forged, "its secret is gone");
    assert_eq!(secrets.open(third, &new), Opened::Fresh(cookie(next)));
}

#[test]
fn a_secret_is_kept_for_as_long_as_its_cookies_live() {
    let mut secrets = secrets();
    let life = Duration::from_secs(600);
    let long = Cookie { life, ..cookie(NOW) };
    let bytes = secrets.seal(NOW, &long, never);
    let mut now = NOW + TERM;
    secrets.seal(now, &cookie(now), fill(2));
    while now < NOW + life {
        assert_eq!(secrets.open(now, &bytes), Opened::Fresh(long.clone()));
        now = now + TERM;
        secrets.seal(now, &cookie(now), |key| {
            assert!(now >= NOW + life, "it is needed yet");
            key.fill(3);
        });
    }
    assert_eq!(secrets.open(now, &bytes), Opened::Forged);
}

#[test]
fn a_cookie_of_another_version_is_not_read() {
    let secrets = secrets();
    let mut contents = cookie(NOW).encode();
    assert_eq!(Cookie::decode(&contents), Some(cookie(NOW)));
    contents.push(0);
    assert_eq!(Cookie::decode(&contents), None, "longer than this version's");
    contents.pop();
    contents[0] += 1;
    let signature = secrets.current.hmac.clone().chain_update(&contents).finalize();
    contents.extend(signature.into_bytes());
    assert!(secrets.verified(&contents).is_some());
    assert_eq!(secrets.open(NOW, &contents), Opened::Forged);
}

/// An INIT ACK is to be no more than about three times the INIT, headers of UDP and IP included.
#[test]
fn is_short() {
    let mut secrets = secrets();
    let init = 28 + 12 + 20;
    let init_ack = init + 4 + secrets.seal(NOW, &cookie(NOW), never).len();
    assert!(init_ack <= init * 3, "{init_ack} bytes for {init}");
}
