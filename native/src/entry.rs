//! The NIFs that are called for each message, and how the VM enters them.
//!
//! rustler's own way in allocates a list of the arguments.
#![allow(unsafe_code)] // the VM's calling convention

use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rustler::sys::{ErlNifEnv, ErlNifTerm, enif_make_badarg, enif_raise_exception};
use rustler::{Env, NifResult, Term};

use crate::{atoms, nif};

macro_rules! nif {
    ($name:literal, $arity:literal, $function:path) => {
        rustler::codegen_runtime::inventory::submit!(rustler::Nif {
            name: concat!($name, "\0").as_ptr().cast(),
            arity: $arity,
            flags: 0,
            raw_func: {
                unsafe extern "C" fn entry(
                    env: *mut ErlNifEnv,
                    _arity: c_int,
                    args: *const ErlNifTerm,
                ) -> ErlNifTerm {
                    // SAFETY: the VM calls this with the caller's environment and as many terms of
                    // it as the arity says.
                    unsafe { enter::<$arity>(env, args, $function) }
                }
                entry
            },
        });
    };
}

nif!("send", 3, nif::send_info);
nif!("send", 4, nif::send_stream);
nif!("set_active", 2, nif::set_active);

/// Calls a NIF; what goes wrong becomes the exceptions that rustler makes.
///
/// # Safety
/// `env` must be the environment of the calling process, `args` valid for reads of `N` terms of it.
unsafe fn enter<const N: usize>(
    env: *mut ErlNifEnv,
    args: *const ErlNifTerm,
    function: for<'a> fn(Env<'a>, [Term<'a>; N]) -> NifResult<Term<'a>>,
) -> ErlNifTerm {
    // SAFETY: valid for reads, as the caller says.
    let args = unsafe { args.cast::<[ErlNifTerm; N]>().read() };
    // SAFETY: `env` is good until the NIF returns, and what is made of it stays in this function.
    let caller = unsafe { Env::new(&env, env) };
    // SAFETY: the terms are of that environment.
    let args = args.map(|term| unsafe { Term::new(caller, term) });
    // A NIF that panics has changed the state of a socket in whole steps, under its lock.
    let result = catch_unwind(AssertUnwindSafe(|| function(caller, args)));
    match result {
        Ok(Ok(term)) => term.as_c_arg(),
        // SAFETY: `env` as above.
        Ok(Err(_)) => unsafe { enif_make_badarg(env) },
        // SAFETY: `env` as above, and an atom is a term of any.
        Err(_) => unsafe { enif_raise_exception(env, atoms::nif_panicked().as_c_arg()) },
    }
}
