//! The stack against the SCTP of the kernel that it runs on, over UDP on the loopback interface. Prints
//! what worked as a table. `scripts/stack-interop kernel` sets the kernel up and runs it.
//!
//! The kernel takes SCTP in UDP at `net.sctp.udp_port` = 9899, and sends it to
//! `net.sctp.encap_port` = 9900, where this program is.

mod driver;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use driver::{Driver, State};
use sctp::types::flags;
use sctp::{AssocId, Family, SndInfo, Socket, Style};
use stack::error::Error;
use stack::event::SendInfo;

const UDP_OURS: u16 = 9900;
const UDP_KERNEL: u16 = 9899;
const TURN: Duration = Duration::from_millis(1);
const PATIENCE: Duration = Duration::from_secs(60);

/// Who begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    Us,
    Kernel,
}

struct Pair {
    ours: Driver,
    kernel: Socket,
    id: Option<AssocId>,
    part: Vec<u8>,
    place: Place,
}

/// Where the two are: ports of their own for each case.
#[derive(Clone, Copy, Debug)]
struct Place {
    address: IpAddr,
    ours: u16,
    kernel: u16,
}

type Case = (&'static str, fn(Place, From) -> Result<(), String>);

fn text(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}

impl Pair {
    fn new(place: Place, from: From, loss: u32) -> Result<Pair, String> {
        let family = if place.address.is_ipv4() { Family::Inet } else { Family::Inet6 };
        let kernel = Socket::open(family, Style::OneToMany, None).map_err(text)?;
        kernel.bind(SocketAddr::new(place.address, place.kernel)).map_err(text)?;
        let mut ours = Driver::new(place.address, place.ours, UDP_OURS).map_err(text)?;
        ours.loss = loss;
        match from {
            From::Us => {
                kernel.listen(5).map_err(text)?;
                let remote = SocketAddr::new(place.address, place.kernel);
                ours.connect(remote, UDP_KERNEL).map_err(text)?;
            }
            From::Kernel => {
                ours.listen();
                let remote = SocketAddr::new(place.address, place.ours);
                kernel.connect(&[remote]).map_err(text)?;
            }
        }
        let mut pair = Pair { ours, kernel, id: None, part: Vec::new(), place };
        pair.until("both are up", |pair| {
            pair.ours.receive();
            pair.id = pair.kernel.assocs().ok().and_then(|ids| ids.first().copied());
            Ok(pair.ours.state == State::Up && pair.id.is_some())
        })?;
        Ok(pair)
    }

    fn until(
        &mut self,
        what: &str,
        mut so: impl FnMut(&mut Pair) -> Result<bool, String>,
    ) -> Result<(), String> {
        let end = Instant::now() + PATIENCE;
        while !so(self)? {
            if Instant::now() > end {
                return Err(format!("{what}: not in {PATIENCE:?}; ours is {:?}", self.ours.state));
            }
            self.ours.turn(TURN).map_err(text)?;
        }
        Ok(())
    }

    fn send_ours(&mut self, count: usize, length: usize, unordered: bool) -> Result<(), String> {
        let messages: Vec<_> = (0..count).map(|index| content(index, length)).collect();
        let (mut sent, mut got) = (0, Vec::new());
        let mut buffer = vec![0; 1 << 17];
        self.until("all messages at the kernel", |pair| {
            pair.ours.receive();
            while sent < count {
                let info = SendInfo { ppid: sent as u32, unordered, ..SendInfo::default() };
                match pair.ours.send(info, &messages[sent]) {
                    Ok(()) => sent += 1,
                    Err(Error::Again) => break,
                    Err(error) => return Err(format!("send: {error:?}")),
                }
            }
            while let Ok(received) = pair.kernel.recv(&mut buffer) {
                if received.notification || received.len == 0 {
                    continue;
                }
                pair.part.extend(&buffer[..received.len]);
                if received.end_of_record {
                    got.push(std::mem::take(&mut pair.part));
                }
            }
            Ok(got.len() == count)
        })?;
        same(messages, got, unordered)
    }

    fn send_kernels(&mut self, count: usize, length: usize, unordered: bool) -> Result<(), String> {
        let messages: Vec<_> = (0..count).map(|index| content(index, length)).collect();
        let (mut sent, mut got) = (0, Vec::new());
        let assoc = self.id.ok_or("no association in the kernel")?;
        self.until("all messages from the kernel", |pair| {
            while sent < count {
                let flags = if unordered { flags::UNORDERED } else { 0 };
                let info = SndInfo { flags, ppid: sent as u32, assoc, ..SndInfo::default() };
                match pair.kernel.send(&info, &messages[sent]) {
                    Ok(()) => sent += 1,
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                    Err(error) => return Err(text(error)),
                }
            }
            while let Some(message) = pair.ours.receive() {
                if message.info.unordered != unordered {
                    return Err("ordered and unordered mixed up".into());
                }
                got.push(message.bytes);
            }
            Ok(got.len() == count)
        })?;
        same(messages, got, unordered)
    }

    fn both(&mut self, count: usize, length: usize, unordered: bool) -> Result<(), String> {
        self.send_ours(count, length, unordered)?;
        self.send_kernels(count, length, unordered)
    }

    fn none_in_kernel(&mut self) -> Result<(), String> {
        self.until("the kernel's is gone", |pair| {
            pair.ours.receive();
            Ok(pair.kernel.assocs().map_err(text)?.is_empty())
        })
    }

    fn ours_is(&mut self, state: State) -> Result<(), String> {
        self.until("ours is over", |pair| {
            pair.ours.receive();
            Ok(matches!(pair.ours.state, State::Over | State::Lost))
        })?;
        if self.ours.state == state { Ok(()) } else { Err(format!("{:?}", self.ours.state)) }
    }
}

fn content(index: usize, length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 + index) as u8).collect()
}

