//! What is left of a socket to be closed: all that can take long to give back.

use std::sync::Arc;
use std::time::Duration;

use sctp::reassembly::Reassembly;

use crate::socket::backlog::Backlog;
use crate::socket::closings::Closing;
use crate::socket::state::Socket;
use crate::socket::waiter::Waiter;

/// Reads, at most, of what has come for a socket that has lingered.
const LAST_READS: usize = 256;

/// However it is dropped, that aborts what is to be aborted, and does not linger.
pub(crate) struct Leftover {
    kernel: Descriptor,
    /// Data has been read from the kernel that nobody has got.
    unread: bool,
    /// Its associations were to end before it is closed.
    lingered: bool,
    backlog: Backlog,
    fragments: Reassembly,
    /// Over when all before it is given back.
    closing: Closing,
}

/// The socket's descriptor.
enum Descriptor {
    /// Nobody else's; none when it was taken.
    Free(Option<sctp::Socket>),
    /// A call still uses it, which may take long.
    InUse(Arc<Socket>),
}

impl Leftover {
    /// Of a socket that is marked closed.
    pub(crate) fn of(
        socket: &Arc<Socket>,
        unread: bool,
        backlog: Backlog,
        fragments: Reassembly,
        closing: Closing,
    ) -> Leftover {
        let kernel = match socket.take_kernel() {
            Some(kernel) => Descriptor::Free(Some(kernel)),
            None => Descriptor::InUse(socket.clone()),
        };
        Leftover { kernel, unread, lingered: false, backlog, fragments, closing }
    }

    /// Of one that has lingered.
    pub(crate) fn lingered(kernel: sctp::Socket, closing: Closing) -> Leftover {
        Leftover {
            kernel: Descriptor::Free(Some(kernel)),
            unread: false,
            lingered: true,
            backlog: Backlog::default(),
            fragments: Reassembly::default(),
            closing,
        }
    }

    /// Is it soon given back?
    pub(crate) fn is_little(&self) -> bool {
        let Descriptor::Free(kernel) = &self.kernel else { return false };
        self.backlog.is_empty()
            && self.fragments.is_empty()
            && kernel.as_ref().is_none_or(sctp::Socket::closes_quickly)
    }

    /// Has `waiter` told when all is given back.
    pub(crate) fn tell(&mut self, waiter: Waiter) {
        self.closing.tell(waiter);
    }

    /// How long its close is to wait for the ends of its associations; `None` if not at all. They are
    /// aborted if there is data that nobody has read.
    pub(crate) fn lingering_time(&mut self) -> Option<Duration> {
        let shared;
        let kernel = match &self.kernel {
            Descriptor::Free(kernel) => kernel.as_ref()?,
            Descriptor::InUse(socket) => {
                shared = socket.descriptor().ok()?;
                &*shared
            }
        };
        let time = kernel.lingering_time()?;
        let unread = self.unread || kernel.has_unread_data();
        self.unread = unread;
        (!unread).then_some(time)
    }

    /// Takes the descriptor out. Waits for the call that uses it, if one does.
    pub(crate) fn take_kernel(&mut self) -> Option<sctp::Socket> {
        match &mut self.kernel {
            Descriptor::Free(kernel) => kernel.take(),
            Descriptor::InUse(socket) => socket.await_kernel(),
        }
    }

    /// Takes it back, to be closed with the rest.
    pub(crate) fn give_back(&mut self, kernel: sctp::Socket) {
        self.kernel = Descriptor::Free(Some(kernel));
    }

    /// The same, when the ends of its associations have begun.
    pub(crate) fn give_back_lingered(&mut self, kernel: sctp::Socket) {
        self.lingered = true;
        self.give_back(kernel);
    }
}

impl Drop for Leftover {
    fn drop(&mut self) {
        let Some(kernel) = self.take_kernel() else { return };
        if self.lingered {
            // It came after the end, and is no reason to abort.
            kernel.discard(LAST_READS);
        }
        // Fails only for a descriptor that is none, which this is not.
        let _ = kernel.prepare_close(self.unread);
    }
}
