//! Options, typed, and what endpoints and associations tell of themselves (RFC 6458, section 8).

use std::net::SocketAddr;

use crate::assoc::state::Assoc;
use crate::error::Error;
use crate::event::SendInfo;
use crate::params::Params;
use crate::stack::input::canonical;
use crate::stack::{Ready, Stack};
use crate::status::{AssocCounters, Memory, PathStatus, Status};
use crate::types::{AssocId, EndpointId, Time};

impl Stack {
    /// The parameters of an endpoint, or of one of its associations.
    pub fn params(&self, endpoint: EndpointId, assoc: Option<AssocId>) -> Result<Params, Error> {
        match assoc {
            None => Ok(self.endpoint(endpoint)?.params),
            Some(assoc) => Ok(self.assoc(endpoint, assoc)?.params),
        }
    }

    /// Sets them. An endpoint's `nodelay`, `disable_fragments`, `autoclose`, `send_buffer`,
    /// `partial_delivery_point` and `sender_dry` count for all its associations at once, the others
    /// for those to come; to a listener belong those that wait for `accept`. What an association was begun with stays: `init`, `adaptation`,
    /// `receive_buffer`, `cookie_life`; its `send_buffer` is the endpoint's.
    pub fn set_params(
        &mut self,
        now: Time,
        endpoint: EndpointId,
        assoc: Option<AssocId>,
        params: Params,
    ) -> Result<(), Error> {
        self.set_time(now);
        if !params.are_valid() {
            return Err(Error::Invalid);
        }
        if let Some(assoc) = assoc {
            let assoc = self.assoc(endpoint, assoc)?.id;
            self.with(assoc, |assoc, cx| assoc.configure(cx, params));
            return Ok(());
        }
        let owner = self.endpoint_mut(endpoint)?;
        owner.params = params;
        let mut assocs = owner.assocs.clone();
        for (child, assoc) in owner.waiting.clone() {
            self.endpoint_mut(child)?.params = params;
            assocs.insert(assoc);
        }
        for assoc in assocs {
            self.with(assoc, |assoc, cx| assoc.configure_by_endpoint(cx, &params));
        }
        // The buffer may have room now.
        let owner = self.endpoint(endpoint)?;
        let ready = Ready { readable: false, writable: owner.refused && owner.is_writable() };
        self.tell_ready(endpoint, ready);
        Ok(())
    }

    /// What `send` uses for callers that say nothing (SCTP_DEFAULT_SNDINFO). The stack only keeps it.
    pub fn default_send_info(
        &self,
        endpoint: EndpointId,
        assoc: Option<AssocId>,
    ) -> Result<SendInfo, Error> {
        match assoc {
            None => Ok(self.endpoint(endpoint)?.send_info),
            Some(assoc) => Ok(self.assoc(endpoint, assoc)?.send_info),
        }
    }

    /// Sets it, for one association or those to come.
    pub fn set_default_send_info(
        &mut self,
        endpoint: EndpointId,
        assoc: Option<AssocId>,
        info: SendInfo,
    ) -> Result<(), Error> {
        match assoc {
            None => self.endpoint_mut(endpoint)?.send_info = info,
            Some(assoc) => {
                let id = self.assoc(endpoint, assoc)?.id;
                if let Some(entry) = self.assocs.get_mut(&id) {
                    entry.assoc.send_info = info;
                }
            }
        }
        Ok(())
    }

    /// Makes a path the primary one (SCTP_PRIMARY_ADDR): it has to be one of the association's.
    pub fn set_primary(
        &mut self,
        endpoint: EndpointId,
        assoc: AssocId,
        address: SocketAddr,
    ) -> Result<(), Error> {
        // There is one path in this stage, so it is the primary one.
        self.path_status(endpoint, assoc, address).map(|_| ())
    }

    /// Sends a HEARTBEAT now (SPP_HB_DEMAND). The association is up, and not as good as over.
    pub fn heartbeat(
        &mut self,
        now: Time,
        endpoint: EndpointId,
        assoc: AssocId,
    ) -> Result<(), Error> {
        self.set_time(now);
        let assoc = self.assoc(endpoint, assoc)?;
        if !assoc.takes_heartbeats() {
            return Err(Error::Invalid);
        }
        let id = assoc.id;
        self.with(id, |assoc, cx| assoc.beat_now(cx)).ok_or(Error::Invalid)
    }

