//! The state cookie: all that an association needs to begin, kept by the peer instead of by us, so
//! that an INIT costs no memory (RFC 9260, section 5.1.3).
//!
//! It is signed with HMAC-SHA-256 (RFC 2104) under a secret that only this stack knows. A secret
//! signs for a minute, and is known until the next one has signed for as long and all that it has
//! signed is too old.

use std::net::{IpAddr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::bytes::Reader;
use crate::types::{Route, Time, Tsn};

/// The first byte of a cookie. Change it with what follows, so that a node that is upgraded in
/// between does not read its old cookies wrongly.
const VERSION: u8 = 1;

/// For how long a secret signs.
const TERM: Duration = Duration::from_secs(60);

/// Bytes of a signature.
const SIGNATURE: usize = 32;

/// What is in a cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cookie {
    /// Our SCTP port.
    pub local_port: u16,
    /// The peer's SCTP port.
    pub peer_port: u16,
    /// Between which addresses and UDP ports the INIT came. The flow information of IPv6, which is
    /// no part of an address, comes back as 0.
    pub route: Route,
    /// Addresses that the peer has listed; at most 255.
    pub addresses: Vec<IpAddr>,
    /// Our verification tag: in packets to us.
    pub local_tag: u32,
    /// The peer's verification tag: in packets to the peer.
    pub peer_tag: u32,
    /// Our first TSN.
    pub local_tsn: Tsn,
    /// The peer's first TSN.
    pub peer_tsn: Tsn,
    /// The peer's window, in bytes (a_rwnd of its INIT).
    pub peer_window: u32,
    /// Streams out.
    pub outbound: u16,
    /// Streams in.
    pub inbound: u16,
    /// The tie-tags of an association that was there when the INIT came (section 5.2.2).
    pub tie_tags: Option<TieTags>,
    /// The peer understands FORWARD TSN.
    pub forward_tsn: bool,
    /// The peer's adaptation layer indication.
    pub adaptation: Option<u32>,
    /// When it was made.
    pub made: Time,
    /// For how long it is valid; whole microseconds.
    pub life: Duration,
}

/// Random numbers that stand for the tags of an association that is there already: 64 bits to know it
/// by (section 1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TieTags {
    /// For ours.
    pub local: u32,
    /// For the peer's.
    pub peer: u32,
}

/// What came in COOKIE ECHO. Whether its ports, tag and route are those of the packet is for the
/// caller to see (section 5.1.5, step 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// Made here, and not too old.
    Fresh(Cookie),
    /// Made here, and too old: it makes no association (5.1.5, step 4), but where its tags are those
    /// of an association that is there, it is as good as a fresh one (5.2.4, step 3).
    Stale {
        /// By how much: the measure of staleness.
        by: Duration,
        /// The contents.
        cookie: Cookie,
    },
    /// Not made here, changed, or so old that its secret is gone: to be dropped without an answer
    /// (5.1.5, step 2).
    Forged,
}

/// The secrets that sign cookies.
pub struct Secrets {
    current: Secret,
    previous: Option<Secret>,
}

struct Secret {
    /// Which has taken its key and no message yet.
    hmac: Hmac<Sha256>,
    /// Since when it signs.
    since: Time,
    /// When the last cookie that it has signed gets stale.
    until: Time,
}

impl Secrets {
    /// The first secret; `fill` fills with random bytes.
    pub fn new(now: Time, fill: impl FnOnce(&mut [u8])) -> Secrets {
        Secrets { current: Secret::new(now, fill), previous: None }
    }

    /// A cookie's bytes. Takes a new secret before, if it is time.
    pub fn seal(&mut self, now: Time, cookie: &Cookie, fill: impl FnOnce(&mut [u8])) -> Vec<u8> {
        let needed = self.previous.as_ref().is_some_and(|secret| now < secret.until);
        if now >= self.current.since + TERM && !needed {
            let current = Secret::new(now, fill);
            self.previous = Some(std::mem::replace(&mut self.current, current));
        }
        self.current.until = self.current.until.max(cookie.made + cookie.life);
        let mut bytes = cookie.encode();
        let signature = self.current.hmac.clone().chain_update(&bytes).finalize();
        bytes.extend(signature.into_bytes());
        bytes
    }

    /// The contents of what came in COOKIE ECHO.
    pub fn open(&self, now: Time, bytes: &[u8]) -> Opened {
        let Some(cookie) = self.verified(bytes).and_then(Cookie::decode) else {
            return Opened::Forged;
        };
        let end = cookie.made + cookie.life;
        if now > end { Opened::Stale { by: now - end, cookie } } else { Opened::Fresh(cookie) }
    }

    /// What comes before the signature, if that is right.
    fn verified<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let (contents, signature) = bytes.split_last_chunk::<SIGNATURE>()?;
        let mut secrets = std::iter::once(&self.current).chain(&self.previous);
        secrets.any(|secret| secret.has_signed(contents, signature)).then_some(contents)
    }
}

