//! What packets may look like, whoever sends them: rules of RFC 9260 that an onlooker can check. Each
//! call panics with its reason when a rule is broken.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::packet::{Chunk, Data, Packet, Sack, be32, data_flag, kind};

/// How often something was seen, to know that it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) packets: u64,
    pub(crate) data: u64,
    pub(crate) data_again: u64,
    pub(crate) fragments: u64,
    pub(crate) bundles: u64,
    pub(crate) gaps: u64,
    pub(crate) closed_windows: u64,
    pub(crate) forward: u64,
    pub(crate) heartbeats: u64,
    pub(crate) aborts: u64,
    pub(crate) errors: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Tap {
    /// By tag: the tags that the other end may have. Each INIT ACK makes a pair.
    partners: HashMap<u32, Vec<u32>>,
    /// By the tag of the one that said so: its window and its first TSN.
    begun: HashMap<u32, (u32, u32)>,
    /// By the tag of the receiver: what was sent to it, and what arrived.
    flows: HashMap<u32, Flow>,
    /// TSNs that went along with a COOKIE ECHO. Where both begin at once, that may come too late, and is
    /// discarded with all that is in its packet (5.2.4, action C).
    with_cookie: HashSet<u32>,
    /// DATA sent again that was not such.
    pub(crate) repeated: u64,
    /// Timed reliability hides from an onlooker what is outstanding.
    pub(crate) windows: bool,
    pub(crate) counts: Counts,
}

/// DATA from one end to the other.
#[derive(Debug)]
struct Flow {
    /// All that was ever sent: its checksum, if it went to this tag.
    sent: HashMap<u32, Option<u32>>,
    /// Neither acknowledged nor in a gap block, by distance from the first TSN: its length.
    outstanding: BTreeMap<u32, usize>,
    first: u32,
    /// Distances of what arrived.
    arrived: HashSet<u32>,
    /// All before this distance has arrived, or was given up.
    complete: u32,
    /// All before this distance was acknowledged to the sender.
    acknowledged: u32,
    /// All before this distance was said to have arrived, by the receiver.
    said: u32,
    window: u32,
}

impl Tap {
    pub(crate) fn new(windows: bool) -> Tap {
        Tap { windows, ..Tap::default() }
    }

    /// A packet as it leaves a host.
    pub(crate) fn sent(&mut self, bytes: &[u8], mtu: usize) -> Packet {
        let packet = match Packet::parse(bytes) {
            Ok(packet) => packet,
            Err(reason) => panic!("a malformed packet is sent: {reason}"),
        };
        assert!(bytes.len() <= mtu, "{} bytes where {mtu} fit: {packet}", bytes.len());
        assert!(!packet.chunks.is_empty(), "a packet without chunks is sent");
        assert!(packet.source != 0 && packet.destination != 0, "a port is 0: {packet}");
        self.counts.packets += 1;
        let cookie = packet.chunks.iter().any(|chunk| chunk.kind == kind::COOKIE_ECHO);
        let mut data_seen = false;
        for chunk in &packet.chunks {
            let alone = packet.chunks.len() == 1;
            match chunk.kind {
                kind::INIT => {
                    assert!(alone && packet.tag == 0, "INIT with others, or a tag: {packet}");
                    self.begins(chunk);
                }
                kind::INIT_ACK => {
                    assert!(alone, "INIT ACK with others: {packet}");
                    self.begins(chunk);
                    let tag = chunk.init().expect("a whole INIT ACK").tag;
                    self.partners.entry(tag).or_default().push(packet.tag);
                    self.partners.entry(packet.tag).or_default().push(tag);
                }
                kind::SHUTDOWN_COMPLETE => {
                    assert!(alone, "SHUTDOWN COMPLETE with others: {packet}");
                }
                kind::DATA => {
                    data_seen = true;
                    let data = chunk.data().unwrap_or_else(|| panic!("short DATA: {packet}"));
                    assert!(!data.bytes.is_empty(), "DATA without data: {packet}");
                    self.sends(packet.tag, &data);
                    if cookie {
                        self.with_cookie.insert(data.tsn);
                    }
                }
                kind::SACK => {
                    assert!(!data_seen, "SACK after DATA: {packet}");
                    let sack = chunk.sack().unwrap_or_else(|| panic!("malformed SACK: {packet}"));
                    self.says(packet.tag, &sack);
                }
                kind::FORWARD_TSN => {
                    self.counts.forward += 1;
                    // It may be the first that is heard of a flow (RFC 3758, section 3.5): what went
                    // with a COOKIE ECHO was given up when the cookie was stale (5.2.6).
                    if chunk.value.len() >= 4 {
                        self.flow(packet.tag, be32(&chunk.value, 0));
                    }
                }
                kind::HEARTBEAT => self.counts.heartbeats += 1,
                kind::ABORT => self.counts.aborts += 1,
                kind::ERROR => self.counts.errors += 1,
                kind::HEARTBEAT_ACK
                | kind::SHUTDOWN
                | kind::SHUTDOWN_ACK
                | kind::COOKIE_ECHO
                | kind::COOKIE_ACK => {}
                other => panic!("a chunk of type {other} is sent"),
            }
            assert!(chunk.kind == kind::INIT || packet.tag != 0, "a tag of 0: {packet}");
        }
        if packet.chunks.len() > 1 {
            self.counts.bundles += 1;
        }
        packet
    }

