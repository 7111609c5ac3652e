//! The bare loop: two processes and the kernel, as fast as blocking single calls get.
//!
//! This process holds the socket that is measured on; its peer is a child, as the sender and the
//! receiver of the Erlang cases are two processes. A blocked call costs no CPU and is woken by the
//! kernel itself: less is not possible with one call a message.

use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Instant;

use socket2::Socket;

use crate::handover;
use crate::meter::Meter;
use crate::result::{Measured, Origin};
use crate::spec::Spec;
use crate::sys;

/// Messages that are sent together in the case `bundle`: as many as the library sends.
const BUNDLE: usize = 32;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Runs the cases of the bare loop and prints a line for each figure.
pub(crate) fn run(origin: &Origin, specs: &[Spec]) -> Result<()> {
    for spec in specs {
        match spec.kind.as_str() {
            // For comparison, message by message.
            "oneway" | "batch" | "batches" | "bundle" => one_way(origin, spec)?,
            "pingpong" | "handover" => ping_pong(origin, spec)?,
            "connect" => connect(origin, spec)?,
            "accept" => accept(origin, spec)?,
            other => return Err(format!("the bare loop has no case {other}").into()),
        }
    }
    Ok(())
}

/// The other side of a case: connects to `port` and sends.
pub(crate) fn peer(port: u16, spec: &Spec) -> Result<()> {
    let socket = sys::open(spec)?;
    socket.connect(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
    let assoc = sys::association(&socket)?;
    let message = vec![b'x'; spec.size];
    // It starts when the parent says so.
    writeln!(io::stdout(), "ready")?;
    io::stdin().lock().read_line(&mut String::new())?;
    if let "pingpong" | "handover" = spec.kind.as_str() {
        ping(&socket, assoc, &message, spec)?;
        io::stdin().lock().read_line(&mut String::new())?;
        return Ok(());
    }
    let at_a_time = if spec.kind == "bundle" { BUNDLE } else { 1 };
    for count in [spec.warmup(), spec.count] {
        let mut left = count as usize;
        while left > 0 {
            let count = left.min(at_a_time);
            match count {
                1 => sys::send(&socket, assoc, &message)?,
                _ => sys::send_bundle(&socket, assoc, &message, count)?,
            }
            left -= count;
        }
        // The parent goes on, or ends us, when it has all.
        io::stdin().lock().read_line(&mut String::new())?;
    }
    Ok(())
}

/// One message after the other is sent, and comes back; tells the median and the 99th percentile of
/// the round trips in ns.
fn ping(socket: &Socket, assoc: i32, message: &[u8], spec: &Spec) -> Result<()> {
    let mut receive = receiver(socket, spec)?;
    let mut buf = vec![0; spec.size];
    let mut times = Vec::with_capacity(spec.count as usize);
    for round in 0..spec.warmup() + spec.count {
        let start = Instant::now();
        sys::send(socket, assoc, message)?;
        receive(&mut buf)?;
        if round >= spec.warmup() {
            times.push(start.elapsed());
        }
    }
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize].as_nanos();
    writeln!(io::stdout(), "{} {}", at(0.5), at(0.99))?;
    Ok(())
}

fn one_way(origin: &Origin, spec: &Spec) -> Result<()> {
    let socket = sys::open(spec)?;
    let mut peer = Peer::start(&socket, spec)?;
    let mut buf = vec![0; spec.size];
    peer.go()?;
    for _ in 0..spec.warmup() {
        whole(&socket, &mut buf)?;
    }
    // All that it takes to send and receive the messages is in the time: on one processor that is
    // the whole work, wherever messages queue up meanwhile.
    let meter = Meter::start(peer.processes())?;
    peer.go()?;
    for _ in 0..spec.count {
        whole(&socket, &mut buf)?;
    }
    print(origin, spec, &meter.stop(spec.count)?)?;
    peer.finish()
}

