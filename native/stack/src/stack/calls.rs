//! What users of endpoints do (RFC 6458, sections 3, 4 and 9).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::assoc::proposal;
use crate::assoc::state::{Assoc, Origin};
use crate::endpoint::{Endpoint, Taken};
use crate::error::Error;
use crate::event::{Received, SendInfo};
use crate::params::{Params, Style};
use crate::ports::{BindingId, DYNAMIC};
use crate::stack::Stack;
use crate::stack::input::{canonical, is_unicast};
use crate::status::Ready;
use crate::tx::Refused;
use crate::types::{AssocId, EndpointId, Route, Time, at_port};

impl Stack {
    /// A new endpoint, which is bound to nothing. Parameters that make no sense are refused where
    /// they are set: `set_params`; here the default takes their place.
    pub fn open(&mut self, style: Style, params: Params) -> EndpointId {
        let id = self.new_endpoint_id();
        let params = if params.are_valid() { params } else { Params::default() };
        self.endpoints.insert(id, Endpoint::new(style, params));
        id
    }

    /// Binds to an SCTP port of `address`, which may be unspecified; 0 takes a free one. Packets go
    /// out from UDP port `udp_port`; 0: that of the same number. Returns the SCTP port.
    pub fn bind(
        &mut self,
        endpoint: EndpointId,
        address: IpAddr,
        port: u16,
        udp_port: u16,
    ) -> Result<u16, Error> {
        let v6_only = self.endpoint(endpoint)?.params.v6_only;
        if self.endpoint(endpoint)?.binding.is_some() {
            return Err(Error::Invalid);
        }
        let address = address.to_canonical();
        if !address.is_unspecified() && !is_unicast(address) {
            return Err(Error::Invalid);
        }
        let same = |port| if udp_port == 0 { port } else { udp_port };
        let binding = if port != 0 {
            self.ports.bind(endpoint, address, port, same(port), v6_only)
        } else {
            let count = DYNAMIC.len() as u64;
            let start = self.cx.random() % count;
            let mut candidates =
                (0..count).map(|nth| *DYNAMIC.start() + ((start + nth) % count) as u16);
            candidates
                .find_map(|port| self.ports.bind(endpoint, address, port, same(port), v6_only))
        };
        let binding = binding.ok_or(Error::AddressInUse)?;
        self.endpoint_mut(endpoint)?.binding = Some(binding);
        Ok(self.ports.get(binding).port)
    }

    /// Accepts associations; 0 stops it. One-to-one: at most `backlog` wait for `accept`.
    pub fn listen(&mut self, endpoint: EndpointId, backlog: usize) -> Result<(), Error> {
        let endpoint = self.endpoint_mut(endpoint)?;
        if endpoint.binding.is_none() || (endpoint.style == Style::OneToOne && endpoint.used) {
            return Err(Error::Invalid);
        }
        endpoint.failure = None;
        endpoint.listens = backlog > 0;
        endpoint.backlog = backlog;
        Ok(())
    }

    /// Begins an association with the SCTP port of `remote`, whose host takes packets at `udp_port`.
    pub fn connect(
        &mut self,
        now: Time,
        endpoint: EndpointId,
        remote: SocketAddr,
        udp_port: u16,
    ) -> Result<AssocId, Error> {
        self.set_time(now);
        let remote = canonical(remote);
        let (style, used, listens) = {
            let endpoint = self.endpoint(endpoint)?;
            (endpoint.style, endpoint.used, endpoint.listens)
        };
        if remote.port() == 0 || udp_port == 0 || !is_unicast(remote.ip()) {
            return Err(Error::Invalid);
        }
        if style == Style::OneToOne && (used || listens) {
            return Err(self.connected(endpoint));
        }
        let binding = self.binding_for(endpoint, remote.ip())?;
        let bound = self.ports.get(binding);
        let (local, port, local_udp) = (bound.address, bound.port, bound.udp_port);
        let mut others = self.peers.at(port, remote).iter().map(|id| &self.assocs[id]);
        if let Some(other) = others.find(|other| other.binding == binding) {
            return Err(if other.assoc.is_up() { Error::Connected } else { Error::Already });
        }
        let limits = &self.limits;
        if self.assocs.len() >= limits.associations
            || self.endpoint(endpoint)?.assocs.len() >= limits.associations_per_endpoint
            || self.endpoint(endpoint)?.inbox.exceeds(limits)
        {
            return Err(Error::NoBuffers);
        }
        let local = match (local, remote.ip()) {
            // An endpoint of `::` sends IPv4 from any address of that.
            (IpAddr::V6(ip), IpAddr::V4(_)) if ip.is_unspecified() => Ipv4Addr::UNSPECIFIED.into(),
            (local, remote) if local.is_ipv4() == remote.is_ipv4() => local,
            _ => return Err(Error::Invalid),
        };
        let route =
            Route { local: SocketAddr::new(local, local_udp), remote: at_port(remote, udp_port) };
        let (params, send_info) = {
            let endpoint = self.endpoint(endpoint)?;
            (endpoint.params, endpoint.send_info)
        };
        let id = self.new_assoc_id();
        let origin = Origin {
            id,
            ports: proposal::Ports { local: port, peer: remote.port() },
            route,
            local_tag: self.new_local_tag(),
            local_tsn: self.cx.new_tsn(),
            params,
            send_info,
        };
        let assoc = Assoc::new(self.cx.now, origin);
        self.insert(assoc, endpoint, binding);
        // Why the last one did not come up says nothing of this one.
        self.endpoint_mut(endpoint)?.failure = None;
        self.with(id, |assoc, cx| assoc.begin(cx.now));
        Ok(id)
    }

