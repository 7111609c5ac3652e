//! The I/O threads, each with an epoll set of its own.
//!
//! Every open socket is in one of the sets, asleep unless somebody waits for it: active mode, a blocked
//! receiver, sender or connect. Events carry a token that is never used twice, so one that was on its way
//! when its socket closed finds nothing.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use beam::panics;
use crossbeam_channel::{Receiver, Sender, unbounded};
use flow::pace::{Pace, Traffic};
use parking_lot::Mutex;
use sctp::{Epoll, Event, Events, Interest, Waker};

use crate::socket::Inner;

/// Events taken from the kernel at a time.
const EVENTS: usize = 64;

/// The token of the waker. Sockets count from 1.
const WAKER: u64 = 0;

/// Tokens are counted up, so they are as good a hash as any.
#[derive(Default)]
struct TokenHasher(u64);

impl Hasher for TokenHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _bytes: &[u8]) {
        unreachable!("tokens are u64");
    }

    fn write_u64(&mut self, token: u64) {
        // hashbrown takes the top bits, too.
        self.0 = token.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

static REACTORS: OnceLock<Vec<&'static Reactor>> = OnceLock::new();

static NEXT_TOKEN: AtomicU64 = AtomicU64::new(WAKER + 1);

/// One I/O thread's part.
pub(crate) struct Reactor {
    epoll: Epoll,
    waker: Waker,
    /// Sockets that have more to deliver, of which the kernel knows nothing.
    revisit: Sender<u64>,
    to_visit: Receiver<u64>,
    sockets: Mutex<HashMap<u64, Weak<Inner>, BuildHasherDefault<TokenHasher>>>,
}

/// Starts that many I/O threads. Called when the NIF library is loaded, again after a reload, when
/// the threads are there already.
pub(crate) fn start(threads: usize) -> io::Result<()> {
    if REACTORS.get().is_some() {
        return Ok(());
    }
    let mut reactors = Vec::new();
    for _ in 0..threads {
        // Never freed: its thread never ends, though a later one should be refused.
        let reactor: &Reactor = Box::leak(Box::new(Reactor::new()?));
        std::thread::Builder::new().name("gen_sctp_nif_io".into()).spawn(move || reactor.run())?;
        reactors.push(reactor);
    }
    REACTORS.get_or_init(|| reactors);
    Ok(())
}

/// # Panics
/// Before [`start`], which means before the library's load callback.
fn reactors() -> &'static [&'static Reactor] {
    REACTORS.get().expect("the reactors start when the library is loaded")
}

/// The reactor of the socket with this token.
pub(crate) fn reactor(token: u64) -> &'static Reactor {
    let all = reactors();
    #[expect(clippy::cast_possible_truncation, reason = "only the rest of the division counts")]
    all[token as usize % all.len()]
}

/// A token for a new socket. One after the other, so that the threads have equally many.
pub(crate) fn token() -> u64 {
    NEXT_TOKEN.fetch_add(1, Ordering::Relaxed)
}

/// How many sockets there have been.
pub(crate) fn opened() -> u64 {
    NEXT_TOKEN.load(Ordering::Relaxed) - (WAKER + 1)
}

/// All sockets that are still there.
pub(crate) fn sockets() -> Vec<Arc<Inner>> {
    reactors().iter().flat_map(|reactor| reactor.sockets()).collect()
}

impl Reactor {
    fn new() -> io::Result<Reactor> {
        let (revisit, to_visit) = unbounded();
        let epoll = Epoll::new()?;
        let waker = Waker::new(&epoll, WAKER)?;
        Ok(Reactor { epoll, waker, revisit, to_visit, sockets: Mutex::default() })
    }

    pub(crate) fn register(&self, token: u64, socket: &Arc<Inner>) {
        self.sockets.lock().insert(token, Arc::downgrade(socket));
    }

    pub(crate) fn forget(&self, token: u64) {
        self.sockets.lock().remove(&token);
    }

    /// Whether there is room for one more: a descriptor, and a place in the epoll set.
    pub(crate) fn has_room(&self) -> io::Result<()> {
        // Its event never comes.
        Waker::new(&self.epoll, WAKER).map(drop)
    }

    fn sockets(&self) -> Vec<Arc<Inner>> {
        self.sockets.lock().values().filter_map(Weak::upgrade).collect()
    }

    /// Takes in a new fd, to wait for nothing yet.
    pub(crate) fn add(&self, fd: BorrowedFd, token: u64) -> io::Result<()> {
        self.epoll.add(fd, token, Interest::NONE.oneshot())
    }

    /// Waits for something else, or again. Takes no memory: cannot fail on an fd of the set.
    pub(crate) fn modify(&self, fd: BorrowedFd, token: u64, interest: Interest) -> io::Result<()> {
        self.epoll.modify(fd, token, interest)
    }

    /// Waits for nothing any more.
    pub(crate) fn delete(&self, fd: BorrowedFd) -> io::Result<()> {
        self.epoll.delete(fd)
    }

    /// Has the I/O thread look at a socket, as if it had become readable.
    pub(crate) fn revisit(&self, token: u64) {
        // The other end is on a thread that never ends.
        let _ = self.revisit.send(token);
        let _ = self.waker.wake();
    }

    fn run(&self) {
        let mut events = Events::with_capacity(EVENTS);
        let mut pace = Pace::default();
        loop {
            // Cannot fail on an epoll fd that is never closed; if it did, there would be no events.
            let _ = self.epoll.wait(&mut events, None);
            // A panic must not end the thread that every socket depends on. What it cut short may
            // have been told once and for all, so all sockets are looked at.
            if panics::guarded(|| self.turn(&events, &mut pace)).is_none() {
                panics::guarded(|| self.visit_all());
            }
        }
    }

    fn turn(&self, events: &Events, pace: &mut Pace) {
        panics::point("turn");
        for event in events.iter() {
            if event.token == WAKER {
                // Cannot fail on an eventfd that is never closed.
                let _ = self.waker.reset();
                // Only those of now: they may ask for another visit.
                for token in self.to_visit.try_iter().take(self.to_visit.len()) {
                    self.dispatch(&Event { token, readable: true, ..Event::default() });
                }
            } else if let Some(give_way) =
                self.dispatch(&event).and_then(|traffic| pace.note(traffic))
            {
                // `SCHED_BATCH` only means that waking does not preempt.
                if !sctp::kernel::thread::set_batch(give_way).unwrap_or(false) {
                    pace.overrule();
                }
            }
        }
    }

    fn dispatch(&self, event: &Event) -> Option<Traffic> {
        let socket = self.sockets.lock().get(&event.token).and_then(Weak::upgrade)?;
        // A panic that is one socket's closes that socket.
        panics::guarded(|| socket.on_ready(event)).unwrap_or_else(|| {
            let close = || panics::guarded(|| socket.close_after_panic()).is_some();
            // Once more if even that panics: those who wait have to be told by somebody.
            let _ = close() || close();
            None
        })
    }

    /// As if everything had happened to every socket.
    fn visit_all(&self) {
        for socket in self.sockets() {
            let token = socket.token;
            self.dispatch(&Event { token, readable: true, writable: true, error: true });
        }
    }
}