fn ping_pong(origin: &Origin, spec: &Spec) -> Result<()> {
    let socket = sys::open(spec)?;
    let mut peer = Peer::start(&socket, spec)?;
    let mut receive = receiver(&socket, spec)?;
    let mut buf = vec![0; spec.size];
    peer.go()?;
    let mut echo = |rounds| -> Result<()> {
        for _ in 0..rounds {
            let assoc = receive(&mut buf)?;
            sys::send(&socket, assoc, &buf)?;
        }
        Ok(())
    };
    echo(spec.warmup())?;
    let meter = Meter::start(peer.processes())?;
    echo(spec.count)?;
    let mut figures = meter.stop(spec.count)?;
    "mean".clone_into(&mut figures[0].0);
    let line = peer.line()?;
    peer.finish()?;
    let times: Vec<f64> =
        line.split_whitespace().map(str::parse).collect::<std::result::Result<_, _>>()?;
    let [median, p99] = times[..] else { return Err(format!("the peer said {line}").into()) };
    figures.extend([("us".to_owned(), median / 1000.0), ("p99".to_owned(), p99 / 1000.0)]);
    print(origin, spec, &figures)
}

/// How a case receives its next message, into a buffer, and the number of its association.
type Receive<'a> = Box<dyn FnMut(&mut Vec<u8>) -> Result<i32> + 'a>;

fn receiver<'a>(socket: &'a Socket, spec: &Spec) -> Result<Receive<'a>> {
    if spec.kind != "handover" {
        return Ok(Box::new(|buf| whole(socket, buf)));
    }
    let messages = handover::start(socket, spec.size)?;
    Ok(Box::new(move |buf| {
        let (message, assoc) = messages.recv()?;
        *buf = message;
        Ok(assoc)
    }))
}

/// Opens, connects and closes, one after the other. The server is the kernel alone.
fn connect(origin: &Origin, spec: &Spec) -> Result<()> {
    let server = sys::open(spec)?;
    connections(origin, spec, &server, || Ok(()))
}

/// The same, and each association is accepted and its socket closed.
fn accept(origin: &Origin, spec: &Spec) -> Result<()> {
    let server = sys::open_one_to_one(spec)?;
    connections(origin, spec, &server, || Ok(server.accept().map(drop)?))
}

/// Connects so often; the server does its part each time.
fn connections(
    origin: &Origin,
    spec: &Spec,
    server: &Socket,
    serve: impl Fn() -> Result<()>,
) -> Result<()> {
    server.listen(128)?;
    let address = server.local_addr()?;
    let turns = |count| -> Result<()> {
        for _ in 0..count {
            let socket = sys::open(spec)?;
            socket.connect(&address)?;
            serve()?;
        }
        Ok(())
    };
    turns(spec.warmup())?;
    let meter = Meter::start(vec![std::process::id()])?;
    turns(spec.count)?;
    print(origin, spec, &meter.stop(spec.count)?)
}

fn print(origin: &Origin, spec: &Spec, figures: &[(String, f64)]) -> Result<()> {
    for (metric, value) in figures {
        Measured::new(origin, spec, metric, *value).print()?;
    }
    Ok(())
}

/// Receives a message, in as many pieces as it comes; gives its association.
fn whole(socket: &Socket, buf: &mut [u8]) -> Result<i32> {
    let mut filled = 0;
    loop {
        let piece = sys::receive(socket, &mut buf[filled..])?;
        if piece.notification {
            return Err("a notification that nobody asked for".into());
        }
        filled += piece.len;
        if piece.end_of_record {
            if filled == buf.len() {
                return Ok(piece.assoc);
            }
            return Err(format!("a message of {filled} bytes").into());
        }
        if piece.len == 0 {
            return Err("a message without an end".into());
        }
    }
}

/// The child of a case.
struct Peer {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts it and waits until it is connected.
    fn start(socket: &Socket, spec: &Spec) -> Result<Peer> {
        socket.listen(128)?;
        let port = socket.local_addr()?.as_socket().ok_or("no port")?.port();
        let mut child = Command::new(env::current_exe()?)
            .args(["peer", &port.to_string(), &spec.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = BufReader::new(child.stdout.take().ok_or("no output")?);
        let mut peer = Peer { child, output };
        if peer.line()? != "ready\n" {
            return Err("the peer did not connect".into());
        }
        Ok(peer)
    }

    fn go(&mut self) -> Result<()> {
        self.child.stdin.as_mut().ok_or("no input")?.write_all(b"go\n")?;
        Ok(())
    }

    /// This process and the peer.
    fn processes(&self) -> Vec<u32> {
        vec![self.child.id(), std::process::id()]
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line)
    }

    fn finish(mut self) -> Result<()> {
        // Its end of input lets it end.
        self.child.stdin.take();
        if self.child.wait()?.success() { Ok(()) } else { Err("the peer failed".into()) }
    }
}
