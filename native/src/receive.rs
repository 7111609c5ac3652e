//! Reading: one place through which every message passes, whoever reads it.
//!
//! The I/O thread, a process in recv, one that sets `{active, _}` and one that connects all pump
//! the same way, under the socket's lock: read, give a connecting process what it waits for, and
//! the rest to the owner (active), to the receiver, or to the backlog.

use std::cell::RefCell;
use std::io::{self, IoSliceMut};
use std::mem::take;
use std::net::SocketAddr;
use std::ops::Deref;

use rustler::{Encoder, Env, OwnedBinary, Term};
use sctp::active::Active;
use sctp::epoll::Event;
use sctp::notification::{self, AssocState, Notification};
use sctp::reassembly::Added;
use sctp::types::{AssocId, SndInfo, flags};

use crate::atoms;
use crate::deliver::{self, Waiter};
use crate::encode::{self, Class};
use crate::handle::Handle;
use crate::panics;
use crate::reactor::{Traffic, reactor};
use crate::socket::{
    Closed, Connect, Inner, Open, Receiver, SocketRef, State, Writer, socket_term,
};

/// The largest single read; a larger `buffer` is accepted and read in several.
const READ_MAX: usize = 1024 * 1024;

/// From this size on a message is read into the binary that Erlang gets: below, copying it costs
/// less than a binary made for a message that turns out smaller.
const DIRECT_MIN: usize = 1024;

thread_local! {
    static SCRATCH: RefCell<Scratch> = const { RefCell::new(Scratch::new()) };
}

/// Where a thread reads to.
struct Scratch {
    /// Grown to the largest buffer asked for.
    bytes: Vec<u8>,
    /// A binary that was made for a message and not used.
    spare: Option<OwnedBinary>,
}

impl Scratch {
    const fn new() -> Scratch {
        Scratch { bytes: Vec::new(), spare: None }
    }

    fn binary(&mut self, len: usize) -> OwnedBinary {
        self.spare
            .take()
            .filter(|spare| spare.len() == len)
            .unwrap_or_else(|| OwnedBinary::new(len))
    }
}

/// The bytes of a message.
pub(crate) enum Payload<'a> {
    Read(&'a [u8]),
    Kept(Vec<u8>),
    Binary(OwnedBinary),
}

impl Deref for Payload<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Payload::Read(bytes) => bytes,
            Payload::Kept(bytes) => bytes,
            Payload::Binary(binary) => binary.as_slice(),
        }
    }
}

/// A whole message or notification.
pub(crate) struct Message<'a> {
    /// What the kernel said with its last piece; `len` is that piece's.
    pub(crate) meta: sctp::Received,
    pub(crate) payload: Payload<'a>,
}

impl Message<'_> {
    fn keep(self) -> Message<'static> {
        let payload = match self.payload {
            Payload::Read(bytes) => Payload::Kept(bytes.to_vec()),
            Payload::Kept(bytes) => Payload::Kept(bytes),
            Payload::Binary(binary) => Payload::Binary(binary),
        };
        Message { meta: self.meta, payload }
    }
}

/// What the backlog keeps.
pub(crate) enum Held {
    Message(Message<'static>),
    Error(i32),
}

impl Held {
    /// The memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        let payload = match self {
            Held::Message(message) => message.payload.len(),
            Held::Error(_) => 0,
        };
        size_of::<Held>() + payload
    }

    /// Is it data, not an event?
    pub(crate) fn is_data(&self) -> bool {
        matches!(self, Held::Message(message) if !message.meta.notification)
    }

    /// The association it is about.
    pub(crate) fn assoc(&self) -> Option<AssocId> {
        match self {
            Held::Message(message) if message.meta.notification => {
                notification::parse(&message.payload)?.assoc()
            }
            Held::Message(message) => message.meta.info.map(|info| info.assoc),
            Held::Error(_) => None,
        }
    }
}

