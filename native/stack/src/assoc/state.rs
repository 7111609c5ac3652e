//! One association: all that both ends know of each other (the TCB of RFC 9260, section 1.3).

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::assoc::proposal::Ports;
use crate::assoc::retry::Retry;
use crate::cookie::TieTags;
use crate::event::{Event, SendInfo};
use crate::params::Params;
use crate::path::Path;
use crate::rx::{Delivered, Inbound, Message, Settings as RxSettings};
use crate::status::{AssocCounters, State};
use crate::tx::{Failed, Outbound, Reason, Settings as TxSettings};
use crate::types::{AssocId, Route, Time, Tsn, at_port};
use crate::wire::{Cause, Header, cause_code};

/// An association. It is there from the first INIT, or from a valid cookie, until its end.
pub(crate) struct Assoc {
    pub(crate) id: AssocId,
    pub(crate) state: State,
    pub(crate) ports: Ports,
    pub(crate) local_tag: u32,
    /// 0 while it is not known: before the peer's INIT ACK.
    pub(crate) peer_tag: u32,
    /// What cookies say of this association for which it may begin anew (section 5.2.2).
    pub(crate) tie_tags: Option<TieTags>,
    /// Our first TSN.
    pub(crate) local_tsn: Tsn,
    /// Addresses of the peer, the path's first: from a peer that lists others too no restart is
    /// taken (section 5.2.2).
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) params: Params,
    pub(crate) send_info: SendInfo,
    pub(crate) outbound: u16,
    pub(crate) inbound: u16,
    /// Both understand FORWARD TSN (RFC 3758).
    pub(crate) forward_tsn: bool,
    /// To be told when the association is up.
    pub(crate) peer_adaptation: Option<u32>,

    /// The first one is the primary path.
    pub(crate) paths: Vec<Path>,
    pub(crate) tx: Outbound,
    /// Not there before the peer's first TSN is known.
    pub(crate) rx: Option<Inbound>,
    /// What the user has not received yet takes so much of the receive buffer.
    pub(crate) delivered: usize,

    /// Until when there may be valid cookies with our tag.
    pub(crate) cookie_until: Option<Time>,
    /// T1-init and T1-cookie.
    pub(crate) t1: Retry,
    /// When INIT was sent last.
    pub(crate) init_sent: Time,
    /// How often the peer found our cookie too old.
    pub(crate) stale: u32,
    /// T2-shutdown.
    pub(crate) t2: Retry,
    /// T5-shutdown-guard.
    pub(crate) t5: Option<Time>,
    /// Since when there was no data: autoclose.
    pub(crate) idle_since: Time,
    /// Timeouts in a row, of all paths (section 8.1).
    pub(crate) errors: u32,
    /// More than a COOKIE ACK came since it is up.
    pub(crate) heard: bool,

    /// Chunks to be sent.
    pub(crate) due: Due,
    /// The user wants its end as soon as it is up.
    pub(crate) ending: bool,
    /// Its endpoint was closed: nobody will receive anything.
    pub(crate) orphan: bool,
    /// When the peer last took something of what we had sent. Of meaning for one that is closed.
    pub(crate) progressed: Time,
    /// What the user is to be told.
    pub(crate) happened: VecDeque<Happened>,
    pub(crate) end: Option<End>,
    pub(crate) counters: AssocCounters,
}

/// Chunks other than DATA and SACK that are to be sent. There is room for one of each kind, so that a
/// peer who asks again and again cannot make us remember more.
#[derive(Debug, Default)]
pub(crate) struct Due {
    pub(crate) init: bool,
    /// The cookie preservative of the INIT (section 5.2.6).
    pub(crate) preservative: Option<Duration>,
    pub(crate) cookie_echo: bool,
    pub(crate) cookie: Vec<u8>,
    pub(crate) cookie_ack: bool,
    pub(crate) shutdown: bool,
    pub(crate) shutdown_ack: bool,
    /// Its nonce.
    pub(crate) heartbeat: Option<u64>,
    /// Where to, and what the peer wrote into its HEARTBEAT.
    pub(crate) heartbeat_ack: Option<(Route, Vec<u8>)>,
    /// The causes of an ERROR.
    pub(crate) errors: Vec<u8>,
}

/// What the user is to be told, in order.
#[derive(Debug)]
pub(crate) enum Happened {
    Event(Event),
    Data(Message),
}

/// How an association ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// SHUTDOWN COMPLETE.
    Complete,
    /// An ABORT, sent or received.
    Aborted,
    /// An ABORT instead of an INIT ACK or a COOKIE ACK.
    Refused,
    /// The peer did not answer.
    Unreachable,
}

/// What an association begins with.
pub(crate) struct Origin {
    pub(crate) id: AssocId,
    pub(crate) ports: Ports,
    pub(crate) route: Route,
    pub(crate) local_tag: u32,
    pub(crate) local_tsn: Tsn,
    pub(crate) params: Params,
    pub(crate) send_info: SendInfo,
}

