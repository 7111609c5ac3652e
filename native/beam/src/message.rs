//! Messages to Erlang processes, from scheduler threads and from our own alike.
//!
//! rustler's `OwnedEnv::send_and_clear` refuses scheduler threads, and `Env::send` copies the
//! message; here the term is made in a message environment of the thread, which the VM takes over
//! without a copy.
//!
//! On scheduler threads, too, the VM is not told who calls: to it all messages of a socket are of
//! one sender, nobody. It keeps no order but that of one sender's messages: a busy mailbox that is
//! `off_heap` is filled in several places, chosen by the sender (since OTP 25). Nor does it drop
//! what a dying process sends on behalf of others, from a dirty scheduler, or mark it with that
//! process' `seq_trace` token.
#![allow(unsafe_code)] // whether a process is alive, without asking for one

use std::cell::Cell;
use std::ptr::null_mut;

use rustler::sys::enif_is_process_alive;
use rustler::{Env, LocalPid, Term};

use crate::env::FreeEnv;

thread_local! {
    /// The thread's message environment. Never freed: there are as many as threads, and freeing
    /// one while the VM halts is not worth the risk.
    static MESSAGE_ENV: Cell<Option<FreeEnv>> = const { Cell::new(None) };
}

/// Sends the term that `build` makes to `to`. Returns false if the process no longer exists.
pub fn send<F>(to: &LocalPid, build: F) -> bool
where
    F: for<'a> FnOnce(Env<'a>) -> Term<'a>,
{
    // Taken out while in use, so that a nested send cannot share it.
    let Some(mut env) = MESSAGE_ENV.take().or_else(FreeEnv::new) else { return false };
    let sent = env.send(to, build);
    MESSAGE_ENV.set(Some(env));
    sent
}

/// Is the process alive? As in [`send`] nobody asks: a dying process would hear that all are dead.
pub fn is_alive(pid: &LocalPid) -> bool {
    // SAFETY: allowed on any thread without an environment, and `pid` is valid for reads.
    unsafe { enif_is_process_alive(null_mut(), pid.as_c_arg()) != 0 }
}
