//! What users may rely on: who sent what, and what became of it. Each call panics with its reason when
//! a stack breaks a promise.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::time::Duration;

use stack::event::{AssocChange, Event, RcvInfo, SendInfo};
use stack::types::{AssocId, Ssn, Time, Tsn};

use super::content;

/// An association as one of its two ends knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct End {
    pub(crate) host: usize,
    /// How often the host has been started.
    pub(crate) life: u32,
    pub(crate) assoc: AssocId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Gracefully,
    Lost,
    NeverUp,
}

#[derive(Debug)]
pub(crate) struct Assoc {
    local: SocketAddr,
    peer: Option<SocketAddr>,
    pub(crate) up: bool,
    pub(crate) ended: Option<Ended>,
    begun_at: Time,
    restarted: bool,
    /// A message that came back for no reason that was told yet: the peer has restarted.
    unexplained: Option<u32>,
    /// A message that was cut off for no reason that was told yet: the association is lost. And the
    /// cumulative TSN by then.
    cut_off: Option<(u32, Tsn)>,
    shutdown_told: bool,
    /// Its user has shut it down.
    shut_down: bool,
    /// Its user has closed the endpoint, or the host is gone: nobody hears its events.
    unheard: bool,
    /// Messages in the order they were sent, by stream.
    sent: HashMap<u16, Vec<u32>>,
    /// The message whose first bytes have been received, how many, and the cumulative TSN by then.
    partial: Option<(u32, usize, Tsn)>,
    last_ssn: HashMap<u16, Ssn>,
}

#[derive(Debug)]
pub(crate) struct Message {
    sender: End,
    stream: u16,
    unordered: bool,
    length: usize,
    lifetime: Option<Duration>,
    sent_at: Time,
    position: usize,
    received: Option<End>,
    /// Bytes that came back, and where the last of them ended.
    failed: usize,
    failed_till: usize,
    came_back_unsent: usize,
}

/// So late may a user hear of an association that was taken for it.
const LATE: Duration = Duration::from_secs(10);

/// Something that may cost the receiver messages that the sender was told are acknowledged.
#[derive(Clone, Copy, Debug)]
struct Disturbance {
    host: usize,
    /// All, if there is none.
    port: Option<u16>,
    at: Time,
}

/// How often something happened, to see that it did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
    pub(crate) received: u64,
    pub(crate) in_parts: u64,
    pub(crate) failed: u64,
    pub(crate) expired: u64,
    pub(crate) up: u64,
    pub(crate) restarts: u64,
    pub(crate) lost: u64,
    pub(crate) never_up: u64,
    pub(crate) graceful: u64,
    pub(crate) aborted_parts: u64,
    pub(crate) path_changes: u64,
    pub(crate) remote_errors: u64,
    /// By two associations, one of them lost.
    pub(crate) twice: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    messages: HashMap<u32, Message>,
    assocs: BTreeMap<End, Assoc>,
    /// The position in its stream of the last ordered message, by receiver, sender and stream.
    last: HashMap<(End, End, u16), usize>,
    disturbances: Vec<Disturbance>,
    next: u32,
    /// Nothing may be lost: neither associations nor messages.
    strict: bool,
    pub(crate) counts: Counts,
}

impl Ledger {
    pub(crate) fn new(strict: bool) -> Ledger {
        Ledger { strict, ..Ledger::default() }
    }

    pub(crate) fn assoc(&self, end: End) -> Option<&Assoc> {
        self.assocs.get(&end)
    }

