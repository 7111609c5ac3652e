//! Values between terms and bytes, as the core's table describes them.

use std::io;

use rustler::types::tuple::{get_tuple, make_tuple};
use rustler::{Atom, Binary, Encoder, Env, NewBinary, Term};
use sctp::abi::{assoc, spp_flags};
use sctp::bytes::{
    i32_at, put_i32, put_u8, put_u16, put_u16_be, put_u32, put_u32_be, u8_at, u16_at, u16_be_at,
    u32_at, u32_be_at, u64_at,
};
use sctp::option::{
    CHUNKS, DEVICE_NAME_MAX, DefaultValue, Field, GetRole, Kind, List, OptionSpec, Record, SetRole,
    Shape, assoc_value, linger, number, put_number,
};
use sctp::{Erased, Family, address};

use crate::terms::address::{ip_port, record_address};
use crate::terms::atoms;
use crate::terms::error::Error;
use crate::terms::value::{self, is_undefined};

/// The upper bits of a byte of the IP header; the lower ones are those of ECN (RFC 2474, 3168).
const DSCP_SHIFT: u32 = 2;
const DSCP_MAX: u8 = 63;

/// 20 bits of the IP header (RFC 6437).
const FLOW_LABEL_MAX: u32 = 0xf_ffff;

/// Flags in a list of them; there are fewer names.
const FLAGS: usize = 16;

/// Streams in a list of them: more than a packet has room for, and no more work than a scheduler has
/// time for.
const STREAMS: usize = 1024;

/// Any integer, of which the kernel sees the low 32 bits.
pub(crate) fn int(term: Term) -> Option<i32> {
    let wide = term.decode::<i64>().map(i128::from).or_else(|_| term.decode::<i128>()).ok()?;
    #[expect(clippy::cast_possible_truncation, reason = "OTP takes the low 32 bits as well")]
    Some(wide as i32)
}

pub(crate) fn uint(term: Term) -> Option<i32> {
    let wide = term.decode::<u64>().map(i128::from).or_else(|_| term.decode::<i128>()).ok()?;
    #[expect(clippy::cast_possible_truncation, reason = "OTP takes the low 32 bits as well")]
    (wide >= 0).then_some(wide as i32)
}

/// A value as the kernel wants it.
pub(crate) struct Value {
    bytes: Erased,
    /// Fields that keep what they are, where the kernel takes nothing for that.
    kept: Vec<&'static Field>,
    /// Are there others like them that do not?
    changes: bool,
}

impl Value {
    /// Its bytes, before those that are kept.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes, with what `present` says of fields that keep it. `EINVAL` if all do.
    pub(crate) fn complete(
        self,
        present: impl FnOnce(&mut [u8]) -> io::Result<usize>,
    ) -> Result<Erased, Error> {
        let Value { mut bytes, kept, changes } = self;
        if kept.is_empty() {
            return Ok(bytes);
        }
        if !changes {
            return Err(Error::INVALID);
        }
        let mut now = bytes.to_vec();
        present(&mut now)?;
        for field in kept {
            let place = field.offset..field.offset + field.kind.width();
            bytes[place.clone()].copy_from_slice(&now[place]);
        }
        Ok(bytes)
    }
}

/// A value; `None` if it is of the wrong type or range.
pub(crate) fn to_value(option: &OptionSpec, value: Term, family: Family) -> Option<Value> {
    let (mut kept, mut changes) = (Vec::new(), false);
    let bytes: Erased = match option.shape {
        Shape::Bool => i32::from(value.decode::<bool>().ok()?).to_ne_bytes().to_vec().into(),
        Shape::Int => int(value)?.to_ne_bytes().to_vec().into(),
        Shape::UInt => uint(value)?.to_ne_bytes().to_vec().into(),
        Shape::AssocId => value::uint::<u32>(value)?.to_ne_bytes().to_vec().into(),
        Shape::AssocUInt => {
            let mut bytes = Erased::zeroed(assoc_value::SIZE);
            put_i32(&mut bytes, assoc_value::VALUE, uint(value)?);
            bytes
        }
        Shape::Linger => {
            let (on, seconds) = value.decode::<(bool, Term)>().ok()?;
            let mut bytes = Erased::zeroed(linger::SIZE);
            put_i32(&mut bytes, linger::ONOFF, on.into());
            put_i32(&mut bytes, linger::SECONDS, int(seconds)?);
            bytes
        }
        Shape::Chunk => {
            let mut bytes = Erased::zeroed(1);
            put_number(&mut bytes, 0, 1, named(CHUNKS, value)?)?;
            bytes
        }
        Shape::DeviceName => {
            let name = value.decode::<Binary>().ok()?;
            if name.len() > DEVICE_NAME_MAX {
                return None;
            }
            let mut bytes = name.as_slice().to_vec();
            bytes.push(0);
            bytes.into()
        }
        Shape::Record(record) => {
            let fields = record_fields(record, value, option.added)?;
            let mut bytes = Erased::zeroed(record.size);
            for (field, value) in record.fields.iter().zip(fields) {
                let keeps = field.default == DefaultValue::Present;
                if keeps && is_undefined(value) {
                    kept.push(field);
                } else if field.set_role == SetRole::Settable {
                    changes |= keeps;
                    put_field(&mut bytes, field, value, family)?;
                } else if !is_undefined(value) {
                    return None;
                }
            }
            bytes
        }
    };
    Some(Value { bytes, kept, changes })
}

