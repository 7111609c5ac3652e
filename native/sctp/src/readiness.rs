//! When a socket is worth a call, whoever says so: a descriptor in an epoll set, or a backend that
//! posts events itself.

use std::fmt;
use std::os::fd::BorrowedFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub use flow::interest::Interest;

/// What an event is about, as who waits for it has named it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Token(pub u64);

/// Readiness of one socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// What the source was added with.
    pub token: Token,
    /// Something to receive, or the peer has shut down.
    pub readable: bool,
    /// Room to send.
    pub writable: bool,
    /// An error to be fetched, or both directions shut down.
    pub error: bool,
}

impl Event {
    fn is_empty(&self) -> bool {
        !self.readable && !self.writable && !self.error
    }
}

/// Where a socket's events come from.
#[derive(Clone, Copy)]
pub enum Source<'a> {
    /// An epoll set that has this descriptor.
    Fd(BorrowedFd<'a>),
    /// The backend itself.
    Posted(&'a Readiness),
}

/// Takes an event; must not call the backend that posts it.
pub type Post = Box<dyn Fn(Event) + Send + Sync>;

/// The readiness of a socket without a descriptor: what is so, and what somebody waits for.
///
/// The backend says what is so at each change, and after each call that leaves it so: a level is
/// reported as often as that is said.
#[derive(Default)]
pub struct Readiness(Mutex<State>);

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let State { now, interest, asleep, .. } = &*self.lock();
        write!(f, "Readiness({now:?}, {interest:?}, asleep: {asleep})")
    }
}

#[derive(Default)]
struct State {
    /// What is so. Its token is that of the waiter.
    now: Event,
    interest: Interest,
    /// None while nobody waits, and after a one-shot has come.
    post: Option<Post>,
    asleep: bool,
}

impl Readiness {
    /// Begins to report, to `post`, what `interest` says.
    pub fn add(&self, token: Token, interest: Interest, post: Post) {
        let mut state = self.lock();
        state.now.token = token;
        state.post = Some(post);
        state.wait_for(interest);
    }

    /// Waits for something else, or again after a one-shot.
    pub fn modify(&self, interest: Interest) {
        self.lock().wait_for(interest);
    }

    /// Reports nothing any more.
    pub fn delete(&self) {
        self.lock().post = None;
    }

    /// What is so now. An edge is what was not so before.
    pub fn set(&self, readable: bool, writable: bool, error: bool) {
        let mut state = self.lock();
        let before = state.now;
        state.now = Event { readable, writable, error, ..before };
        let rises = (readable && !before.readable)
            || (writable && !before.writable)
            || (error && !before.error);
        if rises || !state.interest.edge {
            state.report();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wait_for(&mut self, interest: Interest) {
        self.interest = interest;
        self.asleep = false;
        self.report();
    }

    fn report(&mut self) {
        let Interest { readable, writable, oneshot, .. } = self.interest;
        let event = Event {
            readable: self.now.readable && readable,
            writable: self.now.writable && writable,
            ..self.now
        };
        if self.asleep || event.is_empty() {
            return;
        }
        if let Some(post) = &self.post {
            post(event);
            self.asleep = oneshot;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, channel};

    const TOKEN: Token = Token(7);

    fn waiting(interest: Interest) -> (Readiness, Receiver<Event>) {
        let (sender, events) = channel();
        let readiness = Readiness::default();
        let post = move |event| sender.send(event).unwrap();
        readiness.add(TOKEN, interest, Box::new(post));
        (readiness, events)
    }

    fn reported(events: &Receiver<Event>) -> Vec<(bool, bool, bool)> {
        let seen = |event: Event| {
            assert_eq!(event.token, TOKEN);
            (event.readable, event.writable, event.error)
        };
        events.try_iter().map(seen).collect()
    }

    const READABLE: (bool, bool, bool) = (true, false, false);

    #[test]
    fn a_level_is_reported_as_long_as_it_is_so() {
        let (readiness, events) = waiting(Interest::READ);
        readiness.set(false, true, false);
        assert_eq!(reported(&events), [], "nobody waits for room");
        readiness.set(true, true, false);
        readiness.set(true, true, false);
        assert_eq!(reported(&events), [READABLE; 2]);
        readiness.set(false, true, false);
        assert_eq!(reported(&events), []);
    }

    #[test]
    fn a_oneshot_is_reported_once_for_each_time_it_is_asked_for() {
        let (readiness, events) = waiting(Interest::READ.oneshot());
        readiness.set(true, false, false);
        readiness.set(true, false, true);
        assert_eq!(reported(&events), [READABLE]);
        readiness.modify(Interest::READ.oneshot());
        assert_eq!(reported(&events), [(true, false, true)], "what is so when it is asked for");
        readiness.modify(Interest::NONE.oneshot());
        assert_eq!(reported(&events), [(false, false, true)], "errors in any case");
    }

    #[test]
    fn an_edge_is_reported_when_something_comes_to_be_so() {
        let (readiness, events) = waiting(Interest { edge: true, ..Interest::READ });
        readiness.set(true, false, false);
        readiness.set(true, false, false);
        assert_eq!(reported(&events), [READABLE]);
        readiness.set(false, false, false);
        readiness.set(true, false, false);
        assert_eq!(reported(&events), [READABLE]);
        readiness.modify(Interest { edge: true, ..Interest::READ });
        assert_eq!(reported(&events), [READABLE], "and when modified");
    }

    #[test]
    fn nothing_is_reported_after_delete() {
        let (readiness, events) = waiting(Interest::READ);
        readiness.delete();
        readiness.set(true, true, true);
        readiness.modify(Interest::READ);
        assert_eq!(reported(&events), []);
    }
}
