//! What a seed means: hosts, links, parameters, and what users are inclined to do.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use fastrand::Rng;
use stack::params::{MTU_MAX, MTU_MIN, Params, RtoParams, Style};

use super::network::Link;

pub(crate) const SECOND: u64 = 1_000_000;

#[derive(Debug)]
pub(crate) struct Scenario {
    /// No association and no message may be lost: nothing happens that could be a reason.
    pub(crate) strict: bool,
    /// The network loses and delays nothing either.
    pub(crate) perfect: bool,
    /// Some messages are given up after a while.
    pub(crate) timed: bool,
    pub(crate) hosts: Vec<HostPlan>,
    /// From one host (the first index) to another.
    pub(crate) links: Vec<Vec<Link>>,
    /// How long users and faults do as they like.
    pub(crate) chaos: u64,
    pub(crate) messages: u32,
    pub(crate) bytes: usize,
    /// The largest message.
    pub(crate) largest: usize,
    pub(crate) wishes: Wishes,
    pub(crate) accidents: Accidents,
}

/// Weights of what users do.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wishes {
    pub(crate) send: u32,
    pub(crate) pause: u32,
    pub(crate) connect: u32,
    pub(crate) shutdown: u32,
    pub(crate) abort: u32,
    pub(crate) close: u32,
    pub(crate) peeloff: u32,
    pub(crate) params: u32,
    pub(crate) heartbeat: u32,
    /// Microseconds between two acts, at most.
    pub(crate) every: u64,
    /// Of ten messages, so many are unordered.
    pub(crate) unordered: u32,
}

/// How many of each.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Accidents {
    pub(crate) restarts: u32,
    pub(crate) vanishings: u32,
    pub(crate) cuts: u32,
}

#[derive(Debug)]
pub(crate) struct HostPlan {
    pub(crate) address: IpAddr,
    pub(crate) services: Vec<Service>,
    /// Microseconds that its timers are late.
    pub(crate) lazy: u64,
    pub(crate) udp_port: Option<u16>,
}

/// An endpoint that there is from the start of its host.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) style: Style,
    /// 0: any.
    pub(crate) port: u16,
    pub(crate) listens: bool,
    pub(crate) params: Params,
    /// To whom it connects: host and service.
    pub(crate) targets: Vec<(usize, usize)>,
}

impl HostPlan {
    /// Where the host takes packets for an SCTP port.
    pub(crate) fn udp_port(&self, port: u16) -> u16 {
        self.udp_port.unwrap_or(if port == 0 { 40_000 } else { port })
    }
}

