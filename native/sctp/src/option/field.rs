//! The three kinds of fields that records are made of.

use super::spec::{DefaultValue, Field, GetRole, Kind, SetRole};

/// Settable, and selects what is got.
pub(super) const fn key(
    name: &'static str,
    offset: usize,
    kind: Kind,
    default: DefaultValue,
) -> Field {
    let (get_role, set_role) = (GetRole::Key, SetRole::Settable);
    Field { name, offset, kind, default, get_role, set_role }
}

/// Settable and got.
pub(super) const fn value(
    name: &'static str,
    offset: usize,
    kind: Kind,
    default: DefaultValue,
) -> Field {
    let (get_role, set_role) = (GetRole::MustBeUndefined, SetRole::Settable);
    Field { name, offset, kind, default, get_role, set_role }
}

/// Only got.
pub(super) const fn output(name: &'static str, offset: usize, kind: Kind) -> Field {
    let (get_role, set_role) = (GetRole::MustBeUndefined, SetRole::MustBeUndefined);
    Field { name, offset, kind, default: DefaultValue::Zero, get_role, set_role }
}
