//! Plays a conversation: the peer's part, the user's, and time's.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use stack::error::Error;
use stack::event::SendInfo;
use stack::params::{Params, Style};
use stack::stack::{Entropy, Limits, Stack};
use stack::types::{AssocId, EndpointId, Route, Time, Transmit};

use super::notation::{Conversation, PacketText, Statement, Words, duration, number};
use super::packets::{Known, build, check, content};
use super::said;
use crate::packet::{Packet, describe::describe};

const PORTS: (u16, u16) = (6000, 5000);
const UDP: u16 = 9899;

struct Seeded(fastrand::Rng);

impl Entropy for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }
}

fn address(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 0, 0, last))
}

struct Player {
    stack: Stack,
    now: Time,
    endpoint: Option<EndpointId>,
    assoc: Option<AssocId>,
    known: Known,
    /// What the stack has sent since, and when.
    sent: VecDeque<(Time, Transmit)>,
}

/// The fault of a conversation, with its line; None: all is as it says.
pub(crate) fn play(conversation: &Conversation) -> Option<String> {
    let limits = Limits::default();
    let mut player = Player {
        stack: Stack::new(limits, Box::new(Seeded(fastrand::Rng::with_seed(7)))),
        now: Time(1_000_000),
        endpoint: None,
        assoc: None,
        known: Known::new(),
        sent: VecDeque::new(),
    };
    for (line, statement) in &conversation.lines {
        let played = catch_unwind(AssertUnwindSafe(|| player.line(statement)));
        if let Err(panic) = played {
            let words = panic.downcast_ref::<String>().cloned();
            let words = words.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_string()));
            return Some(format!(
                "{}, line {line}: {}",
                conversation.name,
                words.unwrap_or_else(|| "a panic".into())
            ));
        }
    }
    let left = catch_unwind(AssertUnwindSafe(|| player.all_seen()));
    left.err().map(|_| {
        let rest: Vec<_> = player.sent.iter().map(|(_, t)| describe(&t.bytes)).collect();
        format!("{}: more is sent at its end: {rest:?}", conversation.name)
    })
}

impl Player {
    fn line(&mut self, statement: &Statement) {
        match statement {
            Statement::In(text) => {
                self.all_seen();
                self.give(text);
            }
            Statement::Out(text) => self.expect(text),
            Statement::Do(words) => {
                self.all_seen();
                self.act(words);
            }
        }
    }

    fn all_seen(&self) {
        if let Some((at, transmit)) = self.sent.front() {
            panic!("unexpected, {:?} ago: {}", self.now - *at, describe(&transmit.bytes));
        }
    }

    fn collect(&mut self) {
        while let Some(transmit) = self.stack.output() {
            self.sent.push_back((self.now, transmit));
        }
        while self.stack.ready().is_some() {}
    }

    fn give(&mut self, text: &PacketText) {
        let from: Option<SocketAddr> =
            text.about.value("from").map(|from| from.parse().expect("an address and port"));
        let (ip, port) = from.map_or((address(2), PORTS.0), |from| (from.ip(), from.port()));
        let bytes = build(text, &mut self.known, (port, PORTS.1));
        let route =
            Route { local: SocketAddr::new(address(1), UDP), remote: SocketAddr::new(ip, UDP) };
        self.stack.input(self.now, route, &bytes);
        self.collect();
    }

    fn expect(&mut self, text: &PacketText) {
        let Some((at, transmit)) = self.sent.pop_front() else { panic!("nothing is sent") };
        let packet = Packet::parse(&transmit.bytes).unwrap_or_else(|e| panic!("malformed: {e}"));
        assert_eq!(at, self.now, "{:?} too early: {packet}", self.now - at);
        let to = text.about.value("to").map_or(SocketAddr::new(address(2), PORTS.0), |to| {
            to.parse().expect("an address and port")
        });
        assert_eq!(transmit.route.remote, SocketAddr::new(to.ip(), UDP), "sent elsewhere");
        assert_eq!(transmit.route.local, SocketAddr::new(address(1), UDP), "sent from elsewhere");
        assert_eq!((packet.source, packet.destination), (PORTS.1, to.port()), "other ports");
        check(text, &packet, &mut self.known);
    }

