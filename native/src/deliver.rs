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
use std::ffi::c_uint;
use std::mem::MaybeUninit;
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{AtomicUsize, Ordering};

use rustler::env::{OwnedEnv, SavedTerm};
use rustler::sys::{
    ErlNifCharEncoding, ErlNifEnv, enif_alloc_env, enif_clear_env, enif_is_process_alive,
    enif_make_string_len, enif_make_tuple_from_array, enif_send, enif_whereis_pid,
};
use rustler::types::LocalPid;
use rustler::{Atom, Encoder, Env, Term};

use crate::atoms;

thread_local! {
    /// The thread's message environment. Never freed: there are as many as threads, and freeing
    /// one while the VM halts is not worth the risk.
    static MESSAGE_ENV: Cell<Option<NonNull<ErlNifEnv>>> = const { Cell::new(None) };
}

/// Sends the term that `build` makes to `to`. Returns false if the process no longer exists.
pub(crate) fn send<F>(to: &LocalPid, build: F) -> bool
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

/// A tuple of many elements. rustler's own, from a slice, copies them to the heap first.
pub(crate) fn tuple<'a, const N: usize>(env: Env<'a>, elements: [Term<'a>; N]) -> Term<'a> {
    let raw = elements.map(|element| element.as_c_arg());
    let (pointer, arity) = (raw.as_ptr(), N as c_uint);
    // SAFETY: `pointer` is valid for reads of `arity` terms, which their lifetime says are of `env`.
    let term = unsafe { enif_make_tuple_from_array(env.as_c_arg(), pointer, arity) };
    // SAFETY: the term has just been made in `env`.
    unsafe { Term::new(env, term) }
}

/// Bytes as a list of integers. rustler's own makes and collects a term for each byte.
pub(crate) fn byte_list<'a>(env: Env<'a>, bytes: &[u8]) -> Term<'a> {
    let (pointer, latin1) = (bytes.as_ptr().cast(), ErlNifCharEncoding::ERL_NIF_LATIN1);
    // SAFETY: `pointer` is valid for reads of so many bytes, each of which is a character.
    let term = unsafe { enif_make_string_len(env.as_c_arg(), pointer, bytes.len(), latin1) };
    // SAFETY: the term has just been made in `env`.
    unsafe { Term::new(env, term) }
}

/// The local process with this name.
pub(crate) fn whereis(env: Env, name: Atom) -> Option<LocalPid> {
    let mut pid = MaybeUninit::uninit();
    // SAFETY: `env` is that of the running NIF; `pid` is valid for writes of a pid.
    let found = unsafe { enif_whereis_pid(env.as_c_arg(), name.as_c_arg(), pid.as_mut_ptr()) != 0 };
    // SAFETY: where there is a process the call has written its pid.
    found.then(|| LocalPid::from_c_arg(unsafe { pid.assume_init() }))
}

/// Is the process alive? As in [`send`] nobody asks: a dying process would hear that all are dead.
pub(crate) fn is_alive(pid: &LocalPid) -> bool {
    // SAFETY: as in `send`.
    unsafe { enif_is_process_alive(null_mut(), pid.as_c_arg()) != 0 }
}

/// A term kept beyond the call that brought it.
pub(crate) struct Kept {
    env: OwnedEnv,
    term: SavedTerm,
}

/// How many there are.
static KEPT: AtomicUsize = AtomicUsize::new(0);

pub(crate) fn kept() -> usize {
    KEPT.load(Ordering::Relaxed)
}

impl Kept {
    pub(crate) fn new(term: impl Encoder) -> Kept {
        KEPT.fetch_add(1, Ordering::Relaxed);
        let env = OwnedEnv::new();
        let term = env.save(term);
        Kept { env, term }
    }

    pub(crate) fn is(&self, other: Term) -> bool {
        self.env.run(|env| self.term.load(env) == other)
    }

    pub(crate) fn encode<'a>(&self, env: Env<'a>) -> Term<'a> {
        self.env.run(|own| self.term.load(own).in_env(env))
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        KEPT.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A process that waits for one message about something.
pub(crate) struct Waiter {
    pub(crate) pid: LocalPid,
    pub(crate) reference: Kept,
}

impl Waiter {
    pub(crate) fn new(pid: LocalPid, reference: Term) -> Waiter {
        Waiter { pid, reference: Kept::new(reference) }
    }

    pub(crate) fn is(&self, reference: Term) -> bool {
        self.reference.is(reference)
    }

    /// Sends `{'$gen_sctp_nif', Ref, Msg}`; false if the process is gone.
    pub(crate) fn wake<F>(&self, msg: F) -> bool
    where
        F: for<'a> FnOnce(Env<'a>) -> Term<'a>,
    {
        send(&self.pid, |env| {
            (atoms::dollar_nif(), self.reference.encode(env), msg(env)).encode(env)
        })
    }

    /// Tells the process to try again.
    pub(crate) fn wake_ready(&self) -> bool {
        self.wake(|env| atoms::ready().to_term(env))
    }
}
