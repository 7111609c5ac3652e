//! A socket: the resource behind Erlang's reference, its state, its life and its end.
//!
//! Locks, in the order they are taken: `state`, then `kernel`. Senders take `kernel` alone and
//! for reading, all others have the same fd in `state`, so sending and receiving do not wait for
//! each other. The fd is closed after it was taken out under both locks, `kernel`'s for writing,
//! which is when no call uses it. Nothing that could run a resource's destructor (dropping a
//! `Handle`, or a term that names a socket) happens under a lock.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::{CStr, CString};
use std::io;
use std::mem::take;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use beam::resource::{Kind, Object, Slot};
use beam::{message, panics};
use flow::active::Active;
use flow::burst::Burst;
use flow::stats::{RecvCounts, SendCounts};
use parking_lot::{Mutex, MutexGuard, RwLock};
use rustler::types::LocalPid;
use rustler::{Atom, Encoder, Env, Monitor, Term};
use sctp::reassembly::Reassembly;
use sctp::types::{AssocId, Family, Style};
use sctp::{Interest, Token};

use crate::atoms;
use crate::closer::{self, Closing};
use crate::defaults::SendDefaults;
use crate::limit::Limit;
use crate::message::Held;
use crate::owner::Handover;
use crate::poller::{new_token, poller};
use crate::table;
use crate::waiter::Waiter;
use crate::watch::Watcher;

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
pub(crate) struct Shared(pub(crate) Arc<Inner>);

/// A socket as terms refer to it.
pub(crate) type SocketRef = Object<Shared>;

/// One reference to a socket, counted by the VM.
pub(crate) type Handle = beam::resource::Handle<Shared>;

impl Kind for Shared {
    const NAME: &'static CStr = c"gen_sctp_nif socket";

    fn slot() -> &'static Slot {
        static SLOT: Slot = Slot::new();
        &SLOT
    }

    fn down(&self, monitor: &Monitor) {
        self.0.down(monitor);
    }
}

/// A socket, as the I/O thread and the resource share it.
pub(crate) struct Inner {
    pub(crate) token: Token,
    pub(crate) family: Family,
    pub(crate) style: Style,
    pub(crate) kernel: RwLock<Option<Arc<sctp::Socket>>>,
    pub(crate) state: Mutex<State>,
    pub(crate) sent: SendCounts,
    pub(crate) defaults: SendDefaults,
    pub(crate) non_block_send: AtomicBool,
    /// The number of Erlang's reference to the resource: see [`Inner::reference`].
    number: OnceLock<Box<[u8]>>,
}

/// With its resource and its place in the tables, an idle socket takes less than 1 KiB.
const _: () = assert!(size_of::<Inner>() <= 768);

pub(crate) struct State {
    /// None of a closed socket.
    pub(crate) kernel: Option<Arc<sctp::Socket>>,
    pub(crate) owner: LocalPid,
    pub(crate) owner_monitor: Option<Monitor>,
    pub(crate) handover: Option<Handover>,
    /// As it was asked for, and is told; [`State::is_active`] says whether it is in force.
    pub(crate) active: Active,
    /// Does the kernel take associations for it? To ask would be a system call.
    pub(crate) listening: bool,
    pub(crate) limit: Option<Limit>,
    /// Keeps a socket from being collected, and names it in messages. Some iff [`State::is_needed`],
    /// but for moments under the lock.
    pub(crate) anchor: Option<Handle>,
    pub(crate) receiver: Option<Receiver>,
    pub(crate) writers: VecDeque<Writer>,
    pub(crate) connects: Vec<Connect>,
    /// What was read on behalf of a connect while the socket was passive, in order.
    pub(crate) backlog: VecDeque<Held>,
    pub(crate) backlog_bytes: usize,
    pub(crate) fragments: Reassembly,
    /// The size of the last message, a guess at the next one's.
    pub(crate) expected: usize,
    /// Pieces of a notification larger than the read buffer.
    pub(crate) notification: Vec<u8>,
    /// The last read said "end of stream" or "no association", as every read will at once until
    /// something happens: wait for that.
    pub(crate) exhausted: bool,
    /// What the epoll set waits for; `NONE` while the fd is asleep in it.
    pub(crate) registered: Interest,
    /// Is data usually there when the owner asks for it? Then it is worth a look.
    pub(crate) speculate: bool,
    pub(crate) burst: Burst,
    /// How many messages had been sent when the last one was delivered.
    pub(crate) sent_before: u64,
    pub(crate) received: RecvCounts,
    pub(crate) watchers: BTreeMap<u64, Watcher>,
    pub(crate) user: UserOptions,
}

