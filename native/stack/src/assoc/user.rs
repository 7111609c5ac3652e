//! What the user does with an association, and learns of it.

use std::net::IpAddr;

use crate::assoc::context::Context;
use crate::assoc::state::Assoc;
use crate::event::SendInfo;
use crate::params::Params;
use crate::path::Path;
use crate::rx::{Inbound, Settings as RxSettings};
use crate::status::{AssocCounters, PathStatus, State, Status};
use crate::tx::{Refused, Settings as TxSettings};
use crate::types::at_port;

impl Assoc {
    /// The user has not ended it, nor has the peer.
    pub(crate) fn may_send(&self) -> bool {
        let state = self.state;
        !self.ending
            && matches!(state, State::CookieWait | State::CookieEchoed | State::Established)
    }

    /// Takes a message.
    pub(crate) fn send(
        &mut self,
        cx: &mut Context,
        info: SendInfo,
        data: &[u8],
    ) -> Result<(), Refused> {
        self.tx.push(cx.now, info, data)?;
        self.idle_since = cx.now;
        self.counters.messages_out += 1;
        self.counters.bytes_out += data.len() as u64;
        Ok(())
    }

    /// Data came that the user has not received.
    pub(crate) fn has_unread(&self) -> bool {
        self.rx.as_ref().is_some_and(|rx| rx.charged() > 0)
    }

    /// Takes other parameters, but for those with which it began.
    pub(crate) fn configure(&mut self, cx: &Context, params: Params) {
        let Params { init, adaptation, receive_buffer, cookie_life, send_buffer, .. } = self.params;
        self.params =
            Params { init, adaptation, receive_buffer, cookie_life, send_buffer, ..params };
        self.reconfigure(cx);
    }

    /// Takes what its endpoint has for all of its associations.
    pub(crate) fn configure_by_endpoint(&mut self, cx: &Context, params: &Params) {
        self.params.nodelay = params.nodelay;
        self.params.disable_fragments = params.disable_fragments;
        self.params.autoclose = params.autoclose;
        self.params.send_buffer = params.send_buffer;
        self.params.sender_dry = params.sender_dry;
        self.params.partial_delivery_point = params.partial_delivery_point;
        self.reconfigure(cx);
    }

    fn reconfigure(&mut self, cx: &Context) {
        let params = &self.params;
        for path in &mut self.paths {
            path.configure(cx.now, &params.path, &params.rto);
        }
        self.tx.configure(TxSettings::from(params));
        if let Some(mtu) = self.paths.iter().map(Path::mtu).min() {
            self.tx.set_mtu(mtu);
        }
        if let Some(rx) = &mut self.rx {
            rx.configure(RxSettings::from(params));
        }
    }

    /// SCTP_STATUS. `pending`: DATA that waits in the endpoint.
    pub(crate) fn status(&self, pending: usize) -> Status {
        let counts = self.tx.counts();
        Status {
            assoc: self.id,
            state: self.state,
            rwnd: u32::try_from(counts.window).unwrap_or(u32::MAX),
            unacked: counts.unacked,
            pending,
            inbound_streams: self.inbound,
            outbound_streams: self.outbound,
            fragmentation_point: self.tx.fragmentation_point(),
            primary: self.path_status(self.path()),
        }
    }

    /// The path to this address.
    pub(crate) fn status_of(&self, address: IpAddr) -> Option<PathStatus> {
        let path = self.paths.iter().find(|path| path.route.remote.ip() == address)?;
        Some(self.path_status(path))
    }

    fn path_status(&self, path: &Path) -> PathStatus {
        let remote = path.route.remote;
        PathStatus {
            address: at_port(remote, self.ports.peer),
            udp_port: remote.port(),
            state: path.state(),
            cwnd: path.cwnd(),
            srtt: path.srtt(),
            rto: path.rto(),
            mtu: path.mtu(),
        }
    }

    pub(crate) fn counters(&self) -> AssocCounters {
        let retransmissions = self.tx.counts().retransmissions;
        AssocCounters { retransmissions, ..self.counters }
    }

    /// What is taken of the receive buffer.
    pub(crate) fn received_bytes(&self) -> usize {
        self.rx.as_ref().map_or(0, Inbound::charged)
    }
}