/// As [`Added`], of all that is read.
enum Joined {
    Whole(Payload<'static>),
    /// It is whole by itself, and still where it was read to.
    AsRead,
    Partial,
    TooLong(AssocId),
}

impl State {
    /// Adds a piece to what has come of its message.
    fn join(&mut self, piece: &[u8], meta: &sctp::Received) -> Joined {
        let last = meta.end_of_record;
        if meta.notification {
            if last && self.notification.is_empty() {
                return Joined::AsRead;
            }
            self.notification.extend_from_slice(piece);
            if last {
                return Joined::Whole(Payload::Kept(take(&mut self.notification)));
            }
            return Joined::Partial;
        }
        if last && self.fragments.is_empty() {
            self.expected = piece.len();
            return Joined::AsRead;
        }
        match self.fragments.add(meta.info.as_ref(), piece, last) {
            Added::Whole(whole) => {
                self.expected = whole.len();
                Joined::Whole(Payload::Kept(whole))
            }
            Added::Partial => Joined::Partial,
            Added::TooLong(assoc) => Joined::TooLong(assoc),
        }
    }

    /// The same for a piece that was read to a binary and what did not fit to the scratch.
    fn join_binary(
        &mut self,
        mut binary: OwnedBinary,
        scratch: &mut Scratch,
        meta: &sctp::Received,
    ) -> Joined {
        let (expected, len) = (binary.len(), meta.len);
        let usable = !meta.notification && meta.end_of_record && len >= expected / 2;
        if usable && (len == expected || binary.realloc(len)) {
            if let Some(rest) = len.checked_sub(expected) {
                binary.as_mut_slice()[expected..].copy_from_slice(&scratch.bytes[..rest]);
            }
            self.expected = len;
            return Joined::Whole(Payload::Binary(binary));
        }
        // Back to where it would be without the binary.
        let bytes = &mut scratch.bytes;
        if len > expected {
            if bytes.len() < len {
                bytes.resize(len, 0);
            }
            bytes.copy_within(..len - expected, expected);
        }
        let head = len.min(expected);
        bytes[..head].copy_from_slice(&binary.as_slice()[..head]);
        scratch.spare = Some(binary);
        self.join(&scratch.bytes[..len], meta)
    }
}

enum Read<'a> {
    Message(Message<'a>),
    Nothing,
    /// The budget is spent.
    Spent,
    Error(i32),
}

/// How much one pumping may read, so that neither a scheduler nor the I/O thread is kept by one
/// busy socket.
pub(crate) struct Budget {
    messages: usize,
    bytes: usize,
}

impl Budget {
    /// For a caller's thread: well under a millisecond.
    pub(crate) const CALLER: Budget = Budget { messages: 16, bytes: 256 * 1024 };
    /// For a whole message in recv, however many reads it takes.
    pub(crate) const RECEIVE: Budget = Budget { messages: 64, bytes: 1024 * 1024 };

    fn spent(&self) -> bool {
        self.messages == 0 || self.bytes == 0
    }

    fn spend(&mut self, bytes: usize) {
        self.messages = self.messages.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

/// How many messages are worth reading at one event of the I/O thread.
///
/// The read that finds nothing costs as much as a wait, and the wait tells the same. So only as
/// many are read as were there before, and more if that proves too few again and again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Burst {
    messages: u8,
    /// Events in a row at which there may have been more.
    short: u8,
    /// How many such events are proof.
    patience: u8,
}

impl Default for Burst {
    fn default() -> Burst {
        Burst { messages: 1, short: 0, patience: Self::PATIENCE }
    }
}

impl Burst {
    const MOST: u8 = 64;
    const PATIENCE: u8 = 4;
    /// In a dialogue, where there is never more than one, looking for more is all in vain.
    const MOST_PATIENCE: u8 = 64;

    fn budget(self) -> Budget {
        Budget { messages: self.messages.into(), bytes: 512 * 1024 }
    }

