//! The modes `{active, _}`.

use flow::active::{Active, Request};
use rustler::{Encoder, Env, Term};

use crate::terms::atoms;

/// `{active, Value}` of an option list.
pub(crate) fn request(value: Term) -> Option<Request> {
    match value {
        once if atoms::once() == once => Some(Request::Once),
        yes if atoms::true_() == yes => Some(Request::Always),
        no if atoms::false_() == no => Some(Request::Passive),
        count => {
            let count = count.decode::<i64>().ok()?;
            (-32768..=32767).contains(&count).then_some(Request::Add(count))
        }
    }
}

pub(crate) fn term(env: Env, active: Active) -> Term {
    match active {
        Active::Passive => false.encode(env),
        Active::Always => true.encode(env),
        Active::Once => atoms::once().to_term(env),
        Active::Count(left) => left.encode(env),
    }
}
