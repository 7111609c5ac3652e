//! The NIFs: decode, one call, encode. None blocks; what may take long runs on dirty schedulers.
//!
//! Their contract with `gen_sctp_nif_prim` is that module's documentation.

mod inspect;
mod life;
mod look;
mod options;
mod ownership;
mod traffic;

use rustler::{Encoder, Env, Term};

use crate::terms::atoms;
use crate::terms::error::Error;

/// `ok`, or `{error, Reason}`.
fn done(env: Env, result: Result<(), Error>) -> Term {
    match result {
        Ok(()) => atoms::ok().to_term(env),
        Err(error) => error.encode(env),
    }
}

/// `{ok, Value}`, or `{error, Reason}`.
fn value(env: Env, result: Result<impl Encoder, Error>) -> Term {
    match result {
        Ok(value) => (atoms::ok(), value).encode(env),
        Err(error) => error.encode(env),
    }
}

/// `{error, einval}`.
fn invalid(env: Env) -> Term {
    Error::INVALID.encode(env)
}
