//! A socket: the resource behind Erlang's reference, its state, its life and its end.
//!
//! Locks, in the order they are taken: `state`, then `kernel`. Senders take `kernel` alone and
//! for reading, so sending and receiving do not wait for each other. The fd is closed by whoever
//! takes it out under `kernel`'s write lock, which is when no call uses it. Nothing that could
//! run a resource's destructor (dropping a `ResourceArc`) happens under a lock.

use std::collections::VecDeque;
use std::io;
use std::mem::take;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::{Mutex, MutexGuard, RwLock, RwLockReadGuard};
use rustler::types::LocalPid;
use rustler::{Encoder, Env, Monitor, Resource, ResourceArc, Term};
use sctp::active::Active;
use sctp::epoll::{Event, Interest};
use sctp::reassembly::Reassembly;
use sctp::types::{AssocId, Family, Style};

use crate::atoms;
use crate::defaults::SendDefaults;
use crate::deliver::{self, Kept, Waiter};
use crate::reactor::reactor;
use crate::receive::{Burst, Held};
use crate::stats;

/// The default read size, as OTP's `buffer`.
const BUFFER: usize = 65536;

/// The error of every operation on a closed socket.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Closed;

/// Resources that Erlang has not collected yet, open or closed.
static RESOURCES: AtomicUsize = AtomicUsize::new(0);

pub(crate) fn resources() -> usize {
    RESOURCES.load(Ordering::Relaxed)
}

/// The resource that Erlang holds. When the last reference to it is collected, the socket closes.
pub(crate) struct SocketRef(pub(crate) Arc<Inner>);

/// A socket, as the I/O thread and the resource share it.
pub(crate) struct Inner {
    pub(crate) token: u64,
    pub(crate) family: Family,
    pub(crate) style: Style,
    pub(crate) kernel: RwLock<Option<sctp::Socket>>,
    pub(crate) state: Mutex<State>,
    pub(crate) sent: stats::Sent,
    pub(crate) defaults: SendDefaults,
    pub(crate) non_block_send: AtomicBool,
    /// Erlang's reference to the resource in the external term format: from this the VM makes the
    /// reference again as long as the resource lives, which makes it a weak one.
    weak: OnceLock<Box<[u8]>>,
}

pub(crate) struct State {
    pub(crate) closed: bool,
    pub(crate) owner: LocalPid,
    owner_monitor: Option<Monitor>,
    handover: Option<(LocalPid, Monitor)>,
    pub(crate) active: Active,
    /// Keeps an active socket from being collected, and names it in messages. Some iff `active`
    /// is not passive, but for moments under the lock.
    pub(crate) anchor: Option<ResourceArc<SocketRef>>,
    pub(crate) receiver: Option<Receiver>,
    pub(crate) writers: VecDeque<Waiter>,
    pub(crate) connects: Vec<Connect>,
    /// What was read on behalf of a connect while the socket was passive, in order.
    pub(crate) backlog: VecDeque<Held>,
    pub(crate) backlog_bytes: usize,
    pub(crate) fragments: Reassembly,
    /// The size of the last message, a guess at the next one's.
    pub(crate) expected: usize,
    /// Pieces of a notification larger than the read buffer.
    pub(crate) notification: Vec<u8>,
    /// Reading gives nothing more, for ever and at once: do not wait for it.
    pub(crate) exhausted: bool,
    /// What the epoll set waits for, as far as it does: see `in_set`.
    registered: Interest,
    /// Is the fd in the epoll set, if only as a one-shot that has fired?
    in_set: bool,
    /// Is data usually there when the owner asks for it? Then it is worth a look.
    pub(crate) speculate: bool,
    pub(crate) burst: Burst,
    /// How many messages had been sent when the last one was delivered.
    pub(crate) sent_before: u64,
    pub(crate) received: stats::Read,
    pub(crate) watchers: Vec<Watcher>,
    pub(crate) user: UserOptions,
}

/// Options that live above the kernel.
#[derive(Debug, Clone)]
pub(crate) struct UserOptions {
    pub(crate) list: bool,
    pub(crate) buffer: usize,
    /// `data_io_event`: does data come with `#sctp_sndrcvinfo{}`?
    pub(crate) data_io: bool,
    pub(crate) debug: bool,
    pub(crate) netns: Option<Box<[u8]>>,
}

