//! The state of an association and of the paths to its peer, as the kernel's structs say it.
//!
//! Times are in milliseconds: some of the kernel's are in ticks of its clock ([`Tick`]).

use std::net::SocketAddr;

use crate::abi::{PATH_POTENTIALLY_FAILED, assoc_stats, paddrinfo, status};
use crate::address;
use crate::bytes::{i32_at, u16_at, u32_at, u64_at};
use crate::types::AssocId;

/// The counters of an association: the names of `struct sctp_assoc_stats` without `sas_`, and where
/// they are.
pub const COUNTERS: &[(&str, usize)] = &[
    ("isacks", 144),
    ("osacks", 152),
    ("opackets", 160),
    ("ipackets", 168),
    ("rtxchunks", 176),
    ("outofseqtsns", 184),
    ("idupchunks", 192),
    ("gapcnt", 200),
    ("ouodchunks", 208),
    ("iuodchunks", 216),
    ("oodchunks", 224),
    ("iodchunks", 232),
    ("octrlchunks", 240),
    ("ictrlchunks", 248),
];

/// The tick of the kernel's clock (a jiffy), in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Tick(pub u64);

impl Tick {
    /// So many ticks in milliseconds, rounded.
    pub fn millis(self, ticks: u64) -> u64 {
        const MILLI: u64 = 1_000_000;
        ticks.saturating_mul(self.0).saturating_add(MILLI / 2) / MILLI
    }
}

/// An association (`struct sctp_status`).
#[derive(Clone, Debug)]
pub struct Status {
    /// Its id.
    pub assoc: AssocId,
    /// `enum sctp_sstat_state`.
    pub state: i32,
    /// The peer's receive window, in bytes.
    pub rwnd: u32,
    /// DATA chunks that are not acknowledged.
    pub unackdata: u16,
    /// DATA chunks that have not come, while later ones have.
    pub penddata: u16,
    /// Streams from the peer.
    pub instrms: u16,
    /// Streams to the peer.
    pub outstrms: u16,
    /// The largest message that is sent in one piece, in bytes.
    pub fragmentation_point: u32,
    /// The path that data is sent on.
    pub primary: Path,
}

/// The path to an address of a peer (`struct sctp_paddrinfo`).
#[derive(Clone, Debug)]
pub struct Path {
    /// The peer's address.
    pub address: Option<SocketAddr>,
    /// `enum sctp_spinfo_state`.
    pub state: i32,
    /// None where the kernel does not tell, as it is not to say that the path is potentially failed.
    pub figures: Option<Figures>,
    /// Whether data is sent on this one.
    pub primary: bool,
}

/// What is measured of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Congestion window, in bytes.
    pub cwnd: u32,
    /// Smoothed round trip time, in milliseconds.
    pub srtt: u64,
    /// Retransmission timeout, in milliseconds.
    pub rto: u32,
    /// Path MTU, in bytes.
    pub mtu: u32,
}

/// The counters of an association (`struct sctp_assoc_stats`).
#[derive(Clone, Debug)]
pub struct AssocStats {
    /// The largest retransmission timeout since the last time that somebody asked, in milliseconds.
    pub max_rto: u64,
    /// The peer's address that it was of.
    pub max_rto_address: Option<SocketAddr>,
    /// In the order of [`COUNTERS`].
    pub counters: Vec<u64>,
}

impl Status {
    /// `None` if the bytes are too few.
    pub fn decode(bytes: &[u8], tick: Tick) -> Option<Status> {
        Some(Status {
            assoc: AssocId(i32_at(bytes, status::ASSOC_ID)?),
            state: i32_at(bytes, status::STATE)?,
            rwnd: u32_at(bytes, status::RWND)?,
            unackdata: u16_at(bytes, status::UNACKDATA)?,
            penddata: u16_at(bytes, status::PENDDATA)?,
            instrms: u16_at(bytes, status::INSTRMS)?,
            outstrms: u16_at(bytes, status::OUTSTRMS)?,
            fragmentation_point: u32_at(bytes, status::FRAGMENTATION_POINT)?,
            primary: Path { primary: true, ..Path::decode(bytes.get(status::PRIMARY..)?, tick)? },
        })
    }
}

