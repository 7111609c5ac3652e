//! Numbers, lists and paths from Erlang terms.

use std::ffi::CString;

use rustler::{Atom, Env, Error, NifResult, Term};
use sctp::AssocId;

use crate::terms::atoms;

/// An integer in the range of `T`.
///
/// rustler's own decoders of 8- and 16-bit integers let larger ones wrap around.
pub(crate) fn uint<T: TryFrom<u32>>(term: Term) -> Option<T> {
    term.decode::<u32>().ok()?.try_into().ok()
}

/// The same where `undefined` is 0.
pub(crate) fn or_default<T: Default + TryFrom<u32>>(term: Term) -> Option<T> {
    if is_undefined(term) { Some(T::default()) } else { uint(term) }
}

/// A list that is refused.
pub(crate) enum BadList {
    /// For what is in it, or how much.
    Element,
    /// For what is in the place of its end.
    Improper,
}

impl BadList {
    /// What OTP answers, or raises.
    pub(crate) fn answer(self, env: Env) -> NifResult<Term> {
        match self {
            BadList::Element => Ok(env.error_tuple(atoms::einval())),
            BadList::Improper => Err(Error::RaiseAtom("function_clause")),
        }
    }
}

/// What the elements of a list stand for; there are at most `most`.
///
/// rustler's own iterator panics at the end of an improper list.
pub(crate) fn list<'a, T>(
    mut rest: Term<'a>,
    most: usize,
    mut element: impl FnMut(Term<'a>) -> Option<T>,
) -> Result<Vec<T>, BadList> {
    let mut elements = Vec::new();
    while !rest.is_empty_list() {
        let (head, tail) = rest.list_get_cell().map_err(|_| BadList::Improper)?;
        if elements.len() == most {
            return Err(BadList::Element);
        }
        elements.push(element(head).ok_or(BadList::Element)?);
        rest = tail;
    }
    Ok(elements)
}

/// Has a list more than `most` elements? Looks at no more of them: the VM's own count of a list takes
/// as long as that is.
pub(crate) fn is_longer(mut list: Term, most: usize) -> bool {
    (0..=most).all(|_| {
        list.list_get_cell().is_ok_and(|(_, tail)| {
            list = tail;
            true
        })
    })
}

/// A path as C reads it: up to the first NUL.
pub(crate) fn path(bytes: &[u8]) -> CString {
    let before = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    CString::new(before).unwrap_or_default()
}

/// An association id: any 32 bits without a sign.
pub(crate) fn assoc_id(term: Term) -> Option<AssocId> {
    uint(term).map(AssocId::from_u32)
}

/// The same as a record may have it: undefined, which is 0.
pub(crate) fn assoc_id_or_none(term: Term) -> Option<AssocId> {
    // Nearly always an id.
    assoc_id(term).or_else(|| is_undefined(term).then_some(AssocId::FUTURE))
}

pub(crate) fn is_undefined(term: Term) -> bool {
    term.decode::<Atom>().is_ok_and(|atom| atom == atoms::undefined())
}