    /// How an association is (SCTP_STATUS).
    pub fn status(&self, endpoint: EndpointId, assoc: AssocId) -> Result<Status, Error> {
        let assoc = self.assoc(endpoint, assoc)?;
        let pending = self.endpoint(endpoint)?.inbox.data_of(assoc.id);
        Ok(assoc.status(pending))
    }

    /// How a path is (SCTP_GET_PEER_ADDR_INFO).
    pub fn path_status(
        &self,
        endpoint: EndpointId,
        assoc: AssocId,
        address: SocketAddr,
    ) -> Result<PathStatus, Error> {
        let assoc = self.assoc(endpoint, assoc)?;
        let address = canonical(address);
        if address.port() != assoc.ports.peer {
            return Err(Error::Invalid);
        }
        assoc.status_of(address.ip()).ok_or(Error::Invalid)
    }

    /// What an association counted.
    pub fn assoc_counters(
        &self,
        endpoint: EndpointId,
        assoc: AssocId,
    ) -> Result<AssocCounters, Error> {
        Ok(self.assoc(endpoint, assoc)?.counters())
    }

    /// The associations of an endpoint, those that have not come up included.
    pub fn associations(&self, endpoint: EndpointId) -> Result<Vec<AssocId>, Error> {
        Ok(self.endpoint(endpoint)?.assocs.iter().copied().collect())
    }

    /// How many associations there are, those without endpoint included.
    pub fn association_count(&self) -> usize {
        self.assocs.len()
    }

    /// The bytes that wait in an endpoint, with their accounting: received ones that its user or
    /// their rest is awaited for, and sent ones that are not acknowledged.
    pub fn buffered(&self, endpoint: EndpointId) -> Result<(usize, usize), Error> {
        let endpoint = self.endpoint(endpoint)?;
        let assocs = endpoint.assocs.iter().filter_map(|id| self.assocs.get(id));
        // What the user can receive already is counted in the inbox.
        let inside = assocs.map(|entry| entry.assoc.received_bytes() - entry.assoc.delivered);
        Ok((endpoint.inbox.charge() + inside.sum::<usize>(), endpoint.unacked))
    }

    /// What the stack holds.
    pub fn memory(&self) -> Memory {
        let endpoints = self.endpoints.values();
        let mut memory = Memory {
            endpoints: self.endpoints.len(),
            associations: self.assocs.len(),
            queued_packets: self.cx.outbox.len(),
            ..Memory::default()
        };
        for endpoint in endpoints {
            memory.receive_bytes += endpoint.inbox.charge();
            memory.queued_events += endpoint.inbox.events();
            memory.event_bytes += endpoint.inbox.event_bytes();
        }
        for entry in self.assocs.values() {
            // What the user can receive already was counted there.
            memory.receive_bytes += entry.assoc.received_bytes() - entry.assoc.delivered;
            memory.send_bytes += entry.assoc.tx.buffered();
        }
        memory
    }

    /// The address and SCTP port to which an endpoint is bound; None: to none yet.
    pub fn local_address(&self, endpoint: EndpointId) -> Result<Option<SocketAddr>, Error> {
        let binding = self.endpoint(endpoint)?.binding.map(|id| self.ports.get(id));
        Ok(binding.map(|binding| SocketAddr::new(binding.address, binding.port)))
    }

    /// The address and SCTP port of an association's peer.
    pub fn peer_address(&self, endpoint: EndpointId, assoc: AssocId) -> Result<SocketAddr, Error> {
        Ok(self.assoc(endpoint, assoc)?.peer())
    }

    /// What an endpoint is ready for just now, told before or not.
    pub fn readiness(&self, endpoint: EndpointId) -> Result<Ready, Error> {
        let endpoint = self.endpoint(endpoint)?;
        Ok(Ready { readable: endpoint.is_readable(), writable: endpoint.is_writable() })
    }

    fn assoc(&self, endpoint: EndpointId, assoc: AssocId) -> Result<&Assoc, Error> {
        self.endpoint(endpoint)?;
        let id = self.assoc_of(endpoint, assoc).ok_or(Error::Invalid)?;
        self.assocs.get(&id).map(|entry| &entry.assoc).ok_or(Error::Invalid)
    }
}
