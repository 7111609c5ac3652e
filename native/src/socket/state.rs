//! A socket: what all share of it, and its state under one lock.
//!
//! Calls that need nothing but the kernel take the lock of the descriptor alone, and for reading; all
//! others have the same descriptor in the state, so sending and receiving do not wait for each other.
//! The descriptor is closed after it was taken out under both locks, the latter for writing, which is
//! when no call uses it. The two are never held together. Nothing that could run a resource's
//! destructor (dropping a [`Handle`], or a term that names a socket) happens under a lock.
//! docs/architecture.md has all locks of the library.

use std::mem::take;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use beam::resource::Object;
use flow::route::Taker;
use flow::stats::SendCounts;
use parking_lot::{Mutex, MutexGuard, RwLock, RwLockReadGuard};
use rustler::{Encoder, Env, LocalPid, Term};
use sctp::{Family, Interest, Style, Token};

use crate::message::Most;
use crate::socket::backlog::Backlog;
use crate::socket::delivery::Delivery;
use crate::socket::inbox::Inbox;
use crate::socket::lingering::Lingering;
use crate::socket::ownership::Ownership;
use crate::socket::patience::Patience;
use crate::socket::send_defaults::SendDefaults;
use crate::socket::stream_end::StreamEnd;
use crate::socket::tuning::Tuning;
use crate::socket::user_options::UserOptions;
use crate::socket::waiters::Waiters;
use crate::socket::watchers::Watchers;
use crate::terms::atoms;
use crate::terms::error::Error;
use crate::terms::reference::Number;

/// The resource that Erlang holds. When the last reference to it is collected, the socket closes.
pub(crate) struct Shared(pub(crate) Arc<Socket>);

impl Deref for Shared {
    type Target = Socket;

    fn deref(&self) -> &Socket {
        &self.0
    }
}

/// A socket as terms refer to it.
pub(crate) type SocketRef = Object<Shared>;

/// One reference to a socket, counted by the VM.
pub(crate) type Handle = beam::resource::Handle<Shared>;

/// A socket, as the I/O thread and the resource share it.
pub(crate) struct Socket {
    pub(crate) token: Token,
    pub(crate) family: Family,
    pub(crate) style: Style,
    kernel: RwLock<Option<Arc<sctp::Socket>>>,
    /// No call is to begin any more, though the descriptor may still be there.
    closed: AtomicBool,
    state: Mutex<State>,
    pub(crate) sent: SendCounts,
    pub(crate) defaults: SendDefaults,
    pub(crate) patience: Patience,
    /// The number of Erlang's reference to the resource.
    pub(crate) number: OnceLock<Number>,
}

/// With its resource and its place in the tables, an idle socket takes less than 1 KiB.
const _: () = assert!(size_of::<Socket>() <= 640);

/// What changes, each concern in a struct that keeps its own invariants.
pub(crate) struct State {
    /// None of a closed socket.
    kernel: Option<Arc<sctp::Socket>>,
    pub(crate) ownership: Ownership,
    pub(crate) delivery: Delivery<Handle>,
    pub(crate) waiters: Waiters,
    pub(crate) watchers: Watchers,
    pub(crate) inbox: Inbox,
    pub(crate) backlog: Backlog,
    pub(crate) end: StreamEnd,
    pub(crate) tuning: Tuning,
    /// What is waited for; `NONE` while the source is asleep.
    pub(crate) registered: Interest,
    pub(crate) user: UserOptions,
    /// Of a closed socket, if it was closed with a lingering time.
    pub(crate) lingering: Option<Box<Lingering>>,
}

/// A locked open socket.
pub(crate) struct Open<'a> {
    pub(crate) socket: &'a Socket,
    pub(crate) state: MutexGuard<'a, State>,
    /// References that go when the lock is released: the last field, as fields are dropped in order.
    loose: Vec<Handle>,
}

