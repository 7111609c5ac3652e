//! Packets from text, and packets against text.

use super::notation::{PacketText, Words, distance, hex, number};
use crate::packet::describe::name;
use crate::packet::{Chunk, Packet, Tlv, be32, data_flag, kind};

pub(crate) const COOKIE: u16 = 7;

/// What the peer knows of the association, and what texts leave out.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// The peer's tag and first TSN: what the stack is told.
    pub(crate) peer_tag: u32,
    pub(crate) peer_tsn: u32,
    /// The stack's.
    pub(crate) own_tag: u32,
    pub(crate) own_tsn: u32,
    /// What the stack said last of itself, and to whom: for a COOKIE ECHO.
    pub(crate) offered: Option<(u32, u32)>,
    /// The tag of the peer's last INIT.
    pub(crate) init_tag: u32,
    pub(crate) cookie: Vec<u8>,
    pub(crate) heartbeat: Vec<u8>,
    /// The next of DATA that say nothing.
    pub(crate) next_tsn: u32,
}

impl Known {
    pub(crate) fn new() -> Known {
        Known {
            peer_tag: 0x7777_7777,
            peer_tsn: 1000,
            own_tag: 0,
            own_tsn: 0,
            offered: None,
            init_tag: 0,
            cookie: Vec::new(),
            heartbeat: Vec::new(),
            next_tsn: 1000,
        }
    }

    fn tag(&self, text: &str) -> u32 {
        match text {
            "own" => self.own_tag,
            "peer" => self.peer_tag,
            other => u32::try_from(number(other)).expect("a tag of 32 bits"),
        }
    }
}

fn at(first: u32, text: &str) -> u32 {
    first.wrapping_add(distance(text) as u32)
}

/// Bytes of messages: not all alike.
pub(crate) fn content(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index % 251) as u8).collect()
}

fn kind_of(text: &str) -> u8 {
    (0..=255).find(|kind| name(*kind) == Some(text)).unwrap_or_else(|| panic!("no chunk `{text}`"))
}

fn tlv(kind: u16, value: &[u8], to: &mut Vec<u8>) {
    to.resize(to.len().next_multiple_of(4), 0);
    to.extend(kind.to_be_bytes());
    to.extend(u16::try_from(value.len() + 4).expect("a short value").to_be_bytes());
    to.extend(value);
}

/// `TYPE`, or `TYPE:HEX`.
fn typed(text: &str) -> (u16, Option<Vec<u8>>) {
    let (kind, value) = text.split_once(':').map_or((text, None), |(k, v)| (k, Some(hex(v))));
    (u16::try_from(number(kind)).expect("a type of 16 bits"), value)
}

/// A packet for the stack; what follows from it for the peer is noted.
pub(crate) fn build(text: &PacketText, known: &mut Known, ports: (u16, u16)) -> Vec<u8> {
    text.about.only(&["vtag", "from", "bad-checksum", "cut", "hex"]);
    let chunks: Vec<_> = text.chunks.iter().map(|words| chunk(words, known)).collect();
    let first = chunks.first().map(|chunk| chunk.kind);
    let tag = match (text.about.value("vtag"), first) {
        (Some(tag), _) => known.tag(tag),
        (None, Some(kind::INIT)) => 0,
        (None, _) => known.own_tag,
    };
    let (source, destination) = ports;
    let lengths: Vec<_> = text.chunks.iter().map(|words| words.number("length")).collect();
    let packet = Packet { source, destination, tag, chunks };
    let mut bytes = packet.build();
    let mut place = 12;
    for (chunk, length) in packet.chunks.iter().zip(lengths) {
        if let Some(length) = length {
            let length = u16::try_from(length).expect("a length of 16 bits");
            bytes[place + 2..place + 4].copy_from_slice(&length.to_be_bytes());
        }
        place += (4 + chunk.value.len()).next_multiple_of(4);
    }
    let cut = text.about.number("cut").unwrap_or(0);
    bytes.truncate(bytes.len() - usize::try_from(cut).expect("a small number"));
    crate::packet::seal(&mut bytes);
    if text.about.has("bad-checksum") {
        bytes[8] ^= 1;
    }
    bytes
}