fn same(mut sent: Vec<Vec<u8>>, mut got: Vec<Vec<u8>>, unordered: bool) -> Result<(), String> {
    if unordered {
        sent.sort();
        got.sort();
    }
    if sent == got { Ok(()) } else { Err("other messages, or in another order".into()) }
}

fn handshake(place: Place, from: From) -> Result<(), String> {
    Pair::new(place, from, 0).map(|_| ())
}

fn small(place: Place, from: From) -> Result<(), String> {
    Pair::new(place, from, 0)?.both(500, 100, false)
}

fn packet_sized(place: Place, from: From) -> Result<(), String> {
    Pair::new(place, from, 0)?.both(200, 1_400, false)
}

fn large(place: Place, from: From) -> Result<(), String> {
    Pair::new(place, from, 0)?.both(20, 65_536, false)
}

fn unordered(place: Place, from: From) -> Result<(), String> {
    Pair::new(place, from, 0)?.both(200, 300, true)
}

fn one_in_hundred(place: Place, from: From) -> Result<(), String> {
    Pair::new(place, from, 100)?.both(200, 1_400, false)
}

fn one_in_ten(place: Place, from: From) -> Result<(), String> {
    Pair::new(place, from, 1_000)?.both(100, 1_400, false)
}

fn we_end(place: Place, from: From) -> Result<(), String> {
    let mut pair = Pair::new(place, from, 0)?;
    pair.both(10, 3_000, false)?;
    pair.ours.shutdown().map_err(text)?;
    pair.ours_is(State::Over)?;
    pair.none_in_kernel()
}

fn kernel_ends(place: Place, from: From) -> Result<(), String> {
    let mut pair = Pair::new(place, from, 0)?;
    pair.both(10, 3_000, false)?;
    let assoc = pair.id.ok_or("no association in the kernel")?;
    let info = SndInfo { flags: flags::EOF, assoc, ..SndInfo::default() };
    pair.kernel.send(&info, &[]).map_err(text)?;
    pair.ours_is(State::Over)?;
    pair.none_in_kernel()
}

fn we_abort(place: Place, from: From) -> Result<(), String> {
    let mut pair = Pair::new(place, from, 0)?;
    pair.ours.abort().map_err(text)?;
    pair.ours_is(State::Lost)?;
    pair.none_in_kernel()
}

