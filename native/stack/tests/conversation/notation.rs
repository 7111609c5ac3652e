//! The notation: lines to statements. README.md beside this file tells what can be written.

use std::time::Duration;

/// A conversation: what its heading says, and its lines with their numbers.
#[derive(Debug)]
pub(crate) struct Conversation {
    pub(crate) name: String,
    pub(crate) lines: Vec<(usize, Statement)>,
}

#[derive(Clone, Debug)]
pub(crate) enum Statement {
    /// A packet for the stack.
    In(PacketText),
    /// A packet of the stack's.
    Out(PacketText),
    /// A word, and what belongs to it.
    Do(Words),
}

/// Words after a line's first: `key=value`, or a bare word.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words {
    pub(crate) first: String,
    pub(crate) pairs: Vec<(String, String)>,
    /// The error with which a call is refused.
    pub(crate) refused: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct PacketText {
    pub(crate) about: Words,
    pub(crate) chunks: Vec<Words>,
}

impl Words {
    fn new<'a>(mut tokens: impl Iterator<Item = &'a str>) -> Option<Words> {
        let first = tokens.next()?.to_string();
        let mut pairs: Vec<_> = tokens.map(pair).collect();
        // `= error` at its end.
        let refused = match pairs.iter().position(|(key, value)| key.is_empty() && value.is_empty())
        {
            Some(at) => pairs.split_off(at).pop().map(|(error, _)| error),
            None => None,
        };
        Some(Words { first, pairs, refused })
    }

    /// The value of a key, if there is one.
    pub(crate) fn value(&self, key: &str) -> Option<&str> {
        self.pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    pub(crate) fn values<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs.iter().filter(move |(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// A word that is none of `known` is a mistake in the conversation.
    pub(crate) fn only(&self, known: &[&str]) {
        for (key, _) in &self.pairs {
            assert!(known.contains(&key.as_str()), "`{key}` means nothing to `{}`", self.first);
        }
    }

    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        self.value(key).map(number)
    }
}

fn pair(token: &str) -> (String, String) {
    match token.split_once('=') {
        Some((key, value)) => (key.to_string(), value.to_string()),
        None => (token.to_string(), String::new()),
    }
}

/// Decimal, or hexadecimal after 0x.
pub(crate) fn number(text: &str) -> u64 {
    let parsed = match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => text.parse(),
    };
    parsed.unwrap_or_else(|_| panic!("`{text}` is no number"))
}

/// `100ms`, `1.5s`, `20us`.
pub(crate) fn duration(text: &str) -> Duration {
    let (digits, unit) =
        text.split_at(text.find(|c: char| c.is_alphabetic()).unwrap_or(text.len()));
    let amount: f64 = digits.parse().unwrap_or_else(|_| panic!("`{text}` is no time"));
    let micros = match unit {
        "us" => amount,
        "ms" => amount * 1e3,
        "s" => amount * 1e6,
        _ => panic!("`{text}` has no unit"),
    };
    Duration::from_micros(micros.round() as u64)
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2), "`{text}` is no bytes");
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16);
    (0..text.len())
        .step_by(2)
        .map(|at| byte(at).unwrap_or_else(|_| panic!("`{text}` is no bytes")))
        .collect()
}

/// A distance from a first TSN: `+0` is that TSN, `-1` the one before.
pub(crate) fn distance(text: &str) -> i64 {
    let signed = text.starts_with(['+', '-']);
    text.parse().ok().filter(|_| signed).unwrap_or_else(|| panic!("`{text}` is no TSN like +0"))
}

/// All conversations of a file. A heading begins with `==`; `#` begins a comment.
pub(crate) fn parse(text: &str) -> Vec<Conversation> {
    let mut conversations: Vec<Conversation> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or("").trim();
        if line.is_empty() {
            continue;
        }
        if let Some(name) = line.strip_prefix("==") {
            let name = name.trim().to_string();
            conversations.push(Conversation { name, lines: Vec::new() });
            continue;
        }
        let statement = if let Some(rest) = line.strip_prefix("->") {
            Statement::In(packet(rest))
        } else if let Some(rest) = line.strip_prefix("<-") {
            Statement::Out(packet(rest))
        } else {
            Statement::Do(Words::new(line.split_whitespace()).expect("a line with words"))
        };
        let current = conversations.last_mut().expect("a heading comes first");
        current.lines.push((index + 1, statement));
    }
    conversations
}

/// `vtag=.. CHUNK key=value + CHUNK ..`
fn packet(text: &str) -> PacketText {
    let mut about = Words { first: "packet".into(), ..Words::default() };
    let mut chunks = Vec::new();
    for (index, part) in text.split(" + ").enumerate() {
        let mut tokens = part.split_whitespace().peekable();
        if index == 0 {
            // Names of chunks are in capitals.
            let is_about = |token: &&str| token.starts_with(|c: char| c.is_ascii_lowercase());
            while let Some(token) = tokens.next_if(is_about) {
                about.pairs.push(pair(token));
            }
        }
        chunks.extend(Words::new(tokens));
    }
    PacketText { about, chunks }
}
