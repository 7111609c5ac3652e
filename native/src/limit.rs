//! A bound on what lies in the owner's mailbox: the option `mailbox_limit`.
//!
//! The VM tells nobody but Erlang code how long a mailbox is. So delivery is granted, some messages
//! at a time: when a grant is spent the process `gen_sctp_nif_limit` is asked, which looks at the
//! owner's mailbox and grants what is free of it, once something is.

use rustler::{Encoder, Env, LocalPid};

use crate::atoms;
use crate::deliver;
use crate::socket::{Closed, Inner, State};

/// What an owner is to get at most, and may get now.
#[derive(Debug)]
pub(crate) struct Limit {
    pub(crate) most: u32,
    granted: u32,
    asked: bool,
}

impl Limit {
    /// Nothing is granted yet. Who makes it has the process started, which then asks itself.
    pub(crate) fn new(most: u32) -> Limit {
        Limit { most, granted: 0, asked: true }
    }
}

impl State {
    /// Must the owner of an active socket read some of its messages first?
    pub(crate) fn is_limited(&self) -> bool {
        self.limit.as_ref().is_some_and(|limit| limit.granted == 0)
    }

    /// Accounts for a message to the owner.
    pub(crate) fn spend_grant(&mut self) {
        if let Some(limit) = &mut self.limit {
            limit.granted = limit.granted.saturating_sub(1);
        }
    }

    /// Asks for the next grant, once, if an active socket has spent the last one.
    pub(crate) fn ask_for_grant(&mut self, caller: Option<Env>) {
        let (Some(limit), Some(socket)) = (&mut self.limit, &self.anchor) else { return };
        if limit.granted > 0 || limit.asked {
            return;
        }
        let process = deliver::whereis(caller, atoms::gen_sctp_nif_limit());
        limit.asked = process.is_some_and(|process| {
            let question = (socket, self.owner, limit.most);
            deliver::send(caller, &process, |env| question.encode(env))
        });
        if !limit.asked {
            // Somebody has killed it. Better no bound than no messages.
            limit.granted = limit.most;
        }
    }

    /// So much may be delivered; what was granted before is void.
    pub(crate) fn grant(&mut self, messages: u32) {
        if let Some(limit) = &mut self.limit {
            *limit = Limit { most: limit.most, granted: messages.min(limit.most), asked: false };
        }
    }
}

impl Inner {
    /// Takes the answer to a question. Another owner than `owner` has a mailbox of its own, and has
    /// been asked about.
    pub(crate) fn grant(&self, env: Env, owner: LocalPid, messages: u32) -> Result<(), Closed> {
        let mut open = self.lock()?;
        if open.state.owner != owner {
            return Ok(());
        }
        open.state.grant(messages);
        let anchor = open.resume(Some(env));
        drop(open);
        drop(anchor);
        Ok(())
    }
}