/// The fields of a record's tuple, or all `undefined` if the record itself is. The tag may be
/// anything where OTP does not look at it.
fn record_fields<'a>(record: &Record, value: Term<'a>, tagged: bool) -> Option<Vec<Term<'a>>> {
    if is_undefined(value) {
        return Some(vec![value; record.fields.len()]);
    }
    let elements = get_tuple(value).ok()?;
    let (tag, fields) = elements.split_first()?;
    let right = !tagged || is_named(value.get_env(), tag.decode().ok()?, record.tag);
    (right && fields.len() == record.fields.len()).then(|| fields.to_vec())
}

fn put_field(bytes: &mut Erased, field: &Field, value: Term, family: Family) -> Option<()> {
    let at = field.offset;
    if is_undefined(value) {
        match (field.default, field.kind) {
            (DefaultValue::Mandatory, _) => return None,
            (DefaultValue::AnyAddress, _) => address::put_storage(bytes, at, &address::any(family)),
            (DefaultValue::True, _) => put_u8(bytes, at, 1),
            // The buffer is zero to begin with.
            (DefaultValue::Zero | DefaultValue::EmptyFlags | DefaultValue::Present, _) => {}
        }
        return Some(());
    }
    match field.kind {
        Kind::U16 => put_u16(bytes, at, value::uint(value)?),
        Kind::U32 | Kind::AssocId => put_u32(bytes, at, value::uint(value)?),
        Kind::Ppid | Kind::Be32 => put_u32_be(bytes, at, value::uint(value)?),
        Kind::AssocIds => put_u32(bytes, at, assoc_ids(value)?),
        Kind::Address | Kind::PathAddress => {
            address::put_storage(bytes, at, &record_address(value, family)?);
        }
        Kind::Dscp { flags } => {
            let point = value::uint::<u8>(value).filter(|point| *point <= DSCP_MAX)?;
            put_u8(bytes, at, point << DSCP_SHIFT);
            put_u32(bytes, flags, spp_flags::DSCP);
        }
        Kind::FlowLabel { flags } => {
            let label = value::uint::<u32>(value).filter(|label| *label <= FLOW_LABEL_MAX)?;
            put_u32(bytes, at, label);
            put_u32(bytes, flags, spp_flags::IPV6_FLOWLABEL);
        }
        Kind::Be16 => put_u16_be(bytes, at, value::uint(value)?),
        Kind::Enum { names, width } => {
            let (env, name) = (value.get_env(), value.decode::<Atom>().ok()?);
            let (number, _) = names.iter().find(|(_, known)| is_named(env, name, known))?;
            put_number(bytes, at, width, *number)?;
        }
        Kind::Flags { bits, width } => {
            put_number(bytes, at, width, flag_bits(bits, value)?)?;
        }
        Kind::Streams => put_streams(bytes, at, value)?,
        Kind::Bool8 => put_u8(bytes, at, value.decode::<bool>().ok()?.into()),
        Kind::Absent => {
            value.decode::<bool>().ok()?;
        }
        Kind::List(list) => {
            let numbers = value::list(value, list.most, |number| named(list.names, number)).ok()?;
            let length = list.put(bytes, at, &numbers)?;
            bytes.truncate(length);
        }
        Kind::Secret { length } => {
            let secret = value.decode::<Binary>().ok().filter(|secret| !secret.is_empty())?;
            put_u16(bytes, length, u16::try_from(secret.len()).ok()?);
            bytes.append(&secret);
        }
        Kind::State(_) | Kind::Record(_) | Kind::U64 => return None,
    }
    Some(())
}