impl Open<'_> {
    pub(crate) fn kernel(&self) -> &sctp::Socket {
        self.state.kernel()
    }

    /// Is there nothing to be read, as associations are to be accepted?
    pub(crate) fn is_for_accept(&self) -> bool {
        self.socket.style == Style::OneToOne && self.state.delivery.is_listening()
    }

    /// Keeps the socket from being collected, as long as it is needed.
    pub(crate) fn hold(&mut self, socket: &SocketRef) {
        self.state.delivery.hold(|| Handle::of(socket));
    }

    /// Lets go of a socket that is no longer needed, when the lock is released.
    pub(crate) fn loosen(&mut self) {
        let watched = !self.state.watchers.is_empty() || self.state.waiters.has_selects();
        if let Some(anchor) = self.state.delivery.loosen(watched) {
            self.loose.push(anchor);
        }
    }
}

impl State {
    /// Of an open socket.
    pub(crate) fn kernel(&self) -> &sctp::Socket {
        // `Socket::lock` looked, and only `State::shut` takes it, at the socket's end.
        self.kernel.as_deref().expect("an open socket has its descriptor")
    }

    /// The inbox, and what it reads from.
    pub(crate) fn inbox_and_kernel(&mut self) -> (&mut Inbox, &sctp::Socket) {
        let kernel = self.kernel.as_deref().expect("as above");
        (&mut self.inbox, kernel)
    }

    /// Who waits, and what they wait for.
    pub(crate) fn waiters_and_kernel(&mut self) -> (&mut Waiters, &sctp::Socket) {
        let kernel = self.kernel.as_deref().expect("as above");
        (&mut self.waiters, kernel)
    }

    /// Marks the socket closed. The descriptor that senders share is left.
    pub(crate) fn shut(&mut self) {
        self.kernel = None;
    }

    /// Do messages go to the owner, sooner or later? Not while another process becomes it.
    pub(crate) fn is_active(&self) -> bool {
        !self.delivery.mode().is_passive() && !self.ownership.is_in_handover()
    }

    /// Who takes what comes now?
    pub(crate) fn taker(&self) -> Taker {
        if self.is_active() {
            return if self.delivery.has_room() { Taker::Owner } else { Taker::Nobody };
        }
        match self.waiters.receiver() {
            Some(_) => Taker::Receiver,
            None => Taker::Nobody,
        }
    }

    /// May something be there for who is about to wait? In a dialogue the I/O thread tells as soon as
    /// there is; but not of what a read says at once and forever.
    pub(crate) fn is_worth_a_look(&self) -> bool {
        self.tuning.speculates()
            || self.inbox.is_exhausted()
            || !self.backlog.is_empty()
            || self.has_ended()
    }

    /// Is the end of the stream told, when there is nothing else any more?
    pub(crate) fn has_ended(&self) -> bool {
        self.end.is_over() && self.user.tells_end()
    }

    /// Has somebody to hear of the end who has not?
    pub(crate) fn has_end_to_tell(&self) -> bool {
        self.has_ended()
            && match self.taker() {
                Taker::Nobody => false,
                Taker::Owner => !self.end.is_told(),
                Taker::Receiver => true,
            }
    }

    /// How many messages that one gets at a time.
    pub(crate) fn most(&self, taker: Taker) -> Most {
        match (taker, self.waiters.receiver()) {
            (Taker::Receiver, Some(receiver)) => receiver.most,
            _ => self.user.most(),
        }
    }

    /// May messages be read ahead of their receiver or owner? Only for a connect's sake.
    pub(crate) fn may_keep(&self) -> bool {
        self.waiters.has_connects() && !self.backlog.is_full()
    }

    /// Has data been read from the kernel that nobody has got?
    pub(crate) fn has_unread(&self) -> bool {
        self.inbox.has_data() || self.backlog.has_data()
    }

    /// Processes that the VM watches for it: the owner, who closes it, and those who have selected or waited
    /// in accept.
    pub(crate) fn monitors(&self) -> usize {
        let closes = self.lingering.as_ref().is_some_and(|lingering| lingering.is_watched());
        let others = self.waiters.watched.len();
        usize::from(self.ownership.is_watched()) + others + usize::from(closes)
    }

