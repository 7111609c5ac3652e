//! The I/O thread: one epoll set, and the closing of fds that no caller waits for.
//!
//! A socket is in the set only while somebody waits for it: active mode, a blocked receiver,
//! sender or connect. Events carry a token that is never used twice, so one that was on its way
//! when its socket closed finds nothing.

use std::collections::HashMap;
use std::io;
use std::os::fd::BorrowedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use crossbeam_channel::{Receiver, Sender, unbounded};
use parking_lot::Mutex;
use sctp::epoll::{Epoll, Event, Events, Interest, Waker};

use crate::socket::Inner;

/// Events taken from the kernel at a time.
const EVENTS: usize = 64;

/// The token of the waker. Sockets count from 1.
const WAKER: u64 = 0;

static REACTOR: OnceLock<Reactor> = OnceLock::new();

pub(crate) struct Reactor {
    epoll: Epoll,
    waker: Waker,
    closing: Sender<sctp::Socket>,
    sockets: Mutex<HashMap<u64, Weak<Inner>>>,
    next_token: AtomicU64,
}

/// Starts the I/O thread. Called when the NIF library is loaded, again after a reload.
pub(crate) fn start() -> io::Result<()> {
    if REACTOR.get().is_some() {
        return Ok(());
    }
    let (closing, to_close) = unbounded();
    let epoll = Epoll::new()?;
    let waker = Waker::new(&epoll, WAKER)?;
    let reactor = Reactor {
        epoll,
        waker,
        closing,
        sockets: Mutex::default(),
        next_token: AtomicU64::new(WAKER + 1),
    };
    let reactor = REACTOR.get_or_init(|| reactor);
    std::thread::Builder::new()
        .name("gen_sctp_nif_io".into())
        .spawn(move || reactor.run(&to_close))
        .map(drop)
}

/// The running reactor.
///
/// # Panics
/// Before [`start`], which means before the library's load callback.
pub(crate) fn reactor() -> &'static Reactor {
    REACTOR.get().expect("the reactor starts when the library is loaded")
}

impl Reactor {
    /// A token for a new socket.
    pub(crate) fn token(&self) -> u64 {
        self.next_token.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn register(&self, token: u64, socket: &Arc<Inner>) {
        self.sockets.lock().insert(token, Arc::downgrade(socket));
    }

    pub(crate) fn forget(&self, token: u64) {
        self.sockets.lock().remove(&token);
    }

    /// All sockets that are still there.
    pub(crate) fn sockets(&self) -> Vec<Arc<Inner>> {
        self.sockets.lock().values().filter_map(Weak::upgrade).collect()
    }

    /// Changes what is waited for on a socket's fd from `old` to `new`.
    ///
    /// Nothing wanted means not in the set at all: the kernel reports errors and hang-ups whether
    /// they are asked for or not.
    pub(crate) fn interest(
        &self,
        fd: BorrowedFd,
        token: u64,
        old: Interest,
        new: Interest,
    ) -> io::Result<()> {
        if old == new {
            Ok(())
        } else if new == Interest::NONE {
            self.epoll.delete(fd)
        } else if old == Interest::NONE {
            self.epoll.add(fd, token, new)
        } else {
            self.epoll.modify(fd, token, new)
        }
    }

    /// Closes a socket on the I/O thread: close(2) may take longer than a scheduler has.
    pub(crate) fn close_later(&self, socket: sctp::Socket) {
        // The receiver lives in a thread that never ends; if it were gone the socket is dropped,
        // which closes it, here.
        let _ = self.closing.send(socket);
        let _ = self.waker.wake();
    }

    fn run(&self, to_close: &Receiver<sctp::Socket>) {
        let mut events = Events::with_capacity(EVENTS);
        loop {
            // Cannot fail on an epoll fd that is never closed; if it did, there would be no events.
            let _ = self.epoll.wait(&mut events, None);
            for event in events.iter() {
                if event.token == WAKER {
                    // Likewise for the eventfd.
                    let _ = self.waker.reset();
                    to_close.try_iter().for_each(drop);
                } else {
                    self.dispatch(&event);
                }
            }
        }
    }

    fn dispatch(&self, event: &Event) {
        let socket = self.sockets.lock().get(&event.token).and_then(Weak::upgrade);
        let Some(socket) = socket else { return };
        // A panic must not end the thread that every socket depends on: it closes the one socket.
        if catch_unwind(AssertUnwindSafe(|| socket.on_ready(event))).is_err() {
            socket.close_after_panic();
        }
    }
}
