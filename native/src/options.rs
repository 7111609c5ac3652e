//! `inet:setopts/2` and `inet:getopts/2`: walks the core's table between terms and bytes.
//!
//! A list is checked as a whole before anything of it is applied, and applied from its end, as
//! OTP does. The few options that live above the kernel are here; all others are table entries.

use std::collections::HashMap;
use std::ffi::CString;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;

use flow::active::{Active, Request};
use rustler::types::tuple::{get_tuple, make_tuple};
use rustler::{Atom, Binary, Encoder, Env, NewBinary, NifResult, Term};
use sctp::abi::event_subscribe;
use sctp::bytes::{
    i32_at, put_i32, put_u8, put_u16, put_u32, put_u32_be, u8_at, u16_at, u32_at, u32_be_at,
};
use sctp::option::{
    Access, DEVICE_NAME_MAX, DefaultValue, Field, GetRole, Kind, OptionSpec, Record, SetRole,
    Shape, assoc_value, linger,
};
use sctp::types::Family;
use sctp::{address, option};

use crate::limit::{self, Limit};
use crate::socket::{Closed, Open, SocketRef};
use crate::{atoms, batch, decode, encode};

/// Entries taken in one call: more than anybody has a use for.
pub(crate) const MOST: usize = 512;

/// Entries that keep no scheduler for long, with a system call each; more are for dirty ones.
const FEW: usize = 16;

/// Flags in a list of them; there are fewer names.
const FLAGS: usize = 16;

/// The longest path of a network namespace (`PATH_MAX`).
const PATH: usize = 4096;

/// The kernel's options by their atoms.
static TABLE: OnceLock<HashMap<Atom, &'static OptionSpec>> = OnceLock::new();

/// Makes the atoms of the table, when the library is loaded.
pub(crate) fn prepare(env: Env) -> bool {
    let named = |option: &'static OptionSpec| {
        Atom::from_str(env, option.name).ok().map(|name| (name, option))
    };
    match option::OPTIONS.iter().map(named).collect::<Option<_>>() {
        Some(table) => TABLE.set(table).is_ok() || TABLE.get().is_some(),
        None => false,
    }
}

fn kernel_option(name: Atom) -> Option<&'static OptionSpec> {
    TABLE.get()?.get(&name).copied()
}

/// An option with its value, checked and ready to be applied.
enum Setting {
    Active(Request),
    MailboxLimit(Option<u32>),
    Batch(usize),
    List(bool),
    Buffer(usize),
    NonBlockSend(bool),
    Debug(bool),
    Netns(CString),
    /// Without a meaning here.
    Nothing,
    Kernel(&'static OptionSpec, Vec<u8>),
}

/// `setopts(Ref, [Option])`. Nothing is done where the answer is `many`, for more than a few options,
/// or `limited`, for a bound whose process does not run.
pub(crate) fn set<'a>(env: Env<'a>, socket: &SocketRef, list: Term<'a>) -> NifResult<Term<'a>> {
    if decode::is_longer(list, FEW) {
        return Ok(atoms::many().to_term(env));
    }
    set_many(env, socket, list)
}

/// The same for as many options as there may be.
pub(crate) fn set_many<'a>(
    env: Env<'a>,
    socket: &SocketRef,
    list: Term<'a>,
) -> NifResult<Term<'a>> {
    let family = socket.0.family;
    match decode::list(list, MOST, |term| setting(term, family)) {
        Ok(settings) if settings.iter().any(is_limit) && !limit::is_watched(env) => {
            Ok(atoms::limited().to_term(env))
        }
        Ok(settings) => Ok(set_all(env, socket, settings)),
        Err(bad) => bad.answer(env),
    }
}

fn is_limit(setting: &Setting) -> bool {
    matches!(setting, Setting::MailboxLimit(Some(_)))
}

/// `setopts(Ref, [{active, Mode}])`, what programs ask for with every message, and quicker.
pub(crate) fn set_active<'a>(env: Env<'a>, socket: &SocketRef, mode: Term<'a>) -> Term<'a> {
    let Some(request) = active_request(mode) else { return env.error_tuple(atoms::einval()) };
    let anchor;
    {
        let mut open = match socket.0.lock() {
            Ok(open) => open,
            Err(Closed) => return env.error_tuple(atoms::closed()),
        };
        let Ok(()) = open.set_active(socket, request) else {
            return env.error_tuple(atoms::einval());
        };
        anchor = open.resume();
    }
    // A loose one, and the lock is released.
    drop(anchor);
    atoms::ok().to_term(env)
}