impl Path {
    /// `None` if the bytes are too few. Whether it is the primary one they do not say.
    pub fn decode(bytes: &[u8], tick: Tick) -> Option<Path> {
        Some(Path {
            address: address::get_storage(bytes, paddrinfo::ADDRESS),
            state: i32_at(bytes, paddrinfo::STATE)?,
            figures: Some(Figures {
                cwnd: u32_at(bytes, paddrinfo::CWND)?,
                srtt: tick.millis(u32_at(bytes, paddrinfo::SRTT)?.into()),
                rto: u32_at(bytes, paddrinfo::RTO)?,
                mtu: u32_at(bytes, paddrinfo::MTU)?,
            }),
            primary: false,
        })
    }

    /// One of which the kernel only says that it is potentially failed.
    pub fn unexposed(address: SocketAddr) -> Path {
        let (address, state) = (Some(address), PATH_POTENTIALLY_FAILED);
        Path { address, state, figures: None, primary: false }
    }
}

impl AssocStats {
    /// `None` if the bytes are too few.
    pub fn decode(bytes: &[u8], tick: Tick) -> Option<AssocStats> {
        Some(AssocStats {
            max_rto: tick.millis(u64_at(bytes, assoc_stats::MAXRTO)?),
            max_rto_address: address::get_storage(bytes, assoc_stats::OBS_RTO_IPADDR),
            counters: COUNTERS
                .iter()
                .map(|(_, offset)| u64_at(bytes, *offset))
                .collect::<Option<_>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::{put_i32, put_u16, put_u32};

    #[test]
    fn ticks() {
        // (nanoseconds of a tick, ticks) -> milliseconds
        for (tick, ticks, millis) in [
            (4_000_000, 25, 100),
            (1_000_000, 7, 7),
            (10_000_000, 3, 30),
            // 300 ticks a second.
            (3_333_333, 3, 10),
            (3_333_333, 1, 3),
            (4_000_000, 0, 0),
            (4_000_000, u64::MAX, u64::MAX / 1_000_000),
        ] {
            assert_eq!(Tick(tick).millis(ticks), millis, "{tick} {ticks}");
        }
    }

    #[test]
    fn structs_are_decoded() {
        let addr: SocketAddr = "10.0.0.7:5000".parse().unwrap();
        let mut bytes = vec![0; status::SIZE];
        put_i32(&mut bytes, status::ASSOC_ID, -2);
        put_i32(&mut bytes, status::STATE, 4);
        put_u32(&mut bytes, status::RWND, 1000);
        put_u16(&mut bytes, status::OUTSTRMS, 10);
        address::put_storage(&mut bytes, status::PRIMARY + paddrinfo::ADDRESS, &addr);
        put_i32(&mut bytes, status::PRIMARY + paddrinfo::STATE, 2);
        put_u32(&mut bytes, status::PRIMARY + paddrinfo::SRTT, 25);
        put_u32(&mut bytes, status::PRIMARY + paddrinfo::RTO, 300);
        let found = Status::decode(&bytes, Tick(4_000_000)).unwrap();
        assert_eq!((found.assoc, found.state, found.rwnd), (AssocId(-2), 4, 1000));
        assert_eq!((found.outstrms, found.instrms), (10, 0));
        let path = found.primary;
        assert_eq!((path.address, path.state, path.primary), (Some(addr), 2, true));
        assert_eq!(path.figures, Some(Figures { cwnd: 0, srtt: 100, rto: 300, mtu: 0 }));
    }

    #[test]
    fn too_few_bytes_are_survived() {
        let tick = Tick(1);
        for len in 0..assoc_stats::SIZE {
            let bytes = vec![0xff; len];
            assert_eq!(Status::decode(&bytes, tick).is_some(), len >= status::SIZE);
            assert_eq!(Path::decode(&bytes, tick).is_some(), len >= paddrinfo::SIZE);
            assert!(AssocStats::decode(&bytes, tick).is_none());
        }
        let found = AssocStats::decode(&[0xff; assoc_stats::SIZE], tick).unwrap();
        assert_eq!(found.counters, vec![u64::MAX; COUNTERS.len()]);
        assert_eq!(found.max_rto_address, None);
    }
}
