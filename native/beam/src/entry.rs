//! The NIFs that are called for each message, and how the VM enters them.
//!
//! rustler's own way in allocates a list of the arguments.
#![allow(unsafe_code)] // the VM's calling convention

use std::panic::{AssertUnwindSafe, catch_unwind};

use rustler::sys::{ErlNifEnv, ErlNifTerm, enif_make_badarg, enif_raise_exception};
use rustler::{Env, NifResult, Term};

rustler::atoms! { nif_panicked }

/// Makes `$function`, of an environment and an array of as many terms as the arity says, a NIF of the
/// library.
#[macro_export]
macro_rules! nif {
    ($name:literal, $arity:literal, $function:path) => {
        $crate::rustler::codegen_runtime::inventory::submit!($crate::rustler::Nif {
            name: concat!($name, "\0").as_ptr().cast(),
            arity: $arity,
            flags: 0,
            raw_func: {
                unsafe extern "C" fn entry(
                    env: *mut $crate::rustler::sys::ErlNifEnv,
                    _arity: std::ffi::c_int,
                    args: *const $crate::rustler::sys::ErlNifTerm,
                ) -> $crate::rustler::sys::ErlNifTerm {
                    // SAFETY: the VM calls this with the caller's environment and as many terms of
                    // it as the arity says.
                    unsafe { $crate::entry::enter::<$arity>(env, args, $function) }
                }
                entry
            },
        });
    };
}

/// Calls a NIF; what goes wrong becomes the exceptions that rustler makes.
///
/// # Safety
/// `env` must be the environment of the calling process, `args` valid for reads of `N` terms of it.
pub unsafe fn enter<const N: usize>(
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
        Err(_) => unsafe { enif_raise_exception(env, nif_panicked().as_c_arg()) },
    }
}
