//! A datagram that came: whose it is, and what strangers get (RFC 9260, sections 5.1, 8.4 and 8.5).

use std::net::{IpAddr, SocketAddr};

use crate::assoc::offer::{Offer, Refusal};
use crate::assoc::proposal::{Ports, Proposal};
use crate::assoc::state::Assoc;
use crate::assoc::stateless::{self, Incoming};
use crate::cookie::{Cookie, Opened};
use crate::endpoint::Endpoint;
use crate::params::Style;
use crate::ports::BindingId;
use crate::stack::used::Past;
use crate::stack::{Entry, Stack};
use crate::status::Ready;
use crate::types::{AssocId, EndpointId, Route, Time, at_port};
use crate::wire::{Cause, Chunk, Init, Packet};

impl Stack {
    /// One datagram that came.
    pub fn input(&mut self, now: Time, route: Route, packet: &[u8]) {
        self.set_time(now);
        self.cx.counters.packets_in += 1;
        let length = packet.len();
        // RFC 9260, section 3.1: no port is 0. 8.4, step 1: no broadcast, no multicast.
        let packet = match Packet::parse(packet) {
            Ok(packet) if packet.header.source != 0 && packet.header.destination != 0 => packet,
            _ => {
                self.cx.counters.malformed += 1;
                return;
            }
        };
        let route = Route { local: canonical(route.local), remote: canonical(route.remote) };
        if !is_unicast(route.local.ip()) || !is_unicast(route.remote.ip()) {
            return;
        }
        let ports = Ports { local: packet.header.destination, peer: packet.header.source };
        let incoming = Incoming { route, ports, tag: packet.header.tag, length };
        match self.find(&incoming) {
            Some(id) => {
                self.with(id, |assoc, cx| assoc.input(cx, incoming, &packet));
            }
            None => self.stranger(incoming, &packet),
        }
    }

    /// The association of a packet: that of its ports and of the peer's address; else that of its
    /// tag, if the address is one that the peer has named.
    fn find(&self, incoming: &Incoming) -> Option<AssocId> {
        let Incoming { route, ports, tag, .. } = *incoming;
        let peer = at_port(route.remote, ports.peer);
        let is_bound = |id: &AssocId| {
            let binding = self.ports.get(self.assocs[id].binding);
            binding.udp_port == route.local.port() && binding.takes(route.local.ip())
        };
        if let Some(id) = self.peers.at(ports.local, peer).iter().copied().find(is_bound) {
            return Some(id);
        }
        let id = self.peers.with_tag(tag)?;
        let assoc = &self.assocs[&id].assoc;
        let named = assoc.ports == ports && assoc.addresses.contains(&route.remote.ip());
        (named && is_bound(&id)).then_some(id)
    }

    /// A packet that belongs to no association.
    fn stranger(&mut self, incoming: Incoming, packet: &Packet<'_>) {
        let Incoming { route, ports, tag, .. } = incoming;
        let binding = self.ports.find(route.local.ip(), ports.local, route.local.port());
        let listener = binding.and_then(|id| {
            let endpoint = self.ports.get(id).endpoint?;
            self.endpoints[&endpoint].listens.then_some((id, endpoint))
        });
        let mut chunks = packet.chunks();
        match (chunks.next(), listener) {
            // 8.5.1 A; INIT is never bundled (6.10).
            (Some(Ok(Chunk::Init(_))), _) if tag != 0 || !chunks.is_empty() => {}
            (Some(Ok(Chunk::Init(init))), Some((_, endpoint))) => {
                self.answer_init(incoming, &init, endpoint);
            }
            (Some(Ok(Chunk::CookieEcho(bytes))), listener) => {
                self.take_cookie(incoming, bytes, packet, listener);
            }
            _ => {
                self.cx.counters.out_of_the_blue += 1;
                let chunks = packet.chunks().map_while(Result::ok);
                stateless::out_of_the_blue(&mut self.cx, &incoming, chunks);
            }
        }
    }

    /// 5.1, step B: nothing is kept of an INIT.
    fn answer_init(&mut self, incoming: Incoming, init: &Init<'_>, id: EndpointId) {
        if !self.cx.may_answer() {
            return;
        }
        let offer = match Offer::of_init(init) {
            Ok(offer) => offer,
            Err(refusal) => {
                return stateless::refuse(&mut self.cx, &incoming, init.tag, refusal);
            }
        };
        let endpoint = &self.endpoints[&id];
        if let Some(causes) = self.has_no_room(endpoint) {
            let refusal = Refusal::Abort(causes);
            return stateless::refuse(&mut self.cx, &incoming, offer.tag, refusal);
        }
        let params = endpoint.params;
        let (tag, tsn) = (self.cx.new_tag(), self.cx.new_tsn());
        let proposal = Proposal::new(tag, tsn, &params);
        stateless::answer_init(&mut self.cx, &incoming, &params, &proposal, &offer, None);
    }

