//! Whose a socket is, and who becomes its owner.

use std::mem::replace;

use beam::message;
use rustler::{LocalPid, Monitor};

/// The owner, and the way to another one.
pub(crate) struct Ownership {
    owner: LocalPid,
    monitor: Option<Monitor>,
    handover: Option<Box<Handover>>,
}

/// A socket on its way to another owner. It delivers nothing: what it has delivered so far is to be
/// the first that the new owner gets.
struct Handover {
    to: LocalPid,
    /// Counts that came to their end meanwhile, which is to be announced.
    ended: usize,
}

/// A handover that is over.
pub(crate) struct Adopted {
    /// Of the owner of before, no longer needed.
    pub(crate) monitor: Option<Monitor>,
    /// Ends of counts that are to be announced to the new owner.
    pub(crate) ended: usize,
}

impl Ownership {
    pub(crate) fn new(owner: LocalPid) -> Ownership {
        Ownership { owner, monitor: None, handover: None }
    }

    pub(crate) fn owner(&self) -> LocalPid {
        self.owner
    }

    pub(crate) fn is_owner_alive(&self) -> bool {
        message::is_alive(&self.owner)
    }

    /// The VM tells of the owner's end by this monitor. None if that has come already.
    pub(crate) fn watch(&mut self, monitor: Option<Monitor>) {
        self.monitor = monitor;
    }

    pub(crate) fn is_watched(&self) -> bool {
        self.monitor.is_some()
    }

    pub(crate) fn take_monitor(&mut self) -> Option<Monitor> {
        self.monitor.take()
    }

    /// Has this monitor told of the owner's end? Not if the socket was given away just now.
    pub(crate) fn is_over(&mut self, monitor: &Monitor) -> bool {
        self.monitor.take_if(|owner| owner == monitor).is_some()
    }

    /// Does another process become the owner?
    pub(crate) fn is_in_handover(&self) -> bool {
        self.handover.is_some()
    }

    /// Begins to give the socket to `to`. An earlier handover that was not completed has its end here.
    pub(crate) fn begin(&mut self, to: LocalPid) {
        let ended = self.handover.as_ref().map_or(0, |earlier| earlier.ended);
        self.handover = Some(Box::new(Handover { to, ended }));
    }

    /// Notes that a count has come to its end; false if that can be announced at once.
    pub(crate) fn defer_end(&mut self) -> bool {
        let Some(handover) = &mut self.handover else { return false };
        handover.ended += 1;
        true
    }

    /// Completes the handover to `to`, whom `monitor` watches. `Err` gives that back: there is no such
    /// handover, or the process has died. With the owner itself as `to` this takes the handover back.
    pub(crate) fn complete(
        &mut self,
        to: LocalPid,
        monitor: Option<Monitor>,
    ) -> Result<Adopted, Option<Monitor>> {
        // Its end may have been told before its monitor had a place. Whoever dies from here on is told
        // to `Ownership::is_over`, which finds it.
        let owner = self.owner;
        let handover = self
            .handover
            .take_if(|handover| (handover.to == to || owner == to) && message::is_alive(&to));
        let Some(handover) = handover else { return Err(monitor) };
        self.owner = to;
        Ok(Adopted { monitor: replace(&mut self.monitor, monitor), ended: handover.ended })
    }
}
