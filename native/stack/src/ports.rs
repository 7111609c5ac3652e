//! Which SCTP ports are taken, and by which endpoint.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::types::EndpointId;

/// A port of an address. It stays taken until its last user is gone: the endpoint that was bound,
/// those that `accept` and `peeloff` made of it, and each association.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct BindingId(u32);

#[derive(Debug)]
pub(crate) struct Binding {
    /// May be unspecified.
    pub(crate) address: IpAddr,
    pub(crate) port: u16,
    /// Packets go out from this UDP port, and have to come to it.
    pub(crate) udp_port: u16,
    /// `::` takes no IPv4.
    v6_only: bool,
    /// Who takes new associations; None: it was closed.
    pub(crate) endpoint: Option<EndpointId>,
    users: usize,
}

impl Binding {
    /// Packets to this local address are for it.
    pub(crate) fn takes(&self, local: IpAddr) -> bool {
        self.address == local || (self.address.is_unspecified() && self.covers_family(local))
    }

    fn covers_family(&self, other: IpAddr) -> bool {
        match self.address {
            IpAddr::V4(_) => other.is_ipv4(),
            IpAddr::V6(_) => other.is_ipv6() || !self.v6_only,
        }
    }

    fn overlaps(&self, other: &Binding) -> bool {
        self.address == other.address
            || (self.address.is_unspecified() && self.covers_family(other.address))
            || (other.address.is_unspecified() && other.covers_family(self.address))
    }
}

/// All bindings.
#[derive(Debug, Default)]
pub(crate) struct Ports {
    bindings: HashMap<BindingId, Binding>,
    at: HashMap<u16, Vec<BindingId>>,
    last: u32,
}

/// Ports that are given to those who ask for none in particular: the dynamic ports of RFC 6335,
/// section 6.
pub(crate) const DYNAMIC: std::ops::RangeInclusive<u16> = 49_152..=65_535;

impl Ports {
    /// Takes a port for an endpoint; None: it is taken.
    pub(crate) fn bind(
        &mut self,
        endpoint: EndpointId,
        address: IpAddr,
        port: u16,
        udp_port: u16,
        v6_only: bool,
    ) -> Option<BindingId> {
        let endpoint = Some(endpoint);
        let new = Binding { address, port, udp_port, v6_only, endpoint, users: 1 };
        let here = self.at.entry(port).or_default();
        if here.iter().any(|id| self.bindings[id].overlaps(&new)) {
            return None;
        }
        // Not a number that is in use still: there are fewer ports than numbers.
        loop {
            self.last = self.last.wrapping_add(1);
            if !self.bindings.contains_key(&BindingId(self.last)) {
                break;
            }
        }
        let id = BindingId(self.last);
        here.push(id);
        self.bindings.insert(id, new);
        Some(id)
    }

    pub(crate) fn get(&self, id: BindingId) -> &Binding {
        &self.bindings[&id]
    }

    /// One more user.
    pub(crate) fn hold(&mut self, id: BindingId) {
        if let Some(binding) = self.bindings.get_mut(&id) {
            binding.users += 1;
        }
    }

    /// One user less.
    pub(crate) fn release(&mut self, id: BindingId) {
        let Some(binding) = self.bindings.get_mut(&id) else { return };
        binding.users -= 1;
        if binding.users == 0 {
            let port = binding.port;
            self.bindings.remove(&id);
            if let Some(here) = self.at.get_mut(&port) {
                here.retain(|other| *other != id);
                if here.is_empty() {
                    self.at.remove(&port);
                }
            }
        }
    }

    /// The endpoint was closed: nobody takes new associations.
    pub(crate) fn orphan(&mut self, id: BindingId) {
        if let Some(binding) = self.bindings.get_mut(&id) {
            binding.endpoint = None;
        }
        self.release(id);
    }

    /// The binding for a packet to this local address, SCTP port and UDP port.
    pub(crate) fn find(&self, local: IpAddr, port: u16, udp_port: u16) -> Option<BindingId> {
        self.at.get(&port)?.iter().copied().find(|id| {
            let binding = &self.bindings[id];
            binding.udp_port == udp_port && binding.takes(local)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: EndpointId = EndpointId(1);
    const B: EndpointId = EndpointId(2);

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_wildcard_takes_the_port_of_all_addresses_of_its_family() {
        let mut ports = Ports::default();
        let any = ports.bind(A, ip("0.0.0.0"), 7, 7, false).unwrap();
        assert_eq!(ports.bind(B, ip("127.0.0.1"), 7, 7, false), None);
        assert_eq!(ports.bind(B, ip("::"), 7, 7, false), None);
        assert!(ports.bind(B, ip("::1"), 7, 7, false).is_some());
        assert_eq!(ports.bind(B, ip("::"), 7, 7, true), None);
        assert!(ports.bind(B, ip("::"), 8, 8, true).is_some());
        assert!(ports.bind(B, ip("0.0.0.0"), 8, 8, false).is_some());
        assert_eq!(ports.find(ip("10.0.0.1"), 7, 7), Some(any));
        assert_eq!(ports.find(ip("10.0.0.1"), 7, 9), None);
    }

    #[test]
    fn a_port_is_free_again_when_its_last_user_is_gone() {
        let mut ports = Ports::default();
        let id = ports.bind(A, ip("10.0.0.1"), 7, 7, false).unwrap();
        ports.hold(id);
        ports.orphan(id);
        assert_eq!(ports.get(id).endpoint, None);
        assert_eq!(ports.bind(B, ip("0.0.0.0"), 7, 7, false), None);
        ports.release(id);
        assert!(ports.bind(B, ip("0.0.0.0"), 7, 7, false).is_some());
    }
}