fn chunk(words: &Words, known: &mut Known) -> Chunk {
    let wide =
        |key: &str, other: u64| u32::try_from(words.number(key).unwrap_or(other)).expect("32 bits");
    let narrow =
        |key: &str, other: u64| u16::try_from(words.number(key).unwrap_or(other)).expect("16 bits");
    let byte = |key: &str| u8::try_from(words.number(key).unwrap_or(0)).expect("8 bits");
    if words.first == "CHUNK" {
        words.only(&["type", "flags", "hex", "length"]);
        let value = words.value("hex").map(hex).unwrap_or_default();
        return Chunk { kind: byte("type"), flags: byte("flags"), value };
    }
    let kind = kind_of(&words.first);
    let mut flags = u8::from(words.has("t"));
    let mut value = Vec::new();
    match kind {
        kind::INIT | kind::INIT_ACK => {
            words.only(&[
                "tag",
                "rwnd",
                "out",
                "in",
                "tsn",
                "param",
                "cookie",
                "no-cookie",
                "length",
            ]);
            let tag = wide("tag", known.peer_tag.into());
            let tsn = wide("tsn", known.peer_tsn.into());
            (known.peer_tsn, known.next_tsn) = (tsn, tsn);
            if kind == kind::INIT {
                known.init_tag = tag;
            } else {
                known.peer_tag = tag;
            }
            value.extend(tag.to_be_bytes());
            value.extend(wide("rwnd", 100_000).to_be_bytes());
            value.extend(narrow("out", 10).to_be_bytes());
            value.extend(narrow("in", 10).to_be_bytes());
            value.extend(tsn.to_be_bytes());
            if kind == kind::INIT_ACK && !words.has("no-cookie") {
                known.cookie = words.value("cookie").map_or(b"biscuit!".to_vec(), hex);
                tlv(COOKIE, &known.cookie, &mut value);
            }
            for param in words.values("param") {
                let (kind, param) = typed(param);
                tlv(kind, &param.unwrap_or_default(), &mut value);
            }
        }
        kind::COOKIE_ECHO => {
            words.only(&["cookie", "length"]);
            if let Some((tag, tsn)) = known.offered {
                (known.own_tag, known.own_tsn) = (tag, tsn);
            }
            if known.init_tag != 0 {
                known.peer_tag = known.init_tag;
            }
            value = match words.value("cookie") {
                Some("changed") => {
                    let mut cookie = known.cookie.clone();
                    let middle = cookie.len() / 2;
                    cookie[middle] ^= 1;
                    cookie
                }
                Some(cookie) => hex(cookie),
                None => known.cookie.clone(),
            };
        }
        kind::DATA => {
            words.only(&["tsn", "stream", "ssn", "ppid", "len", "flags", "hex", "length"]);
            flags = data_flags(words.value("flags").unwrap_or("be"));
            let tsn = match words.value("tsn") {
                Some(text) => at(known.peer_tsn, text),
                None => known.next_tsn,
            };
            known.next_tsn = tsn.wrapping_add(1);
            value.extend(tsn.to_be_bytes());
            value.extend(narrow("stream", 0).to_be_bytes());
            value.extend(narrow("ssn", 0).to_be_bytes());
            value.extend(wide("ppid", 0).to_be_bytes());
            let length = words.number("len").unwrap_or(100);
            let filler = || content(usize::try_from(length).expect("a length"));
            value.extend(words.value("hex").map_or_else(filler, hex));
        }
        kind::SACK => {
            words.only(&["cum", "rwnd", "gaps", "dups", "length"]);
            let gaps = gaps_of(words);
            let dups: Vec<_> =
                list(words.value("dups")).map(|text| at(known.own_tsn, text)).collect();
            let cumulative = at(known.own_tsn, words.value("cum").expect("a SACK has `cum`"));
            value.extend(cumulative.to_be_bytes());
            value.extend(wide("rwnd", 100_000).to_be_bytes());
            value.extend((gaps.len() as u16).to_be_bytes());
            value.extend((dups.len() as u16).to_be_bytes());
            for (first, last) in gaps {
                value.extend(first.to_be_bytes());
                value.extend(last.to_be_bytes());
            }
            dups.iter().for_each(|tsn| value.extend(tsn.to_be_bytes()));
        }
        kind::HEARTBEAT | kind::HEARTBEAT_ACK => {
            words.only(&["info", "length"]);
            let info = match words.value("info") {
                Some("same") | None if kind == kind::HEARTBEAT_ACK => known.heartbeat.clone(),
                Some(info) => hex(info),
                None => b"beat".to_vec(),
            };
            tlv(1, &info, &mut value);
        }
        kind::ABORT | kind::ERROR => {
            words.only(&["t", "cause", "length"]);
            for cause in words.values("cause") {
                let (kind, cause) = typed(cause);
                tlv(kind, &cause.unwrap_or_default(), &mut value);
            }
        }
        kind::SHUTDOWN => {
            words.only(&["cum", "length"]);
            let cumulative = at(known.own_tsn, words.value("cum").unwrap_or("-1"));
            value.extend(cumulative.to_be_bytes());
        }
        kind::FORWARD_TSN => {
            words.only(&["cum", "skip", "length"]);
            let cumulative = at(known.peer_tsn, words.value("cum").expect("FORWARD-TSN has `cum`"));
            value.extend(cumulative.to_be_bytes());
            known.next_tsn = cumulative.wrapping_add(1);
            for skip in words.values("skip") {
                let (stream, ssn) = skip.split_once(':').expect("STREAM:SSN");
                for number in [number(stream), number(ssn)] {
                    value.extend(u16::try_from(number).expect("16 bits").to_be_bytes());
                }
            }
        }
        _ => words.only(&["t", "length"]),
    }
    Chunk { kind, flags, value }
}