impl Assoc {
    /// One that has heard nothing of its peer yet.
    pub(crate) fn new(now: Time, origin: Origin) -> Assoc {
        let Origin { id, ports, route, local_tag, local_tsn, params, send_info } = origin;
        // 5.4: the address to which INIT goes, or from which the cookie came, is confirmed.
        let path = Path::new(route, &params.path, &params.rto, true);
        let outbound = params.init.outbound_streams;
        Assoc {
            id,
            state: State::CookieWait,
            ports,
            local_tag,
            peer_tag: 0,
            tie_tags: None,
            local_tsn,
            addresses: vec![route.remote.ip()],
            params,
            send_info,
            outbound,
            inbound: params.init.inbound_streams,
            forward_tsn: false,
            peer_adaptation: None,
            tx: Outbound::new(TxSettings::from(&params), local_tsn, outbound, path.mtu()),
            paths: vec![path],
            rx: None,
            delivered: 0,
            cookie_until: None,
            t1: Retry::default(),
            init_sent: now,
            stale: 0,
            t2: Retry::default(),
            t5: None,
            idle_since: now,
            errors: 0,
            heard: false,
            due: Due::default(),
            ending: false,
            orphan: false,
            progressed: now,
            happened: VecDeque::new(),
            end: None,
            counters: AssocCounters::default(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.paths[0]
    }

    pub(crate) fn path_mut(&mut self) -> &mut Path {
        &mut self.paths[0]
    }

    /// The peer's address and SCTP port.
    pub(crate) fn peer(&self) -> SocketAddr {
        at_port(self.path().route.remote, self.ports.peer)
    }

    /// The handshake is done.
    pub(crate) fn is_up(&self) -> bool {
        !matches!(self.state, State::CookieWait | State::CookieEchoed)
    }

    /// The peer has listed these besides the path's, and what it may have listed before is over.
    pub(crate) fn take_addresses(&mut self, addresses: &[IpAddr]) {
        self.addresses.truncate(1);
        for address in addresses {
            if !self.addresses.contains(address) {
                self.addresses.push(*address);
            }
        }
    }

    /// What the peer proposed: from now on data can go both ways.
    pub(crate) fn meet(&mut self, window: u32, outbound: u16, first: Tsn) {
        self.outbound = outbound;
        // Cookies from before were for another one.
        self.tie_tags = None;
        self.tx.establish(window, outbound, self.forward_tsn);
        let mut rx = Inbound::new(RxSettings::from(&self.params), first, self.inbound);
        rx.charge(self.delivered);
        self.rx = Some(rx);
    }

    /// Something for the user.
    pub(crate) fn tell(&mut self, event: Event) {
        self.happened.push_back(Happened::Event(event));
    }

    /// A cause for the next ERROR. What does not fit one packet is left out.
    pub(crate) fn report(&mut self, cause: &Cause<'_>) {
        let before = self.due.errors.len();
        cause.write(&mut self.due.errors);
        if self.due.errors.len() + Header::SIZE + 4 > self.path().mtu() {
            self.due.errors.truncate(before);
        }
    }

    /// Brings what data has come out, and what of ours has failed.
    pub(crate) fn collect(&mut self) {
        while let Some(delivered) = self.rx.as_mut().and_then(Inbound::take) {
            let happened = match delivered {
                Delivered::Data(message) => {
                    self.delivered += message.charge;
                    Happened::Data(message)
                }
                Delivered::Aborted { stream, ssn } => {
                    Happened::Event(Event::PartialDeliveryAborted { stream, ssn })
                }
            };
            self.happened.push_back(happened);
        }
        self.collect_changes();
        self.collect_failed(0);
        if self.tx.take_dry() && self.params.sender_dry {
            self.tell(Event::SenderDry);
        }
    }

    fn collect_failed(&mut self, error: u16) {
        while let Some(failed) = self.tx.take_failed() {
            let Failed { sent, reason, info, bytes, .. } = failed;
            let error = match reason {
                Reason::NoStream => cause_code::INVALID_STREAM,
                Reason::Expired => 0,
                Reason::Ended => error,
            };
            self.tell(Event::SendFailed { sent, error, info, bytes });
        }
    }

    /// All that was sent and is not acknowledged has failed, for this reason.
    pub(crate) fn fail_all(&mut self, error: u16) {
        self.tx.fail_all();
        self.collect_failed(error);
    }

    /// A message that was delivered in parts will have no end.
    pub(crate) fn stop_partial_delivery(&mut self) {
        self.collect();
        if let Some(rx) = &mut self.rx {
            rx.fail_all();
        }
        self.collect();
    }

    /// The user has received something.
    pub(crate) fn release(&mut self, charge: usize) {
        self.delivered = self.delivered.saturating_sub(charge);
        if let Some(rx) = &mut self.rx {
            rx.release(charge);
        }
    }
}