    /// Why a one-to-one endpoint cannot connect.
    fn connected(&self, endpoint: EndpointId) -> Error {
        let assoc = self.assoc_of(endpoint, AssocId(0)).and_then(|id| self.assocs.get(&id));
        match assoc {
            Some(entry) if !entry.assoc.is_up() => Error::Already,
            _ => Error::Connected,
        }
    }

    fn binding_for(&mut self, endpoint: EndpointId, remote: IpAddr) -> Result<BindingId, Error> {
        if self.endpoint(endpoint)?.binding.is_none() {
            let any: IpAddr = match remote {
                IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
                IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
            };
            self.bind(endpoint, any, 0, 0)?;
        }
        self.endpoint(endpoint)?.binding.ok_or(Error::Invalid)
    }

    /// The next association of a one-to-one listener, as an endpoint of its own. It may have ended
    /// already.
    pub fn accept(&mut self, endpoint: EndpointId) -> Result<(EndpointId, AssocId), Error> {
        let listener = self.endpoint_mut(endpoint)?;
        if !listener.listens || listener.style != Style::OneToOne {
            return Err(Error::Invalid);
        }
        let (id, assoc) = listener.waiting.pop_front().ok_or(Error::Again)?;
        let child = self.endpoint_mut(id)?;
        child.hidden = false;
        let ready = Ready { readable: child.is_readable(), writable: false };
        self.tell_ready(id, ready);
        Ok((id, assoc))
    }

    /// Moves an association of a one-to-many endpoint, with what waits to be received, to a new
    /// endpoint.
    pub fn peeloff(&mut self, endpoint: EndpointId, assoc: AssocId) -> Result<EndpointId, Error> {
        let id = self.new_endpoint_id();
        let parent = self.endpoint_mut(endpoint)?;
        if parent.style != Style::OneToMany || !parent.assocs.contains(&assoc) {
            return Err(Error::Invalid);
        }
        let mut child = Endpoint::new(Style::OneToOne, parent.params);
        child.send_info = parent.send_info;
        child.binding = parent.binding;
        child.used = true;
        child.assocs.insert(assoc);
        parent.assocs.remove(&assoc);
        parent.inbox.move_to(assoc, &mut child.inbox);
        if let Some(entry) = self.assocs.get_mut(&assoc) {
            entry.endpoint = Some(id);
            child.unacked = entry.unacked;
            self.ports.hold(entry.binding);
        }
        let parent = self.endpoint_mut(endpoint)?;
        parent.unacked -= child.unacked;
        let writable = Ready { readable: false, writable: parent.refused && parent.is_writable() };
        let readable = Ready { readable: child.is_readable(), writable: false };
        self.endpoints.insert(id, child);
        self.tell_ready(endpoint, writable);
        self.tell_ready(id, readable);
        Ok(id)
    }

    /// Takes a whole message, or nothing. One-to-one: `assoc` is ignored.
    pub fn send(
        &mut self,
        now: Time,
        endpoint: EndpointId,
        assoc: AssocId,
        info: SendInfo,
        data: &[u8],
    ) -> Result<(), Error> {
        self.set_time(now);
        let params = self.endpoint(endpoint)?.params;
        let assoc = self.assoc_of(endpoint, assoc).ok_or(Error::Pipe)?;
        if data.len() > params.send_buffer {
            return Err(Error::TooLong);
        }
        if self.assocs.get(&assoc).is_some_and(|entry| !entry.assoc.may_send()) {
            return Err(Error::Shutdown);
        }
        let full = !self.endpoint(endpoint)?.is_writable();
        let result = match full {
            true => Err(Refused::Full),
            false => self.with(assoc, |assoc, cx| assoc.send(cx, info, data)).ok_or(Error::Pipe)?,
        };
        result.map_err(|refused| match refused {
            Refused::Full => {
                if let Ok(endpoint) = self.endpoint_mut(endpoint) {
                    endpoint.refused = true;
                }
                Error::Again
            }
            Refused::TooLong => Error::TooLong,
            Refused::Invalid => Error::Invalid,
        })
    }