impl Secret {
    fn new(now: Time, fill: impl FnOnce(&mut [u8])) -> Secret {
        let mut key = [0; 32];
        fill(&mut key);
        let hmac = KeyInit::new_from_slice(&key).expect("a key may have any length");
        Secret { hmac, since: now, until: now }
    }

    /// Takes as long whichever byte is wrong.
    fn has_signed(&self, contents: &[u8], signature: &[u8; SIGNATURE]) -> bool {
        self.hmac.clone().chain_update(contents).verify(signature.into()).is_ok()
    }
}

const TIE_TAGS: u8 = 1;
const FORWARD_TSN: u8 = 2;
const ADAPTATION: u8 = 4;
const ADDRESSES: u8 = 8;

impl Cookie {
    fn encode(&self) -> Vec<u8> {
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        let flags = flag(self.tie_tags.is_some(), TIE_TAGS)
            | flag(self.forward_tsn, FORWARD_TSN)
            | flag(self.adaptation.is_some(), ADAPTATION)
            | flag(!self.addresses.is_empty(), ADDRESSES);
        let mut to = Vec::with_capacity(160);
        to.extend([VERSION, flags]);
        to.extend(self.local_port.to_be_bytes());
        to.extend(self.peer_port.to_be_bytes());
        encode_address(&mut to, self.route.local);
        encode_address(&mut to, self.route.remote);
        to.extend(self.local_tag.to_be_bytes());
        to.extend(self.peer_tag.to_be_bytes());
        to.extend(self.local_tsn.0.to_be_bytes());
        to.extend(self.peer_tsn.0.to_be_bytes());
        to.extend(self.peer_window.to_be_bytes());
        to.extend(self.outbound.to_be_bytes());
        to.extend(self.inbound.to_be_bytes());
        to.extend(self.made.0.to_be_bytes());
        to.extend(u64::try_from(self.life.as_micros()).unwrap_or(u64::MAX).to_be_bytes());
        if let Some(tags) = self.tie_tags {
            to.extend(tags.local.to_be_bytes());
            to.extend(tags.peer.to_be_bytes());
        }
        if let Some(adaptation) = self.adaptation {
            to.extend(adaptation.to_be_bytes());
        }
        let count = u8::try_from(self.addresses.len()).unwrap_or(u8::MAX);
        if count > 0 {
            to.push(count);
        }
        for address in self.addresses.iter().take(count.into()) {
            encode_ip(&mut to, *address);
        }
        to
    }

    /// None only for cookies of another version: others have been signed as they are here.
    fn decode(bytes: &[u8]) -> Option<Cookie> {
        let mut fields = Reader::new(bytes);
        let (version, flags) = (fields.u8()?, fields.u8()?);
        if version != VERSION {
            return None;
        }
        let cookie = Cookie {
            local_port: fields.u16()?,
            peer_port: fields.u16()?,
            route: Route {
                local: decode_address(&mut fields)?,
                remote: decode_address(&mut fields)?,
            },
            local_tag: fields.u32()?,
            peer_tag: fields.u32()?,
            local_tsn: Tsn(fields.u32()?),
            peer_tsn: Tsn(fields.u32()?),
            peer_window: fields.u32()?,
            outbound: fields.u16()?,
            inbound: fields.u16()?,
            made: Time(fields.u64()?),
            life: Duration::from_micros(fields.u64()?),
            tie_tags: match flags & TIE_TAGS {
                0 => None,
                _ => Some(TieTags { local: fields.u32()?, peer: fields.u32()? }),
            },
            forward_tsn: flags & FORWARD_TSN != 0,
            adaptation: match flags & ADAPTATION {
                0 => None,
                _ => Some(fields.u32()?),
            },
            addresses: match flags & ADDRESSES {
                0 => Vec::new(),
                _ => (0..fields.u8()?).map(|_| decode_ip(&mut fields)).collect::<Option<_>>()?,
            },
        };
        fields.end(cookie)
    }
}

fn encode_address(to: &mut Vec<u8>, address: SocketAddr) {
    encode_ip(to, address.ip());
    if let SocketAddr::V6(address) = address {
        to.extend(address.scope_id().to_be_bytes());
    }
    to.extend(address.port().to_be_bytes());
}

fn decode_address(fields: &mut Reader<'_>) -> Option<SocketAddr> {
    match decode_ip(fields)? {
        IpAddr::V4(ip) => Some(SocketAddrV4::new(ip, fields.u16()?).into()),
        IpAddr::V6(ip) => {
            let scope = fields.u32()?;
            Some(SocketAddrV6::new(ip, fields.u16()?, 0, scope).into())
        }
    }
}

fn encode_ip(to: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(address) => {
            to.push(4);
            to.extend(address.octets());
        }
        IpAddr::V6(address) => {
            to.push(6);
            to.extend(address.octets());
        }
    }
}

fn decode_ip(fields: &mut Reader<'_>) -> Option<IpAddr> {
    match fields.u8()? {
        4 => Some(fields.array::<4>()?.into()),
        6 => Some(fields.array::<16>()?.into()),
        _ => None,
    }
}

#[cfg(test)]
#[path = "cookie_tests.rs"]
mod tests;
