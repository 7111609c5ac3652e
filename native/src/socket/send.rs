//! The way out: sends, and those who wait for room.

use std::io;

use rustler::Env;
use sctp::{AssocId, SndInfo, Style, To};

use crate::socket::settle::{arm_again, settle};
use crate::socket::state::{Open, Socket, SocketRef};
use crate::socket::waiter::{Wait, Waiter};
use crate::terms::error::Error;

/// Bytes that are sent together. A message that is larger gains nothing from company.
pub(crate) const SENT_TOGETHER: usize = 16 * 1024;

/// What became of a send.
pub(crate) enum Sent {
    Done,
    /// There is no room, and the caller wants to wait for it: for so many milliseconds, at most, if it
    /// says nothing else.
    Wait(Option<u32>),
}

impl Socket {
    /// Sends a message with all that is said of it. One call of the kernel, beside those who receive.
    #[inline(always)]
    pub(crate) fn send(&self, env: Env, info: &SndInfo, data: &[u8]) -> Result<Sent, Error> {
        let kernel = self.kernel()?;
        charge(env, 1, data.len());
        self.outcome(kernel.send(info, data), data.len(), !self.patience.non_block())
    }

    /// As `send`, to the given recipient. A message to all associations never waits for room: some of
    /// them already have it.
    pub(crate) fn send_to(
        &self,
        env: Env,
        to: To,
        info: &SndInfo,
        data: &[u8],
    ) -> Result<Sent, Error> {
        let kernel = self.kernel()?;
        charge(env, 1, data.len());
        let waits = to != To::All && !self.patience.non_block();
        self.outcome(kernel.send_to(to, info, data), data.len(), waits)
    }

    #[inline(always)]
    fn outcome(&self, sent: io::Result<()>, len: usize, waits: bool) -> Result<Sent, Error> {
        match sent {
            Ok(()) => {
                self.sent.add(len);
                Ok(Sent::Done)
            }
            Err(error) => self.refused(error, waits),
        }
    }

    #[cold]
    fn refused(&self, error: io::Error, waits: bool) -> Result<Sent, Error> {
        match error.into() {
            Error::Posix(libc::EAGAIN) if waits => Ok(Sent::Wait(self.patience.timeout())),
            error => Err(error),
        }
    }

    /// What is said of a message that its sender says no more of than the association, and perhaps the
    /// stream.
    #[inline(always)]
    pub(crate) fn default_info(
        &self,
        assoc: AssocId,
        stream: Option<u16>,
    ) -> Result<SndInfo, Error> {
        let defaults = match self.defaults.are_set() {
            true => self.set_defaults(assoc)?,
            false => SndInfo::default(),
        };
        Ok(SndInfo { stream: stream.unwrap_or(defaults.stream), assoc, ..defaults })
    }

    #[cold]
    fn set_defaults(&self, assoc: AssocId) -> Result<SndInfo, Error> {
        Ok(self.defaults.look_up(&*self.kernel()?, assoc))
    }

    /// Sends messages to one association, from the first on, as many as are sure to be taken; returns
    /// how many.
    pub(crate) fn send_batch(
        &self,
        env: Env,
        assoc: AssocId,
        messages: &[(SndInfo, &[u8])],
    ) -> Result<usize, Error> {
        let sent = self.kernel()?.send_batch(assoc, messages);
        let lengths = messages[..sent].iter().map(|(_, data)| data.len());
        charge(env, sent, lengths.clone().sum());
        lengths.for_each(|len| self.sent.add(len));
        Ok(sent)
    }

    /// Registers the caller, if it waits, for the moment when there is room to send to an association.
    pub(crate) fn await_room(
        &self,
        env: Env,
        socket: &SocketRef,
        assoc: AssocId,
        wait: Wait,
    ) -> Result<(), Error> {
        let Some(waiter) = Waiter::of(env, wait) else { return Err(Error::INVALID) };
        let mut open = self.lock()?;
        if waiter.selects() {
            open.hold(socket);
        }
        open.state.waiters.writers.push(assoc, waiter);
        // The room may have come since the process tried, and been announced.
        arm_again(&mut open);
        // So may the association's end.
        if !open.kernel().has_assoc(assoc) {
            // A one-to-one socket has only one, whatever they called it.
            let only = self.style == Style::OneToOne;
            open.state.waiters.writers.wake_all(|other| only || other == assoc);
            open.loosen();
        }
        Ok(())
    }
}

impl Socket {
    /// A sender has waited for as long as the option says. If an association that lets it wait is to
    /// end, that of a one-to-many socket is aborted here; true if the socket is to be closed, whose
    /// association is aborted by that.
    pub(crate) fn give_up_on(&self, assoc: AssocId) -> Result<bool, Error> {
        let kernel = self.kernel()?;
        if !self.patience.closes() {
            return Ok(false);
        }
        match self.style {
            Style::OneToMany => {
                // With one buffer for all associations it may be another one that has filled it.
                if kernel.awaits_peer(assoc) {
                    // It may have come to its end by itself.
                    let _ = kernel.abort(assoc);
                }
                Ok(false)
            }
            Style::OneToOne => {
                kernel.abort_at_close()?;
                Ok(true)
            }
        }
    }
}

/// Wakes those who wait to send to an association that is no more: there may never be room.
pub(crate) fn wake_orphans(open: &mut Open) {
    /// Beside so few who wait there may be very many associations.
    const FEW: usize = 4;
    match open.socket.style {
        Style::OneToOne if open.kernel().has_assoc(AssocId::FUTURE) => {}
        Style::OneToOne => open.state.waiters.writers.wake_all(|_| true),
        Style::OneToMany if open.state.waiters.writers.len() <= FEW => {
            let (waiters, kernel) = open.state.waiters_and_kernel();
            waiters.writers.wake_all(|assoc| !kernel.has_assoc(assoc));
        }
        Style::OneToMany => {
            // Without memory for the list they see for themselves.
            let mut known = open.kernel().assoc_ids().unwrap_or_default();
            known.sort_unstable();
            open.state.waiters.writers.wake_all(|assoc| known.binary_search(&assoc).is_err());
        }
    }
}

impl Socket {
    /// The same, on the I/O thread when it has time for it.
    pub(crate) fn look_after_writers(&self) {
        if let Ok(mut open) = self.lock() {
            wake_orphans(&mut open);
            settle(&mut open);
        }
    }
}

/// Charges the caller for sending, so that who sends in a loop leaves the scheduler to who receives:
/// for a call as much as a port is charged for (200 reductions of 4000), more for much.
fn charge(env: Env, messages: usize, len: usize) {
    let percent = i32::try_from(3 + 2 * messages + len / 8192).unwrap_or(100);
    rustler::schedule::consume_timeslice(env, percent.min(100));
}
