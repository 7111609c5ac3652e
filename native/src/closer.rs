//! The closing of sockets, on a thread of its own.
//!
//! close(2) says goodbye on every association, which may be very many: more than a scheduler, or
//! the I/O thread that all other sockets depend on, has time for. Where it is little, who closes
//! does it.

use std::io;
use std::sync::OnceLock;

use crossbeam_channel::{Sender, unbounded};
use flow::pending::Pending;
use parking_lot::Mutex;

use beam::panics;

use crate::socket::Left;
use crate::waiter::Waiter;

static UNDER_WAY: Mutex<Pending<Waiter>> = Mutex::new(Pending::new());

/// A closing that is under way: from before the socket is marked closed until the kernel has let go
/// of it. Who finds a socket closed can wait until it is.
pub(crate) struct Closing(u64);

impl Closing {
    pub(crate) fn begin() -> Closing {
        Closing(UNDER_WAY.lock().begin())
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        let waiters = UNDER_WAY.lock().end(self.0);
        for waiter in waiters {
            // Whatever happens, the next one must be told.
            panics::guarded(|| waiter.wake_ready());
        }
    }
}

/// How many closings are under way.
pub(crate) fn under_way() -> usize {
    UNDER_WAY.lock().count()
}

/// Wakes `waiter` when all closings that have begun are over.
pub(crate) fn tell_when_over(waiter: Waiter) {
    let nothing = UNDER_WAY.lock().wait(waiter);
    if let Some(waiter) = nothing {
        waiter.wake_ready();
    }
}

static CLOSER: OnceLock<Sender<Left>> = OnceLock::new();

/// Starts the thread. Called when the NIF library is loaded, again after a reload.
pub(crate) fn start() -> io::Result<()> {
    if CLOSER.get().is_some() {
        return Ok(());
    }
    let (sender, closings) = unbounded();
    let run = move || closings.into_iter().for_each(let_go);
    std::thread::Builder::new().name("gen_sctp_nif_cl".into()).spawn(run)?;
    CLOSER.get_or_init(|| sender);
    Ok(())
}

/// Closes a socket at once if that takes little time, else soon. True if it is closed.
pub(crate) fn close(left: Left) -> bool {
    let quick = left.is_little();
    if quick {
        let_go(left);
    } else {
        close_later(left);
    }
    quick
}

/// Closes a socket soon, however little it is.
pub(crate) fn close_later(left: Left) {
    // The library is loaded only with the thread, whose end is only that of this sender.
    if let Some(closer) = CLOSER.get() {
        let _ = closer.send(left);
    }
}

fn let_go(left: Left) {
    panics::guarded(|| {
        panics::point("closer");
        drop(left);
    });
}