impl Default for UserOptions {
    fn default() -> Self {
        UserOptions { list: false, buffer: BUFFER, data_io: true, debug: false, netns: None }
    }
}

/// The one process that may wait in recv.
pub(crate) struct Receiver {
    pub(crate) waiter: Waiter,
    /// It has been told to try again and keeps its place until it does.
    pub(crate) woken: bool,
}

/// A process that waits for its association to come up.
pub(crate) struct Connect {
    pub(crate) assoc: AssocId,
    pub(crate) waiter: Waiter,
}

/// A process that wants to hear of the socket's end.
///
/// Its message names the socket, so it keeps the socket from being collected.
pub(crate) struct Watcher {
    pid: LocalPid,
    reference: Kept,
    socket: Kept,
}

/// A locked open socket.
pub(crate) struct Open<'a> {
    pub(crate) inner: &'a Inner,
    pub(crate) state: MutexGuard<'a, State>,
    kernel: RwLockReadGuard<'a, Option<sctp::Socket>>,
}

impl Open<'_> {
    pub(crate) fn kernel(&self) -> &sctp::Socket {
        // `Inner::lock` looked, and the read lock keeps it there.
        self.kernel.as_ref().expect("an open socket has its fd")
    }

    /// What is worth waiting for now, and how.
    fn wanted(&self) -> Interest {
        let state = &*self.state;
        let active = !state.active.is_passive();
        let readable = !state.exhausted
            && (active
                || state.receiver.as_ref().is_some_and(|receiver| !receiver.woken)
                || (!state.connects.is_empty() && !state.backlog_is_full()));
        let writable = !state.writers.is_empty();
        if active {
            return Interest { readable, writable, ..Interest::NONE };
        }
        if readable || !writable {
            // Who waits on a passive socket is told once and reads for himself; till he has, the
            // socket would fire on and on.
            return Interest { readable, writable, oneshot: true, ..Interest::NONE };
        }
        // The kernel wakes nobody for the room that an association leaves when it dies. But it
        // tells of the death, and at that moment the room shows.
        Interest { readable: true, writable: true, edge: true, ..Interest::NONE }
    }

    /// Makes sure that what is wanted is waited for.
    ///
    /// What an active socket no longer wants stays in the epoll set until it shows up there
    /// unasked ([`Open::rearm`]): a busy socket wants it back before that, and both ways are
    /// system calls.
    pub(crate) fn arm(&mut self) -> io::Result<()> {
        let (old, new) = (self.state.registered, self.wanted());
        let idle = !new.readable && !new.writable;
        let lasting = !old.oneshot && !old.edge;
        let covered = (old.readable || !new.readable) && (old.writable || !new.writable);
        if idle || old == new || (lasting && covered) {
            return Ok(());
        }
        self.register(new)
    }

    /// Waits for what is wanted and for nothing else.
    fn disarm(&mut self) -> io::Result<()> {
        let wanted = self.wanted();
        let idle = !wanted.readable && !wanted.writable;
        if idle && self.state.registered == Interest::NONE {
            return Ok(());
        }
        // Parked, it can fire once more, for an error, and costs less to arm again than to add.
        self.register(if idle { Interest::NONE.oneshot() } else { wanted })?;
        if idle {
            self.state.registered = Interest::NONE;
        }
        Ok(())
    }

    /// Is all that `event` reports wanted? An error is, if anything is.
    fn wants(&self, event: &Event) -> bool {
        let wanted = self.wanted();
        match (wanted.readable, wanted.writable) {
            (true, true) => true,
            (true, false) => !event.writable,
            (false, true) => !event.readable,
            (false, false) => false,
        }
    }

    fn register(&mut self, interest: Interest) -> io::Result<()> {
        let (fd, token) = (self.kernel().as_fd(), self.inner.token);
        if self.state.in_set {
            reactor().modify(fd, token, interest)?;
        } else {
            reactor().add(fd, token, interest)?;
            self.state.in_set = true;
        }
        self.state.registered = interest;
        Ok(())
    }

    /// Out of the epoll set, before the fd number can be anybody else's.
    fn leave(&mut self) {
        if take(&mut self.state.in_set) {
            // It is there, so this cannot fail; closing would take it out as well.
            let _ = reactor().delete(self.kernel().as_fd());
        }
    }

    /// An event has come: the kernel has forgotten a one-shot.
    pub(crate) fn fired(&mut self) {
        if self.state.registered.oneshot {
            self.state.registered = Interest::NONE;
        }
    }

    /// After an event: waits on for who still waits, and no longer for what nobody wants.
    pub(crate) fn rearm(&mut self, event: &Event) {
        let next_writer = event.writable && !self.state.writers.is_empty();
        let result = if self.state.registered.edge && next_writer {
            // An edge does not repeat what is still true: ask again for the next in line.
            let wanted = self.wanted();
            self.register(wanted)
        } else if self.wants(event) {
            Ok(())
        } else {
            self.disarm()
        };
        // Fails only for want of kernel memory; the next call on the socket tries again.
        drop(result);
    }

    /// To be dropped after unlocking: the anchor of a socket that has become passive.
    #[must_use]
    pub(crate) fn loose_anchor(&mut self) -> Option<ResourceArc<SocketRef>> {
        if self.state.active.is_passive() { self.state.anchor.take() } else { None }
    }
}

