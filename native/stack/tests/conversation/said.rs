//! What a user sets and hears, as text.

use stack::error::Error;
use stack::event::{AssocChange, Event, PathChange, Received};
use stack::params::Params;
use stack::status::State;

use super::notation::{Words, duration, number};
use super::packets::content;

pub(crate) fn set_param(params: &mut Params, key: &str, value: &str) {
    let small = || u16::try_from(number(value)).expect("16 bits");
    let size = || usize::try_from(number(value)).expect("a size");
    match key {
        "rto" => {
            let times: Vec<_> = value.split('/').map(duration).collect();
            (params.rto.initial, params.rto.min, params.rto.max) = (times[0], times[1], times[2]);
        }
        "streams" => {
            let (out, inward) = value.split_once('/').expect("OUT/IN");
            params.init.outbound_streams = u16::try_from(number(out)).expect("16 bits");
            params.init.inbound_streams = u16::try_from(number(inward)).expect("16 bits");
        }
        "attempts" => params.init.attempts = small(),
        "longest" => params.init.longest_timeout = duration(value),
        "retransmissions" => params.max_retransmissions = small(),
        "path-retransmissions" => params.path.max_retransmissions = small(),
        "heartbeat" => params.path.heartbeat_interval = Some(duration(value)),
        "mtu" => params.path.mtu = size(),
        "cookie-life" => params.cookie_life = duration(value),
        "sack-delay" => params.sack_delay = duration(value),
        "sack-frequency" => params.sack_frequency = small().into(),
        "nodelay" => params.nodelay = true,
        "no-fragments" => params.disable_fragments = true,
        "segment" => params.max_segment = size(),
        "autoclose" => params.autoclose = Some(duration(value)),
        "adaptation" => params.adaptation = Some(u32::try_from(number(value)).expect("32 bits")),
        "rbuf" => params.receive_buffer = size(),
        "sbuf" => params.send_buffer = size(),
        "parts-from" => params.partial_delivery_point = size(),
        _ => panic!("no parameter `{key}`"),
    }
    assert!(params.are_valid(), "`{key}={value}` makes no sense: {params:?}");
}

pub(crate) fn check_state(words: &Words, state: Result<State, Error>) {
    let is = match state {
        Err(_) => "none".to_string(),
        Ok(state) => kebab(&format!("{state:?}")),
    };
    assert_eq!(is, words.pairs[0].0, "the state");
}

/// `CookieWait` to `cookie-wait`.
fn kebab(name: &str) -> String {
    let mut text = String::new();
    for (index, letter) in name.chars().enumerate() {
        if letter.is_uppercase() && index > 0 {
            text.push('-');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

pub(crate) fn check(words: &Words, received: Result<Received, Error>) {
    match (words.first.as_str(), &received) {
        ("nothing", Err(error)) => {
            let expected = words.pairs.first().map_or("again", |(error, _)| error.as_str());
            assert_eq!(format!("{error:?}").to_lowercase(), expected, "of `receive`");
        }
        ("data", Ok(Received::Data { info, bytes, end })) => {
            words.only(&["len", "stream", "ssn", "ppid", "unordered", "part", "from"]);
            let same = |key: &str, value: u64| {
                if let Some(expected) = words.number(key) {
                    assert_eq!(value, expected, "`{key}` of {info:?}");
                }
            };
            same("len", bytes.len() as u64);
            same("stream", info.stream.into());
            same("ssn", info.ssn.0.into());
            same("ppid", info.ppid.into());
            assert_eq!(info.unordered, words.has("unordered"), "`unordered` of {info:?}");
            assert_eq!(!end, words.has("part"), "`part` of {info:?}");
            if !words.has("part") && !words.has("from") {
                assert_eq!(*bytes, content(bytes.len()), "the bytes of {info:?}");
            }
        }
        ("event", Ok(Received::Event(_, event))) => {
            let (name, facts) = tell(event);
            let expected = &words.pairs.first().expect("an event's name").0;
            assert_eq!(&name, expected, "an event: {event:?}");
            for (key, value) in &words.pairs[1..] {
                let fact = facts.iter().find(|(fact, _)| fact == key);
                let fact = fact.unwrap_or_else(|| panic!("no `{key}` in {event:?}"));
                assert_eq!(number(value), fact.1, "`{key}` of {event:?}");
            }
        }
        _ => panic!("receives {received:?}"),
    }
}

/// An event's name, and numbers in it.
fn tell(event: &Event) -> (&'static str, Vec<(&'static str, u64)>) {
    match event {
        Event::AssocChange(change) => match change {
            AssocChange::Up { outbound, inbound } => {
                ("up", vec![("out", u64::from(*outbound)), ("in", u64::from(*inbound))])
            }
            AssocChange::Lost { error, causes } => {
                ("lost", vec![("error", u64::from(*error)), ("causes", causes.len() as u64)])
            }
            AssocChange::Restart { outbound, inbound } => {
                ("restart", vec![("out", u64::from(*outbound)), ("in", u64::from(*inbound))])
            }
            AssocChange::ShutdownComplete => ("shutdown-complete", vec![]),
            AssocChange::CannotStart { error } => {
                ("cannot-start", vec![("error", u64::from(*error))])
            }
        },
        Event::PathChange { state, .. } => match state {
            PathChange::Available => ("available", vec![]),
            PathChange::Unreachable => ("unreachable", vec![]),
            PathChange::Confirmed => ("confirmed", vec![]),
        },
        Event::SendFailed { sent, error, info, bytes } => (
            "send-failed",
            vec![
                ("sent", u64::from(*sent)),
                ("error", u64::from(*error)),
                ("stream", u64::from(info.stream)),
                ("ppid", u64::from(info.ppid)),
                ("context", u64::from(info.context)),
                ("len", bytes.len() as u64),
            ],
        ),
        Event::RemoteError { error, cause } => {
            ("remote-error", vec![("error", u64::from(*error)), ("len", cause.len() as u64)])
        }
        Event::Shutdown => ("shutdown", vec![]),
        Event::PartialDeliveryAborted { stream, ssn } => {
            ("part-aborted", vec![("stream", u64::from(*stream)), ("ssn", u64::from(ssn.0))])
        }
        Event::Adaptation(number) => ("adaptation", vec![("number", u64::from(*number))]),
        Event::SenderDry => ("dry", vec![]),
    }
}
