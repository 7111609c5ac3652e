//! Values between terms and bytes, as the core's table describes them.

use rustler::types::tuple::{get_tuple, make_tuple};
use rustler::{Atom, Binary, Encoder, Env, NewBinary, Term};
use sctp::bytes::{
    i32_at, put_i32, put_u8, put_u16, put_u32, put_u32_be, u8_at, u16_at, u32_at, u32_be_at,
};
use sctp::option::{
    DEVICE_NAME_MAX, DefaultValue, Field, GetRole, Kind, OptionSpec, Record, SetRole, Shape,
    assoc_value, linger,
};
use sctp::{Family, address};

use crate::terms::address::{ip_port, record_address};
use crate::terms::value::{self, is_undefined};

/// Flags in a list of them; there are fewer names.
const FLAGS: usize = 16;

/// Any integer, of which the kernel sees the low 32 bits.
pub(crate) fn int(term: Term) -> Option<i32> {
    let wide = term.decode::<i64>().map(i128::from).or_else(|_| term.decode::<i128>()).ok()?;
    #[expect(clippy::cast_possible_truncation, reason = "OTP takes the low 32 bits as well")]
    Some(wide as i32)
}

fn uint(term: Term) -> Option<i32> {
    let wide = term.decode::<u64>().map(i128::from).or_else(|_| term.decode::<i128>()).ok()?;
    #[expect(clippy::cast_possible_truncation, reason = "OTP takes the low 32 bits as well")]
    (wide >= 0).then_some(wide as i32)
}

/// A value as the kernel wants it; `None` if it is of the wrong type or range.
pub(crate) fn to_bytes(option: &OptionSpec, value: Term, family: Family) -> Option<Vec<u8>> {
    Some(match option.shape {
        Shape::Bool => i32::from(value.decode::<bool>().ok()?).to_ne_bytes().to_vec(),
        Shape::Int => int(value)?.to_ne_bytes().to_vec(),
        Shape::UInt => uint(value)?.to_ne_bytes().to_vec(),
        Shape::AssocUInt => {
            let mut bytes = vec![0; assoc_value::SIZE];
            put_i32(&mut bytes, assoc_value::VALUE, uint(value)?);
            bytes
        }
        Shape::Linger => {
            let (on, seconds) = value.decode::<(bool, Term)>().ok()?;
            let mut bytes = vec![0; linger::SIZE];
            put_i32(&mut bytes, linger::ONOFF, on.into());
            put_i32(&mut bytes, linger::SECONDS, int(seconds)?);
            bytes
        }
        Shape::DeviceName => {
            let name = value.decode::<Binary>().ok()?;
            if name.len() > DEVICE_NAME_MAX {
                return None;
            }
            let mut bytes = name.as_slice().to_vec();
            bytes.push(0);
            bytes
        }
        Shape::Record(record) => {
            let fields = record_fields(record, value)?;
            let mut bytes = vec![0; record.size];
            for (field, value) in record.fields.iter().zip(fields) {
                if field.set_role == SetRole::Settable {
                    put_field(&mut bytes, field, value, family)?;
                } else if !is_undefined(value) {
                    return None;
                }
            }
            bytes
        }
    })
}

/// The fields of a record's tuple, or all `undefined` if the record itself is. The tag may be
/// anything: OTP does not look at it.
fn record_fields<'a>(record: &Record, value: Term<'a>) -> Option<Vec<Term<'a>>> {
    if is_undefined(value) {
        return Some(vec![value; record.fields.len()]);
    }
    let fields = get_tuple(value).ok()?;
    (fields.len() == record.fields.len() + 1).then(|| fields[1..].to_vec())
}

fn put_field(bytes: &mut [u8], field: &Field, value: Term, family: Family) -> Option<()> {
    let at = field.offset;
    if is_undefined(value) {
        match (field.default, field.kind) {
            (DefaultValue::Mandatory, _) => return None,
            (DefaultValue::AnyAddress, _) => address::put_storage(bytes, at, &address::any(family)),
            (DefaultValue::True, _) => put_u8(bytes, at, 1),
            // The buffer is zero to begin with.
            (DefaultValue::Zero | DefaultValue::EmptyFlags, _) => {}
        }
        return Some(());
    }
    match field.kind {
        Kind::U16 => put_u16(bytes, at, value::uint(value)?),
        Kind::U32 | Kind::AssocId => put_u32(bytes, at, value::uint(value)?),
        Kind::Ppid | Kind::Be32 => put_u32_be(bytes, at, value::uint(value)?),
        Kind::Address => {
            address::put_storage(bytes, at, &record_address(value, family)?);
        }
        Kind::Flags { bits, width } => {
            let set = flag_bits(bits, value)?;
            match width {
                2 => put_u16(bytes, at, u16::try_from(set).ok()?),
                _ => put_u32(bytes, at, set),
            }
        }
        Kind::Bool8 => put_u8(bytes, at, value.decode::<bool>().ok()?.into()),
        Kind::Absent => {
            value.decode::<bool>().ok()?;
        }
        Kind::State(_) | Kind::Record(_) => return None,
    }
    Some(())
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
        Shape::Bool | Shape::Int | Shape::UInt => return Some(vec![0; 4]),
        Shape::AssocUInt => return Some(vec![0; assoc_value::SIZE]),
        Shape::Linger => return Some(vec![0; linger::SIZE]),
        Shape::DeviceName => return Some(vec![0; DEVICE_NAME_MAX + 1]),
    };
    let mut bytes = vec![0; record.size];
    let fields = match value {
        Some(value) => record_fields(record, value)?.into_iter().map(Some).collect(),
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
                DefaultValue::Zero | DefaultValue::EmptyFlags | DefaultValue::True => {}
            },
            (GetRole::MustBeUndefined, None) => {}
            (GetRole::MustBeUndefined, Some(_)) => return None,
        }
    }
    Some(bytes)
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
        Shape::UInt => u32_at(bytes, 0)?.encode(env),
        Shape::AssocUInt => u32_at(bytes, assoc_value::VALUE)?.encode(env),
        Shape::Linger => {
            (i32_at(bytes, linger::ONOFF)? != 0, i32_at(bytes, linger::SECONDS)?).encode(env)
        }
        Shape::DeviceName => {
            let name = bytes.get(..len)?.split(|byte| *byte == 0).next()?;
            Term::from(NewBinary::from_slice(env, name))
        }
        Shape::Record(record) => record_term(env, record, bytes)?,
    })
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
        Kind::U32 | Kind::AssocId => u32_at(bytes, at)?.encode(env),
        Kind::Ppid | Kind::Be32 => u32_be_at(bytes, at)?.encode(env),
        Kind::Address => {
            let (ip, port) = ip_port(env, address::get_storage(bytes, at));
            (ip, port).encode(env)
        }
        Kind::Flags { bits, width } => {
            let set = match width {
                2 => u16_at(bytes, at)?.into(),
                _ => u32_at(bytes, at)?,
            };
            let names = bits.iter().filter(|(_, bit)| set & bit != 0);
            names
                .map(|(name, _)| Atom::from_str(env, name).ok())
                .collect::<Option<Vec<_>>>()?
                .encode(env)
        }
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
