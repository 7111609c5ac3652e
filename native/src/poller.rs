//! The readiness sets, one for each I/O thread: what is waited for, under which token. Knows no socket.
//!
//! A source that is waited for is in one of the sets, asleep unless somebody waits. Events carry a token
//! that is never used twice, so one that was on its way when its socket closed finds nothing.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};
use sctp::{Epoll, Event, Events, Interest, Source, Token, Waker};

/// The token of the waker. Sockets count from 1.
const WAKER: Token = Token(0);

static POLLERS: OnceLock<Vec<&'static Poller>> = OnceLock::new();

static NEXT_TOKEN: AtomicU64 = AtomicU64::new(WAKER.0 + 1);

/// One I/O thread's set.
pub(crate) struct Poller {
    epoll: Epoll,
    waker: Waker,
    /// Events that no descriptor reports.
    post: Sender<Event>,
    posted: Receiver<Event>,
}

/// Makes so many sets and has `run` start a thread for each. Does nothing where they are there already,
/// after a reload of the library.
pub(crate) fn start(
    threads: usize,
    run: impl Fn(&'static Poller) -> io::Result<()>,
) -> io::Result<()> {
    if POLLERS.get().is_some() {
        return Ok(());
    }
    // All before the first thread: where there are no more descriptors, none stays behind.
    let made: Vec<Poller> = (0..threads).map(|_| Poller::new()).collect::<io::Result<_>>()?;
    let mut pollers = Vec::new();
    for poller in made {
        // Never freed: its thread never ends, though a later one should be refused.
        let poller: &Poller = Box::leak(Box::new(poller));
        run(poller)?;
        pollers.push(poller);
    }
    POLLERS.get_or_init(|| pollers);
    Ok(())
}

/// The set of the socket with this token.
///
/// # Panics
/// Before [`start`], which means before the library's load callback.
pub(crate) fn poller(token: Token) -> &'static Poller {
    let all = POLLERS.get().expect("the sets are made when the library is loaded");
    #[expect(clippy::cast_possible_truncation, reason = "only the rest of the division counts")]
    all[token.0 as usize % all.len()]
}

/// A token for a new socket. One after the other, so that the threads have equally many.
pub(crate) fn new_token() -> Token {
    Token(NEXT_TOKEN.fetch_add(1, Ordering::Relaxed))
}

/// How many tokens there have been, and so sockets.
pub(crate) fn tokens() -> u64 {
    NEXT_TOKEN.load(Ordering::Relaxed) - (WAKER.0 + 1)
}

impl Poller {
    fn new() -> io::Result<Poller> {
        let (post, posted) = unbounded();
        let epoll = Epoll::new()?;
        let waker = Waker::new(&epoll, WAKER)?;
        Ok(Poller { epoll, waker, post, posted })
    }

    /// Whether there is room for one more: a descriptor, and a place in the epoll set.
    pub(crate) fn has_room(&self) -> io::Result<()> {
        // Its event never comes.
        Waker::new(&self.epoll, WAKER).map(drop)
    }

    /// Takes in a new source, to wait for nothing yet.
    pub(crate) fn add(&'static self, source: Source, token: Token) -> io::Result<()> {
        self.add_for(source, token, Interest::NONE.oneshot())
    }

    /// Takes in a source again whose associations are about to end.
    pub(crate) fn add_ending(&'static self, source: Source, token: Token) -> io::Result<()> {
        // An edge, as a stream that has ended stays readable.
        self.add_for(source, token, Interest { edge: true, ..Interest::READ })
    }

    fn add_for(&'static self, source: Source, token: Token, interest: Interest) -> io::Result<()> {
        match source {
            Source::Fd(fd) => self.epoll.add(fd, token, interest),
            Source::Posted(readiness) => {
                readiness.add(token, interest, Box::new(|event| self.post(event)));
                Ok(())
            }
        }
    }

    /// Waits for something else, or again. Takes no memory: cannot fail on a source of the set.
    pub(crate) fn modify(
        &self,
        source: Source,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        match source {
            Source::Fd(fd) => self.epoll.modify(fd, token, interest),
            Source::Posted(readiness) => {
                readiness.modify(interest);
                Ok(())
            }
        }
    }

    /// Waits for nothing any more.
    pub(crate) fn delete(&self, source: Source) -> io::Result<()> {
        match source {
            Source::Fd(fd) => self.epoll.delete(fd),
            Source::Posted(readiness) => {
                readiness.delete();
                Ok(())
            }
        }
    }

    /// Has the I/O thread take an event as if a descriptor had reported it.
    pub(crate) fn post(&self, event: Event) {
        // The other end is on a thread that never ends.
        let _ = self.post.send(event);
        let _ = self.waker.wake();
    }

    /// Has the I/O thread look at a socket, as if it had become readable.
    pub(crate) fn revisit(&self, token: Token) {
        self.post(Event { token, readable: true, ..Event::default() });
    }

    /// Waits for events, for at most `timeout`. For the I/O thread.
    pub(crate) fn wait(&self, events: &mut Events, timeout: Option<Duration>) {
        // Cannot fail on an epoll fd that is never closed; if it did, there would be no events.
        let _ = self.epoll.wait(events, timeout);
    }

    /// The events that were posted, if `event` tells of such.
    pub(crate) fn take_posted(&self, event: &Event) -> Option<impl Iterator<Item = Event>> {
        if event.token != WAKER {
            return None;
        }
        // Cannot fail on an eventfd that is never closed.
        let _ = self.waker.reset();
        // Only those of now: who takes one may post the next.
        Some(self.posted.try_iter().take(self.posted.len()))
    }
}
