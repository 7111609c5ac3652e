//! Messages to Erlang processes, from scheduler threads and from our own alike.
//!
//! rustler's `OwnedEnv::send_and_clear` refuses scheduler threads, and `Env::send` copies the
//! message; both paths here build the term in a message environment of the thread, which the VM
//! takes over without a copy.
//!
//! On scheduler threads, too, the VM is not told who calls: to it all messages of a socket are of
//! one sender, nobody. It keeps no order but that of one sender's messages: a busy mailbox that is
//! `off_heap` is filled in several places, chosen by the sender (since OTP 25). Nor does it drop
//! what a dying process sends on behalf of others, from a dirty scheduler, or mark it with that
//! process' `seq_trace` token.
#![allow(unsafe_code)] // enif_send with a message environment: see above

use std::cell::Cell;
use std::ptr::{NonNull, null_mut};

use rustler::sys::{ErlNifEnv, enif_alloc_env, enif_clear_env, enif_is_process_alive, enif_send};
use rustler::{Env, LocalPid, Term};

thread_local! {
    /// The thread's message environment. Never freed: there are as many as threads, and freeing
    /// one while the VM halts is not worth the risk.
    static MESSAGE_ENV: Cell<Option<NonNull<ErlNifEnv>>> = const { Cell::new(None) };
}

/// Sends the term that `build` makes to `to`. Returns false if the process no longer exists.
pub fn send<F>(to: &LocalPid, build: F) -> bool
where
    F: for<'a> FnOnce(Env<'a>) -> Term<'a>,
{
    // Taken out while in use, so that a nested send cannot share it.
    let env = MESSAGE_ENV.take().or_else(|| {
        // SAFETY: allowed on any thread at any time; null only when out of memory.
        NonNull::new(unsafe { enif_alloc_env() })
    });
    let Some(raw) = env else { return false };
    let sent = {
        // SAFETY: `raw` is a live process-independent environment that nobody else uses, and the
        // terms made in it cannot outlive `build`, which takes any lifetime.
        let message_env = unsafe { Env::new(&raw, raw.as_ptr()) };
        let message = build(message_env).as_c_arg();
        // SAFETY: `message` was made in `raw`. Without a caller the VM finds out what thread this is,
        // and takes no lock but the receiver's, of a kind that comes after all that a running
        // process may hold.
        unsafe { enif_send(null_mut(), to.as_c_arg(), raw.as_ptr(), message) != 0 }
    };
    // SAFETY: `raw` is live; after enif_send its terms are invalid, and clearing makes it new.
    unsafe { enif_clear_env(raw.as_ptr()) };
    MESSAGE_ENV.set(Some(raw));
    sent
}

/// Is the process alive? As in [`send`] nobody asks: a dying process would hear that all are dead.
pub fn is_alive(pid: &LocalPid) -> bool {
    // SAFETY: as in `send`.
    unsafe { enif_is_process_alive(null_mut(), pid.as_c_arg()) != 0 }
}