    /// The causes of an ABORT for those who want an association more than there may be.
    fn has_no_room(&self, endpoint: &Endpoint) -> Option<Vec<u8>> {
        let limits = &self.limits;
        if self.assocs.len() >= limits.associations
            || endpoint.assocs.len() + endpoint.waiting.len() >= limits.associations_per_endpoint
            || endpoint.inbox.exceeds(limits)
        {
            return Some(Cause::OutOfResource.to_bytes());
        }
        // A full backlog is answered as if nobody listened.
        let full = endpoint.style == Style::OneToOne && endpoint.waiting.len() >= endpoint.backlog;
        full.then(Vec::new)
    }

    /// 5.1, step D: now the association is there.
    fn take_cookie(
        &mut self,
        incoming: Incoming,
        bytes: &[u8],
        packet: &Packet<'_>,
        listener: Option<(BindingId, EndpointId)>,
    ) {
        let cookie = match stateless::open(&mut self.cx, &incoming, bytes) {
            Opened::Fresh(cookie) => cookie,
            Opened::Stale { by, cookie } => {
                return stateless::refuse_stale(&mut self.cx, &incoming, &cookie, by);
            }
            Opened::Forged => return,
        };
        // It was used before, or its tag is somebody else's: one of four thousand million.
        let Incoming { route, ports, .. } = incoming;
        let by_peer = (ports.local, at_port(route.remote, ports.peer), cookie.peer_tag);
        let past = self.used.get(cookie.local_tag).or(self.used_by_peers.get(by_peer));
        if past == Some(Past::Up) || self.peers.with_tag(cookie.local_tag).is_some() {
            self.cx.counters.bad_cookies += 1;
            return;
        }
        let refused = match listener {
            Some((_, endpoint)) if past.is_none() => self.has_no_room(&self.endpoints[&endpoint]),
            _ => Some(Vec::new()),
        };
        match (listener, refused) {
            (Some((binding, endpoint)), None) => {
                self.accept_peer(incoming, &cookie, packet, binding, endpoint);
            }
            (_, causes) => {
                if self.cx.may_answer() {
                    let refusal = Refusal::Abort(causes.unwrap_or_default());
                    stateless::refuse(&mut self.cx, &incoming, cookie.peer_tag, refusal);
                }
            }
        }
    }

    fn accept_peer(
        &mut self,
        incoming: Incoming,
        cookie: &Cookie,
        packet: &Packet<'_>,
        binding: BindingId,
        listener: EndpointId,
    ) {
        let endpoint = &self.endpoints[&listener];
        let (params, send_info) = (endpoint.params, endpoint.send_info);
        let style = endpoint.style;
        let id = self.new_assoc_id();
        let owner = match style {
            Style::OneToMany => listener,
            Style::OneToOne => self.add_waiting(listener, id, binding),
        };
        let assoc = stateless::assoc_of(&mut self.cx, id, &incoming, cookie, params, send_info);
        self.insert(assoc, owner, binding);
        self.with(id, |assoc, cx| assoc.input_after_cookie(cx, incoming, packet));
    }

    /// An endpoint that waits for `accept`.
    fn add_waiting(
        &mut self,
        listener: EndpointId,
        assoc: AssocId,
        binding: BindingId,
    ) -> EndpointId {
        let id = self.new_endpoint_id();
        let Some(parent) = self.endpoints.get_mut(&listener) else { return id };
        let mut child = Endpoint::new(Style::OneToOne, parent.params);
        child.send_info = parent.send_info;
        child.binding = Some(binding);
        child.hidden = true;
        child.used = true;
        parent.waiting.push_back((id, assoc));
        let first = parent.waiting.len() == 1;
        self.endpoints.insert(id, child);
        self.ports.hold(binding);
        if first {
            let ready = Ready { readable: true, writable: false };
            self.tell_ready(listener, ready);
        }
        id
    }

    /// Makes an association known.
    pub(super) fn insert(&mut self, assoc: Assoc, endpoint: EndpointId, binding: BindingId) {
        let (id, tag) = (assoc.id, assoc.local_tag);
        self.peers.insert(assoc.ports.local, assoc.peer(), tag, id);
        self.ports.hold(binding);
        if let Some(endpoint) = self.endpoints.get_mut(&endpoint) {
            endpoint.assocs.insert(id);
            endpoint.used = true;
        }
        let endpoint = Some(endpoint);
        let entry = Entry { assoc, endpoint, binding, tag, unacked: 0, sending: false };
        self.assocs.insert(id, entry);
    }
}

/// IPv4 in IPv6 is IPv4; and a flow is no part of an address.
pub(super) fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        ip @ IpAddr::V4(_) => SocketAddr::new(ip, address.port()),
        IpAddr::V6(_) => {
            let mut address = address;
            if let SocketAddr::V6(v6) = &mut address {
                v6.set_flowinfo(0);
            }
            address
        }
    }
}

/// An address that one host has.
pub(super) fn is_unicast(ip: IpAddr) -> bool {
    let broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
    !ip.is_unspecified() && !ip.is_multicast() && !broadcast
}