    /// So much time, and nothing is sent before its end.
    fn after(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(due) = self.stack.timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.stack.advance(self.now);
            self.collect();
        }
        self.now = end;
    }

    /// Until a packet is sent.
    fn within(&mut self, time: Duration) {
        let end = self.now + time;
        while self.sent.is_empty() {
            let due = self.stack.timeout().filter(|due| *due <= end);
            self.now = self.now.max(due.unwrap_or_else(|| panic!("nothing is sent in {time:?}")));
            self.stack.advance(self.now);
            self.collect();
        }
    }

    fn endpoint(&self) -> EndpointId {
        self.endpoint.expect("an endpoint is open")
    }

    fn assoc(&self) -> AssocId {
        self.assoc.expect("an association is known")
    }

    fn act(&mut self, words: &Words) {
        let now = self.now;
        match words.first.as_str() {
            "open" => self.open(words),
            "listen" => {
                let backlog = words.pairs.first().map_or(5, |(text, _)| number(text));
                let backlog = usize::try_from(backlog).expect("a small number");
                let result = self.stack.listen(self.endpoint(), backlog);
                self.result(words, result);
            }
            "connect" => {
                let remote = SocketAddr::new(address(2), PORTS.0);
                let result = self.stack.connect(now, self.endpoint(), remote, UDP);
                self.assoc = result.ok().or(self.assoc);
                self.result(words, result);
            }
            "accept" => {
                let result = self.stack.accept(self.endpoint());
                if let Ok((endpoint, assoc)) = result {
                    (self.endpoint, self.assoc) = (Some(endpoint), Some(assoc));
                }
                self.result(words, result);
            }
            "up" => self.up(words),
            "taken" => self.taken(words),
            "send" => {
                words.only(&["len", "stream", "ppid", "context", "unordered", "lifetime"]);
                let narrow = |key| words.number(key).unwrap_or(0);
                let info = SendInfo {
                    stream: narrow("stream") as u16,
                    ppid: narrow("ppid") as u32,
                    context: narrow("context") as u32,
                    unordered: words.has("unordered"),
                    lifetime: words.value("lifetime").map(duration),
                };
                let length = words.number("len").unwrap_or(100);
                let data = content(usize::try_from(length).expect("a length"));
                let result = self.stack.send(now, self.endpoint(), self.assoc(), info, &data);
                self.result(words, result);
            }
            "shutdown" => {
                let result = self.stack.shutdown(now, self.endpoint(), self.assoc());
                self.result(words, result);
            }
            "abort" => {
                let result = self.stack.abort(now, self.endpoint(), self.assoc(), b"");
                self.result(words, result);
            }
            "heartbeat" => {
                let result = self.stack.heartbeat(now, self.endpoint(), self.assoc());
                self.result(words, result);
            }
            "close" => {
                let result = self.stack.close(now, self.endpoint());
                self.result(words, result);
            }
            "after" | "within" => {
                let time = duration(&words.pairs.first().expect("a time").0);
                if words.first == "after" { self.after(time) } else { self.within(time) }
            }
            "data" | "event" | "nothing" => {
                let received = self.stack.receive(now, self.endpoint(), usize::MAX);
                if let Ok(stack::event::Received::Event(assoc, _)) = &received {
                    self.assoc = self.assoc.or(Some(*assoc));
                }
                said::check(words, received);
            }
            "state" => {
                let status = self.stack.status(self.endpoint(), self.assoc());
                said::check_state(words, status.map(|status| status.state));
            }
            "associations" => {
                let count = self.stack.association_count();
                assert_eq!(words.pairs[0].0, count.to_string(), "so many associations");
            }
            other => panic!("`{other}` means nothing"),
        }
        self.collect();
    }

    /// A call was taken, or refused as the text says.
    fn result<T: std::fmt::Debug>(&self, words: &Words, result: Result<T, Error>) {
        let is = result.as_ref().err().map(|error| format!("{error:?}").to_lowercase());
        assert_eq!(is, words.refused, "`{}`: {result:?}", words.first);
    }

    fn open(&mut self, words: &Words) {
        let style = match words.pairs.first().map(|(style, _)| style.as_str()) {
            Some("one-to-one") => Style::OneToOne,
            Some("one-to-many") => Style::OneToMany,
            other => panic!("an endpoint of style {other:?}"),
        };
        let mut params = Params::default();
        // Silence, unless a conversation is about it.
        params.path.heartbeat_interval = None;
        params.path.mtu = 1_472;
        for (key, value) in &words.pairs[1..] {
            said::set_param(&mut params, key, value);
        }
        let endpoint = self.stack.open(style, params);
        let port = self.stack.bind(endpoint, address(1), PORTS.1, UDP);
        assert_eq!(port, Ok(PORTS.1), "the port is taken");
        self.endpoint = Some(endpoint);
    }

    fn lines(&mut self, text: &str) {
        for conversation in super::notation::parse(text) {
            for (_, statement) in &conversation.lines {
                self.line(statement);
            }
        }
    }

    /// Actively: `connect` to the event. `init-ack:..` are words for the peer's INIT ACK.
    fn up(&mut self, words: &Words) {
        let extra = extra(words);
        self.lines(&format!(
            "== up\nconnect\n<- INIT\n-> INIT-ACK {extra}\n<- COOKIE-ECHO\n-> COOKIE-ACK\nevent up"
        ));
    }

    /// Passively, by an endpoint that listens.
    fn taken(&mut self, words: &Words) {
        let extra = extra(words);
        self.lines(&format!(
            "== taken\n-> INIT {extra}\n<- INIT-ACK\n-> COOKIE-ECHO\n<- COOKIE-ACK"
        ));
        let endpoint = self.endpoint();
        if let Ok((child, assoc)) = self.stack.accept(endpoint) {
            (self.endpoint, self.assoc) = (Some(child), Some(assoc));
        }
        self.lines("== taken\nevent up");
    }
}

fn extra(words: &Words) -> String {
    let pair = |(key, value): &(String, String)| match value.as_str() {
        "" => key.clone(),
        value => format!("{key}={value}"),
    };
    words.pairs.iter().map(pair).collect::<Vec<_>>().join(" ")
}
