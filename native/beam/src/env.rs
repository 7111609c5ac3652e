//! Environments that belong to no process: where messages are made, and terms are kept.
#![allow(unsafe_code)] // the VM's calls for environments

use std::ptr::{NonNull, null_mut};

use rustler::sys::{ErlNifEnv, enif_alloc_env, enif_clear_env, enif_free_env, enif_send};
use rustler::{Env, LocalPid, Term};

/// An environment of its own. Not freed by itself: some are kept for the next message.
pub(crate) struct FreeEnv(NonNull<ErlNifEnv>);

// SAFETY: such an environment may be used by any thread, by one at a time, and who has this is the
// one.
unsafe impl Send for FreeEnv {}
// SAFETY: a shared reference makes terms in it only with `run`, whose callers have it alone.
unsafe impl Sync for FreeEnv {}

impl FreeEnv {
    /// `None` when out of memory.
    pub(crate) fn new() -> Option<FreeEnv> {
        // SAFETY: allowed on any thread at any time.
        NonNull::new(unsafe { enif_alloc_env() }).map(FreeEnv)
    }

    /// A view of it, for as long as `f` runs.
    pub(crate) fn run<R>(&self, f: impl for<'a> FnOnce(Env<'a>) -> R) -> R {
        // SAFETY: the environment is live and nobody else uses it. Its terms cannot outlive `f`, which
        // takes any lifetime.
        f(unsafe { Env::new(&self.0, self.0.as_ptr()) })
    }

    /// Sends the term that `build` makes to `to`, and forgets all terms. Returns false if the process
    /// no longer exists.
    pub(crate) fn send<F>(&mut self, to: &LocalPid, build: F) -> bool
    where
        F: for<'a> FnOnce(Env<'a>) -> Term<'a>,
    {
        let message = self.run(|env| build(env).as_c_arg());
        // SAFETY: `message` was made in this environment. Without a caller the VM finds out what thread
        // this is, and takes no lock but the receiver's, of a kind that comes after all that a running
        // process may hold.
        let sent = unsafe { enif_send(null_mut(), to.as_c_arg(), self.0.as_ptr(), message) != 0 };
        self.clear();
        sent
    }

    /// Forgets all terms.
    pub(crate) fn clear(&mut self) {
        // SAFETY: the environment is live, and its terms are not used any more: what was made of them
        // cannot outlive the calls above, but for what a message was sent with.
        unsafe { enif_clear_env(self.0.as_ptr()) };
    }

    /// Gives the memory back.
    pub(crate) fn free(self) {
        // SAFETY: as above, and whoever has it gives it up here.
        unsafe { enif_free_env(self.0.as_ptr()) };
    }
}
