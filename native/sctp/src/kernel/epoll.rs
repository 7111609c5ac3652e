//! Readiness of descriptors, and waking the thread that waits for it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use super::sys;
use crate::readiness::{Event, Interest, Token};

/// A set of descriptors one thread waits for. May be shared between threads: descriptors can be
/// added, modified and deleted while another thread waits.
#[derive(Debug)]
pub struct Epoll(OwnedFd);

fn bits(interest: Interest) -> u32 {
    let Interest { readable, writable, oneshot, edge } = interest;
    let flags = [
        (readable, libc::EPOLLIN | libc::EPOLLRDHUP),
        (writable, libc::EPOLLOUT),
        (oneshot, libc::EPOLLONESHOT),
        (edge, libc::EPOLLET),
    ];
    let wanted = flags.into_iter().filter(|(wanted, _)| *wanted);
    wanted.fold(0, |bits, (_, flag)| bits | flag).cast_unsigned()
}

fn event(raw: &libc::epoll_event) -> Event {
    let has = |bits: i32| raw.events & bits.cast_unsigned() != 0;
    Event {
        token: Token(raw.u64),
        readable: has(libc::EPOLLIN | libc::EPOLLRDHUP),
        writable: has(libc::EPOLLOUT),
        error: has(libc::EPOLLERR | libc::EPOLLHUP),
    }
}

/// Room for the events of one wait.
pub struct Events {
    buf: Vec<libc::epoll_event>,
    len: usize,
}

impl Events {
    /// Room for `capacity` events at a time; at least one.
    pub fn with_capacity(capacity: usize) -> Self {
        let none = libc::epoll_event { events: 0, u64: 0 };
        Self { buf: vec![none; capacity.max(1)], len: 0 }
    }

    /// The events of the last wait.
    pub fn iter(&self) -> impl Iterator<Item = Event> {
        self.buf[..self.len].iter().map(event)
    }

    /// Whether the last wait brought none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl Epoll {
    /// An empty set.
    pub fn new() -> io::Result<Self> {
        sys::epoll_create().map(Self)
    }

    /// Adds `fd`; `EEXIST` if it is there. Delete it before it is closed: a copy of it, say in a
    /// forked process, would keep it in the set.
    pub fn add(&self, fd: BorrowedFd<'_>, token: Token, interest: Interest) -> io::Result<()> {
        sys::epoll_ctl(self.0.as_fd(), libc::EPOLL_CTL_ADD, fd, bits(interest), token.0)
    }

    /// Changes what to wait for, and arms a one-shot again; `ENOENT` if `fd` is not there.
    pub fn modify(&self, fd: BorrowedFd<'_>, token: Token, interest: Interest) -> io::Result<()> {
        sys::epoll_ctl(self.0.as_fd(), libc::EPOLL_CTL_MOD, fd, bits(interest), token.0)
    }

    /// Takes `fd` out; `ENOENT` if it is not there.
    pub fn delete(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        sys::epoll_ctl(self.0.as_fd(), libc::EPOLL_CTL_DEL, fd, 0, 0)
    }

    /// Waits until something is ready, for at most `timeout` (rounded up to milliseconds; `None`:
    /// forever). A signal ends the wait early, with no event.
    pub fn wait(&self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        events.len = 0;
        let timeout_ms = timeout.map_or(-1, |timeout| {
            let millis = timeout.as_nanos().div_ceil(1_000_000);
            i32::try_from(millis).unwrap_or(i32::MAX)
        });
        match sys::epoll_wait(self.0.as_fd(), &mut events.buf, timeout_ms) {
            Ok(len) => {
                events.len = len;
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Ends the wait of another thread (an eventfd).
#[derive(Debug)]
pub struct Waker(OwnedFd);

impl Waker {
    /// A waker in `epoll`; its event has `token`, and comes until [`Waker::reset`].
    pub fn new(epoll: &Epoll, token: Token) -> io::Result<Self> {
        let fd = sys::eventfd()?;
        epoll.add(fd.as_fd(), token, Interest::READ)?;
        Ok(Self(fd))
    }

    /// Makes the current wait, or the next one, end. From any thread; does not block.
    pub fn wake(&self) -> io::Result<()> {
        match sys::eventfd_add(self.0.as_fd()) {
            // The counter is full: it could not be more awake.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            result => result,
        }
    }

    /// Forgets all wakes so far. To be called before looking at what the wake was about.
    pub fn reset(&self) -> io::Result<()> {
        match sys::eventfd_reset(self.0.as_fd()) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            result => result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    const NOW: Option<Duration> = Some(Duration::ZERO);
    const WRITE: Interest = Interest { writable: true, ..Interest::NONE };

    fn ready(epoll: &Epoll) -> Vec<Event> {
        let mut events = Events::with_capacity(8);
        epoll.wait(&mut events, NOW).unwrap();
        events.iter().collect()
    }

    #[test]
    fn level_triggered() {
        let epoll = Epoll::new().unwrap();
        let (mut a, mut b) = UnixStream::pair().unwrap();
        epoll.add(a.as_fd(), Token(u64::MAX), Interest::READ).unwrap();
        assert_eq!(ready(&epoll), []);
        b.write_all(b"x").unwrap();
        let event = Event { token: Token(u64::MAX), readable: true, writable: false, error: false };
        assert_eq!(ready(&epoll), [event]);
        assert_eq!(ready(&epoll), [event]);
        a.read_exact(&mut [0]).unwrap();
        assert_eq!(ready(&epoll), []);
    }

    #[test]
    fn oneshot_is_armed_again_by_modify() {
        let epoll = Epoll::new().unwrap();
        let (a, _b) = UnixStream::pair().unwrap();
        epoll.add(a.as_fd(), Token(1), WRITE.oneshot()).unwrap();
        let event = Event { token: Token(1), readable: false, writable: true, error: false };
        assert_eq!(ready(&epoll), [event]);
        assert_eq!(ready(&epoll), []);
        epoll.modify(a.as_fd(), Token(2), Interest { readable: true, ..WRITE }.oneshot()).unwrap();
        assert_eq!(ready(&epoll), [Event { token: Token(2), ..event }]);
        epoll.delete(a.as_fd()).unwrap();
        let again = epoll.modify(a.as_fd(), Token(2), Interest::READ).unwrap_err();
        assert_eq!(again.raw_os_error(), Some(libc::ENOENT));
    }

    #[test]
    fn a_wake_ends_the_wait_of_another_thread() {
        let epoll = Epoll::new().unwrap();
        let waker = Waker::new(&epoll, Token(7)).unwrap();
        let mut events = Events::with_capacity(0);
        std::thread::scope(|scope| {
            scope.spawn(|| waker.wake().unwrap());
            epoll.wait(&mut events, None).unwrap();
        });
        assert_eq!(events.iter().map(|event| event.token).collect::<Vec<_>>(), [Token(7)]);
        waker.wake().unwrap();
        waker.reset().unwrap();
        assert_eq!(ready(&epoll), [], "both wakes are forgotten");
        waker.reset().unwrap();
    }

    #[test]
    fn timeouts_are_rounded_up() {
        let epoll = Epoll::new().unwrap();
        let mut events = Events::with_capacity(1);
        let start = std::time::Instant::now();
        epoll.wait(&mut events, Some(Duration::from_nanos(1))).unwrap();
        assert!(start.elapsed() >= Duration::from_micros(500));
        assert!(events.is_empty());
    }
}
