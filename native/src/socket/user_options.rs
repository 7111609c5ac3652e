//! Options that live above the kernel.

use std::ffi::CString;

use sctp::Notification;

use crate::message::Most;
use crate::terms::message::View;

/// The default read size, as OTP's `buffer`.
const BUFFER: usize = 65536;

/// What a socket's user has chosen.
#[derive(Debug, Clone)]
pub(crate) struct UserOptions {
    /// `mode`, `data_io_event`, and `abort_causes`.
    pub(crate) view: View,
    /// Messages that an owner gets at a time, at most.
    pub(crate) batch: usize,
    pub(crate) buffer: usize,
    /// Does the owner get `#sctp_assoc_change{}`? The kernel always gives it to us.
    pub(crate) association_event: bool,
    pub(crate) partial_delivery_event: bool,
    pub(crate) debug: bool,
    pub(crate) netns: Option<CString>,
}

impl Default for UserOptions {
    fn default() -> Self {
        UserOptions {
            view: View { list: false, data_io: true, abort_causes: false },
            batch: 1,
            buffer: BUFFER,
            association_event: true,
            partial_delivery_event: true,
            debug: false,
            netns: None,
        }
    }
}

impl UserOptions {
    /// Those of a socket that an association is peeled off to.
    pub(crate) fn inherited(&self) -> UserOptions {
        UserOptions { debug: false, netns: None, ..self.clone() }
    }

    /// How many messages the owner gets at a time.
    pub(crate) fn most(&self) -> Most {
        if self.batch > 1 { Most::Batch(self.batch) } else { Most::One }
    }

    /// Does the owner want to hear of it? What the library needs comes in any case.
    pub(crate) fn wants(&self, event: &Notification) -> bool {
        match event {
            Notification::AssocChange { .. } => self.association_event,
            Notification::PartialDelivery { .. } => self.partial_delivery_event,
            _ => true,
        }
    }
}