impl Scenario {
    pub(crate) fn new(rng: &mut Rng) -> Scenario {
        let strict = rng.u32(0..4) == 0;
        let perfect = strict && rng.bool();
        let count = if strict && rng.bool() { 2 } else { rng.usize(2..=4) };
        let timed = rng.u32(0..3) == 0;
        let v6 = rng.u32(0..4) == 0;
        let mut hosts: Vec<_> = (0..count).map(|index| host(rng, index, v6, strict)).collect();
        aim(rng, &mut hosts);
        let quality = if perfect { 0 } else { rng.u32(1..=3) };
        let links =
            (0..count).map(|_| (0..count).map(|_| link(rng, quality, strict)).collect()).collect();
        if perfect {
            // A timeout is longer than the longest round trip and the latest SACK together.
            // A window is told in bytes of messages: others wait besides in the buffer.
            for service in hosts.iter_mut().flat_map(|host| &mut host.services) {
                let params = &mut service.params;
                params.rto = RtoParams::default();
                params.receive_buffer = params.receive_buffer.max(65_536);
                params.max_segment = if params.max_segment < 500 { 0 } else { params.max_segment };
            }
        }
        let wild = |rng: &mut Rng, weight: u32| {
            if strict || rng.u32(0..3) > 0 { 0 } else { rng.u32(1..=weight) }
        };
        Scenario {
            strict,
            perfect,
            timed,
            hosts,
            links,
            chaos: SECOND * rng.u64(1..=20),
            messages: if rng.u32(0..8) == 0 { rng.u32(200..800) } else { rng.u32(10..150) },
            bytes: if rng.u32(0..8) == 0 { 1_200_000 } else { rng.usize(2_000..250_000) },
            largest: *pick(rng, &[20, 1_000, 3_000, 20_000, 100_000, 300_000]),
            wishes: Wishes {
                send: 100,
                pause: if perfect || rng.bool() { 0 } else { rng.u32(1..=15) },
                connect: rng.u32(1..=10),
                shutdown: if rng.bool() { 0 } else { rng.u32(1..=3) },
                abort: wild(rng, 4),
                close: wild(rng, 4),
                peeloff: if rng.bool() { 0 } else { rng.u32(1..=5) },
                params: if rng.u32(0..3) > 0 { 0 } else { rng.u32(1..=3) },
                heartbeat: if rng.u32(0..3) > 0 { 0 } else { rng.u32(1..=3) },
                every: *pick(rng, &[5_000, 20_000, 200_000, 1_000_000]),
                unordered: *pick(rng, &[0, 0, 1, 3, 10]),
            },
            accidents: Accidents {
                restarts: wild(rng, 3),
                vanishings: wild(rng, 1),
                cuts: wild(rng, 4),
            },
        }
    }
}

pub(crate) fn pick<'a, T>(rng: &mut Rng, of: &'a [T]) -> &'a T {
    &of[rng.usize(0..of.len())]
}

fn host(rng: &mut Rng, index: usize, v6: bool, strict: bool) -> HostPlan {
    let last = u8::try_from(index + 1).expect("few hosts");
    let address = if v6 {
        IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, last.into()))
    } else {
        IpAddr::V4(Ipv4Addr::new(10, 0, 0, last))
    };
    let services = (0..rng.u16(1..=2))
        .map(|number| {
            let style = if rng.u32(0..3) == 0 { Style::OneToOne } else { Style::OneToMany };
            // The first host always has something to connect to.
            let listens = index == 0 || rng.u32(0..3) > 0;
            let port = if listens || rng.bool() { 5_000 + number } else { 0 };
            Service { style, port, listens, params: params(rng, strict), targets: Vec::new() }
        })
        .collect();
    HostPlan {
        address,
        services,
        lazy: if rng.bool() { 0 } else { rng.u64(0..5_000) },
        udp_port: rng.bool().then_some(9_899),
    }
}

/// Who connects to whom.
fn aim(rng: &mut Rng, hosts: &mut [HostPlan]) {
    let listening: Vec<_> = (0..hosts.len())
        .flat_map(|host| (0..hosts[host].services.len()).map(move |service| (host, service)))
        .filter(|(host, service)| hosts[*host].services[*service].listens)
        .collect();
    for (index, host) in hosts.iter_mut().enumerate() {
        for (number, service) in host.services.iter_mut().enumerate() {
            let others = listening.iter().filter(|at| **at != (index, number));
            // Seldom one of the same host: packets to oneself.
            let mut others: Vec<_> =
                others.filter(|(at, _)| *at != index || rng.u32(0..8) == 0).copied().collect();
            if others.is_empty() || (service.listens && service.style == Style::OneToOne) {
                continue;
            }
            rng.shuffle(&mut others);
            let most = if service.style == Style::OneToOne { 1 } else { others.len() };
            let least = usize::from(!service.listens || index == 1);
            others.truncate(rng.usize(least..=most));
            service.targets = others;
        }
    }
}