    /// A packet as it reaches a host, unaltered.
    pub(crate) fn arrived(&mut self, bytes: &[u8]) {
        let Ok(packet) = Packet::parse(bytes) else { return };
        for chunk in &packet.chunks {
            if let Some(data) = chunk.data() {
                if let Some(flow) = self.flows.get_mut(&packet.tag) {
                    flow.arrives(data.tsn);
                }
            } else if chunk.kind == kind::FORWARD_TSN && chunk.value.len() >= 4 {
                let till = be32(&chunk.value, 0);
                if let Some(flow) = self.flows.get_mut(&packet.tag) {
                    flow.skips(till);
                }
            } else if chunk.kind == kind::SHUTDOWN && chunk.value.len() >= 4 {
                let cumulative = be32(&chunk.value, 0);
                for tag in self.partners.get(&packet.tag).into_iter().flatten() {
                    if let Some(flow) = self.flows.get_mut(tag) {
                        let window = flow.window;
                        let (gaps, duplicates) = (Vec::new(), Vec::new());
                        flow.acknowledges(&Sack { cumulative, window, gaps, duplicates });
                    }
                }
            } else if let Some(sack) = chunk.sack() {
                for tag in self.partners.get(&packet.tag).into_iter().flatten() {
                    if let Some(flow) = self.flows.get_mut(tag) {
                        flow.acknowledges(&sack);
                    }
                }
            }
        }
    }

    fn begins(&mut self, chunk: &Chunk) {
        let init = chunk.init().expect("a whole INIT");
        assert!(init.tag != 0, "an initiate tag of 0");
        assert!(init.outbound > 0 && init.inbound > 0, "no streams");
        assert!(init.window >= 1500, "a window of {} at the beginning", init.window);
        chunk.tlvs(16).expect("well-formed parameters");
        self.begun.insert(init.tag, (init.window, init.tsn));
    }

    /// To the holder of a tag, with a TSN that is sent to it, or given up.
    fn flow(&mut self, to: u32, tsn: u32) -> &mut Flow {
        // The same tag may be told to several who answer.
        let far = |flow: &Flow| tsn.wrapping_sub(flow.first) > 1 << 20;
        if self.flows.get(&to).is_none_or(far) {
            let (window, _) = self.begun[&to];
            let first = self
                .partners
                .get(&to)
                .into_iter()
                .flatten()
                .map(|from| self.begun[from].1)
                .find(|first| tsn.wrapping_sub(*first) < 1 << 16);
            let first = first.unwrap_or_else(|| panic!("TSN {tsn} is not near the first"));
            // In a collision the receiver's tag changes; TSNs go on.
            let before = self.flows.values().filter(|flow| flow.first == first);
            let sent = before.flat_map(|flow| flow.sent.keys().map(|at| (*at, None))).collect();
            self.flows.insert(to, Flow { sent, ..Flow::new(first, window) });
        }
        self.flows.get_mut(&to).expect("it is there now")
    }

    fn sends(&mut self, to: u32, data: &Data<'_>) {
        self.counts.data += 1;
        if data.flags & (data_flag::BEGIN | data_flag::END) != data_flag::BEGIN | data_flag::END {
            self.counts.fragments += 1;
        }
        let windows = self.windows;
        let mut again = false;
        let flow = self.flow(to, data.tsn);
        let distance = data.tsn.wrapping_sub(flow.first);
        let mut sum = crc32c::crc32c(data.bytes);
        for word in [
            u32::from(data.flags & !data_flag::IMMEDIATE),
            u32::from(data.stream) << 16 | u32::from(data.ssn),
            data.ppid,
        ] {
            sum = crc32c::crc32c_append(sum, &word.to_be_bytes());
        }
        match flow.sent.insert(distance, Some(sum)) {
            Some(before) => {
                assert_eq!(
                    before.unwrap_or(sum),
                    sum,
                    "TSN {} is sent again with other content",
                    data.tsn
                );
                again = true;
            }
            None => {
                let in_flight: usize = flow.outstanding.values().sum();
                if windows {
                    assert!(
                        in_flight == 0 || in_flight + data.bytes.len() <= flow.window as usize,
                        "TSN {} of {} bytes, {in_flight} in flight, does not fit a window of {}",
                        data.tsn,
                        data.bytes.len(),
                        flow.window
                    );
                }
                // What is given up before it was sent has a TSN all the same.
                assert!(
                    !windows || distance == 0 || flow.sent.contains_key(&(distance - 1)),
                    "TSN {} is sent before the one before it",
                    data.tsn
                );
                flow.outstanding.insert(distance, data.bytes.len());
            }
        }
        self.counts.data_again += u64::from(again);
        self.repeated += u64::from(again && !self.with_cookie.contains(&data.tsn));
    }

