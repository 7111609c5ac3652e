//! What carries packets: late, twice, in another order, altered, or not at all.

use fastrand::Rng;
use stack::types::Time;

/// One direction between two hosts. Chances are per 10,000 packets.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    /// Microseconds that each packet takes.
    pub(crate) latency: u64,
    /// Microseconds that it may take besides, without overtaking another.
    pub(crate) jitter: u64,
    /// Bytes a second, and microseconds of them that wait at most.
    pub(crate) bandwidth: Option<(u64, u64)>,
    pub(crate) loss: u32,
    /// When one is lost, so many after it are lost as well, at most.
    pub(crate) burst: u32,
    pub(crate) duplicate: u32,
    pub(crate) corrupt: u32,
    /// The chance to be late, and by how many microseconds at most: others overtake.
    pub(crate) reorder: u32,
    pub(crate) late: u64,
    pub(crate) cut: bool,
    state: State,
}

#[derive(Clone, Debug, Default)]
struct State {
    free_at: u64,
    last_arrival: u64,
    losing: u32,
}

/// A packet on its way.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub(crate) at: Time,
    pub(crate) bytes: Vec<u8>,
    /// As it was sent.
    pub(crate) intact: bool,
}

impl Link {
    /// Carries everything, in order.
    pub(crate) fn perfect(latency: u64) -> Link {
        Link {
            latency,
            jitter: 0,
            bandwidth: None,
            loss: 0,
            burst: 0,
            duplicate: 0,
            corrupt: 0,
            reorder: 0,
            late: 0,
            cut: false,
            state: State::default(),
        }
    }

    /// No more faults; latency and bandwidth stay.
    pub(crate) fn heal(&mut self) {
        *self = Link {
            jitter: self.jitter,
            bandwidth: self.bandwidth.map(|(rate, _)| (rate, u64::MAX)),
            state: State { losing: 0, ..self.state },
            ..Link::perfect(self.latency)
        };
    }

    /// When and how a packet arrives: never, once or more often.
    pub(crate) fn carry(&mut self, now: Time, bytes: Vec<u8>, rng: &mut Rng) -> Vec<Arrival> {
        if self.cut || self.loses(rng) {
            return Vec::new();
        }
        let mut left = now.0;
        if let Some((rate, most)) = self.bandwidth {
            let begin = self.state.free_at.max(now.0);
            if begin - now.0 > most {
                return Vec::new();
            }
            left = begin + (bytes.len() as u64 + 28) * 1_000_000 / rate;
            self.state.free_at = left;
        }
        let copies = if chance(rng, self.duplicate) { 2 } else { 1 };
        let mut arrivals = Vec::new();
        for _ in 0..copies {
            let jitter = if self.jitter > 0 { rng.u64(0..=self.jitter) } else { 0 };
            let mut at = left + self.latency + jitter;
            if chance(rng, self.reorder) {
                at += rng.u64(0..=self.late);
            } else {
                at = at.max(self.state.last_arrival);
                self.state.last_arrival = at;
            }
            let mut bytes = bytes.clone();
            let intact = !chance(rng, self.corrupt) || !alter(&mut bytes, rng);
            arrivals.push(Arrival { at: Time(at), bytes, intact });
        }
        arrivals
    }

    fn loses(&mut self, rng: &mut Rng) -> bool {
        if self.state.losing > 0 {
            self.state.losing -= 1;
            return true;
        }
        let lost = chance(rng, self.loss);
        if lost && self.burst > 0 {
            self.state.losing = rng.u32(0..=self.burst);
        }
        lost
    }
}

pub(crate) fn chance(rng: &mut Rng, of_ten_thousand: u32) -> bool {
    of_ten_thousand > 0 && rng.u32(0..10_000) < of_ten_thousand
}

/// True if the bytes are others now.
fn alter(bytes: &mut Vec<u8>, rng: &mut Rng) -> bool {
    let before = bytes.clone();
    match rng.u32(0..4) {
        0 => {
            let length = rng.usize(0..=bytes.len());
            bytes.truncate(length);
        }
        1 => {
            for _ in 0..rng.usize(1..8) {
                bytes.push(rng.u8(..));
            }
        }
        _ => {
            for _ in 0..rng.usize(1..4) {
                let at = rng.usize(0..bytes.len());
                bytes[at] ^= 1 << rng.u32(0..8);
            }
        }
    }
    *bytes != before
}