fn list(text: Option<&str>) -> impl Iterator<Item = &str> {
    text.into_iter().flat_map(|text| text.split(',')).filter(|text| !text.is_empty())
}

fn gaps_of(words: &Words) -> Vec<(u16, u16)> {
    let bound = |text| u16::try_from(number(text)).expect("16 bits");
    list(words.value("gaps"))
        .map(|gap| gap.split_once('-').map(|(from, till)| (bound(from), bound(till))))
        .map(|gap| gap.expect("FROM-TILL"))
        .collect()
}

fn data_flags(text: &str) -> u8 {
    text.chars()
        .map(|letter| match letter {
            'b' => data_flag::BEGIN,
            'e' => data_flag::END,
            'u' => data_flag::UNORDERED,
            'i' => data_flag::IMMEDIATE,
            '-' => 0,
            _ => panic!("no flag `{letter}`"),
        })
        .sum()
}

/// Compares a packet of the stack with what is expected, and learns from it.
pub(crate) fn check(text: &PacketText, packet: &Packet, known: &mut Known) {
    text.about.only(&["vtag", "to"]);
    let first = packet.chunks[0].kind;
    let tag = match (text.about.value("vtag"), first) {
        (Some(tag), _) => known.tag(tag),
        (None, kind::INIT) => 0,
        (None, kind::INIT_ACK) => known.init_tag,
        (None, _) => known.peer_tag,
    };
    assert_eq!(packet.tag, tag, "the verification tag is {:#x}: {packet}", packet.tag);
    let kinds: Vec<_> = packet.chunks.iter().map(|chunk| name(chunk.kind)).collect();
    let expected: Vec<_> = text.chunks.iter().map(|words| Some(words.first.as_str())).collect();
    assert_eq!(kinds, expected, "other chunks: {packet}");
    for (words, chunk) in text.chunks.iter().zip(&packet.chunks) {
        check_chunk(words, chunk, known);
    }
}