impl State {
    /// Enough is kept for later; the rest waits in the kernel, and so does the connect.
    pub(crate) fn backlog_is_full(&self) -> bool {
        self.backlog_bytes >= 16 * 1024 * 1024
    }
}

#[rustler::resource_impl]
impl Resource for SocketRef {
    const IMPLEMENTS_DOWN: bool = true;

    fn down<'a>(&'a self, env: Env<'a>, _pid: LocalPid, monitor: Monitor) {
        self.0.down(env, &monitor);
    }
}

/// Nothing observable is left half done by a panic: [`crate::reactor`] closes such a socket, and a
/// NIF that panics has changed its state in whole steps under the lock.
impl std::panic::RefUnwindSafe for SocketRef {}

impl Drop for SocketRef {
    fn drop(&mut self) {
        // Collected while open: nobody can reach the socket, so nobody waits for it.
        if let Some((socket, _)) = self.0.shut() {
            reactor().close_later(socket);
        }
        reactor().forget(self.0.token);
        RESOURCES.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Makes the Erlang term of a socket, `{'$inet', gen_sctp_nif, Ref}`.
pub(crate) fn socket_term<'a>(env: Env<'a>, socket: &ResourceArc<SocketRef>) -> Term<'a> {
    (atoms::dollar_inet(), atoms::gen_sctp_nif(), socket).encode(env)
}

/// Who has to hear of a close.
pub(crate) struct Mourners {
    waiters: Vec<Waiter>,
    connects: Vec<Connect>,
    watchers: Vec<Watcher>,
    /// Dropped with the rest, outside all locks.
    _anchor: Option<ResourceArc<SocketRef>>,
    owner_monitor: Option<Monitor>,
}

impl Inner {
    /// Wraps an fd for `owner`, who is monitored, and makes it known to the I/O thread.
    pub(crate) fn create(
        env: Env,
        kernel: sctp::Socket,
        defaults: SendDefaults,
        user: UserOptions,
        non_block_send: bool,
    ) -> ResourceArc<SocketRef> {
        let owner = env.pid();
        let token = reactor().token();
        let inner = Arc::new(Inner {
            token,
            family: kernel.family(),
            style: kernel.style(),
            kernel: RwLock::new(Some(kernel)),
            state: Mutex::new(State {
                closed: false,
                owner,
                owner_monitor: None,
                handover: None,
                active: Active::Passive,
                anchor: None,
                receiver: None,
                writers: VecDeque::new(),
                connects: Vec::new(),
                backlog: VecDeque::new(),
                backlog_bytes: 0,
                fragments: Reassembly::default(),
                expected: 0,
                notification: Vec::new(),
                exhausted: false,
                registered: Interest::NONE,
                in_set: false,
                speculate: true,
                burst: Burst::default(),
                sent_before: 0,
                received: stats::Read::default(),
                watchers: Vec::new(),
                user,
            }),
            sent: stats::Sent::default(),
            defaults,
            non_block_send: AtomicBool::new(non_block_send),
            weak: OnceLock::new(),
        });
        reactor().register(token, &inner);
        let socket = ResourceArc::new(SocketRef(inner));
        RESOURCES.fetch_add(1, Ordering::Relaxed);
        socket.0.weak.get_or_init(|| socket.encode(env).to_binary().as_slice().into());
        // The caller is alive: it is running this.
        let monitor = env.monitor(&socket, &owner);
        socket.0.state.lock().owner_monitor = monitor;
        socket
    }

