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

static CLOSER: OnceLock<Sender<Leftover>> = OnceLock::new();

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
pub(crate) fn close(left: Leftover) -> bool {
    let quick = left.is_little();
    if quick {
        let_go(left);
    } else {
        close_later(left);
    }
    quick
}

/// Closes a socket soon, however little it is.
pub(crate) fn close_later(left: Leftover) {
    // The library is loaded only with the thread, whose end is only that of this sender.
    if let Some(closer) = CLOSER.get() {
        let _ = closer.send(left);
    }
}

fn let_go(left: Leftover) {
    panics::guarded(|| {
        panics::point("closer");
        drop(left);
    });
}
