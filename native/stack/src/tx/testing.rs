//! A sender with one or two paths, for tests: packets carry 1000 bytes of chunks, so chunks 984 of data.

use std::time::Duration;

use super::{Acked, Outbound, Settings};
use crate::event::SendInfo;
use crate::params::{PathParams, RtoParams};
use crate::path::Path;
use crate::types::{Route, Time, Tsn};
use crate::violation::Violation;
use crate::wire::{Data, Gap, Skipped};

/// The first TSN.
pub(super) const FIRST: u32 = 100;

pub(super) const MTU: usize = 1012;

/// A chunk that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    /// How many TSNs it is after the first.
    pub(super) tsn: u32,
    pub(super) ssn: u16,
    pub(super) len: usize,
    pub(super) beginning: bool,
    pub(super) end: bool,
    pub(super) immediate: bool,
}

pub(super) struct Sender {
    pub(super) now: Time,
    pub(super) tx: Outbound,
    pub(super) paths: Vec<Path>,
}

pub(super) fn settings() -> Settings {
    Settings { nodelay: true, disable_fragments: false, max_segment: 0, send_buffer: 1_000_000 }
}

pub(super) fn path() -> Path {
    let address = "192.0.2.1:9899".parse().unwrap();
    let route = Route { local: address, remote: address };
    let params = PathParams { mtu: MTU, ..PathParams::default() };
    Path::new(route, &params, &RtoParams::default(), true)
}

impl Sender {
    /// One whose association is up, and whose peer has this window.
    pub(super) fn new(window: u32) -> Sender {
        Sender::with(settings(), window, true)
    }

    pub(super) fn with(settings: Settings, window: u32, forward_tsn: bool) -> Sender {
        let mut tx = Outbound::new(settings, Tsn(FIRST), 10, MTU);
        tx.establish(window, 10, forward_tsn);
        Sender { now: Time(0), tx, paths: vec![path()] }
    }

    pub(super) fn wait(&mut self, millis: u64) {
        self.now = self.now + Duration::from_millis(millis);
    }

    /// Pushes an ordered message of so many bytes on stream 0.
    pub(super) fn push(&mut self, len: usize) {
        self.push_with(SendInfo::default(), len);
    }

    pub(super) fn push_with(&mut self, info: SendInfo, len: usize) {
        self.tx.push(self.now, info, &vec![7; len]).unwrap();
    }

    /// One that is given up after so many ms.
    pub(super) fn push_mortal(&mut self, stream: u16, len: usize, millis: u64) {
        let lifetime = Some(Duration::from_millis(millis));
        self.push_with(SendInfo { stream, lifetime, ..SendInfo::default() }, len);
    }

    /// The packets that go out now.
    pub(super) fn packets(&mut self) -> Vec<Vec<Sent>> {
        let mut packets = Vec::new();
        loop {
            let packet = self.packet(0);
            if packet.is_empty() {
                return packets;
            }
            packets.push(packet);
        }
    }

    /// One packet on a path.
    pub(super) fn packet(&mut self, on: usize) -> Vec<Sent> {
        let mut packet = Vec::new();
        let mut put = |data: &Data<'_>| {
            packet.push(Sent {
                tsn: data.tsn.0.wrapping_sub(FIRST),
                ssn: data.ssn.0,
                len: data.payload.len(),
                beginning: data.beginning,
                end: data.end,
                immediate: data.immediate,
            });
        };
        self.tx.produce(self.now, &mut self.paths, on, MTU - 12, true, &mut put);
        packet
    }

    /// The TSNs of the chunks of each packet that goes out now, after the first.
    pub(super) fn tsns(&mut self) -> Vec<Vec<u32>> {
        let packets = self.packets();
        packets.iter().map(|packet| packet.iter().map(|sent| sent.tsn).collect()).collect()
    }

    /// A SACK: how many have come in a row, and gaps as TSNs after the first; with a wide window.
    pub(super) fn sack(&mut self, came: u32, gaps: &[(u32, u32)]) -> Acked {
        self.sack_with(came, 1_000_000, gaps).unwrap()
    }

    pub(super) fn sack_with(
        &mut self,
        came: u32,
        window: u32,
        gaps: &[(u32, u32)],
    ) -> Result<Acked, Violation> {
        let offset = |tsn: u32| u16::try_from(tsn + 1 - came).unwrap();
        let gaps = gaps.iter().map(|(from, to)| Gap { start: offset(*from), end: offset(*to) });
        let cumulative = Tsn(FIRST.wrapping_add(came).wrapping_sub(1));
        self.tx.sack(self.now, &mut self.paths, cumulative, window, gaps)
    }

    /// Sends and acknowledges chunk by chunk until the congestion window is so large, or all that
    /// there is was sent. How many chunks were; all are acknowledged.
    pub(super) fn warm_up(&mut self, cwnd: usize) -> u32 {
        let (mut came, mut sent) = (0, 0);
        loop {
            sent += self.packets().concat().len() as u32;
            if came == sent || self.paths[0].cwnd() >= cwnd {
                self.sack(sent, &[]);
                return sent;
            }
            came += 1;
            self.sack(came, &[]);
        }
    }

    /// Waits for T3-rtx, which expires. What it says.
    pub(super) fn expire(&mut self) -> bool {
        self.now = self.paths[0].timeout().expect("T3-rtx runs");
        assert!(self.paths[0].t3_is_due(self.now));
        self.tx.t3_expired(self.now, &mut self.paths, 0)
    }

    /// The FORWARD TSN that goes out now: how many TSNs it passes, and stream and number of messages.
    pub(super) fn forward(&mut self) -> Option<(u32, Vec<(u16, u16)>)> {
        let (cumulative, skipped) = self.tx.take_forward(self.now, &mut self.paths, 0, 100)?;
        let skipped = skipped.iter().map(|Skipped { stream, ssn }| (*stream, ssn.0)).collect();
        Some((cumulative.0.wrapping_sub(FIRST) + 1, skipped))
    }

    /// Sent or not, length: of what has failed.
    pub(super) fn failed(&mut self) -> Vec<(bool, usize)> {
        let failed = std::iter::from_fn(|| self.tx.take_failed());
        failed.map(|failed| (failed.sent, failed.bytes.len())).collect()
    }
}
