//! What users do at their turns, and hosts at theirs.

use std::net::SocketAddr;
use std::time::Duration;

use stack::error::Error;
use stack::event::SendInfo;
use stack::params::Style;
use stack::stack::Ready;
use stack::types::{AssocId, EndpointId, Time};

use super::content;
use super::host::{Host, Peer, Refused, User};
use super::ledger::End;
use super::scenario::{SECOND, params, pick};
use super::world::{Phase, What, World};

impl World {
    pub(crate) fn start(&mut self, host: usize) {
        if self.hosts[host].stack.is_some() {
            return;
        }
        self.hosts[host].start(&mut self.rng);
        let life = self.hosts[host].life;
        self.trace.note(self.now, || format!("{host} starts, life {life}"));
        for service in 0..self.scenario.hosts[host].services.len() {
            self.open(host, service);
        }
    }

    /// Its stack and its users are no more; nobody is told.
    pub(crate) fn stop(&mut self, host: usize) {
        if self.phase != Phase::Chaos || self.hosts[host].stack.take().is_none() {
            return;
        }
        self.trace.note(self.now, || format!("{host} is gone"));
        self.ledger.gone(self.now, host, self.hosts[host].life);
        self.hosts[host].users.clear();
    }

    /// Opens the endpoint of a service; again later if its port is busy.
    pub(crate) fn open(&mut self, host: usize, index: usize) {
        if self.phase > Phase::Chaos {
            return;
        }
        let plan = &self.scenario.hosts[host];
        let service = plan.services[index].clone();
        let (address, udp_port) = (plan.address, plan.udp_port(service.port));
        let life = self.hosts[host].life;
        let stack = self.hosts[host].stack.as_mut().expect("a living host");
        let endpoint = stack.open(service.style, service.params);
        let port = match stack.bind(endpoint, address, service.port, udp_port) {
            Ok(port) => port,
            Err(Error::AddressInUse) => {
                stack.close(self.now, endpoint).expect("an open endpoint closes");
                self.after(SECOND / 2, What::Open { host, life, service: index });
                return;
            }
            Err(error) => panic!("{service:?} cannot be bound: {error:?}"),
        };
        assert!(port != 0 && (service.port == 0 || service.port == port), "bound to {port}");
        if service.listens {
            stack.listen(endpoint, 64).expect("a bound endpoint listens");
        }
        let local = SocketAddr::new(address, port);
        let kind = (service.style, service.params);
        let mut user = User::new(&mut self.rng, endpoint, Some(index), kind, local);
        if self.scenario.perfect {
            (user.pace, user.gap) = (usize::MAX, 0);
        }
        user.accepts = service.listens && service.style == Style::OneToOne;
        let user = self.add_user(host, user);
        self.trace.note(self.now, || format!("{host} opens {endpoint:?} at {local}: {service:?}"));
        for target in service.targets {
            if self.scenario.strict || self.rng.bool() {
                self.connect(host, user, target);
            }
        }
        self.pump(host);
    }

    fn add_user(&mut self, host: usize, user: User) -> usize {
        let index = self.hosts[host].users.len();
        self.hosts[host].users.push(user);
        let life = self.hosts[host].life;
        let wait = self.rng.u64(0..=self.scenario.wishes.every);
        self.after(wait, What::Act { host, life, user: index });
        index
    }

    fn connect(&mut self, host: usize, user: usize, (to, service): (usize, usize)) {
        let plan = &self.scenario.hosts[to];
        let port = plan.services[service].port;
        let remote = SocketAddr::new(plan.address, port);
        let udp_port = plan.udp_port(port);
        let life = self.hosts[host].life;
        let Host { stack: Some(stack), users, .. } = &mut self.hosts[host] else { return };
        let me = &mut users[user];
        let result = stack.connect(self.now, me.endpoint, remote, udp_port);
        self.trace.note(self.now, || format!("{host} {user} connects to {remote}: {result:?}"));
        match result {
            Ok(assoc) => {
                let outbound = me.params.init.outbound_streams;
                let sure = plan.services[service].params.init.inbound_streams.min(outbound);
                me.knows(assoc, Peer { up: false, outbound: sure, ending: false });
                self.ledger.begin(self.now, End { host, life, assoc }, me.local, Some(remote));
            }
            Err(Error::Connected | Error::Already | Error::Unsupported | Error::AddressInUse) => {}
            Err(error) => panic!("connecting is refused with {error:?}"),
        }
    }

