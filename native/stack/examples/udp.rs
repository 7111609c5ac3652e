//! One end of an association over UDP, against any program that speaks SCTP over UDP (RFC 6951):
//!
//! - `udp server --port 5001 --udp 9900 -n 1000` takes an association and counts what comes
//! - `udp client --port 5000 --udp 9900 --to 127.0.0.1:5001 --to-udp 9899 -n 1000 -l 100 [-u]`
//!   begins one, sends messages and shuts it down; `--abort` aborts it instead, `--vanish` leaves it without a word when
//!   the peer has all
//!
//! `--loss 100` throws 100 of 10,000 packets away, each way; at a server until `-n` messages have come,
//! for a peer that has ended may be a program that has, too, and answers no more. The last line printed tells how many
//! messages and bytes came, and how it ended.

mod driver;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use driver::{Driver, State};
use stack::error::Error;
use stack::event::SendInfo;

/// Without a message for so long it is given up: where timeouts begin at 3 s, three packets that are
/// lost in a row take 21 s.
const PATIENCE: Duration = Duration::from_secs(60);

struct Options {
    client: bool,
    port: u16,
    udp: u16,
    to: SocketAddr,
    to_udp: u16,
    count: u32,
    length: usize,
    unordered: bool,
    abort: bool,
    vanish: bool,
    loss: u32,
}

fn options() -> Result<Options, String> {
    let mut words = std::env::args().skip(1);
    let client = match words.next().as_deref() {
        Some("client") => true,
        Some("server") => false,
        _ => return Err("udp client|server [OPTION..]".into()),
    };
    let mut options = Options {
        client,
        port: if client { 5000 } else { 5001 },
        udp: 9900,
        to: SocketAddr::from((Ipv4Addr::LOCALHOST, 5001)),
        to_udp: 9899,
        count: 1_000,
        length: 100,
        unordered: false,
        abort: false,
        vanish: false,
        loss: 0,
    };
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        let bad = |_| format!("{word}: no such value");
        match word.as_str() {
            "--port" => options.port = value()?.parse().map_err(bad)?,
            "--udp" => options.udp = value()?.parse().map_err(bad)?,
            "--to" => options.to = value()?.parse().map_err(|_| format!("{word}: ADDRESS:PORT"))?,
            "--to-udp" => options.to_udp = value()?.parse().map_err(bad)?,
            "-n" => options.count = value()?.parse().map_err(bad)?,
            "-l" => options.length = value()?.parse().map_err(bad)?,
            "-u" => options.unordered = true,
            "--abort" => options.abort = true,
            "--vanish" => options.vanish = true,
            "--loss" => options.loss = value()?.parse().map_err(bad)?,
            _ => return Err(format!("{word} is no option")),
        }
    }
    Ok(options)
}

fn run(options: &Options) -> Result<(), String> {
    let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let mut driver =
        Driver::new(local, options.port, options.udp).map_err(|error| error.to_string())?;
    driver.loss = options.loss;
    if options.client {
        let connected = driver.connect(options.to, options.to_udp);
        connected.map_err(|error| format!("connect: {error:?}"))?;
    } else {
        driver.listen();
    }
    let payload = vec![b'x'; options.length];
    let (mut sent, mut messages, mut bytes) = (0, 0_u64, 0_u64);
    let mut ending = false;
    let mut began = Instant::now();
    let mut last = Instant::now();
    loop {
        driver.turn(Duration::from_millis(100)).map_err(|error| error.to_string())?;
        while let Some(message) = driver.receive() {
            if messages == 0 {
                began = Instant::now();
            }
            messages += 1;
            bytes += message.bytes.len() as u64;
            last = Instant::now();
            if !options.client && messages == u64::from(options.count) {
                driver.loss = 0;
            }
        }
        match driver.state {
            State::Up if options.client => {
                while sent < options.count {
                    let stream = (sent % 2) as u16;
                    let info = SendInfo {
                        stream,
                        unordered: options.unordered,
                        ppid: 51,
                        ..SendInfo::default()
                    };
                    match driver.send(info, &payload) {
                        Ok(()) => sent += 1,
                        Err(Error::Again) => break,
                        // tsctp has one stream.
                        Err(Error::Invalid) if stream > 0 => {
                            let info = SendInfo { stream: 0, ..info };
                            if driver.send(info, &payload).is_err() {
                                break;
                            }
                            sent += 1;
                        }
                        Err(error) => return Err(format!("send: {error:?}")),
                    }
                    last = Instant::now();
                }
                if sent == options.count && options.vanish {
                    if driver.all_sent() {
                        break;
                    }
                } else if sent == options.count && !ending {
                    ending = true;
                    let ended = if options.abort { driver.abort() } else { driver.shutdown() };
                    ended.map_err(|error| format!("at the end: {error:?}"))?;
                }
            }
            State::Over | State::Lost => break,
            _ => {}
        }
        if last.elapsed() > PATIENCE {
            return Err(format!("nothing for {PATIENCE:?}; {:?}, {messages} came", driver.state));
        }
    }
    // The last answer may have to be given again.
    let end = Instant::now() + Duration::from_millis(200);
    while Instant::now() < end {
        driver.turn(Duration::from_millis(50)).map_err(|error| error.to_string())?;
    }
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "sent {sent}, received {messages} messages, {bytes} bytes, {:?}, {seconds:.3} s",
        driver.state
    );
    Ok(())
}

fn main() -> ExitCode {
    match options().and_then(|options| run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("udp: {fault}");
            ExitCode::FAILURE
        }
    }
}
