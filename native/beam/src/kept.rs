//! Terms that outlive the call that brought them.
#![allow(unsafe_code)] // terms without the lifetime that rustler gives them

use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use rustler::sys::{ErlNifTerm, enif_is_identical, enif_make_copy};
use rustler::types::atom;
use rustler::{Encoder, Env, LocalPid, Term};

use crate::env::FreeEnv;

/// How many terms are kept.
static KEPT: AtomicUsize = AtomicUsize::new(0);

/// Environments that kept a term, and can keep another: to make one takes the VM as long as to send a
/// message.
static SPARE: Mutex<Vec<FreeEnv>> = Mutex::new(Vec::new());

/// How many are worth keeping.
const SPARES: usize = 64;

/// How many terms are kept.
pub fn count() -> usize {
    KEPT.load(Ordering::Relaxed)
}

/// A term, kept.
pub struct Kept {
    env: ManuallyDrop<FreeEnv>,
    /// None when it has been sent, which clears the environment.
    term: Option<ErlNifTerm>,
}

impl Kept {
    /// Keeps a term.
    ///
    /// # Panics
    /// Without memory, where the VM ends as well.
    pub fn new(term: impl Encoder) -> Kept {
        let spare = SPARE.lock().pop();
        let env = spare.or_else(FreeEnv::new).expect("the VM ends where there is no memory");
        KEPT.fetch_add(1, Ordering::Relaxed);
        let term = env.run(|env| term.encode(env).as_c_arg());
        Kept { env: ManuallyDrop::new(env), term: Some(term) }
    }

    /// Whether it is the same as another one.
    pub fn is(&self, other: Term) -> bool {
        // SAFETY: both are terms of live environments.
        self.term.is_some_and(|term| unsafe { enif_is_identical(term, other.as_c_arg()) != 0 })
    }

    /// Sends what `build` makes of it, where it is. Returns false if the process no longer exists, or if
    /// this has been sent before. If `build` panics the term is still there.
    pub fn send<F>(&mut self, to: &LocalPid, build: F) -> bool
    where
        F: for<'a> FnOnce(Env<'a>, Term<'a>) -> Term<'a>,
    {
        let Some(term) = self.term else { return false };
        // SAFETY: the term was made in this environment, of which `own` is a view.
        let sent = self.env.send(to, |own| build(own, unsafe { Term::new(own, term) }));
        self.term = None;
        sent
    }
}

impl Encoder for Kept {
    /// A copy; `undefined` if it has been sent.
    fn encode<'a>(&self, env: Env<'a>) -> Term<'a> {
        let Some(term) = self.term else { return atom::undefined().to_term(env) };
        // SAFETY: a term of a live environment, from which nothing is taken.
        let term = unsafe { enif_make_copy(env.as_c_arg(), term) };
        // SAFETY: the term has just been made in `env`.
        unsafe { Term::new(env, term) }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        KEPT.fetch_sub(1, Ordering::Relaxed);
        // SAFETY: it is not used again.
        let mut env = unsafe { ManuallyDrop::take(&mut self.env) };
        if self.term.is_some() {
            env.clear();
        }
        let mut spares = SPARE.lock();
        if spares.len() < SPARES {
            spares.push(env);
        } else {
            drop(spares);
            env.free();
        }
    }
}
