//! The closing of sockets, on a thread of its own.
//!
//! close(2) says goodbye on every association, which may be very many: more than a scheduler, or
//! the I/O thread that all other sockets depend on, has time for. Where it is little, who closes
//! does it.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam_channel::{Sender, unbounded};

use crate::deliver::Waiter;
use crate::panics;
use crate::socket::Left;

struct Closing {
    /// Nothing: to be told when all before is closed.
    left: Option<Left>,
    /// Who wants to know that it is done.
    waiter: Option<Waiter>,
}

impl Closing {
    /// Whatever happens, who waits must be told, and the next in line be closed.
    fn run(self) {
        let Closing { left, waiter } = self;
        left.into_iter().for_each(let_go);
        PENDING.fetch_sub(1, Ordering::Relaxed);
        panics::guarded(|| waiter.is_some_and(|waiter| waiter.wake_ready()));
    }
}

/// Sockets that are on their way through the thread.
static PENDING: AtomicUsize = AtomicUsize::new(0);

pub(crate) fn pending() -> usize {
    PENDING.load(Ordering::Relaxed)
}

static CLOSER: OnceLock<Sender<Closing>> = OnceLock::new();

/// Starts the thread. Called when the NIF library is loaded, again after a reload.
pub(crate) fn start() -> io::Result<()> {
    if CLOSER.get().is_some() {
        return Ok(());
    }
    let (sender, closings) = unbounded::<Closing>();
    let run = move || closings.into_iter().for_each(Closing::run);
    std::thread::Builder::new().name("gen_sctp_nif_cl".into()).spawn(run)?;
    CLOSER.get_or_init(|| sender);
    Ok(())
}

/// Closes a socket at once if that takes little time; else soon, and then wakes whom `waiter` gives.
/// True if it is closed.
pub(crate) fn close(left: Left, waiter: impl FnOnce() -> Option<Waiter>) -> bool {
    let quick = left.is_little();
    if quick {
        let_go(left);
    } else {
        send(Closing { left: Some(left), waiter: waiter() });
    }
    quick
}

/// Closes a socket soon, however little it is.
pub(crate) fn close_later(left: Left) {
    send(Closing { left: Some(left), waiter: None });
}

fn let_go(left: Left) {
    panics::guarded(|| {
        panics::point("closer");
        drop(left);
    });
}

/// Wakes `waiter` when all that is to be closed now is closed; false if there is nothing.
pub(crate) fn await_all(waiter: Waiter) -> bool {
    let busy = pending() > 0;
    if busy {
        send(Closing { left: None, waiter: Some(waiter) });
    }
    busy
}

fn send(closing: Closing) {
    // The library is loaded only with the thread, whose end is only that of this sender.
    let Some(closer) = CLOSER.get() else { return };
    PENDING.fetch_add(1, Ordering::Relaxed);
    let _ = closer.send(closing);
}
