//! Associations, paths and features as maps.

use std::net::SocketAddr;

use rustler::{Atom, Encoder, Env, Term};
use sctp::kernel::features;
use sctp::look::{AssocStats, COUNTERS, Path, Status};
use sctp::option::{ASSOC_STATES, PATH_STATES};

use crate::inspect::map;
use crate::terms::error::Error;
use crate::terms::{address, atoms};

/// A status, the primary path in it.
pub(crate) fn status<'a>(env: Env<'a>, status: &Status) -> Term<'a> {
    map(
        env,
        &[
            (atoms::assoc_id(), status.assoc.to_u32().encode(env)),
            (atoms::state(), state(env, ASSOC_STATES, status.state)),
            (atoms::rwnd(), status.rwnd.encode(env)),
            (atoms::unackdata(), status.unackdata.encode(env)),
            (atoms::penddata(), status.penddata.encode(env)),
            (atoms::instrms(), status.instrms.encode(env)),
            (atoms::outstrms(), status.outstrms.encode(env)),
            (atoms::fragmentation_point(), status.fragmentation_point.encode(env)),
            (atoms::primary(), path(env, &status.primary)),
        ],
    )
}

/// A path; without figures where the kernel gives none.
pub(crate) fn path<'a>(env: Env<'a>, path: &Path) -> Term<'a> {
    let mut pairs = vec![
        (atoms::address(), address_or_none(env, path.address)),
        (atoms::state(), state(env, PATH_STATES, path.state)),
        (atoms::primary(), path.primary.encode(env)),
    ];
    if let Some(figures) = path.figures {
        pairs.extend([
            (atoms::cwnd(), figures.cwnd.encode(env)),
            (atoms::srtt(), figures.srtt.encode(env)),
            (atoms::rto(), figures.rto.encode(env)),
            (atoms::mtu(), figures.mtu.encode(env)),
        ]);
    }
    map(env, &pairs)
}

/// The counters of an association.
pub(crate) fn assoc_stats<'a>(env: Env<'a>, stats: &AssocStats) -> Term<'a> {
    let mut pairs = vec![
        (atoms::max_rto(), stats.max_rto.encode(env)),
        (atoms::max_rto_address(), address_or_none(env, stats.max_rto_address)),
    ];
    for ((name, _), count) in COUNTERS.iter().zip(&stats.counters) {
        pairs.extend(named(env, name, count));
    }
    map(env, &pairs)
}

/// What kernel and network namespace allow.
pub(crate) fn features(env: Env) -> Result<Term, Error> {
    let found = features::features()?;
    let pairs: Vec<_> = found.iter().filter_map(|(name, has)| named(env, name, has)).collect();
    Ok(map(env, &pairs))
}

/// None if there is no room for one more atom.
fn named<'a>(env: Env<'a>, name: &str, value: &impl Encoder) -> Option<(Atom, Term<'a>)> {
    Some((Atom::from_str(env, name).ok()?, value.encode(env)))
}

/// The name of a state, or its number if it has none here.
fn state<'a>(env: Env<'a>, names: &[(i32, &str)], state: i32) -> Term<'a> {
    let name = names.iter().find(|(value, _)| *value == state);
    match name.and_then(|(_, name)| Atom::from_str(env, name).ok()) {
        Some(name) => name.to_term(env),
        None => state.encode(env),
    }
}

fn address_or_none<'a>(env: Env<'a>, address: Option<SocketAddr>) -> Term<'a> {
    match address {
        Some(address) => address::encode(env, address),
        None => atoms::undefined().to_term(env),
    }
}