fn kernel_aborts(place: Place, from: From) -> Result<(), String> {
    let mut pair = Pair::new(place, from, 0)?;
    let assoc = pair.id.ok_or("no association in the kernel")?;
    pair.kernel.abort(assoc).map_err(text)?;
    pair.ours_is(State::Lost)
}

/// Our stack forgets everything, and begins again at the same port.
fn we_restart(place: Place, from: From) -> Result<(), String> {
    let mut pair = Pair::new(place, from, 0)?;
    pair.both(10, 300, false)?;
    let Pair { ours, kernel, id, .. } = pair;
    drop(ours);
    let mut ours = Driver::new(place.address, place.ours, UDP_OURS).map_err(text)?;
    ours.connect(SocketAddr::new(place.address, place.kernel), UDP_KERNEL).map_err(text)?;
    let mut pair = Pair { ours, kernel, id, part: Vec::new(), place };
    pair.until("ours is up again", |pair| {
        pair.ours.receive();
        Ok(pair.ours.state == State::Up)
    })?;
    if pair.kernel.assocs().map_err(text)? != id.into_iter().collect::<Vec<_>>() {
        return Err(format!("another association in the kernel, at {:?}", pair.place));
    }
    pair.both(10, 300, false)
}

/// The kernel forgets the association, and begins again at the same port: nobody hears its ABORT.
fn kernel_restarts(place: Place, from: From) -> Result<(), String> {
    let mut pair = Pair::new(place, from, 0)?;
    pair.both(10, 300, false)?;
    let assoc = pair.id.ok_or("no association in the kernel")?;
    let ours = pair.ours.assoc;
    pair.ours.listen();
    (pair.ours.loss, pair.ours.lost) = (10_000, 0);
    pair.kernel.abort(assoc).map_err(text)?;
    pair.until("the ABORT is lost", |pair| Ok(pair.ours.lost > 0))?;
    pair.none_in_kernel()?;
    pair.ours.loss = 0;
    pair.kernel.connect(&[SocketAddr::new(place.address, place.ours)]).map_err(text)?;
    pair.until("ours has restarted", |pair| {
        pair.ours.receive();
        Ok(pair.ours.restarts == 1)
    })?;
    if pair.ours.assoc != ours {
        return Err("another association of ours".into());
    }
    pair.id = pair.kernel.assocs().map_err(text)?.first().copied();
    pair.both(10, 300, false)
}

const CASES: [Case; 13] = [
    ("handshake", handshake),
    ("100 B", small),
    ("1400 B", packet_sized),
    ("64 KiB", large),
    ("unordered", unordered),
    ("1 % loss", one_in_hundred),
    ("10 % loss", one_in_ten),
    ("we end it", we_end),
    ("the kernel ends it", kernel_ends),
    ("we abort it", we_abort),
    ("the kernel aborts it", kernel_aborts),
    ("we restart", we_restart),
    ("the kernel restarts", kernel_restarts),
];

fn main() -> ExitCode {
    let v4 = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let v6 = IpAddr::V6(Ipv6Addr::LOCALHOST);
    let columns = [
        ("we begin, IPv4", v4, From::Us),
        ("the kernel begins, IPv4", v4, From::Kernel),
        ("we begin, IPv6", v6, From::Us),
        ("the kernel begins, IPv6", v6, From::Kernel),
    ];
    let titles: Vec<_> = columns.iter().map(|(title, ..)| *title).collect();
    println!("| case | {} |\n| --- |{}", titles.join(" | "), " --- |".repeat(columns.len()));
    let mut faults = Vec::new();
    let mut port = 20_000;
    for (name, case) in CASES {
        let mut row = Vec::new();
        for (title, address, from) in columns {
            port += 2;
            let place = Place { address, ours: port, kernel: port + 1 };
            match case(place, from) {
                Ok(()) => row.push("yes"),
                Err(fault) => {
                    row.push("**no**");
                    faults.push(format!("{name}, {title}: {fault}"));
                }
            }
        }
        println!("| {name} | {} |", row.join(" | "));
    }
    faults.iter().for_each(|fault| println!("{fault}"));
    if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