    /// Learns from an event at which `messages` came; all there were, or as many as allowed?
    fn learn(&mut self, messages: u64, dry: bool) {
        if messages > 1 {
            self.patience = Self::PATIENCE;
        } else if dry {
            self.patience = (self.patience * 2).min(Self::MOST_PATIENCE);
        }
        if dry {
            let messages = messages.clamp(1, Self::MOST.into());
            self.messages = u8::try_from(messages).unwrap_or(1);
            self.short = 0;
        } else if self.short < self.patience {
            self.short += 1;
        } else {
            self.messages = (self.messages * 2).min(Self::MOST);
            self.short = 0;
        }
    }
}

/// What a pumping ends with.
pub(crate) enum Pumped<T> {
    /// What `goal` asked for.
    Got(T),
    Error(i32),
    /// Nothing more now.
    Dry,
    /// The budget is spent.
    Spent,
}

/// What a pumping is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goal {
    /// Deliver; keep what cannot be delivered.
    Background,
    /// The next message, for a receiver on a passive socket.
    Receive,
    /// The outcome of this association's connect.
    Connect(AssocId),
}

impl Open<'_> {
    /// Reads one piece after the other until a message is whole.
    fn read<'a>(&mut self, scratch: &'a mut Scratch, budget: &mut Budget) -> Read<'a> {
        let size = self.state.user.buffer.clamp(1, READ_MAX);
        if scratch.bytes.len() < size {
            scratch.bytes.resize(size, 0);
        }
        loop {
            if budget.spent() {
                return Read::Spent;
            }
            let (binary, meta) = match self.read_piece(scratch, size) {
                Ok(piece) => piece,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Read::Nothing,
                Err(error) => {
                    budget.spend(0);
                    return Read::Error(error.raw_os_error().unwrap_or(libc::EIO));
                }
            };
            budget.spend(meta.len);
            if meta.is_end_of_stream() {
                // A one-to-one socket whose peer has finished says so for ever.
                self.state.exhausted = true;
                return Read::Nothing;
            }
            let state = &mut *self.state;
            state.exhausted = false;
            state.received.add(meta.len);
            let whole = match binary {
                Some(binary) => state.join_binary(binary, scratch, &meta),
                None => state.join(&scratch.bytes[..meta.len], &meta),
            };
            match whole {
                Joined::Whole(payload) => return Read::Message(Message { meta, payload }),
                Joined::AsRead => {
                    let payload = Payload::Read(&scratch.bytes[..meta.len]);
                    return Read::Message(Message { meta, payload });
                }
                Joined::Partial => {}
                Joined::TooLong(assoc) => self.abort(assoc),
            }
        }
    }

    /// Ends an association whose peer does not keep to what is bearable. The owner hears of it by
    /// the event.
    fn abort(&self, assoc: AssocId) {
        let info = SndInfo { assoc, flags: flags::ABORT, ..SndInfo::default() };
        // Fails only if it is gone already.
        let _ = self.kernel().send(&info, &[]);
    }

    /// One read of at most `size` bytes, of which the first go to a binary if a large message is
    /// to be expected.
    fn read_piece(
        &self,
        scratch: &mut Scratch,
        size: usize,
    ) -> io::Result<(Option<OwnedBinary>, sctp::Received)> {
        let state = &*self.state;
        let expected = state.expected.min(size);
        let direct =
            expected >= DIRECT_MIN && state.fragments.is_empty() && state.notification.is_empty();
        let Some(mut binary) = direct.then(|| scratch.binary(expected)) else {
            let meta = self.kernel().recv(&mut scratch.bytes[..size])?;
            return Ok((None, meta));
        };
        let rest = &mut scratch.bytes[..size - expected];
        let mut bufs = [IoSliceMut::new(binary.as_mut_slice()), IoSliceMut::new(rest)];
        match self.kernel().recv_vectored(&mut bufs) {
            Ok(meta) => Ok((Some(binary), meta)),
            Err(error) => {
                scratch.spare = Some(binary);
                Err(error)
            }
        }
    }

    /// Takes the oldest of what was kept.
    fn unkeep(&mut self) -> Option<Held> {
        let held = self.state.backlog.pop_front()?;
        self.state.backlog_bytes -= held.bytes();
        Some(held)
    }

    fn keep(&mut self, held: Held) {
        self.state.backlog_bytes += held.bytes();
        self.state.backlog.push_back(held);
    }

    /// Reads and routes messages until `goal` is reached, nothing is left or `budget` is spent.
    /// `take` makes the result of a message that `goal` asks for.
    pub(crate) fn pump<T>(
        &mut self,
        caller: Option<Env>,
        goal: Goal,
        mut budget: Budget,
        take: impl FnOnce(&State, Message) -> T,
    ) -> Pumped<T> {
        SCRATCH.with_borrow_mut(|scratch| {
            loop {
                let passive = self.state.active.is_passive();
                if !passive && self.state.is_limited() {
                    return Pumped::Dry;
                }
                // What was kept is older than what the kernel has.
                let kept = match passive && goal != Goal::Receive {
                    true => None,
                    false if budget.spent() => return Pumped::Spent,
                    false => self.unkeep(),
                };
                let fresh = kept.is_none();
                let read = match kept {
                    Some(held) => {
                        budget.spend(held.bytes());
                        match held {
                            Held::Message(message) => Read::Message(message),
                            Held::Error(errno) => Read::Error(errno),
                        }
                    }
                    None if passive && goal == Goal::Background && !self.may_keep() => {
                        return Pumped::Dry;
                    }
                    None => self.read(scratch, &mut budget),
                };
                match read {
                    Read::Nothing => return Pumped::Dry,
                    Read::Spent => return Pumped::Spent,
                    Read::Error(errno) if goal == Goal::Receive => return Pumped::Error(errno),
                    Read::Error(libc::ENOTCONN) => {
                        // There is no association to read from. Not worth telling anybody, and
                        // not worth waiting for.
                        self.state.exhausted = true;
                        return Pumped::Dry;
                    }
                    Read::Error(errno) if passive => self.keep(Held::Error(errno)),
                    Read::Error(errno) => self.deliver_error(caller, errno),
                    Read::Message(message) if encode::class(&message).is_none() => {}
                    Read::Message(message) => {
                        // What was kept has been noted, and is nobody's answer.
                        let change = if fresh { self.note(caller, &message) } else { None };
                        if let Some(assoc) = change {
                            if let Some(connect) = self.take_connect(assoc) {
                                if goal == Goal::Connect(connect.assoc) {
                                    self.consume_for_connect(caller);
                                    return Pumped::Got(take(&self.state, message));
                                }
                                if self.answer_connect(caller, &connect, &message) {
                                    self.consume_for_connect(caller);
                                    continue;
                                }
                                // The process is gone: the event is news again.
                            }
                            if !self.state.user.association_event {
                                continue;
                            }
                        }
                        if !passive {
                            self.deliver(caller, message);
                        } else if goal == Goal::Receive {
                            return Pumped::Got(take(&self.state, message));
                        } else {
                            self.keep(Held::Message(message.keep()));
                        }
                    }
                }
            }
        })
    }

    /// May a passive socket be read ahead of its receiver? Only for a connect's sake.
    fn may_keep(&self) -> bool {
        !self.state.connects.is_empty() && !self.state.backlog_is_full()
    }

    /// Notes what a notification changes; gives the association whose state changed.
    fn note(&mut self, caller: Option<Env>, message: &Message) -> Option<AssocId> {
        if !message.meta.notification {
            return None;
        }
        match notification::parse(&message.payload)? {
            Notification::AssocChange { state, assoc, .. } => {
                if state != AssocState::CommUp {
                    self.state.fragments.abandon(assoc);
                    self.wake_orphans(caller);
                }
                Some(assoc)
            }
            Notification::PartialDelivery { assoc, .. } => {
                self.state.fragments.abandon(assoc);
                None
            }
            _ => None,
        }
    }

    fn take_connect(&mut self, assoc: AssocId) -> Option<Connect> {
        let connects = &mut self.state.connects;
        let at = connects.iter().position(|connect| connect.assoc == assoc)?;
        Some(connects.swap_remove(at))
    }

    fn answer_connect(&self, caller: Option<Env>, connect: &Connect, message: &Message) -> bool {
        connect.waiter.wake(caller, |env| encode::connect_result(env, message))
    }

    fn consume_for_connect(&mut self, caller: Option<Env>) {
        if self.state.active.consume_for_connect() {
            self.announce_passive(caller);
        }
    }

    /// Sends a message to the owner and accounts for it.
    fn deliver(&mut self, caller: Option<Env>, message: Message) {
        let state = &mut *self.state;
        let Some(anchor) = &state.anchor else { return };
        let tag = match encode::class(&message) {
            Some(Class::Error) => atoms::sctp_error(),
            _ => atoms::sctp(),
        };
        let Message { meta, payload } = message;
        let meta = &meta;
        deliver::send(caller, &state.owner, |env| {
            let socket = socket_term(env, anchor);
            let (ip, port) = encode::ip_port(env, meta.from);
            let anc = encode::ancillary(env, meta, state.user.data_io);
            let body = encode::body(env, meta, payload, state.user.list);
            (tag, socket, ip, port, (anc, body)).encode(env)
        });
        state.spend_grant();
        if state.active.consume() {
            self.announce_passive(caller);
        }
    }

    /// Tells the owner of a read error, which is not counted as a message.
    fn deliver_error(&mut self, caller: Option<Env>, errno: i32) {
        let Some(anchor) = &self.state.anchor else { return };
        deliver::send(caller, &self.state.owner, |env| {
            let reason = encode::errno(env, errno);
            (atoms::sctp_error(), socket_term(env, anchor), reason).encode(env)
        });
        self.state.spend_grant();
    }

    /// A message, too, but one that comes whether there is room for it or not.
    fn announce_passive(&mut self, caller: Option<Env>) {
        let Some(anchor) = &self.state.anchor else { return };
        deliver::send(caller, &self.state.owner, |env| {
            (atoms::sctp_passive(), socket_term(env, anchor)).encode(env)
        });
        self.state.spend_grant();
    }

    /// Wakes the waiting receiver, if any, to read for itself.
    fn wake_receiver(&mut self, caller: Option<Env>) {
        let Some(receiver) = &mut self.state.receiver else { return };
        if receiver.woken {
            return;
        }
        receiver.woken = true;
        if !receiver.waiter.wake_ready(caller) {
            self.state.receiver = None;
        }
    }

    /// Changes the mode; [`Open::resume`] makes it so. The anchor it returns must be dropped after
    /// unlocking.
    #[must_use]
    pub(crate) fn set_active(&mut self, socket: &SocketRef, active: Active) -> Option<Handle> {
        self.state.active = active;
        if !active.is_passive() && self.state.anchor.is_none() {
            self.state.anchor = Some(Handle::of(socket));
        }
        self.loose_anchor()
    }

    /// Delivers what can be delivered at once in the mode that was set, and waits for the rest. The
    /// anchor it returns must be dropped after unlocking.
    #[must_use]
    pub(crate) fn resume(&mut self, caller: Option<Env>) -> Option<Handle> {
        let active = self.state.active;
        // An owner that asks for one message at a time and is quicker than its peer would look in
        // vain each time; the I/O thread waits anyway.
        let look = active != Active::Once || self.state.speculate || !self.state.backlog.is_empty();
        if !active.is_passive() && look {
            self.pump(caller, Goal::Background, Budget::CALLER, |_, _| ());
            self.state.speculate = self.state.active.is_passive();
        }
        self.settle(caller)
    }

    /// Announces that a count has come to its end by being set, not by a message.
    pub(crate) fn announce_set_passive(&mut self, caller: Option<Env>, socket: &SocketRef) {
        deliver::send(caller, &self.state.owner, |env| {
            (atoms::sctp_passive(), socket_term(env, socket)).encode(env)
        });
        self.state.spend_grant();
    }

    /// After any pumping: wakes who has something to fetch and waits for the rest. The anchor it
    /// returns must be dropped after unlocking.
    #[must_use]
    pub(crate) fn settle(&mut self, caller: Option<Env>) -> Option<Handle> {
        self.state.ask_for_grant(caller, self.inner.token);
        if !self.state.backlog.is_empty() {
            if self.state.active.is_passive() {
                self.wake_receiver(caller);
            } else if !self.state.is_limited() {
                reactor(self.inner.token).revisit(self.inner.token);
            }
        }
        self.arm();
        self.loose_anchor()
    }
}