    /// An endpoint has become ready.
    pub(crate) fn woken(&mut self, host: usize, user: usize, ready: Ready) {
        let life = self.hosts[host].life;
        let me = &mut self.hosts[host].users[user];
        if ready.readable {
            me.readable = true;
            self.read_soon(host, user);
        }
        if ready.writable {
            let me = &mut self.hosts[host].users[user];
            me.room = true;
            if me.refused.is_some() {
                self.after(0, What::Act { host, life, user });
            }
        }
    }

    pub(crate) fn read_soon(&mut self, host: usize, user: usize) {
        let life = self.hosts[host].life;
        let me = &mut self.hosts[host].users[user];
        if !me.readable || me.reading || me.closed {
            return;
        }
        me.reading = true;
        let gap = if self.phase == Phase::Chaos { me.gap } else { 0 };
        let at = Time(self.now.0 + gap).max(me.paused_till);
        self.at(at, What::Read { host, life, user });
    }

    /// A user's turn to do something.
    pub(crate) fn act(&mut self, host: usize, user: usize) {
        let life = self.hosts[host].life;
        if self.hosts[host].users[user].closed {
            return;
        }
        let me = &mut self.hosts[host].users[user];
        if me.refused.is_some() && me.room {
            self.send_again(host, user);
        }
        match self.phase {
            Phase::Chaos => {
                self.wish(host, user);
                let lonely = self.hosts[host].users[user].peers.is_empty();
                let most = self.scenario.wishes.every * if lonely { 20 } else { 1 };
                let wait = self.rng.u64(most / 4..=most);
                self.after(wait, What::Act { host, life, user });
            }
            Phase::Calm | Phase::Idle => self.read_soon(host, user),
            Phase::End => {
                self.say_goodbye(host, user);
                self.after(SECOND, What::Act { host, life, user });
            }
        }
        self.pump(host);
    }

    fn wish(&mut self, host: usize, user: usize) {
        let wishes = self.scenario.wishes;
        let me = &self.hosts[host].users[user];
        if me.style == Style::OneToOne && !me.accepts && me.peers.is_empty() && !me.readable {
            // Its association is over. A service begins anew.
            return self.close(host, user);
        }
        let menu = [
            wishes.send,
            wishes.pause,
            wishes.connect,
            wishes.shutdown,
            wishes.abort,
            wishes.close,
            wishes.peeloff,
            wishes.params,
            wishes.heartbeat,
        ];
        let mut choice = self.rng.u32(0..menu.iter().sum());
        let mut dish = 0;
        while choice >= menu[dish] {
            choice -= menu[dish];
            dish += 1;
        }
        match dish {
            0 => self.send_some(host, user),
            1 => {
                let long = self.rng.u64(0..3 * SECOND);
                self.hosts[host].users[user].paused_till = Time(self.now.0 + long);
            }
            2 => self.connect_somewhere(host, user),
            3 => self.with_assoc(host, user, World::shut_down),
            4 => self.with_assoc(host, user, World::abort),
            5 => self.close(host, user),
            // Else it is refused; once in a while is enough.
            6 if self.hosts[host].users[user].style == Style::OneToOne
                && self.rng.u32(0..50) > 0 => {}
            6 => self.with_assoc(host, user, World::peel_off),
            7 => self.change_params(host, user),
            _ => self.with_assoc(host, user, |world, host, user, assoc| {
                let now = world.now;
                let endpoint = world.hosts[host].users[user].endpoint;
                if let Some(stack) = &mut world.hosts[host].stack {
                    // It may have ended just now.
                    let _ = stack.heartbeat(now, endpoint, assoc);
                }
            }),
        }
    }

    fn with_assoc(
        &mut self,
        host: usize,
        user: usize,
        act: impl FnOnce(&mut World, usize, usize, AssocId),
    ) {
        let peers: Vec<_> = self.hosts[host].users[user].peers.keys().copied().collect();
        if !peers.is_empty() {
            let assoc = *pick(&mut self.rng, &peers);
            act(self, host, user, assoc);
        }
    }

    fn connect_somewhere(&mut self, host: usize, user: usize) {
        let me = &self.hosts[host].users[user];
        let Some(service) = me.service else { return };
        let targets = self.scenario.hosts[host].services[service].targets.clone();
        if !targets.is_empty() && (me.style == Style::OneToMany || me.peers.is_empty()) {
            let target = *pick(&mut self.rng, &targets);
            self.connect(host, user, target);
        }
    }

