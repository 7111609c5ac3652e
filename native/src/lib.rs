//! The NIF library behind the Erlang application `gen_sctp_nif`.
//!
//! [`nif`] is the border: it decodes, calls and encodes. Below it, a [`socket`] is a resource that
//! the calls of Erlang processes and the I/O thread ([`io_thread`]) share; `socket::route` is the one
//! place through which messages pass. [`options`] walks the option table of the `sctp` crate, which
//! knows the kernel; this crate knows Erlang.
//!
//! A panic never crosses the border: rustler turns it into the exception `nif_panicked`, and the
//! I/O thread closes the socket it was busy with.

#![forbid(unsafe_code)]
// The map above is for those who read this crate, not for those who use it.
#![allow(rustdoc::private_intra_doc_links)]

mod close_thread;
mod inspect;
mod io_thread;
mod look;
mod message;
mod nif;
mod options;
mod poller;
mod socket;
mod terms;

use rustler::{Env, Term};

/// `threads` is the number of I/O threads.
fn load(env: Env, threads: Term) -> bool {
    let Ok(threads @ 1..) = threads.decode::<usize>() else { return false };
    beam::panics::watch();
    beam::resource::register::<socket::state::Shared>(env)
        && options::setting::prepare(env)
        && close_thread::start().is_ok()
        && io_thread::start(threads).is_ok()
}

rustler::init!("gen_sctp_nif_prim", load = load);