/// How many streams, and behind everything which. None at all are refused, as the kernel takes that
/// for all.
fn put_streams(bytes: &mut Erased, at: usize, value: Term) -> Option<()> {
    if value.decode::<Atom>().is_ok_and(|name| name == atoms::all()) {
        return Some(());
    }
    let streams = value::list(value, STREAMS, value::uint::<u16>).ok()?;
    if streams.is_empty() {
        return None;
    }
    put_u16(bytes, at, u16::try_from(streams.len()).ok()?);
    bytes.append(&streams.into_iter().flat_map(u16::to_ne_bytes).collect::<Vec<u8>>());
    Some(())
}

/// A number, or an atom that stands for one.
fn named(names: &[(u32, &str)], term: Term) -> Option<u32> {
    let Ok(name) = term.decode::<Atom>() else { return value::uint(term) };
    let env = term.get_env();
    names.iter().find(|(_, known)| is_named(env, name, known)).map(|(number, _)| *number)
}

/// The atom that stands for a number, if there is one.
fn name_or_number<'a>(env: Env<'a>, names: &[(u32, &str)], number: u32) -> Option<Term<'a>> {
    Some(match names.iter().find(|(known, _)| *known == number) {
        Some((_, name)) => Atom::from_str(env, name).ok()?.encode(env),
        None => number.encode(env),
    })
}

/// An association id, or the atom for several.
fn assoc_ids(term: Term) -> Option<u32> {
    match term.decode::<Atom>() {
        Ok(name) if name == atoms::future() => Some(assoc::FUTURE),
        Ok(name) if name == atoms::current() => Some(assoc::CURRENT),
        Ok(name) if name == atoms::all() => Some(assoc::ALL),
        Ok(_) => None,
        Err(_) => value::uint(term),
    }
}

fn flag_bits(bits: &[(&str, u32)], list: Term) -> Option<u32> {
    let env = list.get_env();
    let set = value::list(list, FLAGS, |flag| {
        let flag = flag.decode::<Atom>().ok()?;
        bits.iter().find(|(name, _)| is_named(env, flag, name)).map(|(_, bit)| *bit)
    });
    Some(set.ok()?.into_iter().fold(0, |set, bit| set | bit))
}

fn is_named(env: Env, atom: Atom, name: &str) -> bool {
    Atom::from_str(env, name).is_ok_and(|named| named == atom)
}

/// The buffer for an option's value, with what the request says in it.
pub(crate) fn request(option: &OptionSpec, value: Option<Term>, family: Family) -> Option<Vec<u8>> {
    let record = match option.shape {
        Shape::Record(record) => record,
        // Only a record says more than the name.
        _ if value.is_some() => return None,
        Shape::Bool | Shape::Int | Shape::UInt | Shape::AssocId => return Some(vec![0; 4]),
        Shape::AssocUInt => return Some(vec![0; assoc_value::SIZE]),
        Shape::Linger => return Some(vec![0; linger::SIZE]),
        Shape::Chunk => return Some(vec![0]),
        Shape::DeviceName => return Some(vec![0; DEVICE_NAME_MAX + 1]),
    };
    let mut bytes = Erased::zeroed(record.size);
    let fields = match value {
        Some(value) => record_fields(record, value, option.added)?.into_iter().map(Some).collect(),
        None => vec![None; record.fields.len()],
    };
    for (field, value) in record.fields.iter().zip(fields) {
        let value = value.filter(|value| !is_undefined(*value));
        match (field.get_role, value) {
            (GetRole::Key, Some(value)) => put_field(&mut bytes, field, value, family)?,
            (GetRole::Key, None) => match field.default {
                DefaultValue::Mandatory => return None,
                DefaultValue::AnyAddress => {
                    address::put_storage(&mut bytes, field.offset, &address::any(family));
                }
                DefaultValue::Zero
                | DefaultValue::EmptyFlags
                | DefaultValue::True
                | DefaultValue::Present => {}
            },
            (GetRole::MustBeUndefined, None) => {}
            (GetRole::MustBeUndefined, Some(_)) => return None,
        }
    }
    Some(bytes.to_vec())
}

