//! What options are asked for, checked before anything of a list is applied.

use std::collections::HashMap;
use std::ffi::CString;
use std::sync::OnceLock;

use flow::active::Request;
use rustler::{Atom, Binary, Env, Term};
use sctp::Family;
use sctp::abi::{assoc, sndinfo};
use sctp::bytes::u32_at;
use sctp::option::{Access, Effect, OPTIONS, OptionSpec, Place};
use sctp::reassembly::Reassembly;

use crate::options::foreign::is_foreign;
use crate::options::{record, subscription};
use crate::socket::inbox::MOST as BATCH;
use crate::terms::{active, atoms, value};

/// Entries taken in one call: more than anybody has a use for.
pub(crate) const MOST: usize = 512;

/// The longest path of a network namespace (`PATH_MAX`).
const PATH: usize = 4096;

/// The kernel's options by their atoms.
static TABLE: OnceLock<HashMap<Atom, &'static OptionSpec>> = OnceLock::new();

/// Makes the atoms of the table, when the library is loaded.
pub(crate) fn prepare(env: Env) -> bool {
    let named = |option: &'static OptionSpec| {
        Atom::from_str(env, option.name).ok().map(|name| (name, option))
    };
    match OPTIONS.iter().map(named).collect::<Option<_>>() {
        Some(table) => TABLE.set(table).is_ok() || TABLE.get().is_some(),
        None => false,
    }
}

/// The kernel's option of this name.
pub(crate) fn kernel_option(name: Atom) -> Option<&'static OptionSpec> {
    TABLE.get()?.get(&name).copied()
}

/// An option with its value, checked and ready to be applied.
pub(crate) enum Setting {
    AbortCauses(bool),
    Active(Request),
    MailboxLimit(Option<u32>),
    Batch(usize),
    List(bool),
    Buffer(usize),
    MaxMessageSize(usize),
    NonBlockSend(bool),
    SendTimeout(Option<u32>),
    SendTimeoutClose(bool),
    Debug(bool),
    Netns(CString),
    EndOfStream(bool),
    RecvRcvInfo(bool),
    /// Without a meaning here.
    Nothing,
    /// Refused when its turn comes.
    Refused,
    Kernel(&'static OptionSpec, record::Value),
}

impl Setting {
    /// Is it a bound on the owner's mailbox, for which a process has to run?
    pub(crate) fn is_limit(&self) -> bool {
        matches!(self, Setting::MailboxLimit(Some(_)))
    }

    /// Has it something to do for each association that there is?
    pub(crate) fn is_of_many(&self) -> bool {
        let Setting::Kernel(option, value) = self else { return false };
        match option.effect {
            Effect::DefaultSndInfo => {
                let id = u32_at(value.bytes(), sndinfo::ASSOC_ID);
                matches!(id, Some(assoc::CURRENT | assoc::ALL))
            }
            Effect::Subscription => subscription::is_of_many(value.bytes()),
            _ => false,
        }
    }

    /// When it is set, of one list.
    pub(crate) fn place(&self) -> Place {
        match self {
            Setting::Kernel(option, _) => option.place,
            _ => Place::Any,
        }
    }

    /// Does it change what is delivered?
    pub(crate) fn is_of_mode(&self) -> bool {
        matches!(self, Setting::Active(_) | Setting::MailboxLimit(_) | Setting::EndOfStream(_))
    }
}

/// One element of an option list; `None` if it is wrong, and nothing of the list is to be set.
pub(crate) fn setting(term: Term, family: Family) -> Option<Setting> {
    known(term, family).or_else(|| is_foreign(term).then_some(Setting::Refused))
}

/// An option of SCTP sockets; `None` if it is none, or has a wrong value.
pub(crate) fn known(term: Term, family: Family) -> Option<Setting> {
    if let Ok(name) = term.decode::<Atom>() {
        return match name {
            list if list == atoms::list() => Some(Setting::List(true)),
            binary if binary == atoms::binary() => Some(Setting::List(false)),
            _ => None,
        };
    }
    let (name, value) = term.decode::<(Atom, Term)>().ok()?;
    Some(match name {
        n if n == atoms::abort_causes() => Setting::AbortCauses(value.decode().ok()?),
        n if n == atoms::active() => Setting::Active(active::request(value)?),
        n if n == atoms::mode() => match value.decode::<Atom>().ok()? {
            list if list == atoms::list() => Setting::List(true),
            binary if binary == atoms::binary() => Setting::List(false),
            _ => return None,
        },
        n if n == atoms::buffer() => {
            Setting::Buffer(usize::try_from(record::int(value)?).unwrap_or(0).max(1))
        }
        n if n == atoms::max_message_size() => Setting::MaxMessageSize(message_size(value)?),
        n if n == atoms::mailbox_limit() => Setting::MailboxLimit(mailbox_limit(value)?),
        n if n == atoms::batch() => {
            let most = usize::try_from(value::uint::<u32>(value)?).ok()?;
            Setting::Batch(Some(most).filter(|most| (1..=BATCH).contains(most))?)
        }
        n if n == atoms::non_block_send() => Setting::NonBlockSend(value.decode().ok()?),
        n if n == atoms::end_of_stream() => {
            Setting::EndOfStream(match value.decode::<Atom>().ok()? {
                closed if closed == atoms::closed() => true,
                wait if wait == atoms::wait() => false,
                _ => return None,
            })
        }
        n if n == atoms::send_timeout() => Setting::SendTimeout(send_timeout(value)?),
        n if n == atoms::send_timeout_close() => Setting::SendTimeoutClose(value.decode().ok()?),
        n if n == atoms::sctp_recvrcvinfo() => Setting::RecvRcvInfo(value.decode().ok()?),
        n if n == atoms::debug() => Setting::Debug(value.decode().ok()?),
        n if n == atoms::exclusiveaddruse() => {
            value.decode::<bool>().ok()?;
            Setting::Nothing
        }
        n if n == atoms::netns() => {
            let path = value.decode::<Binary>().ok().filter(|path| path.len() <= PATH)?;
            Setting::Netns(value::path(&path))
        }
        name => {
            let option = kernel_option(name).filter(|option| option.access != Access::ReadOnly)?;
            Setting::Kernel(option, record::to_value(option, value, family)?)
        }
    })
}

/// `{mailbox_limit, Value}`: a number of messages, or `infinity`.
fn mailbox_limit(value: Term) -> Option<Option<u32>> {
    if is_infinity(value) {
        return Some(None);
    }
    value::uint(value).filter(|most| *most > 0).map(Some)
}

/// `{max_message_size, Value}`: bytes, or `infinity`, which is the most that is put together.
fn message_size(value: Term) -> Option<usize> {
    if is_infinity(value) {
        return Some(Reassembly::MESSAGE_MAX);
    }
    let most = usize::try_from(value::uint::<u32>(value)?).ok()?;
    // A larger one would be none.
    Some(most).filter(|most| (1..Reassembly::MESSAGE_MAX).contains(most))
}

/// `{send_timeout, Value}`: milliseconds as `recv/2` takes them, or `infinity`.
fn send_timeout(value: Term) -> Option<Option<u32>> {
    if is_infinity(value) {
        return Some(None);
    }
    value::uint(value).filter(|time| *time < u32::MAX).map(Some)
}

fn is_infinity(value: Term) -> bool {
    value.decode::<Atom>().is_ok_and(|name| name == atoms::infinity())
}