/// Options that live above the kernel.
#[derive(Debug, Clone)]
pub(crate) struct UserOptions {
    pub(crate) list: bool,
    /// Messages that an owner gets at a time, at most.
    pub(crate) batch: usize,
    pub(crate) buffer: usize,
    /// `data_io_event`: does data come with `#sctp_sndrcvinfo{}`?
    pub(crate) data_io: bool,
    /// Does the owner get `#sctp_assoc_change{}`? The kernel always gives it to us.
    pub(crate) association_event: bool,
    pub(crate) partial_delivery_event: bool,
    pub(crate) debug: bool,
    pub(crate) netns: Option<CString>,
}

impl Default for UserOptions {
    fn default() -> Self {
        UserOptions {
            list: false,
            batch: 1,
            buffer: BUFFER,
            data_io: true,
            association_event: true,
            partial_delivery_event: true,
            debug: false,
            netns: None,
        }
    }
}

/// The one process that may wait in recv.
pub(crate) struct Receiver {
    pub(crate) waiter: Waiter,
    /// It has been told to try again and keeps its place until it does.
    pub(crate) woken: bool,
}

/// A process that waits for room to send to an association.
pub(crate) struct Writer {
    pub(crate) assoc: AssocId,
    pub(crate) waiter: Waiter,
}

/// A process that waits for its association to come up.
pub(crate) struct Connect {
    pub(crate) assoc: AssocId,
    pub(crate) waiter: Waiter,
}

/// A locked open socket.
pub(crate) struct Open<'a> {
    pub(crate) inner: &'a Inner,
    pub(crate) state: MutexGuard<'a, State>,
}

impl Open<'_> {
    pub(crate) fn kernel(&self) -> &sctp::Socket {
        // `Inner::lock` looked, and only `Inner::shut` takes it, at its end.
        self.state.kernel.as_ref().expect("an open socket has its fd")
    }

    /// Keeps the socket from being collected, as long as it is needed.
    pub(crate) fn hold(&mut self, socket: &SocketRef) {
        self.state.anchor.get_or_insert_with(|| Handle::of(socket));
    }

    /// To be dropped after unlocking: the anchor of a socket that is no longer needed.
    #[must_use]
    pub(crate) fn loose_anchor(&mut self) -> Option<Handle> {
        if self.state.is_needed() { None } else { self.state.anchor.take() }
    }
}

impl State {
    /// Do messages go to the owner? Not while another process becomes it.
    pub(crate) fn is_active(&self) -> bool {
        !self.active.is_passive() && self.handover.is_none()
    }

    /// Can the socket be of use though no process has a reference to it? It comes with messages, or
    /// peers find it, and processes that know its port find them.
    fn is_needed(&self) -> bool {
        !self.active.is_passive() || self.listening || !self.watchers.is_empty()
    }

    /// Enough is kept for later; the rest waits in the kernel, and so does the connect.
    pub(crate) fn backlog_is_full(&self) -> bool {
        self.backlog_bytes >= 16 * 1024 * 1024
    }

    /// Has data been read from the kernel that nobody has got?
    fn has_unread(&self) -> bool {
        !self.fragments.is_empty() || self.backlog.iter().any(Held::is_data)
    }

    /// Tells waiting processes to find out for themselves that the socket is closed, and watching
    /// ones that it is over, and why. Under the lock: who gives up waiting must find either his
    /// place or his message.
    fn mourn(&mut self, reason: Atom) {
        if let Some(receiver) = self.receiver.take()
            && !receiver.woken
        {
            receiver.waiter.wake_ready();
        }
        for writer in take(&mut self.writers) {
            writer.waiter.wake_ready();
        }
        for connect in take(&mut self.connects) {
            connect.waiter.wake(|env| env.error_tuple(atoms::closed()));
        }
        if let Some(socket) = &self.anchor {
            self.watchers.values().for_each(|watcher| watcher.tell(socket, reason));
        }
    }