pub(crate) fn to_term<'a>(
    env: Env<'a>,
    option: &OptionSpec,
    bytes: &[u8],
    len: usize,
) -> Option<Term<'a>> {
    Some(match option.shape {
        Shape::Bool => (i32_at(bytes, 0)? != 0).encode(env),
        Shape::Int => i32_at(bytes, 0)?.encode(env),
        Shape::UInt | Shape::AssocId => u32_at(bytes, 0)?.encode(env),
        Shape::AssocUInt => u32_at(bytes, assoc_value::VALUE)?.encode(env),
        Shape::Linger => {
            (i32_at(bytes, linger::ONOFF)? != 0, i32_at(bytes, linger::SECONDS)?).encode(env)
        }
        Shape::DeviceName => {
            let name = bytes.get(..len)?.split(|byte| *byte == 0).next()?;
            Term::from(NewBinary::from_slice(env, name))
        }
        Shape::Record(record) => record_term(env, record, bytes)?,
        Shape::Chunk => name_or_number(env, CHUNKS, number(bytes, 0, 1)?)?,
    })
}

fn list_term<'a>(env: Env<'a>, list: &List, bytes: &[u8], at: usize) -> Option<Term<'a>> {
    let numbers = list.get(bytes, at)?.into_iter();
    let terms = numbers.map(|number| name_or_number(env, list.names, number));
    Some(terms.collect::<Option<Vec<_>>>()?.encode(env))
}

fn record_term<'a>(env: Env<'a>, record: &Record, bytes: &[u8]) -> Option<Term<'a>> {
    let mut elements = Vec::with_capacity(record.fields.len() + 1);
    elements.push(Atom::from_str(env, record.tag).ok()?.to_term(env));
    for field in record.fields {
        elements.push(field_term(env, field, bytes)?);
    }
    Some(make_tuple(env, &elements))
}

fn field_term<'a>(env: Env<'a>, field: &Field, bytes: &[u8]) -> Option<Term<'a>> {
    let at = field.offset;
    Some(match field.kind {
        Kind::U16 => u16_at(bytes, at)?.encode(env),
        Kind::U32 | Kind::AssocId | Kind::AssocIds => u32_at(bytes, at)?.encode(env),
        Kind::U64 => u64_at(bytes, at)?.encode(env),
        Kind::Ppid | Kind::Be32 => u32_be_at(bytes, at)?.encode(env),
        Kind::Address => {
            let (ip, port) = ip_port(env, address::get_storage(bytes, at));
            (ip, port).encode(env)
        }
        Kind::PathAddress => match address::get_storage(bytes, at) {
            Some(addr) if !addr.ip().is_unspecified() => {
                let (ip, port) = ip_port(env, Some(addr));
                (ip, port).encode(env)
            }
            _ => atoms::undefined().encode(env),
        },
        Kind::Dscp { flags } => match u32_at(bytes, flags)? & spp_flags::DSCP {
            0 => atoms::undefined().encode(env),
            _ => (u8_at(bytes, at)? >> DSCP_SHIFT).encode(env),
        },
        Kind::Enum { names, width } => name_or_number(env, names, number(bytes, at, width)?)?,
        Kind::List(list) => list_term(env, list, bytes, at)?,
        Kind::Secret { .. } => return None,
        Kind::FlowLabel { flags } => match u32_at(bytes, flags)? & spp_flags::IPV6_FLOWLABEL {
            0 => atoms::undefined().encode(env),
            _ => (u32_at(bytes, at)? & FLOW_LABEL_MAX).encode(env),
        },
        Kind::Be16 => u16_be_at(bytes, at)?.encode(env),
        Kind::Flags { bits, width } => {
            let set = number(bytes, at, width)?;
            let names = bits.iter().filter(|(_, bit)| set & bit != 0);
            names
                .map(|(name, _)| Atom::from_str(env, name).ok())
                .collect::<Option<Vec<_>>>()?
                .encode(env)
        }
        Kind::Streams => return None,
        Kind::Bool8 => (u8_at(bytes, at)? != 0).encode(env),
        Kind::Absent => false.encode(env),
        Kind::State(names) => {
            let raw = i32_at(bytes, at)?;
            let name =
                names.iter().find(|(value, _)| *value == raw).map_or("undefined", |(_, n)| n);
            Atom::from_str(env, name).ok()?.encode(env)
        }
        Kind::Record(record) => record_term(env, record, bytes.get(at..)?)?,
    })
}