/// The answer to recv.
pub(crate) enum Received<T> {
    Message(T),
    Error(i32),
    /// Another process waits already.
    Already,
    /// Messages go to the owner.
    Active,
    /// Nothing is there; the caller is registered if it gave a reference.
    Wait,
    /// A caller without a reference has to ask again: the budget was spent before its message was
    /// whole.
    More,
}

impl Inner {
    /// One message for the calling process, or a place to wait for it.
    pub(crate) fn receive<T>(
        &self,
        env: Env,
        reference: Option<Term>,
        take: impl FnOnce(&State, Message) -> T,
    ) -> Result<Received<T>, Closed> {
        let anchor;
        let answer = {
            let mut open = self.lock()?;
            panics::point("recv");
            let waiting = open.state.receiver.as_ref();
            let again = waiting.is_some_and(|waiting| {
                reference.is_some_and(|reference| waiting.waiter.is(reference))
            });
            if !again {
                if !open.state.active.is_passive() {
                    return Ok(Received::Active);
                }
                if waiting.is_some_and(|w| deliver::is_alive(Some(env), &w.waiter.pid)) {
                    return Ok(Received::Already);
                }
                open.state.receiver = None;
            }
            let pumped = if open.state.active.is_passive() {
                open.pump(Some(env), Goal::Receive, Budget::RECEIVE, take)
            } else {
                // Made active while this process waited: it goes on waiting.
                Pumped::Dry
            };
            let answer = match pumped {
                Pumped::Got(message) => Received::Message(message),
                Pumped::Error(errno) => Received::Error(errno),
                Pumped::Spent if reference.is_none() => Received::More,
                Pumped::Dry | Pumped::Spent => Received::Wait,
            };
            match (&answer, reference) {
                (Received::Wait, Some(reference)) => match &mut open.state.receiver {
                    Some(receiver) => receiver.woken = false,
                    none => {
                        let waiter = Waiter::new(env.pid(), reference);
                        *none = Some(Receiver { waiter, woken: false });
                    }
                },
                _ => open.state.receiver = None,
            }
            anchor = open.settle(Some(env));
            answer
        };
        drop(anchor);
        Ok(answer)
    }

