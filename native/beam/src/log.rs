//! What an operator is to know: events for Erlang's `logger`, from any thread.
//!
//! They go to its proxy, as those of the VM itself, in the messages that the documentation of
//! `erlang:system_flag(system_logger, _)` has.

use parking_lot::Mutex;
use rustler::{Atom, Encoder, Env, LocalPid, Term};

use crate::message;

mod atoms {
    rustler::atoms! { application, event, gen_sctp_nif, log, logger_proxy }
}

/// The proxy, as last seen. Looking for it takes a lock that others hold while they wait for the process
/// that runs, and here nobody knows what locks a caller holds.
static PROXY: Mutex<Option<LocalPid>> = Mutex::new(None);

/// Looks for the proxy. Call this now and then, without a lock: it may be another one after an overload.
pub fn find(env: Env) {
    let found = env.whereis_pid(atoms::logger_proxy());
    *PROXY.lock() = found;
}

/// Logs a text at a level of `logger`, with the metadata `application` and `event`.
pub fn log(level: Atom, event: Atom, text: &str) {
    let proxy = *PROXY.lock();
    let Some(proxy) = proxy else { return };
    message::send(&proxy, |env| {
        let format = b"gen_sctp_nif: ~ts".as_slice();
        let metadata = [(atoms::application(), atoms::gen_sctp_nif()), (atoms::event(), event)];
        let metadata = Term::map_from_pairs(env, &metadata).unwrap_or_else(|_| Term::map_new(env));
        (atoms::log(), level, format, vec![text], metadata).encode(env)
    });
}
