//! The I/O threads: each waits for its poller's events, and has the sockets do what these are about.

use std::io;
use std::time::Instant;

use beam::panics;
use flow::pace::Pace;
use flow::rounds::Rounds;
use sctp::{Event, Events, Token};

use crate::poller::{self, Poller};
use crate::socket::ready::Done;
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

/// What one thread keeps from event to event.
#[derive(Default)]
struct Course {
    pace: Pace,
    /// Sockets on which somebody may wait to send to an association that is no more.
    rounds: Rounds<Token>,
}

fn run(poller: &Poller) {
    let mut events = Events::with_capacity(EVENTS);
    let mut course = Course::default();
    loop {
        poller.wait(&mut events, course.rounds.timeout(Instant::now));
        // A panic must not end the thread that every socket depends on. What it cut short may
        // have been told once and for all, so all sockets are looked at.
        if panics::guarded(|| course.turn(poller, &events)).is_none() {
            panics::guarded(|| course.visit_all());
        }
        for token in course.rounds.due(Instant::now) {
            with_socket(token, Socket::look_after_writers);
        }
    }
}

impl Course {
    fn turn(&mut self, poller: &Poller, events: &Events) {
        panics::point("turn");
        for event in events.iter() {
            if let Some(posted) = poller.take_posted(&event) {
                for event in posted {
                    self.dispatch(&event);
                }
            } else if let Some(give_way) =
                self.dispatch(&event).traffic.and_then(|traffic| self.pace.note(traffic))
            {
                // `SCHED_BATCH` only means that waking does not preempt.
                if !sctp::kernel::thread::set_batch(give_way).unwrap_or(false) {
                    self.pace.overrule();
                }
            }
        }
    }

    fn dispatch(&mut self, event: &Event) -> Done {
        let done = with_socket(event.token, |socket| socket.on_ready(event)).unwrap_or_default();
        if done.orphans {
            self.rounds.add(event.token);
        }
        done
    }

    /// As if everything had happened to every socket.
    fn visit_all(&mut self) {
        for socket in table::all() {
            let token = socket.token;
            self.dispatch(&Event { token, readable: true, writable: true, error: true });
        }
    }
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