    /// A SACK leaves for the holder of tag `to`: about DATA that it has sent.
    fn says(&mut self, to: u32, sack: &Sack) {
        if sack.window == 0 {
            self.counts.closed_windows += 1;
        }
        let mut before = 0;
        for (first, last) in &sack.gaps {
            assert!(*first > before + 1 && last >= first, "gap blocks {:?}", sack.gaps);
            before = *last;
            self.counts.gaps += 1;
        }
        // Most often one; more after a collision or a restart, of which one must be meant.
        let tags = self.partners.get(&to).into_iter().flatten();
        let flows: Vec<u32> = tags.copied().filter(|tag| self.flows.contains_key(tag)).collect();
        let faults: Vec<_> =
            flows.iter().filter_map(|tag| self.flows[tag].fault_of(sack)).collect();
        // Or one in which nothing was sent yet: DATA of before a restart has come late, with a tag
        // that is used again (5.2.1), and the SACK says that this is not it.
        if let Some((_, first)) = self.begun.get(&to)
            && flows.iter().all(|tag| self.flows[tag].first != *first)
            && sack.cumulative == first.wrapping_sub(1)
            && sack.gaps.is_empty()
        {
            return;
        }
        assert!(faults.is_empty() || faults.len() < flows.len(), "{sack:?}: {faults:?}");
        if let [tag] = flows[..] {
            let flow = self.flows.get_mut(&tag).expect("it is there");
            flow.said = flow.behind(sack.cumulative);
        }
    }
}

impl Flow {
    fn new(first: u32, window: u32) -> Flow {
        Flow {
            sent: HashMap::new(),
            outstanding: BTreeMap::new(),
            first,
            arrived: HashSet::new(),
            complete: 0,
            acknowledged: 0,
            said: 0,
            window,
        }
    }

    /// The distance after `tsn`.
    fn behind(&self, tsn: u32) -> u32 {
        tsn.wrapping_sub(self.first).wrapping_add(1)
    }

    /// What is wrong with a SACK that the receiver sends.
    fn fault_of(&self, sack: &Sack) -> Option<String> {
        let till = self.behind(sack.cumulative);
        if till > self.complete {
            return Some(format!("only {} have arrived in order", self.complete));
        }
        if till < self.said {
            return Some(format!("{} were acknowledged before", self.said));
        }
        let mut blocks = sack.gaps.iter().flat_map(|(first, last)| *first..=*last);
        let missing = blocks.find(|distance| {
            let distance = till.wrapping_sub(1).wrapping_add(u32::from(*distance));
            !self.arrived.contains(&distance)
        });
        missing.map(|distance| format!("{distance} after it has not arrived"))
    }

    fn arrives(&mut self, tsn: u32) {
        self.arrived.insert(tsn.wrapping_sub(self.first));
        self.settle();
    }

    fn skips(&mut self, till: u32) {
        let till = self.behind(till);
        if till < 1 << 31 {
            self.complete = self.complete.max(till);
            self.settle();
        }
    }

    fn settle(&mut self) {
        while self.arrived.contains(&self.complete) {
            self.complete += 1;
        }
    }

    fn acknowledges(&mut self, sack: &Sack) {
        let till = self.behind(sack.cumulative);
        if till >= 1 << 31 || till < self.acknowledged {
            return;
        }
        // Of two about the same TSN it is not known which is the later one.
        self.window =
            if till > self.acknowledged { sack.window } else { self.window.max(sack.window) };
        self.acknowledged = till;
        self.outstanding = self.outstanding.split_off(&till);
        for (first, last) in &sack.gaps {
            for distance in *first..=*last {
                self.outstanding.remove(&(till.wrapping_sub(1).wrapping_add(distance.into())));
            }
        }
    }
}