    /// Does somebody wait to hear that there is something to read?
    pub(crate) fn selects_reading(&self) -> bool {
        self.waiters.selects_reading() && !self.is_active()
    }

    /// Whether it is open.
    pub(crate) fn is_open(&self) -> bool {
        self.kernel.is_some()
    }

    /// Takes out what is to be dropped outside of the lock.
    pub(crate) fn take_watchers(&mut self) -> Watchers {
        take(&mut self.watchers)
    }
}

impl Socket {
    pub(crate) fn new(
        kernel: sctp::Socket,
        token: Token,
        owner: LocalPid,
        user: UserOptions,
        inherited: Inherited,
    ) -> Socket {
        let kernel = Arc::new(kernel);
        Socket {
            token,
            family: kernel.family(),
            style: kernel.style(),
            kernel: RwLock::new(Some(kernel.clone())),
            closed: AtomicBool::new(false),
            state: Mutex::new(State {
                kernel: Some(kernel),
                ownership: Ownership::new(owner),
                delivery: Delivery::default(),
                waiters: Waiters::default(),
                watchers: Watchers::default(),
                inbox: inherited.inbox,
                backlog: inherited.backlog,
                end: StreamEnd::default(),
                tuning: Tuning::default(),
                registered: Interest::NONE,
                user,
                lingering: None,
            }),
            sent: SendCounts::default(),
            defaults: inherited.defaults,
            patience: inherited.patience,
            number: OnceLock::new(),
        }
    }

    /// Locks an open socket.
    #[inline]
    pub(crate) fn lock(&self) -> Result<Open<'_>, Error> {
        let state = self.state.lock();
        if !state.is_open() {
            return Err(Error::Closed);
        }
        Ok(Open { socket: self, state, loose: Vec::new() })
    }

    /// Locks the state, whether the socket is open or not.
    pub(crate) fn lock_any(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// The descriptor of an open socket, for calls that need nothing else and can take long. Who closes
    /// the socket waits for them.
    #[inline(always)]
    pub(crate) fn kernel(&self) -> Result<Kernel<'_>, Error> {
        if self.closed.load(Ordering::Acquire) {
            return Err(Error::Closed);
        }
        self.descriptor()
    }

    /// The descriptor of a socket that may be closed, if it has not been taken out yet.
    #[inline(always)]
    pub(crate) fn descriptor(&self) -> Result<Kernel<'_>, Error> {
        // Recursive: not behind who waits for a long call to end, to take it out.
        RwLockReadGuard::try_map(self.kernel.read_recursive(), |kernel| kernel.as_deref())
            .map_err(|_| Error::Closed)
    }

    /// No call begins from here on: before anybody is told that the socket is closed.
    pub(crate) fn refuse_calls(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Takes the descriptor out, if no call uses it at the moment; it is nobody else's then.
    pub(crate) fn take_kernel(&self) -> Option<sctp::Socket> {
        let mut kernel = self.kernel.try_write()?;
        Arc::into_inner(kernel.take()?)
    }

    /// The same, when the calls that use it are through.
    pub(crate) fn await_kernel(&self) -> Option<sctp::Socket> {
        Arc::into_inner(self.kernel.write().take()?)
    }
}

/// The descriptor of an open socket, which stays open as long as this is there.
pub(crate) type Kernel<'a> = parking_lot::MappedRwLockReadGuard<'a, sctp::Socket>;

/// What a socket has from the one that its association was peeled off from.
#[derive(Default)]
pub(crate) struct Inherited {
    pub(crate) defaults: SendDefaults,
    pub(crate) patience: Patience,
    pub(crate) inbox: Inbox,
    pub(crate) backlog: Backlog,
}

/// Makes the Erlang term of a socket, `{'$inet', gen_sctp_nif, Ref}`.
pub(crate) fn socket_term<'a>(env: Env<'a>, socket: &SocketRef) -> Term<'a> {
    (atoms::dollar_inet(), atoms::gen_sctp_nif(), socket).encode(env)
}
