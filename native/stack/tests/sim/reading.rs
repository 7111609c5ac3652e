//! What users hear, and what they make of it.

use stack::error::Error;
use stack::event::{AssocChange, Event, Received};
use stack::params::Style;
use stack::types::AssocId;

use super::host::{Host, Peer};
use super::ledger::End;
use super::world::{Phase, World};

impl World {
    /// A user's turn to read.
    pub(crate) fn read(&mut self, host: usize, user: usize) {
        let me = &mut self.hosts[host].users[user];
        me.reading = false;
        if me.closed {
            return;
        }
        if self.now < me.paused_till {
            return self.read_soon(host, user);
        }
        let turns = if self.phase == Phase::Chaos { me.pace } else { usize::MAX };
        for _ in 0..turns {
            if !self.read_one(host, user) {
                self.hosts[host].users[user].readable = false;
                break;
            }
        }
        self.read_soon(host, user);
        self.pump(host);
    }

    /// False: there is no more.
    fn read_one(&mut self, host: usize, user: usize) -> bool {
        if self.hosts[host].users[user].accepts {
            return self.accept(host, user);
        }
        let Host { stack: Some(stack), users, life, .. } = &mut self.hosts[host] else {
            return false;
        };
        let (life, me) = (*life, &mut users[user]);
        let received = stack.receive(self.now, me.endpoint, me.most);
        match received {
            Ok(Received::Data { info, bytes, end: last }) => {
                self.trace.mark(u64::from(info.ppid) << 20 | bytes.len() as u64);
                self.trace.note(self.now, || {
                    format!("{host} {user} receives {} B, end {last}, {info:?}", bytes.len())
                });
                assert!(bytes.len() <= me.most, "{} bytes for {}", bytes.len(), me.most);
                assert!(me.peers.contains_key(&info.assoc), "data of {:?}", info.assoc);
                let end = End { host, life, assoc: info.assoc };
                self.ledger.received(end, &info, &bytes, last);
            }
            Ok(Received::Event(assoc, event)) => {
                self.trace.note(self.now, || {
                    let mut text = format!("{event:?}");
                    text.truncate(300);
                    format!("{host} {user} is told of {assoc:?}: {text}")
                });
                self.told(host, user, assoc, &event);
            }
            Err(Error::Again) => return false,
            Err(error) => {
                let over = me.style == Style::OneToOne && me.peers.is_empty();
                assert!(over, "receiving is refused: {error:?}");
                return false;
            }
        }
        true
    }

    fn accept(&mut self, host: usize, user: usize) -> bool {
        let life = self.hosts[host].life;
        let Host { stack: Some(stack), users, .. } = &mut self.hosts[host] else { return false };
        let me = &users[user];
        let (params, local) = (me.params, me.local);
        let (endpoint, assoc) = match stack.accept(me.endpoint) {
            Ok(accepted) => accepted,
            Err(Error::Again) => return false,
            Err(error) => panic!("accepting is refused: {error:?}"),
        };
        let peer = stack.peer_address(endpoint, assoc).ok();
        self.trace.note(self.now, || format!("{host} {user} accepts {assoc:?} of {peer:?}"));
        self.ledger.begin(self.now, End { host, life, assoc }, local, peer);
        let child = self.child(host, endpoint, params, local);
        let begun = Peer { up: false, outbound: 1, ending: false };
        self.hosts[host].users[child].knows(assoc, begun);
        true
    }

    fn told(&mut self, host: usize, user: usize, assoc: AssocId, event: &Event) {
        let Host { stack: Some(stack), users, life, .. } = &mut self.hosts[host] else { return };
        let end = End { host, life: *life, assoc };
        let me = &mut users[user];
        if self.ledger.assoc(end).is_none() {
            let peer = stack.peer_address(me.endpoint, assoc).ok();
            self.ledger.begin(self.now, end, me.local, peer);
            let listens = me
                .service
                .is_some_and(|service| self.scenario.hosts[host].services[service].listens);
            assert!(listens, "an association begins where nobody listens");
            me.knows(assoc, Peer { up: false, outbound: 1, ending: false });
        }
        self.ledger.event(self.now, end, event);
        let own = me.params.init;
        match event {
            Event::AssocChange(
                AssocChange::Up { outbound, inbound } | AssocChange::Restart { outbound, inbound },
            ) => {
                assert!(*outbound <= own.outbound_streams && *outbound > 0, "{outbound} out");
                assert!(*inbound <= own.inbound_streams && *inbound > 0, "{inbound} in");
                let peer = me.peers.get_mut(&assoc).expect("an association of the user's");
                peer.up = true;
                // A restart undoes what was said of an end.
                peer.ending = false;
                peer.outbound = *outbound;
            }
            Event::AssocChange(
                AssocChange::Lost { .. }
                | AssocChange::ShutdownComplete
                | AssocChange::CannotStart { .. },
            ) => {
                let known = me.peers.remove(&assoc);
                assert!(known.is_some(), "the end of {assoc:?} is told elsewhere");
                me.refused.take_if(|refused| refused.assoc == assoc);
            }
            Event::Shutdown => {
                let peer = me.peers.get_mut(&assoc).expect("an association of the user's");
                peer.ending = true;
                me.refused.take_if(|refused| refused.assoc == assoc);
            }
            _ => {}
        }
    }
}