    /// Starts an association; with a reference, reports its outcome or registers the caller.
    pub(crate) fn connect<T>(
        &self,
        env: Env,
        addresses: &[SocketAddr],
        reference: Option<Term>,
        take: impl FnOnce(&State, Message) -> T,
    ) -> Result<io::Result<Connecting<T>>, Closed> {
        let anchor;
        let answer = {
            let mut open = self.lock()?;
            let assoc = match open.kernel().connect(addresses) {
                Ok(assoc) => assoc,
                Err(error) => return Ok(Err(error)),
            };
            open.state.exhausted = false;
            let Some(reference) = reference else {
                anchor = open.settle(Some(env));
                drop(open);
                drop(anchor);
                return Ok(Ok(Connecting::Started(assoc)));
            };
            let waiter = Waiter::new(env.pid(), reference);
            open.state.connects.push(Connect { assoc, waiter });
            let pumped = open.pump(Some(env), Goal::Connect(assoc), Budget::CALLER, take);
            anchor = open.settle(Some(env));
            match pumped {
                Pumped::Got(outcome) => Connecting::Done(outcome),
                Pumped::Error(_) | Pumped::Dry | Pumped::Spent => Connecting::Wait,
            }
        };
        drop(anchor);
        Ok(Ok(answer))
    }