fn check_chunk(words: &Words, chunk: &Chunk, known: &mut Known) {
    let same = |key: &str, value: u64| {
        if let Some(expected) = words.number(key) {
            assert_eq!(value, expected, "`{key}` of {chunk}");
        }
    };
    let same_tsn = |key: &str, first: u32, value: u32| {
        if let Some(text) = words.value(key) {
            let is = value.wrapping_sub(first) as i32;
            assert_eq!(value, at(first, text), "`{key}` is {is:+} in {chunk}");
        }
    };
    if matches!(chunk.kind, kind::ABORT | kind::SHUTDOWN_COMPLETE) {
        assert_eq!(chunk.flags & 1 == 1, words.has("t"), "the T bit of {chunk}");
    }
    match chunk.kind {
        kind::INIT | kind::INIT_ACK => {
            words.only(&["tag", "rwnd", "out", "in", "tsn", "param", "without"]);
            let init = chunk.init().expect("a whole INIT");
            same("tag", init.tag.into());
            same("rwnd", init.window.into());
            same("out", init.outbound.into());
            same("in", init.inbound.into());
            let params = chunk.tlvs(16).expect("well-formed parameters");
            check_typed(words, "param", &params);
            for kind in words.values("without") {
                let kind = u16::try_from(number(kind)).expect("16 bits");
                assert!(params.iter().all(|param| param.kind != kind), "{kind} in {params:?}");
            }
            if chunk.kind == kind::INIT {
                (known.own_tag, known.own_tsn) = (init.tag, init.tsn);
            } else {
                known.offered = Some((init.tag, init.tsn));
                if known.own_tag == 0 {
                    (known.own_tag, known.own_tsn) = (init.tag, init.tsn);
                }
                let cookie = params.iter().find(|param| param.kind == COOKIE);
                known.cookie = cookie.expect("an INIT ACK has a cookie").value.clone();
            }
        }
        kind::COOKIE_ECHO => {
            words.only(&[]);
            assert_eq!(chunk.value, known.cookie, "another cookie comes back");
        }
        kind::DATA => {
            words.only(&["tsn", "stream", "ssn", "ppid", "len", "flags"]);
            let data = chunk.data().expect("a whole DATA");
            same_tsn("tsn", known.own_tsn, data.tsn);
            same("stream", data.stream.into());
            same("ssn", data.ssn.into());
            same("ppid", data.ppid.into());
            same("len", data.bytes.len() as u64);
            if let Some(flags) = words.value("flags") {
                assert_eq!(data.flags, data_flags(flags), "the flags of {chunk}");
            }
        }
        kind::SACK => {
            words.only(&["cum", "rwnd", "gaps", "dups"]);
            let sack = chunk.sack().expect("a whole SACK");
            same_tsn("cum", known.peer_tsn, sack.cumulative);
            same("rwnd", sack.window.into());
            assert_eq!(sack.gaps, gaps_of(words), "the gaps of {chunk}");
            let dups: Vec<_> =
                list(words.value("dups")).map(|text| at(known.peer_tsn, text)).collect();
            assert_eq!(sack.duplicates, dups, "the duplicates of {chunk}");
        }
        kind::HEARTBEAT | kind::HEARTBEAT_ACK => {
            words.only(&["info"]);
            let info = chunk.tlvs(0).expect("a heartbeat's parameter");
            assert!(info.len() == 1 && info[0].kind == 1, "one parameter of type 1: {info:?}");
            if let Some(text) = words.value("info") {
                assert_eq!(info[0].value, hex(text), "the heartbeat's information");
            }
            if chunk.kind == kind::HEARTBEAT {
                known.heartbeat = info[0].value.clone();
            }
        }
        kind::ABORT | kind::ERROR => {
            words.only(&["t", "cause"]);
            let causes = chunk.tlvs(0).expect("well-formed causes");
            check_typed(words, "cause", &causes);
        }
        kind::SHUTDOWN | kind::FORWARD_TSN => {
            words.only(&["cum", "skip"]);
            let of_peer = chunk.kind == kind::SHUTDOWN;
            let first = if of_peer { known.peer_tsn } else { known.own_tsn };
            same_tsn("cum", first, be32(&chunk.value, 0));
            let skips: Vec<_> = chunk.value[4..]
                .chunks(4)
                .map(|skip| (u16::from_be_bytes([skip[0], skip[1]]), [skip[2], skip[3]]))
                .map(|(stream, ssn)| format!("{stream}:{}", u16::from_be_bytes(ssn)))
                .collect();
            let expected: Vec<_> = words.values("skip").collect();
            assert!(expected.is_empty() || skips == expected, "skips {skips:?}");
        }
        _ => words.only(&["t"]),
    }
}

/// Each of the text is there, with its value if the text has one.
fn check_typed(words: &Words, key: &str, there: &[Tlv]) {
    for text in words.values(key) {
        let (kind, value) = typed(text);
        let found = there
            .iter()
            .any(|tlv| tlv.kind == kind && value.as_ref().is_none_or(|value| *value == tlv.value));
        assert!(found, "no {key} {text} in {there:?}");
    }
}
