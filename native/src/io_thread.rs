//! The I/O threads: each waits for its poller's events, and has the sockets do what these are about.

use std::io;

use beam::panics;
use flow::pace::{Pace, Traffic};
use sctp::{Event, Events, Token};

use crate::poller::{self, Poller};
use crate::socket::state::Socket;
use crate::socket::table;

/// Events taken from the kernel at a time.
const EVENTS: usize = 64;

/// Starts that many I/O threads. Called when the NIF library is loaded, again after a reload, when
/// the threads are there already.
pub(crate) fn start(threads: usize) -> io::Result<()> {
    poller::start(threads, |poller| {
        let name = "gen_sctp_nif_io".into();
        std::thread::Builder::new().name(name).spawn(move || run(poller)).map(drop)
    })
}

fn run(poller: &Poller) {
    let mut events = Events::with_capacity(EVENTS);
    let mut pace = Pace::default();
    loop {
        poller.wait(&mut events);
        // A panic must not end the thread that every socket depends on. What it cut short may
        // have been told once and for all, so all sockets are looked at.
        if panics::guarded(|| turn(poller, &events, &mut pace)).is_none() {
            panics::guarded(visit_all);
        }
        for token in poller.due() {
            with_socket(token, Socket::look_after_writers);
        }
    }
}

fn turn(poller: &Poller, events: &Events, pace: &mut Pace) {
    panics::point("turn");
    for event in events.iter() {
        if let Some(posted) = poller.take_posted(&event) {
            for event in posted {
                dispatch(&event);
            }
        } else if let Some(give_way) = dispatch(&event).and_then(|traffic| pace.note(traffic)) {
            // `SCHED_BATCH` only means that waking does not preempt.
            if !sctp::kernel::thread::set_batch(give_way).unwrap_or(false) {
                pace.overrule();
            }
        }
    }
}

fn dispatch(event: &Event) -> Option<Traffic> {
    with_socket(event.token, |socket| socket.on_ready(event)).flatten()
}

/// `None` if there is no such socket any more.
fn with_socket<T>(token: Token, act: impl FnOnce(&Socket) -> T) -> Option<T> {
    let socket = table::get(token)?;
    // A panic that is one socket's closes that socket.
    let result = panics::guarded(|| act(&socket));
    if result.is_none() {
        let close = || panics::guarded(|| socket.close_after_panic()).is_some();
        // Once more if even that panics: those who wait have to be told by somebody.
        let _ = close() || close();
    }
    result
}

/// As if everything had happened to every socket.
fn visit_all() {
    for socket in table::all() {
        let token = socket.token;
        dispatch(&Event { token, readable: true, writable: true, error: true });
    }
}
