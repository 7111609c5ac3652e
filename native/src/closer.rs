//! The closing of sockets, on a thread of its own.
//!
//! close(2) says goodbye on every association, which may be very many: more than a scheduler, or
//! the I/O thread that all other sockets depend on, has time for.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use crossbeam_channel::{Sender, unbounded};

use crate::deliver::Waiter;

struct Closing {
    kernel: sctp::Socket,
    /// Who wants to know that it is done.
    waiter: Option<Waiter>,
}

static CLOSER: OnceLock<Sender<Closing>> = OnceLock::new();

/// Starts the thread. Called when the NIF library is loaded, again after a reload.
pub(crate) fn start() -> io::Result<()> {
    if CLOSER.get().is_some() {
        return Ok(());
    }
    let (sender, closings) = unbounded::<Closing>();
    std::thread::Builder::new().name("gen_sctp_nif_cl".into()).spawn(move || {
        for Closing { kernel, waiter } in closings {
            // Whatever happens to one, the others must be closed, too.
            let _ = catch_unwind(AssertUnwindSafe(|| {
                drop(kernel);
                if let Some(waiter) = waiter {
                    waiter.wake_ready(None);
                }
            }));
        }
    })?;
    CLOSER.get_or_init(|| sender);
    Ok(())
}

/// Closes a socket soon, then wakes `waiter`.
pub(crate) fn close(kernel: sctp::Socket, waiter: Option<Waiter>) {
    // The other end is in a static, in effect: its thread ends only with this sender.
    if let Some(closer) = CLOSER.get() {
        let _ = closer.send(Closing { kernel, waiter });
    }
}
