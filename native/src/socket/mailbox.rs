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

use beam::{log, message};
use flow::grant::Grant;
use parking_lot::Mutex;
use rustler::{Encoder, Env, LocalPid, Resource, ResourceArc};
use sctp::Token;

use crate::poller::poller;
use crate::terms::atoms;

/// What an owner is to get at most, and may get now.
pub(crate) struct Limit(Grant<Arc<Settled>>);

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

/// The process that questions go to, as last seen. Looking for it takes a lock that others hold
/// while they wait for the process that runs, so that one would have to be told who that is.
static PROCESS: Mutex<Option<LocalPid>> = Mutex::new(None);

/// Does that process run?
pub(crate) fn is_watched(env: Env) -> bool {
    let process = env.whereis_pid(atoms::gen_sctp_nif_limit());
    *PROCESS.lock() = process;
    process.is_some()
}

impl Limit {
    pub(crate) fn new(most: u32) -> Limit {
        Limit(Grant::new(most))
    }

    pub(crate) fn most(&self) -> u32 {
        self.0.most()
    }

    /// May the owner get a message?
    pub(crate) fn has_room(&self) -> bool {
        !self.0.is_spent()
    }

    /// Accounts for a message to the owner.
    pub(crate) fn spend(&mut self) {
        self.0.spend();
    }

    /// So much may be delivered; what was granted before is void.
    pub(crate) fn answer(&mut self, messages: u32) {
        if let Some(settled) = self.0.answer(messages) {
            settled.store(true, Ordering::Relaxed);
        }
    }

    /// Is it this question that an answer is awaited to? There is a new one about another bound or
    /// owner.
    pub(crate) fn awaits(&self, question: &Question) -> bool {
        self.0.asked().is_some_and(|asked| Arc::ptr_eq(asked, &question.settled))
    }

    /// Asks for the next grant, once, if the last one is spent.
    pub(crate) fn ask(&mut self, token: Token, socket: &impl Encoder, owner: LocalPid) {
        self.lift();
        let question = self.0.ask(|| {
            let settled = Arc::<Settled>::default();
            (settled.clone(), ResourceArc::new(Question { token, settled }))
        });
        let Some(question) = question else { return };
        // Without a process, or with one that dies, the question has its end here.
        let process = *PROCESS.lock();
        if let Some(process) = process {
            let most = self.most();
            message::send(&process, |env| (socket, owner, most, question).encode(env));
        }
    }

    /// If a question has ended without an answer, that is the answer. That happens at any time; so
    /// what it changes is seen only here, not in the middle of a pass.
    pub(crate) fn lift(&mut self) {
        if self.0.asked().is_some_and(|settled| settled.load(Ordering::Relaxed)) {
            self.0.lift();
            tell_of_death();
        }
    }
}

/// Tells the operator, once, if the process is dead.
fn tell_of_death() {
    let dead = PROCESS.lock().take_if(|process| !message::is_alive(process));
    if dead.is_some() {
        let text = "the process gen_sctp_nif_limit has died: no socket heeds its mailbox_limit until \
            one is set again";
        log::log(atoms::warning(), atoms::mailbox_limit(), text);
    }
}
