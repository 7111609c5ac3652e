//! What is left of a socket to be closed: all that can take long to give back.

use std::sync::Arc;

use sctp::reassembly::Reassembly;

use crate::socket::backlog::Backlog;
use crate::socket::closings::Closing;
use crate::socket::state::Socket;

/// However it is dropped, that aborts what is to be aborted, and does not linger.
pub(crate) struct Leftover {
    kernel: Descriptor,
    /// Data has been read from the kernel that nobody has got.
    unread: bool,
    backlog: Backlog,
    fragments: Reassembly,
    /// Over when all before it is given back.
    _closing: Closing,
}

/// The socket's descriptor.
enum Descriptor {
    /// Nobody else's.
    Free(sctp::Socket),
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
            Some(kernel) => Descriptor::Free(kernel),
            None => Descriptor::InUse(socket.clone()),
        };
        Leftover { kernel, unread, backlog, fragments, _closing: closing }
    }

    /// Is it soon given back?
    pub(crate) fn is_little(&self) -> bool {
        let Descriptor::Free(kernel) = &self.kernel else { return false };
        self.backlog.is_empty() && self.fragments.is_empty() && kernel.closes_quickly()
    }
}

impl Drop for Leftover {
    fn drop(&mut self) {
        let awaited;
        let kernel = match &self.kernel {
            Descriptor::Free(kernel) => Some(kernel),
            Descriptor::InUse(socket) => {
                awaited = socket.await_kernel();
                awaited.as_ref()
            }
        };
        if let Some(kernel) = kernel {
            // Fails only for a descriptor that is none, which this is not.
            let _ = kernel.prepare_close(self.unread);
        }
    }
}
