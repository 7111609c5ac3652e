//! A bound on what lies in the owner's mailbox: the option `mailbox_limit`.
//!
//! The VM tells nobody but Erlang code how long a mailbox is. So delivery is granted, some messages
//! at a time: when a grant is spent the process `gen_sctp_nif_limit` is asked, which looks at the
//! owner's mailbox and grants what is free of it, once something is.
//!
//! A question that nobody can answer any more, as its process was killed, is garbage; its end is
//! the answer then: better no bound than no messages.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use beam::message;
use flow::grant::Grant;
use parking_lot::Mutex;
use rustler::{Encoder, Env, LocalPid, Resource, ResourceArc};
use sctp::Token;

use crate::atoms;
use crate::poller::poller;
use crate::socket::{Closed, Inner, State};

/// What an owner is to get at most, and may get now.
pub(crate) type Limit = Grant<Arc<Settled>>;

/// Is a question answered, or can never be?
type Settled = AtomicBool;

/// A question, held by those who are to answer it.
pub(crate) struct Question {
    token: Token,
    settled: Arc<Settled>,
}

#[rustler::resource_impl]
impl Resource for Question {}

impl Drop for Question {
    /// Takes no lock of a socket: this may be called under one.
    fn drop(&mut self) {
        if !self.settled.swap(true, Ordering::Relaxed) {
            poller(self.token).revisit(self.token);
        }
    }
}

/// Has a question ended without an answer?
fn is_lifted(limit: &Limit) -> bool {
    limit.asked().is_some_and(|settled| settled.load(Ordering::Relaxed))
}

/// Then that is the answer.
fn lift(limit: &mut Limit) {
    if is_lifted(limit) {
        limit.lift();
    }
}

fn awaits(limit: &Limit, question: &Question) -> bool {
    limit.asked().is_some_and(|asked| Arc::ptr_eq(asked, &question.settled))
}

/// The process that questions go to, as last seen. Looking for it takes a lock that others hold
/// while they wait for the process that runs, so that one would have to be told who that is.
static PROCESS: Mutex<Option<LocalPid>> = Mutex::new(None);

/// Does that process run?
pub(crate) fn is_watched(env: Env) -> bool {
    let process = env.whereis_pid(atoms::gen_sctp_nif_limit());
    *PROCESS.lock() = process;
    process.is_some()
}

impl State {
    /// Must the owner of an active socket read some of its messages first?
    fn is_limited(&self) -> bool {
        self.limit.as_ref().is_some_and(|limit| limit.is_spent() && !is_lifted(limit))
    }

    /// Does the owner get messages now?
    pub(crate) fn delivers(&self) -> bool {
        self.is_active() && !self.is_limited()
    }

    /// Accounts for a message to the owner.
    pub(crate) fn spend_grant(&mut self) {
        if let Some(limit) = &mut self.limit {
            lift(limit);
            limit.spend();
        }
    }

    /// Asks for the next grant, once, if an active socket has spent the last one.
    pub(crate) fn ask_for_grant(&mut self, token: Token) {
        let active = self.is_active();
        let (true, Some(limit), Some(socket)) = (active, &mut self.limit, &self.anchor) else {
            return;
        };
        lift(limit);
        let question = limit.ask(|| {
            let settled = Arc::<Settled>::default();
            (settled.clone(), ResourceArc::new(Question { token, settled }))
        });
        let Some(question) = question else { return };
        // Without a process, or with one that dies, the question has its end here.
        let process = *PROCESS.lock();
        if let Some(process) = process {
            let asked = (socket, self.owner, limit.most(), question);
            message::send(&process, |env| asked.encode(env));
        }
    }

    /// So much may be delivered; what was granted before is void.
    pub(crate) fn grant(&mut self, messages: u32) {
        if let Some(settled) = self.limit.as_mut().and_then(|limit| limit.answer(messages)) {
            settled.store(true, Ordering::Relaxed);
        }
    }
}

impl Inner {
    /// Takes the answer to a question. Not if there is a new one, about another bound or owner.
    pub(crate) fn grant(&self, question: &Question, messages: u32) -> Result<(), Closed> {
        let mut open = self.lock()?;
        if !open.state.limit.as_ref().is_some_and(|limit| awaits(limit, question)) {
            return Ok(());
        }
        open.state.grant(messages);
        let anchor = open.resume();
        drop(open);
        drop(anchor);
        Ok(())
    }
}
