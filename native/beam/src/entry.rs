//! NIFs that are called for each message, and those that only at times need a dirty scheduler.
//!
//! rustler's own way in allocates a list of the arguments, and its NIFs always run on the same kind of
//! scheduler.
#![allow(unsafe_code)] // the VM's calling convention

use std::ffi::{CStr, c_int};

use rustler::codegen_runtime::NifReturnable;
use rustler::sys::{
    ERL_NIF_DIRTY_JOB_IO_BOUND, ErlNifEnv, ErlNifTerm, enif_make_badarg, enif_raise_exception,
    enif_schedule_nif,
};
use rustler::{Env, NifResult, Term};

use crate::panics;

rustler::atoms! { nif_panicked }

/// Where a NIF runs that may go on elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheduler {
    /// A normal one, which it must not keep for longer than a millisecond.
    Normal,
    /// A dirty one, which has time.
    Dirty,
}

/// A NIF's way in, as the VM calls it.
pub type Entry = unsafe extern "C" fn(*mut ErlNifEnv, c_int, *const ErlNifTerm) -> ErlNifTerm;

/// Makes `$function`, of an environment and an array of as many terms as the arity says, a NIF of the
/// library. `or dirty`: the function is told the [`Scheduler`] as well, and answers `None` on a normal
/// one to be called again on a dirty one.
#[macro_export]
macro_rules! nif {
    ($name:literal, $arity:literal, $function:path) => {
        $crate::nif!(@submit $name, $arity, $crate::nif!(@entry env, args =>
            $crate::entry::enter::<$arity>(env, args, |env, args| $function(env, args).map(Some))));
    };
    ($name:literal, $arity:literal, $function:path, or dirty) => {
        $crate::nif!(@submit $name, $arity, $crate::nif!(@entry env, args => {
            let name = const {
                match std::ffi::CStr::from_bytes_with_nul(concat!($name, "\0").as_bytes()) {
                    Ok(name) => name,
                    Err(_) => panic!("a name with a NUL"),
                }
            };
            let dirty: $crate::entry::Entry = $crate::nif!(@entry env, args =>
                $crate::entry::enter::<$arity>(env, args, |env, args| {
                    $function(env, args, $crate::entry::Scheduler::Dirty)
                }));
            $crate::entry::enter_or::<$arity>(env, args, (name, dirty), |env, args| {
                $function(env, args, $crate::entry::Scheduler::Normal)
            })
        }));
    };
    (@submit $name:literal, $arity:literal, $entry:expr) => {
        $crate::rustler::codegen_runtime::inventory::submit!($crate::rustler::Nif {
            name: concat!($name, "\0").as_ptr().cast(),
            arity: $arity,
            flags: 0,
            raw_func: $entry,
        });
    };
    (@entry $env:ident, $args:ident => $call:expr) => {{
        unsafe extern "C" fn entry(
            $env: *mut $crate::rustler::sys::ErlNifEnv,
            _arity: std::ffi::c_int,
            $args: *const $crate::rustler::sys::ErlNifTerm,
        ) -> $crate::rustler::sys::ErlNifTerm {
            // SAFETY: the VM calls this with the caller's environment and as many terms of it as the
            // arity says.
            unsafe { $call }
        }
        entry
    }};
}

/// Calls a NIF that answers; what goes wrong becomes the exceptions that rustler makes.
///
/// # Safety
/// `env` must be the environment of the calling process, `args` valid for reads of `N` terms of it.
#[inline(always)]
pub unsafe fn enter<const N: usize>(
    env: *mut ErlNifEnv,
    args: *const ErlNifTerm,
    function: impl for<'a> FnOnce(Env<'a>, [Term<'a>; N]) -> NifResult<Option<Term<'a>>>,
) -> ErlNifTerm {
    // SAFETY: as the caller says. An answer that is not there is as wrong as an argument.
    unsafe { call(env, args, function).unwrap_or_else(|| enif_make_badarg(env)) }
}

/// Calls a NIF; where it does not answer the other one is called, on a dirty scheduler.
///
/// # Safety
/// As [`enter`]; and `dirty` must be the way into a NIF of `N` arguments.
#[inline(always)]
pub unsafe fn enter_or<const N: usize>(
    env: *mut ErlNifEnv,
    args: *const ErlNifTerm,
    dirty: (&CStr, Entry),
    function: impl for<'a> FnOnce(Env<'a>, [Term<'a>; N]) -> NifResult<Option<Term<'a>>>,
) -> ErlNifTerm {
    // SAFETY: as the caller says.
    if let Some(answer) = unsafe { call(env, args, function) } {
        return answer;
    }
    let (name, entry) = dirty;
    let flags = ERL_NIF_DIRTY_JOB_IO_BOUND.cast_signed();
    #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "an arity")]
    let arity = N as c_int;
    // SAFETY: the VM copies name and arguments; what it gives is this NIF's answer.
    unsafe { enif_schedule_nif(env, name.as_ptr(), flags, entry, arity, args) }
}

/// # Safety
/// As [`enter`].
#[inline(always)]
unsafe fn call<const N: usize>(
    env: *mut ErlNifEnv,
    args: *const ErlNifTerm,
    function: impl for<'a> FnOnce(Env<'a>, [Term<'a>; N]) -> NifResult<Option<Term<'a>>>,
) -> Option<ErlNifTerm> {
    // SAFETY: valid for reads, as the caller says.
    let args = unsafe { args.cast::<[ErlNifTerm; N]>().read() };
    // SAFETY: `env` is good until the NIF returns, and what is made of it stays in this function.
    let caller = unsafe { Env::new(&env, env) };
    // SAFETY: the terms are of that environment.
    let args = args.map(|term| unsafe { Term::new(caller, term) });
    // A NIF that panics has changed the state of a socket in whole steps, under its lock.
    let result = panics::guarded(|| function(caller, args));
    Some(match result {
        Some(Ok(term)) => term?.as_c_arg(),
        // SAFETY: `caller` is the environment of the call, whose answer this is.
        Some(Err(error)) => unsafe { error.into_returned(caller).apply(caller) },
        // SAFETY: `env` as above, and an atom is a term of any.
        None => unsafe { enif_raise_exception(env, nif_panicked().as_c_arg()) },
    })
}
