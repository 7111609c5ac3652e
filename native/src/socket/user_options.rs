//! Options that live above the kernel.

use std::ffi::CString;

use flow::subscriptions::{Needed, Subscriptions};
use sctp::notification::PeerAddrState;
use sctp::reassembly::Reassembly;
use sctp::{AssocId, Notification};

use crate::message::Most;
use crate::socket::inbox::Limits;
use crate::terms::info::Wanted;
use crate::terms::message::View;

/// The default read size, as OTP's `buffer`.
const BUFFER: usize = 65536;

/// What a socket's user has chosen.
#[derive(Debug)]
pub(crate) struct UserOptions {
    /// `mode`, `data_io_event`, `sctp_recvrcvinfo`, and `abort_causes`.
    pub(crate) view: View,
    /// Messages that an owner gets at a time, at most.
    pub(crate) batch: usize,
    pub(crate) buffer: usize,
    /// Whose message is longer is aborted.
    pub(crate) max_message_size: usize,
    /// Does the owner get the events that the kernel always gives to us?
    pub(crate) subscriptions: Subscriptions<AssocId>,
    /// Does the user know of paths that are potentially failed (RFC 7829)? The administrator's setting
    /// (`net.sctp.pf_expose`) alone shows nobody what gen_sctp has no name for.
    pub(crate) potentially_failed: bool,
    pub(crate) debug: bool,
    pub(crate) netns: Option<CString>,
    /// Is the end of a one-to-one socket's association told as that of a stream? None: not of this one,
    /// but of those that are accepted.
    pub(crate) end_of_stream: Option<bool>,
}

impl Default for UserOptions {
    fn default() -> Self {
        UserOptions {
            view: View { list: false, info: Wanted::default(), abort_causes: false },
            batch: 1,
            buffer: BUFFER,
            max_message_size: Reassembly::MESSAGE_MAX,
            subscriptions: Subscriptions::default(),
            potentially_failed: false,
            debug: false,
            netns: None,
            end_of_stream: None,
        }
    }
}

impl UserOptions {
    /// Those of a socket that an association is peeled off to.
    pub(crate) fn inherited(&self, assoc: AssocId) -> UserOptions {
        UserOptions {
            view: self.view,
            batch: self.batch,
            buffer: self.buffer,
            max_message_size: self.max_message_size,
            subscriptions: self.subscriptions.inherited(assoc),
            potentially_failed: self.potentially_failed,
            debug: false,
            netns: None,
            end_of_stream: self.end_of_stream,
        }
    }

    /// Those of a socket that was accepted.
    pub(crate) fn accepted(&self) -> UserOptions {
        let end_of_stream = Some(self.end_of_stream.unwrap_or(true));
        UserOptions { end_of_stream, ..self.inherited(AssocId::FUTURE) }
    }

    /// Is the end of the association told as that of a stream?
    pub(crate) fn tells_end(&self) -> bool {
        self.end_of_stream == Some(true)
    }

    /// What bounds reading.
    pub(crate) fn limits(&self) -> Limits {
        Limits { buffer: self.buffer, message: self.max_message_size }
    }

    /// How many messages the owner gets at a time.
    pub(crate) fn most(&self) -> Most {
        if self.batch > 1 { Most::Batch(self.batch) } else { Most::One }
    }

    /// Does the owner want to hear of it? What the library needs comes in any case.
    pub(crate) fn wants(&self, event: &Notification) -> bool {
        match *event {
            Notification::AssocChange { assoc, .. } => {
                self.subscriptions.is_on(Needed::Association, assoc)
            }
            Notification::PartialDelivery { assoc, .. } => {
                self.subscriptions.is_on(Needed::PartialDelivery, assoc)
            }
            Notification::PeerAddrChange { state: PeerAddrState::PotentiallyFailed, .. } => {
                self.potentially_failed
            }
            _ => true,
        }
    }
}
