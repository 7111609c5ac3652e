//! How messages reach the owner, and what keeps the socket for that.

use flow::active::{Active, OutOfRange, Request};

use crate::socket::mailbox::Limit;

/// The mode, the bound on the owner's mailbox, and the anchor. `H` is a reference to the socket.
pub(crate) struct Delivery<H> {
    /// As it was asked for, and is told. Not in force during a handover.
    mode: Active,
    /// Does the kernel take associations for it? To ask would be a system call.
    listening: bool,
    pub(crate) limit: Option<Limit>,
    /// Keeps the socket from being collected, and names it in messages. Some if it is needed, but for
    /// moments under the lock.
    anchor: Option<H>,
}

impl<H> Default for Delivery<H> {
    fn default() -> Self {
        Delivery { mode: Active::Passive, listening: false, limit: None, anchor: None }
    }
}

impl<H> Delivery<H> {
    pub(crate) fn mode(&self) -> Active {
        self.mode
    }

    /// Changes the mode; true if a count has come to its end by that.
    pub(crate) fn request(&mut self, request: Request) -> Result<bool, OutOfRange> {
        let (mode, ended) = self.mode.after(request)?;
        self.mode = mode;
        Ok(ended)
    }

    /// Accounts for a message to the owner, as the mode counts them; true if a count has come to its
    /// end.
    pub(crate) fn consume(&mut self) -> bool {
        self.mode.consume()
    }

    /// Accounts for a message that a connecting process got in the owner's place; likewise.
    pub(crate) fn consume_for_connect(&mut self) -> bool {
        self.mode.consume_for_connect()
    }

    /// Sets what a socket begins with.
    pub(crate) fn begin(&mut self, mode: Active, limit: Option<Limit>) {
        self.mode = mode;
        self.limit = limit;
    }

    pub(crate) fn is_listening(&self) -> bool {
        self.listening
    }

    pub(crate) fn set_listening(&mut self, listening: bool) {
        self.listening = listening;
    }

    /// Can the socket be of use though no process has a reference to it? It comes with messages, or
    /// peers find it, and processes that know its port find them.
    fn is_needed(&self) -> bool {
        !self.mode.is_passive() || self.listening
    }

    /// Keeps the socket as long as it is needed.
    pub(crate) fn hold(&mut self, socket: impl FnOnce() -> H) {
        self.anchor.get_or_insert_with(socket);
    }

    /// What keeps it.
    pub(crate) fn anchor(&self) -> Option<&H> {
        self.anchor.as_ref()
    }

    /// The bound on the owner's mailbox, if there is any, and what keeps the socket.
    pub(crate) fn limit_and_anchor(&mut self) -> Option<(&mut Limit, &H)> {
        Some((self.limit.as_mut()?, self.anchor.as_ref()?))
    }

    /// Lets go of a socket that is no longer needed, nor `watched`: the anchor is to be dropped after
    /// unlocking.
    pub(crate) fn loosen(&mut self, watched: bool) -> Option<H> {
        let needed = self.is_needed() || watched;
        self.anchor.take_if(|_| !needed)
    }

    /// Lets go of a socket that is closed.
    pub(crate) fn take_anchor(&mut self) -> Option<H> {
        self.anchor.take()
    }

    /// Is there room in the owner's mailbox?
    pub(crate) fn has_room(&self) -> bool {
        self.limit.as_ref().is_none_or(Limit::has_room)
    }

    /// Accounts for a message to the owner, as the bound counts them.
    pub(crate) fn spend(&mut self) {
        if let Some(limit) = &mut self.limit {
            limit.spend();
        }
    }
}
