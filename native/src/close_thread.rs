//! The thread that closes sockets.
//!
//! close(2) says goodbye on every association, which may be very many: more than a scheduler, or
//! the I/O thread that all other sockets depend on, has time for. Where it is little, who closes
//! does it.

use std::io;
use std::sync::OnceLock;

use beam::panics;
use crossbeam_channel::{Sender, unbounded};

use crate::socket::leftover::Leftover;

type Job = Box<dyn FnOnce() + Send>;

static CLOSER: OnceLock<Sender<Job>> = OnceLock::new();

/// Starts the thread. Called when the NIF library is loaded, again after a reload.
pub(crate) fn start() -> io::Result<()> {
    if CLOSER.get().is_some() {
        return Ok(());
    }
    let (sender, jobs) = unbounded::<Job>();
    let run = move || {
        for job in jobs {
            panics::guarded(job);
        }
    };
    std::thread::Builder::new().name("gen_sctp_nif_cl".into()).spawn(run)?;
    CLOSER.get_or_init(|| sender);
    Ok(())
}

/// Has the thread do something.
pub(crate) fn run(job: impl FnOnce() + Send + 'static) {
    // The library is loaded only with the thread, whose end is only that of this sender.
    if let Some(closer) = CLOSER.get() {
        let _ = closer.send(Box::new(job));
    }
}

/// Closes a socket at once if that takes little time, else soon.
pub(crate) fn close(left: Leftover) {
    if left.is_little() {
        close_now(left);
    } else {
        close_later(left);
    }
}

/// Closes a socket soon, however little it is.
pub(crate) fn close_later(left: Leftover) {
    run(|| close_now(left));
}

/// Closes a socket, however long it takes.
pub(crate) fn close_now(left: Leftover) {
    panics::guarded(|| {
        panics::point("closer");
        drop(left);
    });
}