    /// The next of what came, at most `max` bytes of a message; the rest of it comes next.
    pub fn receive(
        &mut self,
        now: Time,
        endpoint: EndpointId,
        max: usize,
    ) -> Result<Received, Error> {
        self.set_time(now);
        let waiting = self.endpoint_mut(endpoint)?;
        if max == 0 {
            return Err(Error::Invalid);
        }
        let Some(Taken { received, freed }) = waiting.inbox.take(max) else {
            let none = match waiting.style {
                Style::OneToOne if !waiting.used => Error::NotConnected,
                _ => Error::Again,
            };
            return Err(waiting.failure.take().unwrap_or(none));
        };
        if let Received::Data { info, bytes, end, .. } = &received {
            let (length, messages) = (bytes.len() as u64, u64::from(*end));
            if let Some(entry) = self.assocs.get_mut(&info.assoc) {
                entry.assoc.counters.bytes_in += length;
                entry.assoc.counters.messages_in += messages;
            }
        }
        if let Some((assoc, charge)) = freed
            && self.with(assoc, |assoc, _| assoc.release(charge)).is_none()
        {
            self.endpoint_mut(endpoint)?.inbox.release_ended(charge);
        }
        Ok(received)
    }

    /// Ends an association when all that was sent has been acknowledged (RFC 9260, section 9.2).
    pub fn shutdown(
        &mut self,
        now: Time,
        endpoint: EndpointId,
        assoc: AssocId,
    ) -> Result<(), Error> {
        self.set_time(now);
        self.endpoint(endpoint)?;
        let assoc = self.assoc_of(endpoint, assoc).ok_or(Error::Pipe)?;
        self.with(assoc, |assoc, cx| assoc.shut_down(cx)).ok_or(Error::Pipe)
    }

    /// Ends an association at once; the peer gets `reason` as the cause "user-initiated abort".
    pub fn abort(
        &mut self,
        now: Time,
        endpoint: EndpointId,
        assoc: AssocId,
        reason: &[u8],
    ) -> Result<(), Error> {
        self.set_time(now);
        self.endpoint(endpoint)?;
        let assoc = self.assoc_of(endpoint, assoc).ok_or(Error::Pipe)?;
        self.with(assoc, |assoc, cx| assoc.abort(cx, reason)).ok_or(Error::Pipe)
    }

    /// Closes an endpoint: associations with data that nobody received are aborted, others are shut
    /// down and live on without it until that is done. Those that wait for `accept` are closed, too.
    pub fn close(&mut self, now: Time, endpoint: EndpointId) -> Result<(), Error> {
        self.set_time(now);
        self.close_with(endpoint, |assoc| assoc.has_unread())
    }

    /// Closes an endpoint and aborts its associations (SO_LINGER with 0 seconds).
    pub fn close_abortively(&mut self, now: Time, endpoint: EndpointId) -> Result<(), Error> {
        self.set_time(now);
        self.close_with(endpoint, |_| true)
    }

    fn close_with(&mut self, id: EndpointId, aborts: fn(&Assoc) -> bool) -> Result<(), Error> {
        let endpoint = self.endpoints.remove(&id).ok_or(Error::Invalid)?;
        for (waiting, _) in endpoint.waiting {
            self.close_with(waiting, aborts)?;
        }
        for assoc in endpoint.assocs {
            let Some(entry) = self.assocs.get_mut(&assoc) else { continue };
            entry.endpoint = None;
            self.with(assoc, |assoc, cx| {
                assoc.orphaned(cx.now);
                if aborts(assoc) {
                    assoc.abort(cx, &[]);
                } else {
                    assoc.shut_down(cx);
                }
            });
        }
        if let Some(binding) = endpoint.binding {
            if self.ports.get(binding).endpoint == Some(id) {
                self.ports.orphan(binding);
            } else {
                self.ports.release(binding);
            }
        }
        Ok(())
    }

    /// One-to-one: the association, whatever is asked for. One-to-many: that one, if it is the
    /// endpoint's.
    pub(super) fn assoc_of(&self, endpoint: EndpointId, assoc: AssocId) -> Option<AssocId> {
        let endpoint = self.endpoints.get(&endpoint)?;
        match endpoint.style {
            Style::OneToOne => endpoint.assocs.first().copied(),
            Style::OneToMany => endpoint.assocs.get(&assoc).copied(),
        }
    }

    pub(super) fn new_endpoint_id(&mut self) -> EndpointId {
        loop {
            self.last_endpoint = self.last_endpoint.wrapping_add(1);
            let id = EndpointId(self.last_endpoint);
            if id.0 != 0 && !self.endpoints.contains_key(&id) {
                return id;
            }
        }
    }

    pub(super) fn new_assoc_id(&mut self) -> AssocId {
        loop {
            self.last_assoc = self.last_assoc.wrapping_add(1);
            let id = AssocId(self.last_assoc);
            if id.0 != 0 && !self.assocs.contains_key(&id) {
                return id;
            }
        }
    }

    /// A tag that no other association has.
    fn new_local_tag(&mut self) -> u32 {
        loop {
            let tag = self.cx.new_tag();
            if self.peers.with_tag(tag).is_none() && self.used.get(tag).is_none() {
                return tag;
            }
        }
    }
}