    /// The number of the next message: its PPID and context.
    pub(crate) fn next_id(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    /// An end is known from now on.
    pub(crate) fn begin(
        &mut self,
        now: Time,
        end: End,
        local: SocketAddr,
        peer: Option<SocketAddr>,
    ) {
        let assoc = Assoc {
            local,
            peer,
            begun_at: now,
            up: false,
            ended: None,
            restarted: false,
            unexplained: None,
            cut_off: None,
            shutdown_told: false,
            shut_down: false,
            unheard: false,
            sent: HashMap::new(),
            partial: None,
            last_ssn: HashMap::new(),
        };
        let before = self.assocs.insert(end, assoc);
        assert!(before.is_none(), "{end:?} is used again");
    }

    /// `shutdown` was taken.
    pub(crate) fn shut_down(&mut self, end: End) {
        self.assocs.get_mut(&end).expect("an association we know").shut_down = true;
    }

    /// `send` took it.
    pub(crate) fn sent(&mut self, now: Time, end: End, info: SendInfo, length: usize) {
        let assoc = self.assocs.get_mut(&end).expect("an association we know");
        assert!(assoc.ended.is_none(), "{end:?}, which has ended, takes a message");
        let stream = assoc.sent.entry(info.stream).or_default();
        if !info.unordered {
            stream.push(info.ppid);
        }
        let message = Message {
            sender: end,
            stream: info.stream,
            unordered: info.unordered,
            length,
            lifetime: info.lifetime,
            sent_at: now,
            position: stream.len(),
            received: None,
            failed: 0,
            failed_till: 0,
            came_back_unsent: 0,
        };
        self.messages.insert(info.ppid, message);
        self.counts.messages += 1;
        self.counts.bytes += length as u64;
    }

    /// A part of a message came out.
    pub(crate) fn received(&mut self, end: End, info: &RcvInfo, bytes: &[u8], last: bool) {
        let id = info.ppid;
        let Some(message) = self.messages.get_mut(&id) else {
            panic!("{end:?} receives message {id}, which nobody sent");
        };
        let sender = &self.assocs[&message.sender];
        assert_eq!(info.from, sender.local, "message {id} comes from elsewhere");
        assert_eq!(info.stream, message.stream, "message {id} comes on another stream");
        assert_eq!(info.unordered, message.unordered, "message {id} has changed its order");
        if let Some(before) = message.received {
            // DATA that goes with a COOKIE ECHO may begin an association of which the sender never hears
            // (RFC 9260, section 5.1): it comes again when that one is lost and another begins, which
            // nobody hears of who has closed it, or whose host is gone.
            let assoc = &self.assocs[&before];
            let lost = assoc.ended == Some(Ended::Lost) || assoc.unheard;
            assert!(lost && !self.strict && before != end, "message {id} is received twice");
            self.counts.twice += 1;
        }
        let to = sender.peer;
        let assoc = self.assocs.get_mut(&end).expect("an association we know");
        assert!(assoc.up, "{end:?} receives data before it is up");
        assert!(assoc.ended.is_none(), "{end:?} receives message {id} after its end");
        assert!(!assoc.shutdown_told, "{end:?} receives message {id} after the peer's SHUTDOWN");
        assert!(to.is_none_or(|to| to == assoc.local), "message {id} is received by another");
        // What waited whole for the end of the one that was cut off still comes out: it is acknowledged.
        // Nothing that arrived after that does (RFC 9260, section 9.1).
        if let Some((other, till)) = assoc.cut_off {
            assert!(info.cumulative <= till, "it goes on after {other} was cut off for no reason");
        }
        let begins = assoc.partial.is_none();
        let offset = match assoc.partial.take() {
            Some((other, offset, _)) => {
                assert_eq!(other, id, "a message begins in the middle of another");
                offset
            }
            None => 0,
        };
        assert!(!bytes.is_empty(), "an empty part of message {id}");
        assert!(content::is_at(id, offset, bytes), "message {id} has other bytes at {offset}");
        let till = offset + bytes.len();
        if last {
            assert_eq!(till, message.length, "message {id} ends early");
            message.received = Some(end);
            self.counts.received += 1;
        } else {
            assert!(till < message.length, "message {id} does not end");
            assoc.partial = Some((id, till, info.cumulative));
        }
        if begins && !last {
            self.counts.in_parts += 1;
        }
        assert!(
            message.came_back_unsent < message.length,
            "message {id}, which came back unsent, is received"
        );
        if begins && !message.unordered {
            let last_ssn = assoc.last_ssn.insert(info.stream, info.ssn);
            assert!(
                last_ssn.is_none_or(|last| last < info.ssn),
                "message {id} has SSN {:?} after {last_ssn:?}",
                info.ssn
            );
            let key = (end, message.sender, message.stream);
            let before = self.last.insert(key, message.position).unwrap_or(0);
            assert!(before < message.position, "message {id} is out of order");
        }
        if assoc.peer.is_none() {
            assoc.peer = Some(info.from);
        }
    }

    /// An end was told something.
    pub(crate) fn event(&mut self, now: Time, end: End, event: &Event) {
        if let Event::SendFailed { sent, info, bytes, .. } = event {
            return self.failed(now, end, *sent, info, bytes);
        }
        let strict = self.strict;
        let assoc = self.assocs.get_mut(&end).expect("an association we know");
        assert!(assoc.ended.is_none(), "{end:?} is told {event:?} after its end");
        let restarts = matches!(event, Event::AssocChange(AssocChange::Restart { .. }));
        let excused = restarts || matches!(event, Event::PathChange { .. });
        if let (Some(id), false) = (assoc.unexplained, excused) {
            panic!("message {id} of {end:?} has failed for no reason");
        }
        let ends = restarts || matches!(event, Event::AssocChange(AssocChange::Lost { .. }));
        if let (Some((id, _)), false) = (assoc.cut_off, ends) {
            panic!("message {id} was cut off for no reason, then comes {event:?}");
        }
        match event {
            Event::AssocChange(change) => match change {
                AssocChange::Up { .. } => {
                    assert!(!assoc.up, "{end:?} comes up twice");
                    assoc.up = true;
                    self.counts.up += 1;
                }
                AssocChange::Restart { .. } => {
                    assoc.unexplained = None;
                    assert!(assoc.up, "{end:?} restarts before it is up");
                    assert!(!strict, "{end:?} restarts, though no host did");
                    assoc.restarted = true;
                    assoc.shutdown_told = false;
                    assoc.shut_down = false;
                    assoc.last_ssn.clear();
                    assoc.partial = None;
                    assoc.cut_off = None;
                    self.counts.restarts += 1;
                }
                AssocChange::Lost { error, causes } => {
                    // T5-shutdown-guard: the one who shut down read too slowly.
                    let guard = *error == 13 && causes.ends_with(b"too long");
                    self.strict &= !guard;
                    // It was over for the other one, to whom a late packet came out of the blue (8.4).
                    let over = assoc.shutdown_told || assoc.shut_down;
                    let excused = guard || (over && *error == 0);
                    assert!(!strict || excused, "{end:?} is lost for no reason: {event:?}");
                    assoc.ended = Some(Ended::Lost);
                    self.counts.lost += 1;
                    let (host, port) = (end.host, Some(assoc.local.port()));
                    self.disturbances.push(Disturbance { host, port, at: now });
                }
                AssocChange::CannotStart { .. } => {
                    assert!(!assoc.up, "{end:?} was up and cannot start");
                    assert!(!strict, "{end:?} cannot start for no reason: {event:?}");
                    assoc.ended = Some(Ended::NeverUp);
                    self.counts.never_up += 1;
                }
                AssocChange::ShutdownComplete => {
                    assert!(assoc.up, "{end:?} was never up and is shut down");
                    assert!(assoc.partial.is_none(), "{end:?} ends in the middle of a message");
                    assoc.ended = Some(Ended::Gracefully);
                    self.counts.graceful += 1;
                }
            },
            Event::Shutdown => {
                assert!(assoc.up && !assoc.shutdown_told, "{end:?} is told of SHUTDOWN again");
                assert!(assoc.partial.is_none(), "{end:?} has SHUTDOWN inside a message");
                assoc.shutdown_told = true;
            }
            Event::PartialDeliveryAborted { stream, .. } => {
                let (id, _, till) =
                    assoc.partial.take().expect("a message that is received in parts");
                let message = &self.messages[&id];
                assert_eq!(message.stream, *stream, "the part of another stream is aborted");
                // Only then may the association go on.
                assoc.cut_off = message.lifetime.is_none().then_some((id, till));
                self.counts.aborted_parts += 1;
            }
            Event::PathChange { .. } => self.counts.path_changes += 1,
            Event::RemoteError { .. } => self.counts.remote_errors += 1,
            Event::Adaptation(_) => assert!(assoc.up, "{end:?} has a number before it is up"),
            Event::SenderDry | Event::SendFailed { .. } => {}
        }
    }

    fn failed(&mut self, now: Time, end: End, sent: bool, info: &SendInfo, bytes: &[u8]) {
        let id = info.ppid;
        let Some(message) = self.messages.get_mut(&id) else {
            panic!("message {id} fails, which nobody sent");
        };
        assert_eq!(message.sender, end, "message {id} fails elsewhere");
        let of = (message.stream, id, message.unordered);
        assert_eq!(
            (info.stream, info.context, info.unordered),
            of,
            "message {id} fails as another"
        );
        let Some(at) = content::find(id, message.length, message.failed_till, bytes) else {
            panic!("message {id} fails with other bytes");
        };
        message.failed_till = at + bytes.len();
        let assoc = self.assocs.get_mut(&end).expect("an association we know");
        let lost = matches!(assoc.ended, Some(Ended::Lost | Ended::NeverUp)) || assoc.restarted;
        if !lost {
            if message.lifetime.is_some_and(|lifetime| now - message.sent_at >= lifetime) {
                self.counts.expired += 1;
            } else {
                assert!(assoc.ended.is_none(), "message {id} fails after a graceful end");
                assoc.unexplained = Some(id);
            }
        }
        if message.failed == 0 {
            self.counts.failed += 1;
        }
        message.failed += bytes.len();
        assert!(message.failed <= message.length, "message {id} fails twice");
        if !sent {
            message.came_back_unsent += bytes.len();
            let untouched = message.came_back_unsent == message.length;
            assert!(
                !(untouched && message.received.is_some()),
                "message {id}, which was received, comes back unsent"
            );
        }
    }

    /// Its user has closed the endpoint.
    pub(crate) fn closed(
        &mut self,
        now: Time,
        host: usize,
        ends: impl Iterator<Item = End>,
        local: SocketAddr,
    ) {
        for end in ends {
            if let Some(assoc) = self.assocs.get_mut(&end) {
                assoc.unheard = true;
            }
        }
        // Associations that it was never told of, too.
        self.disturbances.push(Disturbance { host, port: Some(local.port()), at: now });
    }

    /// A host has lost all it knew.
    pub(crate) fn gone(&mut self, now: Time, host: usize, life: u32) {
        for (end, assoc) in &mut self.assocs {
            if end.host == host && end.life == life {
                assoc.unheard = true;
            }
        }
        self.disturbances.push(Disturbance { host, port: None, at: now });
    }

    /// Messages of which it must still be heard.
    pub(crate) fn open(&self) -> Vec<u32> {
        let waits = |message: &Message| {
            let sender = &self.assocs[&message.sender];
            message.received.is_none()
                && message.failed == 0
                && sender.ended.is_none()
                && !sender.unheard
        };
        self.messages.iter().filter(|(_, m)| waits(m)).map(|(id, _)| *id).collect()
    }

    pub(crate) fn sender(&self, id: u32) -> End {
        self.messages[&id].sender
    }

    /// Something has happened at the receiver that may have cost it what it had acknowledged.
    pub(crate) fn excuses(&self, id: u32, host_of: impl Fn(SocketAddr) -> Option<usize>) -> bool {
        let sender = &self.assocs[&self.messages[&id].sender];
        let to = sender.peer.map(|peer| (host_of(peer), peer.port()));
        // What was closed before this association began cannot be the reason; the one who takes an
        // association may hear of it late.
        self.disturbances.iter().any(|disturbance| {
            disturbance.at + LATE >= sender.begun_at
                && to.is_none_or(|(host, port)| {
                    host.is_none_or(|host| host == disturbance.host)
                        && disturbance.port.is_none_or(|of| of == port)
                })
        })
    }

    pub(crate) fn describe(&self, id: u32) -> String {
        let message = &self.messages[&id];
        format!("message {id}: {message:?} of {:?}", self.assocs[&message.sender])
    }

    /// All is over: each message has come or has failed, or there is a reason.
    pub(crate) fn finish(&self, host_of: impl Fn(SocketAddr) -> Option<usize>) {
        for (id, message) in &self.messages {
            if message.received.is_some() || message.failed > 0 {
                continue;
            }
            let sender = &self.assocs[&message.sender];
            let excused = self.excuses(*id, &host_of);
            let unheard = sender.unheard && sender.ended != Some(Ended::Gracefully);
            assert!(
                (excused || unheard) && !self.strict,
                "neither received nor failed: {}",
                self.describe(*id)
            );
        }
        for (end, assoc) in &self.assocs {
            // Who closes in between, or is gone, does not hear the reason.
            let unexplained = assoc.unexplained.filter(|_| !assoc.unheard);
            assert!(unexplained.is_none(), "{end:?} has failed {unexplained:?} for no reason");
            assert!(
                assoc.ended.is_some() || assoc.unheard,
                "{end:?} was not told its end: {assoc:?}"
            );
        }
    }
}