    /// Strikes out all who wait, and who are dead: waiting takes a reference to the socket.
    fn forget_waiting(&mut self) {
        self.receiver = None;
        self.writers.clear();
        self.connects.clear();
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Collected while open: nobody can reach the socket, so nobody waits for it.
        self.0.state.lock().forget_waiting();
        if let Some((left, _)) = self.0.shut(atoms::normal()) {
            closer::close_later(left);
        }
        RESOURCES.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Makes the Erlang term of a socket, `{'$inet', gen_sctp_nif, Ref}`.
pub(crate) fn socket_term<'a>(env: Env<'a>, socket: &SocketRef) -> Term<'a> {
    (atoms::dollar_inet(), atoms::gen_sctp_nif(), socket).encode(env)
}

/// What is left of a socket to be closed: all that can take long to give back.
pub(crate) struct Left {
    kernel: sctp::Socket,
    /// Data has been read from the kernel that nobody has got.
    unread: bool,
    backlog: VecDeque<Held>,
    fragments: Reassembly,
    /// Over when all before it is given back.
    _closing: Closing,
}

impl Left {
    /// Is it soon given back?
    pub(crate) fn is_little(&self) -> bool {
        self.backlog.is_empty() && self.fragments.is_empty() && self.kernel.closes_quickly()
    }
}

/// However it is dropped, it neither blocks nor forgets to abort.
impl Drop for Left {
    fn drop(&mut self) {
        // Fails only for a descriptor that is none, which this is not.
        let _ = self.kernel.prepare_close(self.unread);
    }
}

/// What remains of a closed socket, to be dropped outside all locks.
pub(crate) struct Remains {
    owner_monitor: Option<Monitor>,
    owner: LocalPid,
    was_active: bool,
    anchor: Option<Handle>,
    _watchers: BTreeMap<u64, Watcher>,
}

impl Inner {
    /// Wraps an fd for `owner`, who is monitored, and makes it known to the I/O thread.
    pub(crate) fn create(
        env: Env,
        kernel: sctp::Socket,
        defaults: SendDefaults,
        user: UserOptions,
        non_block_send: bool,
    ) -> io::Result<Handle> {
        let owner = env.pid();
        let token = new_token();
        poller(token).add(kernel.source(), token)?;
        let kernel = Arc::new(kernel);
        let inner = Arc::new(Inner {
            token,
            family: kernel.family(),
            style: kernel.style(),
            kernel: RwLock::new(Some(kernel.clone())),
            state: Mutex::new(State {
                kernel: Some(kernel),
                owner,
                owner_monitor: None,
                handover: None,
                active: Active::Passive,
                listening: false,
                limit: None,
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
                speculate: true,
                burst: Burst::default(),
                sent_before: 0,
                received: RecvCounts::default(),
                watchers: BTreeMap::new(),
                user,
            }),
            sent: SendCounts::default(),
            defaults,
            non_block_send: AtomicBool::new(non_block_send),
            number: OnceLock::new(),
        });
        table::insert(token, &inner);
        let socket = Handle::new(Shared(inner));
        RESOURCES.fetch_add(1, Ordering::Relaxed);
        if let Some((_, number)) = split_reference(&socket.encode(env).to_binary()) {
            socket.0.number.get_or_init(|| number.into());
        }
        // None if the caller is dying: then the resource is garbage, which closes the socket.
        let monitor = socket.monitor(env, &owner);
        socket.0.state.lock().owner_monitor = monitor;
        Ok(socket)
    }