    /// Registers the caller for the moment when there is room to send to an association.
    pub(crate) fn await_writable(
        &self,
        env: Env,
        assoc: AssocId,
        reference: Term,
    ) -> Result<(), Closed> {
        let waiter = Waiter::new(env.pid(), reference);
        self.lock()?.add_writer(Writer { assoc, waiter });
        Ok(())
    }

    /// The I/O thread's part. Tells what it delivered to the owner, if anything.
    pub(crate) fn on_ready(&self, event: &Event) -> Option<Traffic> {
        let anchor;
        let mut traffic = None;
        {
            let mut open = self.lock().ok()?;
            open.fired();
            panics::point("socket");
            let wanted = open.wants(event);
            let active = !open.state.active.is_passive();
            if event.readable || event.error {
                if active || !open.state.connects.is_empty() {
                    let before = open.state.received.count;
                    let budget = open.state.burst.budget();
                    let pumped = open.pump(None, Goal::Background, budget, |_, _| ());
                    let messages = open.state.received.count - before;
                    open.state.burst.learn(messages, matches!(pumped, Pumped::Dry));
                    if active && messages > 0 {
                        let sent = self.sent.count();
                        let answered = std::mem::replace(&mut open.state.sent_before, sent) != sent;
                        traffic = Some(if answered { Traffic::Dialogue } else { Traffic::Stream });
                        // In a stream the next message may be there before it is asked for.
                        open.state.speculate |= !answered;
                    }
                } else {
                    open.wake_receiver(None);
                    // The owner has yet to ask for this: it is slower than its peer.
                    open.state.speculate = true;
                }
            }
            if event.error {
                open.wake_writers(None);
            } else if event.writable {
                open.wake_writer(None);
            } else if !active {
                // What came, and was not read, may be the end of an association.
                open.wake_orphans(None);
            }
            open.rearm(event, wanted);
            anchor = open.settle(None);
        }
        drop(anchor);
        traffic
    }
}

/// The answer to connect.
pub(crate) enum Connecting<T> {
    /// Under way, with this id.
    Started(AssocId),
    /// The association change that ended it.
    Done(T),
    /// The caller is registered for it.
    Wait,
}