/// From 0, perfect, to 3, bad.
fn link(rng: &mut Rng, quality: u32, strict: bool) -> Link {
    if quality == 0 {
        return Link::perfect(*pick(rng, &[10, 1_000, 10_000, 50_000]));
    }
    let latency = *pick(rng, &[10, 100, 1_000, 10_000, 50_000, 250_000]);
    let mut link = Link::perfect(latency);
    let at_most = |rng: &mut Rng, most: u32| {
        if rng.bool() { 0 } else { rng.u32(0..=most) * quality / 3 }
    };
    link.jitter = if rng.bool() { 0 } else { rng.u64(0..=latency) };
    if rng.u32(0..3) == 0 {
        link.bandwidth = Some((rng.u64(20_000..2_000_000), rng.u64(50_000..1_000_000)));
    }
    let worst = if strict { 500 } else { *pick(rng, &[100, 1_000, 3_000]) };
    link.loss = at_most(rng, worst);
    link.burst = if rng.bool() || strict { 0 } else { rng.u32(0..8) };
    link.duplicate = at_most(rng, 1_000);
    link.corrupt = at_most(rng, if strict { 200 } else { 1_000 });
    link.reorder = at_most(rng, 2_000);
    link.late = *pick(rng, &[1_000, 20_000, 200_000]);
    if !strict && rng.u32(0..6) == 0 {
        link.late = 5 * SECOND;
    }
    link
}

pub(crate) fn params(rng: &mut Rng, strict: bool) -> Params {
    let ms = Duration::from_millis;
    let mut params = Params::default();
    params.init.outbound_streams = *pick(rng, &[1, 2, 10, 100, 5_000]);
    params.init.inbound_streams = *pick(rng, &[1, 3, 10, 2_048, 65_535]);
    let (initial, min, max) = *pick(
        rng,
        &[
            (1_000, 1_000, 60_000),
            (3_000, 1_000, 60_000),
            (300, 100, 2_000),
            (100, 20, 500),
            (1_000, 10, 10_000),
        ],
    );
    params.rto.initial = ms(initial);
    params.rto.min = ms(min);
    params.rto.max = ms(max);
    // Not too many of them where faults take long to be told.
    let often = if max <= 2_000 { 50 } else { 2_000 };
    params.path.heartbeat_interval =
        *pick(rng, &[None, Some(ms(often)), Some(ms(5_000)), Some(ms(30_000)), Some(ms(30_000))]);
    params.path.mtu =
        *pick(rng, &[MTU_MIN, 576, 1_200, 1_400, 1_472, 1_472, 1_473, 9_000, MTU_MAX]);
    params.sack_delay = *pick(rng, &[ms(0), ms(10), ms(200), ms(200), ms(500)]);
    params.sack_frequency = *pick(rng, &[1, 2, 2, 2, 5]);
    params.nodelay = rng.bool();
    params.disable_fragments = rng.u32(0..16) == 0;
    params.max_segment = *pick(rng, &[0, 0, 0, 0, 1, 100, 500, 3_000]);
    if params.max_segment == 1 {
        // A packet for each byte takes long.
        params.max_segment = rng.usize(8..64);
    }
    params.adaptation = rng.bool().then(|| rng.u32(..));
    params.receive_buffer = *pick(rng, &[4_096, 8_192, 20_000, 65_536, 212_992, 1 << 20]);
    params.send_buffer = *pick(rng, &[4_096, 8_192, 65_536, 212_992, 1 << 20]);
    params.partial_delivery_point = *pick(rng, &[0, 0, 0, 1, 2_000, 50_000]);
    if !strict {
        params.init.attempts = *pick(rng, &[8, 8, 8, 2, 1]);
        params.init.longest_timeout = *pick(rng, &[ms(60_000), ms(2_000)]);
        params.max_retransmissions = *pick(rng, &[10, 10, 10, 4, 1, 0]);
        params.path.max_retransmissions = *pick(rng, &[5, 5, 2, 0]);
        params.cookie_life = *pick(rng, &[ms(60_000), ms(60_000), ms(60_000), ms(1_000), ms(100)]);
        params.autoclose = *pick(rng, &[None, None, None, None, Some(ms(3_000))]);
    }
    params
}