    /// Erlang's reference to the resource, if it is still there.
    ///
    /// The VM makes it again of its external term format as long as the resource lives. Only its
    /// number is kept: the node may have got another name since.
    pub(crate) fn reference<'a>(&self, env: Env<'a>) -> Option<Term<'a>> {
        let number = self.number.get()?;
        let other = env.make_ref().to_binary();
        let (node, _) = split_reference(&other)?;
        let words = u16::try_from(number.len() / 4).ok()?.to_be_bytes();
        let external = [&other[..2], &words, node, number].concat();
        let (reference, _) = env.binary_to_term(&external)?;
        reference.decode::<Handle>().is_ok().then_some(reference)
    }

    /// Locks an open socket.
    #[inline]
    pub(crate) fn lock(&self) -> Result<Open<'_>, Closed> {
        let state = self.state.lock();
        if state.kernel.is_none() {
            return Err(Closed);
        }
        Ok(Open { inner: self, state })
    }

    /// Has the kernel take associations, or no longer.
    pub(crate) fn listen(&self, socket: &Handle, backlog: i32) -> Result<io::Result<()>, Closed> {
        let mut open = self.lock()?;
        let listens = open.kernel().listen(backlog);
        if listens.is_ok() {
            open.state.listening = backlog != 0;
            open.hold(socket);
        }
        let anchor = open.loose_anchor();
        drop(open);
        drop(anchor);
        Ok(listens)
    }

    /// Gives an association a socket of its own, which the caller owns. What was read of it so far
    /// goes with it.
    pub(crate) fn peeloff(&self, env: Env, assoc: AssocId) -> Result<io::Result<Handle>, Closed> {
        let mut open = self.lock()?;
        // What follows cannot be undone: the association would end for want of a descriptor.
        if let Err(error) = poller(self.token).has_room() {
            return Ok(Err(error));
        }
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
        // Whatever comes of these associations, it comes to the new socket.
        state.connects.retain(|connect| {
            let stays = connect.assoc != assoc;
            if !stays {
                connect.waiter.wake(|env| env.error_tuple(atoms::einval()));
            }
            stays
        });
        open.wake_orphans();
        // Without what is gone the backlog may have room again.
        let anchor = open.settle();
        drop(open);
        drop(anchor);
        let socket = match Inner::create(env, kernel, defaults, user, non_block_send) {
            Ok(socket) => socket,
            Err(error) => return Ok(Err(error)),
        };
        let mut peeled = socket.0.state.lock();
        peeled.backlog = moved;
        peeled.backlog_bytes = moved_bytes;
        peeled.fragments = fragments;
        drop(peeled);
        Ok(Ok(socket))
    }

    /// Marks the socket closed, takes everything out of it and tells who waits. `None` if it was
    /// closed before.
    pub(crate) fn shut(&self, reason: Atom) -> Option<(Left, Remains)> {
        let closing = Closing::begin();
        let (unread, backlog, fragments);
        let remains = {
            let mut open = self.lock().ok()?;
            open.leave();
            let state = &mut *open.state;
            unread = state.has_unread();
            state.kernel = None;
            state.mourn(reason);
            backlog = take(&mut state.backlog);
            state.backlog_bytes = 0;
            fragments = take(&mut state.fragments);
            Remains {
                owner_monitor: state.owner_monitor.take(),
                owner: state.owner,
                was_active: state.is_active(),
                anchor: state.anchor.take(),
                _watchers: take(&mut state.watchers),
            }
        };
        table::remove(self.token);
        // Waits for calls in flight, none of which blocks. After them it is nobody else's.
        let kernel = Arc::into_inner(self.kernel.write().take()?)?;
        let left = Left { kernel, unread, backlog, fragments, _closing: closing };
        Some((left, remains))
    }

    /// Closes the socket. True if that is done; else the caller gets a message under `reference`
    /// when the kernel has let go of it.
    pub(crate) fn close(&self, env: Env, socket: &Handle, reference: Term) -> bool {
        let Some((left, remains)) = self.shut(atoms::normal()) else { return true };
        if let Some(monitor) = &remains.owner_monitor {
            socket.demonitor(env, monitor);
        }
        let closed = closer::close(left);
        if !closed {
            closer::tell_when_over(Waiter::new(env.pid(), reference));
        }
        closed
    }

    /// Closes the socket after its I/O panicked.
    pub(crate) fn close_after_panic(&self) {
        panics::point("close");
        // The state's lock does not poison, and `shut` only takes things out.
        let Some((left, remains)) = self.shut(atoms::closed()) else { return };
        closer::close_later(left);
        // The owner of an active socket does nothing but wait: silence is all that it would hear.
        if let Some(anchor) = remains.anchor.as_ref().filter(|_| remains.was_active) {
            message::send(&remains.owner, |env| {
                (atoms::sctp_error(), socket_term(env, anchor), atoms::closed()).encode(env)
            });
        }
    }

    pub(crate) fn blocking_send(&self) -> bool {
        !self.non_block_send.load(Ordering::Relaxed)
    }
}

/// Node and number of a reference in the external term format (`NEWER_REFERENCE_EXT`).
fn split_reference(external: &[u8]) -> Option<(&[u8], &[u8])> {
    const TAG: [u8; 2] = [131, 90];
    let words = external.strip_prefix(&TAG)?;
    let (words, rest) = words.split_first_chunk()?;
    let number = usize::from(u16::from_be_bytes(*words)) * 4;
    rest.split_at_checked(rest.len().checked_sub(number)?)
}
