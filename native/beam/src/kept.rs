//! Terms that outlive the call that brought them.

use std::sync::atomic::{AtomicUsize, Ordering};

use rustler::env::{OwnedEnv, SavedTerm};
use rustler::{Encoder, Env, Term};

/// A term kept beyond the call that brought it.
pub struct Kept {
    env: OwnedEnv,
    term: SavedTerm,
}

static KEPT: AtomicUsize = AtomicUsize::new(0);

/// How many there are.
pub fn count() -> usize {
    KEPT.load(Ordering::Relaxed)
}

impl Kept {
    pub fn new(term: impl Encoder) -> Kept {
        KEPT.fetch_add(1, Ordering::Relaxed);
        let env = OwnedEnv::new();
        let term = env.save(term);
        Kept { env, term }
    }

    pub fn is(&self, other: Term) -> bool {
        self.env.run(|env| self.term.load(env) == other)
    }

    pub fn encode<'a>(&self, env: Env<'a>) -> Term<'a> {
        self.env.run(|own| self.term.load(own).in_env(env))
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        KEPT.fetch_sub(1, Ordering::Relaxed);
    }
}
