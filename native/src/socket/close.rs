//! The end of a socket.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use beam::{message, panics};
use rustler::{Atom, Encoder, Env, LocalPid, Term};

use crate::close_thread;
use crate::socket::closings::Closing;
use crate::socket::leftover::Leftover;
use crate::socket::lingering::Close;
use crate::socket::settle::leave;
use crate::socket::state::{Handle, Socket, socket_term};
use crate::socket::table;
use crate::socket::waiter::Waiter;
use crate::socket::watchers::Watchers;
use crate::terms::atoms;

/// What remains of a closed socket, to be dropped outside all locks.
struct Remains {
    owner: LocalPid,
    was_active: bool,
    anchor: Option<Handle>,
    _watchers: Watchers,
}

thread_local! {
    /// When this thread has last closed a socket of the dead itself.
    static LAST_DEATH: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Has this thread closed one a moment ago?
fn is_one_of_many() -> bool {
    /// A close takes far less.
    const MOMENT: Duration = Duration::from_millis(1);
    LAST_DEATH.get().is_some_and(|last| last.elapsed() < MOMENT)
}

impl Socket {
    /// Marks the socket closed, takes everything out of it and tells who waits. `None` if it was
    /// closed before.
    fn shut(self: &Arc<Self>, reason: Atom) -> Option<(Leftover, Remains)> {
        let closing = Closing::begin();
        let mut open = self.lock().ok()?;
        leave(&open);
        let state = &mut *open.state;
        let unread = state.has_unread();
        state.shut();
        self.refuse_calls();
        // Under the lock: who gives up waiting must find either its place or its message.
        state.waiters.close();
        if let Some(socket) = state.delivery.anchor() {
            state.watchers.tell(&(atoms::dollar_inet(), atoms::gen_sctp_nif(), socket), reason);
        }
        let backlog = std::mem::take(&mut state.backlog);
        let fragments = state.inbox.take();
        let remains = Remains {
            owner: state.ownership.owner(),
            was_active: state.is_active(),
            anchor: state.delivery.take_anchor(),
            _watchers: state.take_watchers(),
        };
        drop(open);
        table::remove(self.token);
        Some((Leftover::of(self, unread, backlog, fragments, closing), remains))
    }

    /// Do so many processes wait that it takes long to tell them of the end?
    pub(crate) fn has_many_waiting(&self) -> bool {
        const MANY: usize = 256;
        self.lock_any().waiters.counts().iter().sum::<usize>() > MANY
    }

    /// Closes the socket. If that takes time the caller gets a message under `reference` when the
    /// kernel has let go of it.
    pub(crate) fn close(self: &Arc<Self>, env: Env, socket: &Handle, reference: Term) -> Close {
        let Some((mut left, _remains)) = self.shut(atoms::normal()) else {
            // Another process that closes it just now still wants them.
            if self.has_lingered() {
                self.forget_monitors(env, socket);
            }
            return Close::Done;
        };
        if let Some(time) = left.lingering_time() {
            self.linger(env, socket, left, reference);
            return Close::Lingers(time);
        }
        self.forget_monitors(env, socket);
        if left.is_little() {
            close_thread::close_now(left);
            return Close::Done;
        }
        left.tell(Waiter::new(env.pid(), reference));
        close_thread::close_later(left);
        Close::Waits
    }

    /// Nobody's end matters to a closed socket that does not linger.
    fn forget_monitors(&self, env: Env, socket: &Handle) {
        let (owner, lingering) = {
            let mut state = self.lock_any();
            (state.ownership.take_monitor(), state.lingering.take())
        };
        let who_closed = lingering.and_then(|lingering| lingering.into_monitor());
        for monitor in owner.iter().chain(&who_closed) {
            socket.demonitor(env, monitor);
        }
    }

    /// Closes the socket of the dead: at once where it can be, who restarts the owner wants the port.
    pub(crate) fn close_orphan(self: &Arc<Self>) {
        match self.shut(atoms::normal()) {
            Some((left, _)) => close_thread::close(left),
            None => self.end_lingering(),
        }
    }

    /// The same as the VM tells that they died. It tells of all the sockets of an owner in one go, on a scheduler:
    /// after the first one the others are left to the thread that closes.
    pub(crate) fn close_of_dead(self: &Arc<Self>) {
        if is_one_of_many() {
            let socket = self.clone();
            return close_thread::run(move || socket.close_orphan());
        }
        self.close_orphan();
        LAST_DEATH.set(Some(Instant::now()));
    }

    /// Closes a socket that was collected while open: nobody can reach it, so nobody waits.
    pub(crate) fn close_garbage(self: &Arc<Self>) {
        self.lock_any().waiters.clear();
        if let Some((left, _)) = self.shut(atoms::normal()) {
            close_thread::close_later(left);
        }
        self.abandon_lingering();
    }

    /// Closes the socket after its I/O panicked.
    pub(crate) fn close_after_panic(self: &Arc<Self>) {
        panics::point("close");
        // The state's lock does not poison, and `shut` only takes things out.
        let Some((left, remains)) = self.shut(atoms::closed()) else {
            return self.end_lingering();
        };
        close_thread::close_later(left);
        // The owner of an active socket does nothing but wait: silence is all that it would hear.
        if let Some(anchor) = remains.anchor.as_ref().filter(|_| remains.was_active) {
            message::send(&remains.owner, |env| {
                (atoms::sctp_error(), socket_term(env, anchor), atoms::closed()).encode(env)
            });
        }
    }
}
