//! Our stack against dcsctp and sctp-proto, in one process and virtual time, each as the one who begins
//! and as the one who waits. Prints what worked as a table.

mod foreign;
#[path = "sim/network.rs"]
#[expect(dead_code, reason = "the simulator uses all of it")]
mod network;
mod packet;

use std::panic::{AssertUnwindSafe, catch_unwind};

use foreign::pair::Pair;
use foreign::{Make, Message, Seat, View};

/// A PPID that all know.
const PPID: u32 = 51;

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Works,
    /// The other stack has no such thing; why.
    Unable(&'static str),
    Fails(String),
}

type Case = (&'static str, fn(Make, Make) -> Verdict);

fn verdict(result: Result<(), String>) -> Verdict {
    match result {
        Ok(()) => Verdict::Works,
        Err(fault) => Verdict::Fails(fault),
    }
}

fn up(active: Make, passive: Make, loss: u32) -> Result<Pair, String> {
    let mut pair = Pair::new(active, passive, loss, 1);
    let now = pair.now;
    pair.peers[0].connect(now);
    pair.until(120, "both are up", |pair| pair.peers.iter().all(|peer| peer.view() == View::Up))?;
    Ok(pair)
}

fn messages(count: usize, length: usize, unordered: bool) -> Vec<Message> {
    (0..count)
        .map(|index| Message {
            stream: (index % 3) as u16,
            ppid: PPID,
            unordered,
            bytes: (0..length).map(|at| (at * 7 + index) as u8).chain([index as u8]).collect(),
        })
        .collect()
}

/// Messages both ways, one after the other.
fn both_ways(active: Make, passive: Make, loss: u32, sent: &[Message]) -> Verdict {
    verdict(up(active, passive, loss).and_then(|mut pair| {
        pair.transfer(0, sent)?;
        pair.transfer(1, sent)
    }))
}

fn handshake(active: Make, passive: Make) -> Verdict {
    verdict(up(active, passive, 0).map(|_| ()))
}

fn small(active: Make, passive: Make) -> Verdict {
    both_ways(active, passive, 0, &messages(500, 100, false))
}

fn packet_sized(active: Make, passive: Make) -> Verdict {
    both_ways(active, passive, 0, &messages(200, 1_400, false))
}

fn large(active: Make, passive: Make) -> Verdict {
    both_ways(active, passive, 0, &messages(30, 65_535, false))
}

fn unordered(active: Make, passive: Make) -> Verdict {
    both_ways(active, passive, 0, &messages(200, 300, true))
}

fn one_in_hundred(active: Make, passive: Make) -> Verdict {
    let mut sent = messages(300, 100, false);
    sent.extend(messages(20, 20_000, false));
    both_ways(active, passive, 100, &sent)
}

fn one_in_ten(active: Make, passive: Make) -> Verdict {
    let mut sent = messages(300, 100, false);
    sent.extend(messages(20, 20_000, false));
    both_ways(active, passive, 1_000, &sent)
}

fn ends(active: Make, passive: Make, who: usize) -> Verdict {
    if [active, passive][who] == Make::Proto {
        return Verdict::Unable("its SHUTDOWN has a TSN of its own, and it does not end itself");
    }
    verdict(up(active, passive, 0).and_then(|mut pair| {
        pair.transfer(0, &messages(10, 3_000, false))?;
        pair.transfer(1, &messages(10, 3_000, false))?;
        let now = pair.now;
        pair.peers[who].shutdown(now);
        pair.until(60, "it is over for both", |pair| {
            pair.peers.iter().all(|peer| peer.view() == View::Over)
        })
    }))
}

fn active_ends(active: Make, passive: Make) -> Verdict {
    ends(active, passive, 0)
}

fn passive_ends(active: Make, passive: Make) -> Verdict {
    ends(active, passive, 1)
}

fn aborts(makes: [Make; 2], who: usize) -> Verdict {
    if makes[who] == Make::Proto {
        return Verdict::Unable("has no call for it");
    }
    verdict(up(makes[0], makes[1], 0).and_then(|mut pair| {
        let now = pair.now;
        pair.peers[who].abort(now);
        pair.until(60, "it is lost for the other", |pair| {
            let view = pair.peers[1 - who].view();
            view == View::Lost || (makes[1 - who] != Make::Ours && view == View::Over)
        })
    }))
}

fn active_aborts(active: Make, passive: Make) -> Verdict {
    aborts([active, passive], 0)
}

fn passive_aborts(active: Make, passive: Make) -> Verdict {
    aborts([active, passive], 1)
}

/// The one who began is made anew and begins again, at the same port.
fn restart(active: Make, passive: Make) -> Verdict {
    if passive == Make::Proto {
        return Verdict::Unable("takes no INIT of a peer that it knows");
    }
    verdict(up(active, passive, 0).and_then(|mut pair| {
        pair.transfer(0, &messages(10, 300, false))?;
        pair.replace(0, active.peer(Seat::Active, 77));
        let now = pair.now;
        pair.peers[0].connect(now);
        pair.until(60, "both are up again", |pair| {
            pair.peers[0].view() == View::Up && pair.peers[1].restarts() == 1
        })?;
        pair.transfer(0, &messages(10, 300, false))?;
        pair.transfer(1, &messages(10, 3_000, false))
    }))
}

const CASES: [Case; 12] = [
    ("handshake", handshake),
    ("100 B", small),
    ("1400 B", packet_sized),
    ("64 KiB", large),
    ("unordered", unordered),
    ("1 % loss", one_in_hundred),
    ("10 % loss", one_in_ten),
    ("active ends", active_ends),
    ("passive ends", passive_ends),
    ("active aborts", active_aborts),
    ("passive aborts", passive_aborts),
    ("active restarts", restart),
];

#[test]
fn we_get_on_with_others() {
    let couples = [
        (Make::Ours, Make::Ours),
        (Make::Ours, Make::Dcsctp),
        (Make::Dcsctp, Make::Ours),
        (Make::Ours, Make::Proto),
        (Make::Proto, Make::Ours),
        // For comparison: what the two do without us.
        (Make::Dcsctp, Make::Proto),
        (Make::Proto, Make::Dcsctp),
    ];
    let mut faults = Vec::new();
    let titles: Vec<_> =
        couples.iter().map(|(a, p)| format!("{} to {}", a.name(), p.name())).collect();
    println!("| case | {} |\n| --- |{}", titles.join(" | "), " --- |".repeat(couples.len()));
    for (name, case) in CASES {
        let mut row = Vec::new();
        for (active, passive) in couples {
            if std::env::var_os("STACK_TRACE").is_some() {
                println!("== {name}: {} to {}", active.name(), passive.name());
            }
            let played = catch_unwind(AssertUnwindSafe(|| case(active, passive)));
            let verdict = played.unwrap_or_else(|_| Verdict::Fails("a panic".into()));
            row.push(match &verdict {
                Verdict::Works => "yes".to_string(),
                Verdict::Unable(why) => format!("- ({why})"),
                Verdict::Fails(_) => "**no**".to_string(),
            });
            let ours = active == Make::Ours || passive == Make::Ours;
            if let Verdict::Fails(fault) = verdict
                && ours
            {
                faults.push(format!("{name}, {} to {}: {fault}", active.name(), passive.name()));
            }
        }
        println!("| {name} | {} |", row.join(" | "));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