    /// Erlang's reference to the resource, if it is still there.
    pub(crate) fn reference<'a>(&self, env: Env<'a>) -> Option<Term<'a>> {
        let (reference, _) = env.binary_to_term(self.weak.get()?)?;
        reference.decode::<ResourceArc<SocketRef>>().is_ok().then_some(reference)
    }

    /// Locks an open socket.
    pub(crate) fn lock(&self) -> Result<Open<'_>, Closed> {
        let state = self.state.lock();
        if state.closed {
            return Err(Closed);
        }
        let kernel = self.kernel.read();
        if kernel.is_none() {
            return Err(Closed);
        }
        Ok(Open { inner: self, state, kernel })
    }

    /// Gives an association a socket of its own, which the caller owns. What was read of it so far
    /// goes with it.
    pub(crate) fn peeloff(
        &self,
        env: Env,
        assoc: AssocId,
    ) -> Result<io::Result<ResourceArc<SocketRef>>, Closed> {
        let mut open = self.lock()?;
        let kernel = match open.kernel().peeloff(assoc) {
            Ok(kernel) => kernel,
            Err(error) => return Ok(Err(error)),
        };
        let state = &mut *open.state;
        let (moved, kept): (VecDeque<_>, _) =
            take(&mut state.backlog).into_iter().partition(|held| held.assoc() == Some(assoc));
        let moved_bytes = moved.iter().map(Held::bytes).sum();
        state.backlog = kept;
        state.backlog_bytes -= moved_bytes;
        let fragments = state.fragments.split_off(assoc);
        let user = UserOptions { debug: false, netns: None, ..state.user.clone() };
        let defaults = SendDefaults::inherited(&self.defaults);
        let non_block_send = self.non_block_send.load(Ordering::Relaxed);
        drop(open);
        let socket = Inner::create(env, kernel, defaults, user, non_block_send);
        let mut peeled = socket.0.state.lock();
        peeled.backlog = moved;
        peeled.backlog_bytes = moved_bytes;
        peeled.fragments = fragments;
        drop(peeled);
        Ok(Ok(socket))
    }

    /// Marks the socket closed and takes everything out of it. `None` if it was closed before.
    fn shut(&self) -> Option<(sctp::Socket, Mourners)> {
        let mourners = {
            let mut open = self.lock().ok()?;
            open.leave();
            let state = &mut *open.state;
            state.closed = true;
            state.active = Active::Passive;
            state.backlog = VecDeque::new();
            state.backlog_bytes = 0;
            state.fragments = Reassembly::default();
            state.handover = None;
            let receiver = state.receiver.take().map(|receiver| receiver.waiter);
            Mourners {
                waiters: receiver.into_iter().chain(take(&mut state.writers)).collect(),
                connects: take(&mut state.connects),
                watchers: take(&mut state.watchers),
                _anchor: state.anchor.take(),
                owner_monitor: state.owner_monitor.take(),
            }
        };
        // Waits for calls in flight, none of which blocks.
        let socket = self.kernel.write().take()?;
        // Only fails for a descriptor that is none, which this is not.
        let _ = socket.prepare_close();
        Some((socket, mourners))
    }

    /// Closes the socket for a caller that waits for it, on a dirty scheduler.
    pub(crate) fn close(&self, env: Env, socket: &ResourceArc<SocketRef>) {
        let Some((kernel, mourners)) = self.shut() else { return };
        if let Some(monitor) = &mourners.owner_monitor {
            env.demonitor(socket, monitor);
        }
        drop(kernel);
        reactor().forget(self.token);
        mourners.tell(Some(env));
    }

    /// Closes the socket after its I/O panicked.
    pub(crate) fn close_after_panic(&self) {
        // The state's lock does not poison, and `shut` only takes things out.
        let Some((kernel, mourners)) = self.shut() else { return };
        drop(kernel);
        mourners.tell(None);
    }

    /// A monitored process is gone: the owner, or the one about to become it.
    fn down(&self, env: Env, monitor: &Monitor) {
        {
            let mut state = self.state.lock();
            if state.handover.as_ref().is_some_and(|(_, to)| to == monitor) {
                state.handover = None;
                return;
            }
            if state.owner_monitor.as_ref() != Some(monitor) {
                return;
            }
            state.owner_monitor = None;
        }
        let Some((kernel, mourners)) = self.shut() else { return };
        reactor().close_later(kernel);
        reactor().forget(self.token);
        mourners.tell(Some(env));
    }

    /// Prepares to give the socket to `to`: it is monitored, and the socket goes passive.
    pub(crate) fn handover(
        &self,
        env: Env,
        socket: &ResourceArc<SocketRef>,
        to: LocalPid,
    ) -> Result<Handover, Closed> {
        {
            let open = self.lock()?;
            if open.state.owner == to {
                return Ok(Handover::Same);
            }
            if open.state.owner != env.pid() {
                return Ok(Handover::NotOwner);
            }
        }
        let Some(monitor) = env.monitor(socket, &to) else { return Ok(Handover::Dead) };
        let anchor;
        let active = {
            let mut open = match self.lock() {
                Ok(open) => open,
                Err(closed) => {
                    env.demonitor(socket, &monitor);
                    return Err(closed);
                }
            };
            open.state.handover = Some((to, monitor));
            let active = take(&mut open.state.active);
            anchor = open.loose_anchor();
            active
        };
        drop(anchor);
        Ok(Handover::Ready(active))
    }

    /// Completes [`Inner::handover`]: `to` owns the socket and `active` is as it was before. False
    /// if `to` died in between; then the caller keeps the socket.
    pub(crate) fn adopt(
        &self,
        env: Env,
        socket: &ResourceArc<SocketRef>,
        to: LocalPid,
        active: Active,
    ) -> Result<bool, Closed> {
        let old_monitor;
        let adopted;
        let anchor;
        {
            let mut open = self.lock()?;
            let state = &mut *open.state;
            match state.handover.take() {
                Some((pid, monitor)) if pid == to => {
                    state.owner = to;
                    old_monitor = state.owner_monitor.replace(monitor);
                    adopted = true;
                }
                _ => {
                    old_monitor = None;
                    adopted = false;
                }
            }
            anchor = open.activate(Some(env), socket, active);
        }
        drop(anchor);
        if let Some(monitor) = old_monitor {
            env.demonitor(socket, &monitor);
        }
        Ok(adopted)
    }

    /// Registers the caller for a message at the socket's end.
    pub(crate) fn watch(
        &self,
        env: Env,
        socket: &ResourceArc<SocketRef>,
        reference: Term,
    ) -> Result<(), Closed> {
        let socket = Kept::new(socket_term(env, socket));
        let watcher = Watcher { pid: env.pid(), reference: Kept::new(reference), socket };
        self.lock()?.state.watchers.push(watcher);
        Ok(())
    }

    /// Takes a registration back; false if there is none.
    pub(crate) fn unwatch(&self, reference: Term) -> bool {
        let Ok(mut open) = self.lock() else { return false };
        let before = open.state.watchers.len();
        open.state.watchers.retain(|watcher| !watcher.reference.is(reference));
        open.state.watchers.len() < before
    }

    /// Gives up waiting; false if nothing was waiting under `reference`.
    pub(crate) fn cancel(&self, reference: Term) -> bool {
        let mut state = self.state.lock();
        if state.receiver.as_ref().is_some_and(|receiver| receiver.waiter.is(reference)) {
            let receiver = state.receiver.take();
            // Woken means that the message is in the mailbox.
            return receiver.is_some_and(|receiver| !receiver.woken);
        }
        if let Some(at) = state.writers.iter().position(|waiter| waiter.is(reference)) {
            state.writers.remove(at);
            return true;
        }
        if let Some(at) = state.connects.iter().position(|connect| connect.waiter.is(reference)) {
            state.connects.swap_remove(at);
            return true;
        }
        false
    }

    pub(crate) fn blocking_send(&self) -> bool {
        !self.non_block_send.load(Ordering::Relaxed)
    }
}

/// How a handover can begin.
pub(crate) enum Handover {
    Ready(Active),
    Same,
    NotOwner,
    Dead,
}

impl Mourners {
    /// Tells waiting processes to find out for themselves, and watching ones that it is over.
    fn tell(self, caller: Option<Env>) {
        for waiter in &self.waiters {
            waiter.wake_ready(caller);
        }
        for connect in &self.connects {
            connect.waiter.wake(caller, |env| env.error_tuple(atoms::closed()));
        }
        for watcher in &self.watchers {
            deliver::send(caller, &watcher.pid, |env| {
                let reference = watcher.reference.encode(env);
                let socket = watcher.socket.encode(env);
                (atoms::down(), reference, atoms::socket(), socket, atoms::normal()).encode(env)
            });
        }
    }
}