    fn send_some(&mut self, host: usize, user: usize) {
        let me = &self.hosts[host].users[user];
        let peers: Vec<_> = me.peers.iter().filter(|(_, peer)| !peer.ending).collect();
        if peers.is_empty() || me.refused.is_some() {
            return;
        }
        let (assoc, peer) = (peers[self.rng.usize(0..peers.len())].0, peers[0].1);
        let (assoc, outbound) = (*assoc, me.peers.get(assoc).unwrap_or(peer).outbound);
        for _ in 0..*pick(&mut self.rng, &[1, 1, 1, 2, 5, 20]) {
            if self.messages_left == 0 || self.bytes_left == 0 {
                return;
            }
            let length = self.length();
            let id = self.ledger.next_id();
            let timed = self.scenario.timed && self.rng.bool();
            let lifetime = timed.then(|| Duration::from_micros(self.rng.u64(0..2 * SECOND)));
            // A few streams are used much, others now and then.
            let streams = if self.rng.bool() { outbound.min(3) } else { outbound };
            let info = SendInfo {
                stream: self.rng.u16(0..streams),
                ppid: id,
                context: id,
                unordered: self.rng.u32(0..10) < self.scenario.wishes.unordered,
                lifetime,
            };
            if !self.send(host, user, Refused { assoc, info, length }) {
                return;
            }
        }
    }

    /// Of a message: most are short.
    fn length(&mut self) -> usize {
        let most = match self.rng.u32(0..10) {
            0..=2 => 32,
            3..=5 => 1_500,
            6..=8 => 10_000,
            _ => 300_000,
        };
        self.rng.usize(1..=most.min(self.scenario.largest).min(self.bytes_left))
    }

    fn send_again(&mut self, host: usize, user: usize) {
        if let Some(refused) = self.hosts[host].users[user].refused.take() {
            self.send(host, user, refused);
        }
    }

    /// False: not now.
    fn send(&mut self, host: usize, user: usize, message: Refused) -> bool {
        let life = self.hosts[host].life;
        let Refused { assoc, info, length } = message;
        let end = End { host, life, assoc };
        let Host { stack: Some(stack), users, .. } = &mut self.hosts[host] else { return false };
        let me = &mut users[user];
        let bytes = content::bytes(info.ppid, 0, length);
        let result = stack.send(self.now, me.endpoint, assoc, info, &bytes);
        self.trace.mark(u64::from(info.ppid) << 1 | u64::from(result.is_ok()));
        self.trace.note(self.now, || {
            format!("{host} {user} sends {length} B on {assoc:?}, {info:?}: {result:?}")
        });
        match result {
            Ok(()) => {
                self.ledger.sent(self.now, end, info, length);
                self.messages_left = self.messages_left.saturating_sub(1);
                self.bytes_left = self.bytes_left.saturating_sub(length);
                true
            }
            Err(Error::Again) => {
                me.room = false;
                me.refused = Some(message);
                false
            }
            Err(Error::TooLong) => {
                let fits = length <= me.params.send_buffer && !me.params.disable_fragments;
                assert!(!fits, "{length} bytes are too long: {:?}", me.params);
                true
            }
            Err(error @ (Error::Shutdown | Error::Pipe | Error::Reset | Error::NotConnected)) => {
                let ending = me.peers.get(&assoc).is_none_or(|peer| peer.ending);
                // Its end may not have been read yet.
                let over = stack.status(me.endpoint, assoc).is_err() || me.readable;
                // An idle association is shut down without a word.
                let idle = me.params.autoclose.is_some();
                assert!(ending || over || idle, "sending is refused: {error:?}");
                false
            }
            Err(error) => panic!("sending {length} bytes of {info:?}: {error:?}"),
        }
    }

    fn shut_down(&mut self, host: usize, user: usize, assoc: AssocId) {
        let Host { stack: Some(stack), users, life, .. } = &mut self.hosts[host] else { return };
        let me = &mut users[user];
        let Some(peer) = me.peers.get_mut(&assoc) else { return };
        if !peer.up {
            return;
        }
        let result = stack.shutdown(self.now, me.endpoint, assoc);
        self.trace.note(self.now, || format!("{host} {user} shuts down {assoc:?}: {result:?}"));
        match result {
            Ok(()) => {
                peer.ending = true;
                self.ledger.shut_down(End { host, life: *life, assoc });
            }
            Err(error) => {
                assert!(peer.ending || me.readable, "{assoc:?} cannot be shut down: {error:?}")
            }
        }
        if me.refused.as_ref().is_some_and(|refused| refused.assoc == assoc) {
            me.refused = None;
        }
    }