fn set_all<'a>(env: Env<'a>, socket: &SocketRef, settings: Vec<Setting>) -> Term<'a> {
    let mut open = match socket.0.lock() {
        Ok(open) => open,
        Err(Closed) => return env.error_tuple(atoms::closed()),
    };
    let of_mode =
        |setting: &Setting| matches!(setting, Setting::Active(_) | Setting::MailboxLimit(_));
    let changes_mode = settings.iter().any(of_mode);
    let done = settings.into_iter().rev().all(|setting| apply(&mut open, socket, setting));
    // Messages come as the whole list says, and only the mode that remains counts.
    let anchor = changes_mode.then(|| open.resume());
    drop(open);
    // A loose one, and the lock is released.
    drop(anchor);
    match done {
        true => atoms::ok().to_term(env),
        false => env.error_tuple(atoms::einval()),
    }
}

/// Would [`set`] find name and type of an option right?
pub(crate) fn check(option: Term) -> bool {
    setting(option, Family::Inet6).is_some()
}

fn setting(term: Term, family: Family) -> Option<Setting> {
    if let Ok(name) = term.decode::<Atom>() {
        return match name {
            list if list == atoms::list() => Some(Setting::List(true)),
            binary if binary == atoms::binary() => Some(Setting::List(false)),
            _ => None,
        };
    }
    let (name, value) = term.decode::<(Atom, Term)>().ok()?;
    Some(match name {
        n if n == atoms::active() => Setting::Active(active_request(value)?),
        n if n == atoms::mode() => match value.decode::<Atom>().ok()? {
            list if list == atoms::list() => Setting::List(true),
            binary if binary == atoms::binary() => Setting::List(false),
            _ => return None,
        },
        n if n == atoms::buffer() => {
            Setting::Buffer(usize::try_from(int(value)?).unwrap_or(0).max(1))
        }
        n if n == atoms::mailbox_limit() => Setting::MailboxLimit(mailbox_limit(value)?),
        n if n == atoms::batch() => {
            let most = usize::try_from(decode::uint::<u32>(value)?).ok()?;
            Setting::Batch(Some(most).filter(|most| (1..=batch::MOST).contains(most))?)
        }
        n if n == atoms::non_block_send() => Setting::NonBlockSend(value.decode().ok()?),
        n if n == atoms::debug() => Setting::Debug(value.decode().ok()?),
        n if n == atoms::exclusiveaddruse() => {
            value.decode::<bool>().ok()?;
            Setting::Nothing
        }
        n if n == atoms::netns() => {
            let path = value.decode::<Binary>().ok().filter(|path| path.len() <= PATH)?;
            Setting::Netns(decode::path(&path))
        }
        name => {
            let option = kernel_option(name).filter(|option| option.access != Access::ReadOnly)?;
            Setting::Kernel(option, value_bytes(option, value, family)?)
        }
    })
}

/// `{mailbox_limit, Value}`: a number of messages, or `infinity`.
fn mailbox_limit(value: Term) -> Option<Option<u32>> {
    if value.decode::<Atom>().is_ok_and(|name| name == atoms::infinity()) {
        return Some(None);
    }
    decode::uint(value).filter(|most| *most > 0).map(Some)
}

