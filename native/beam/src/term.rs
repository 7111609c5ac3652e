//! Terms made with fewer copies than rustler's own ways take.
#![allow(unsafe_code)] // the VM's constructors

use std::ffi::c_uint;

use rustler::sys::{ErlNifCharEncoding, enif_make_string_len, enif_make_tuple_from_array};
use rustler::{Env, Term};

/// A tuple of many elements. rustler's own, from a slice, copies them to the heap first.
pub fn tuple<'a, const N: usize>(env: Env<'a>, elements: [Term<'a>; N]) -> Term<'a> {
    let raw = elements.map(|element| element.as_c_arg());
    let (pointer, arity) = (raw.as_ptr(), N as c_uint);
    // SAFETY: `pointer` is valid for reads of `arity` terms, which their lifetime says are of `env`.
    let term = unsafe { enif_make_tuple_from_array(env.as_c_arg(), pointer, arity) };
    // SAFETY: the term has just been made in `env`.
    unsafe { Term::new(env, term) }
}

/// Bytes as a list of integers. rustler's own makes and collects a term for each byte.
pub fn byte_list<'a>(env: Env<'a>, bytes: &[u8]) -> Term<'a> {
    let (pointer, latin1) = (bytes.as_ptr().cast(), ErlNifCharEncoding::ERL_NIF_LATIN1);
    // SAFETY: `pointer` is valid for reads of so many bytes, each of which is a character.
    let term = unsafe { enif_make_string_len(env.as_c_arg(), pointer, bytes.len(), latin1) };
    // SAFETY: the term has just been made in `env`.
    unsafe { Term::new(env, term) }
}