    fn abort(&mut self, host: usize, user: usize, assoc: AssocId) {
        let Host { stack: Some(stack), users, .. } = &mut self.hosts[host] else { return };
        let me = &mut users[user];
        let result = stack.abort(self.now, me.endpoint, assoc, b"enough");
        self.trace.note(self.now, || format!("{host} {user} aborts {assoc:?}: {result:?}"));
        match result {
            Ok(()) => {
                if let Some(peer) = me.peers.get_mut(&assoc) {
                    peer.ending = true;
                }
            }
            Err(error) => assert!(me.readable, "{assoc:?} cannot be aborted: {error:?}"),
        }
        if me.refused.as_ref().is_some_and(|refused| refused.assoc == assoc) {
            me.refused = None;
        }
    }

    fn peel_off(&mut self, host: usize, user: usize, assoc: AssocId) {
        let Host { stack: Some(stack), users, .. } = &mut self.hosts[host] else { return };
        let me = &mut users[user];
        let result = stack.peeloff(me.endpoint, assoc);
        self.trace.note(self.now, || format!("{host} {user} peels off {assoc:?}: {result:?}"));
        let endpoint = match result {
            Ok(endpoint) => endpoint,
            Err(Error::Unsupported | Error::Invalid) if me.style == Style::OneToOne => return,
            Err(error) => {
                assert!(me.readable, "{assoc:?} cannot be peeled off: {error:?}");
                return;
            }
        };
        assert_eq!(me.style, Style::OneToMany, "a one-to-one endpoint is peeled off");
        let peer = me.peers.remove(&assoc).expect("an association we know");
        me.known.remove(&assoc);
        let refused = me.refused.take_if(|refused| refused.assoc == assoc);
        let (params, local) = (me.params, me.local);
        let child = self.child(host, endpoint, params, local);
        let child = &mut self.hosts[host].users[child];
        child.knows(assoc, peer);
        child.refused = refused;
        child.room = true;
    }

    /// The user of an endpoint made of another.
    pub(crate) fn child(
        &mut self,
        host: usize,
        endpoint: EndpointId,
        params: stack::params::Params,
        local: SocketAddr,
    ) -> usize {
        let kind = (Style::OneToOne, params);
        let mut user = User::new(&mut self.rng, endpoint, None, kind, local);
        // What came before is not told again.
        user.readable = true;
        if self.scenario.perfect {
            (user.pace, user.gap) = (usize::MAX, 0);
        }
        let index = self.add_user(host, user);
        self.read_soon(host, index);
        index
    }

    fn change_params(&mut self, host: usize, user: usize) {
        let fresh = params(&mut self.rng, true);
        let Host { stack: Some(stack), users, .. } = &mut self.hosts[host] else { return };
        let me = &mut users[user];
        let Ok(mut now) = stack.params(me.endpoint, None) else {
            panic!("an open endpoint has no parameters")
        };
        now.nodelay = fresh.nodelay;
        now.sack_delay = fresh.sack_delay;
        now.partial_delivery_point = fresh.partial_delivery_point;
        now.send_buffer = fresh.send_buffer.max(now.send_buffer);
        let result = stack.set_params(self.now, me.endpoint, None, now);
        assert!(result.is_ok(), "{now:?} are refused: {result:?}");
        me.params = now;
    }

    /// Closes an endpoint; a service is opened again later.
    pub(crate) fn close(&mut self, host: usize, user: usize) {
        let life = self.hosts[host].life;
        let Host { stack: Some(stack), users, .. } = &mut self.hosts[host] else { return };
        let me = &mut users[user];
        let (local, service) = (me.local, me.service);
        let result = stack.close(self.now, me.endpoint);
        self.trace.note(self.now, || format!("{host} {user} closes: {result:?}"));
        assert!(result.is_ok(), "an open endpoint closes: {result:?}");
        me.closed = true;
        let ends = me.known.iter().map(|assoc| End { host, life, assoc: *assoc });
        self.ledger.closed(self.now, host, ends, local);
        if let (Some(service), Phase::Chaos) = (service, self.phase) {
            let wait = self.rng.u64(0..SECOND);
            self.after(wait, What::Open { host, life, service });
        }
    }

    fn say_goodbye(&mut self, host: usize, user: usize) {
        self.read_soon(host, user);
        let me = &self.hosts[host].users[user];
        if me.readable {
            return;
        }
        if me.peers.is_empty() || me.hasty {
            return self.close(host, user);
        }
        let peers: Vec<_> = me.peers.iter().map(|(assoc, peer)| (*assoc, *peer)).collect();
        for (assoc, peer) in peers {
            if peer.up && !peer.ending {
                self.shut_down(host, user, assoc);
            }
        }
    }
}