/// `{active, Value}` of an option list.
fn active_request(value: Term) -> Option<Request> {
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

pub(crate) fn active_term(env: Env, active: Active) -> Term {
    match active {
        Active::Passive => false.encode(env),
        Active::Always => true.encode(env),
        Active::Once => atoms::once().to_term(env),
        Active::Count(left) => left.encode(env),
    }
}

/// Any integer, of which the kernel sees the low 32 bits.
fn int(term: Term) -> Option<i32> {
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
fn value_bytes(option: &OptionSpec, value: Term, family: Family) -> Option<Vec<u8>> {
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
                } else if !decode::is_undefined(value) {
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
    if decode::is_undefined(value) {
        return Some(vec![value; record.fields.len()]);
    }
    let fields = get_tuple(value).ok()?;
    (fields.len() == record.fields.len() + 1).then(|| fields[1..].to_vec())
}

fn put_field(bytes: &mut [u8], field: &Field, value: Term, family: Family) -> Option<()> {
    let at = field.offset;
    if decode::is_undefined(value) {
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
        Kind::U16 => put_u16(bytes, at, decode::uint(value)?),
        Kind::U32 | Kind::AssocId => put_u32(bytes, at, decode::uint(value)?),
        Kind::Ppid | Kind::Be32 => put_u32_be(bytes, at, decode::uint(value)?),
        Kind::Address => {
            address::put_storage(bytes, at, &decode::record_address(value, family)?);
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
    let set = decode::list(list, FLAGS, |flag| {
        let flag = flag.decode::<Atom>().ok()?;
        bits.iter().find(|(name, _)| is_named(env, flag, name)).map(|(_, bit)| *bit)
    });
    Some(set.ok()?.into_iter().fold(0, |set, bit| set | bit))
}

fn is_named(env: Env, atom: Atom, name: &str) -> bool {
    Atom::from_str(env, name).is_ok_and(|named| named == atom)
}

/// Applies one setting; false if it was refused.
fn apply(open: &mut Open, socket: &SocketRef, setting: Setting) -> bool {
    match setting {
        Setting::Active(request) => return open.set_active(socket, request).is_ok(),
        Setting::MailboxLimit(most) => open.state.limit = most.map(Limit::new),
        Setting::Batch(most) => open.state.user.batch = most,
        Setting::List(list) => open.state.user.list = list,
        Setting::Buffer(size) => open.state.user.buffer = size,
        Setting::NonBlockSend(on) => open.inner.non_block_send.store(on, Ordering::Relaxed),
        Setting::Debug(on) => open.state.user.debug = on,
        Setting::Netns(path) => open.state.user.netns = Some(path),
        Setting::Nothing => {}
        Setting::Kernel(option, bytes) => return apply_to_kernel(open, option, bytes),
    }
    true
}

fn apply_to_kernel(open: &mut Open, option: &OptionSpec, mut bytes: Vec<u8>) -> bool {
    if option.family.is_some_and(|only| only != open.inner.family) {
        return false;
    }
    let set = |open: &Open, bytes: &[u8]| open.kernel().set_option(option, bytes).is_ok();
    match option.name {
        // The library has its own way to what the first byte asks for (see the core's table), and
        // has to hear of the end of associations, and of messages that come no further, where its
        // owner does not want to.
        "sctp_events" => {
            let data_io = std::mem::take(&mut bytes[event_subscribe::DATA_IO]) != 0;
            let mut always = |event: usize| std::mem::replace(&mut bytes[event], 1) != 0;
            let association = always(event_subscribe::ASSOCIATION);
            let partial_delivery = always(event_subscribe::PARTIAL_DELIVERY);
            let done = set(open, &bytes);
            if done {
                open.state.user.data_io = data_io;
                open.state.user.association_event = association;
                open.state.user.partial_delivery_event = partial_delivery;
            }
            done
        }
        "sctp_default_send_param" => {
            let done = set(open, &bytes);
            open.inner.defaults.changed();
            done
        }
        // A read buffer smaller than the kernel's would only mean more reads.
        "recbuf" => {
            let done = set(open, &bytes);
            let size = i32_at(&bytes, 0).and_then(|size| usize::try_from(size).ok()).unwrap_or(0);
            if done && size >= open.state.user.buffer {
                open.state.user.buffer = size;
            }
            done
        }
        // Linux derives the priority from the type of service; OTP keeps them apart.
        "tos" => {
            let mut priority = [0; 4];
            let kept = open.kernel().get_option(&option::PRIORITY, &mut priority);
            let done = set(open, &bytes);
            if kept.is_ok() {
                // Refused only for a priority that this process may not have, and then it is kept
                // by nobody.
                let _ = open.kernel().set_option(&option::PRIORITY, &priority);
            }
            done
        }
        _ => set(open, &bytes),
    }
}

/// What is asked for.
enum Query {
    Active,
    MailboxLimit,
    Batch,
    Mode,
    Buffer,
    NonBlockSend,
    Debug,
    Netns,
    Nothing,
    /// With the buffer for the value, in which is what the request says.
    Kernel(&'static OptionSpec, Atom, Vec<u8>),
}

/// `getopts(Ref, [Request])`.
pub(crate) fn get<'a>(env: Env<'a>, socket: &SocketRef, list: Term<'a>) -> NifResult<Term<'a>> {
    if decode::is_longer(list, FEW) {
        return Ok(atoms::many().to_term(env));
    }
    get_many(env, socket, list)
}

/// The same for as many options as there may be.
pub(crate) fn get_many<'a>(
    env: Env<'a>,
    socket: &SocketRef,
    list: Term<'a>,
) -> NifResult<Term<'a>> {
    if decode::is_longer(list, MOST) {
        return Ok(env.error_tuple(atoms::enomem()));
    }
    let family = socket.0.family;
    match decode::list(list, MOST, |term| query(term, family)) {
        Ok(queries) => Ok(answers(env, socket, queries)),
        Err(bad) => bad.answer(env),
    }
}

fn answers<'a>(env: Env<'a>, socket: &SocketRef, queries: Vec<Query>) -> Term<'a> {
    let open = match socket.0.lock() {
        Ok(open) => open,
        Err(Closed) => return env.error_tuple(atoms::closed()),
    };
    let answers: Vec<Term> =
        queries.into_iter().filter_map(|query| answer(env, &open, query)).collect();
    (atoms::ok(), answers).encode(env)
}

fn query(term: Term, family: Family) -> Option<Query> {
    let (name, value) = match term.decode::<Atom>() {
        Ok(name) => (name, None),
        Err(_) => {
            let (name, value) = term.decode::<(Atom, Term)>().ok()?;
            (name, Some(value).filter(|value| !decode::is_undefined(*value)))
        }
    };
    let local = match name {
        n if n == atoms::active() => Query::Active,
        n if n == atoms::mailbox_limit() => Query::MailboxLimit,
        n if n == atoms::batch() => Query::Batch,
        n if n == atoms::mode() => Query::Mode,
        n if n == atoms::buffer() => Query::Buffer,
        n if n == atoms::non_block_send() => Query::NonBlockSend,
        n if n == atoms::debug() => Query::Debug,
        n if n == atoms::netns() => Query::Netns,
        n if n == atoms::exclusiveaddruse() => Query::Nothing,
        name => {
            let option = kernel_option(name)?;
            return Some(Query::Kernel(option, name, request_bytes(option, value, family)?));
        }
    };
    value.is_none().then_some(local)
}

/// The answer to one request, `None` if the kernel has none.
fn answer<'a>(env: Env<'a>, open: &Open, query: Query) -> Option<Term<'a>> {
    let user = &open.state.user;
    Some(match query {
        Query::Active => (atoms::active(), active_term(env, open.state.active)).encode(env),
        Query::MailboxLimit => {
            let most = match &open.state.limit {
                Some(limit) => limit.most().encode(env),
                None => atoms::infinity().to_term(env),
            };
            (atoms::mailbox_limit(), most).encode(env)
        }
        Query::Batch => (atoms::batch(), user.batch).encode(env),
        Query::Mode => {
            let mode = if user.list { atoms::list() } else { atoms::binary() };
            (atoms::mode(), mode).encode(env)
        }
        Query::Buffer => (atoms::buffer(), user.buffer).encode(env),
        // Bare, as OTP answers these two.
        Query::NonBlockSend => (!open.inner.blocking_send()).encode(env),
        Query::Debug => user.debug.encode(env),
        Query::Netns => {
            let path = Term::from(NewBinary::from_slice(env, user.netns.as_ref()?.to_bytes()));
            (atoms::netns(), path).encode(env)
        }
        Query::Nothing => return None,
        Query::Kernel(option, name, bytes) => {
            (name, ask_kernel(env, open, option, bytes)?).encode(env)
        }
    })
}

fn ask_kernel<'a>(
    env: Env<'a>,
    open: &Open,
    option: &OptionSpec,
    mut bytes: Vec<u8>,
) -> Option<Term<'a>> {
    let user = &open.state.user;
    if option.access == Access::WriteOnly
        || option.family.is_some_and(|only| only != open.inner.family)
    {
        return None;
    }
    let len = open.kernel().get_option(option, &mut bytes).ok()?;
    if option.name == "sctp_events" {
        bytes[event_subscribe::DATA_IO] = user.data_io.into();
        bytes[event_subscribe::ASSOCIATION] = user.association_event.into();
        bytes[event_subscribe::PARTIAL_DELIVERY] = user.partial_delivery_event.into();
    }
    value_term(env, option, &bytes, len)
}

/// The buffer for an option's value, with what the request says in it.
fn request_bytes(option: &OptionSpec, value: Option<Term>, family: Family) -> Option<Vec<u8>> {
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
        let value = value.filter(|value| !decode::is_undefined(*value));
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

fn value_term<'a>(env: Env<'a>, option: &OptionSpec, bytes: &[u8], len: usize) -> Option<Term<'a>> {
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
            let (ip, port) = encode::ip_port(env, address::get_storage(bytes, at));
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
