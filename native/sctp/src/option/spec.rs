//! What an option is: its name, its place in the kernel, the shape of its value.

use super::list::List;
use crate::abi::STORAGE_SIZE;
use crate::types::Family;

/// One socket option.
#[derive(Debug)]
pub struct OptionSpec {
    /// Erlang's name of it.
    pub name: &'static str,
    /// Protocol level.
    pub level: i32,
    /// The kernel's number of it.
    pub optname: i32,
    /// What its value looks like.
    pub shape: Shape,
    /// Which ways it works.
    pub access: Access,
    /// The only family it exists for, if not both.
    pub family: Option<Family>,
    /// What else it changes.
    pub effect: Effect,
    /// Is it one that Erlang does not have? Then the kernel's own error is told.
    pub added: bool,
    /// When it is set, of one list.
    pub place: Place,
    /// Can the bytes of a value have the effect that they ask for? The kernel takes some that cannot.
    pub effective: fn(&[u8]) -> bool,
}

/// Options of one list are set in this order, whatever the list says; those of one place as it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// What others are refused without.
    Gate,
    /// All that does not matter for.
    Any,
    /// `sctp_fragment_interleave` is on by then, and a new scheduler has begun without values.
    OnOther,
    /// A key is there by then.
    KeyInUse,
    /// Another key is in use by then.
    KeyOutOfUse,
    /// What `sctp_events`, which says all at once, would undo.
    Event,
}

/// What an option changes besides what the kernel does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    None,
    /// Which events the user wants: some are on in the kernel in any case.
    Events,
    /// Whether the user wants one of them.
    Subscription,
    /// Whether the user knows of paths that are potentially failed (RFC 7829).
    ExposePotentiallyFailed,
    /// Nothing; it tells the state of a path, at this offset, to users who know of that.
    PathState(usize),
    /// Nothing else. Refused for an association that has not agreed on it, where the kernel would take it
    /// without effect.
    EnableStreamReset,
    /// Nothing; nor would it change anything where the scheduler does not look at it.
    StreamValue,
    /// What is said of messages whose sender does not.
    SendDefaults,
    /// The same, but for when they are given up, which the kernel takes away with it.
    DefaultSndInfo,
    /// How much is read at a time: no less than the kernel buffers.
    ReadBuffer,
    /// Nothing, and only where the socket was opened in a network namespace with a port of UDP.
    Encapsulation,
    /// The priority, which Linux derives from the type of service, and which is to stay.
    Priority,
}

/// Which ways an option works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Set and get.
    ReadWrite,
    /// Get only.
    ReadOnly,
    /// Set only; the kernel refuses to get it.
    WriteOnly,
}

/// What an option's value looks like, to Erlang and to the kernel.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// A boolean; an `int` that is 0 or not.
    Bool,
    /// Any integer; the low 32 bits as an `int`.
    Int,
    /// An integer from 0; the low 32 bits as a `u32`.
    UInt,
    /// As `UInt`, but the second field of a `struct sctp_assoc_value` whose first one, the
    /// association id, is 0.
    AssocUInt,
    /// An association id, 0..2^32-1.
    AssocId,
    /// `{OnOff, Seconds}`; a `struct linger` ([`linger`]).
    Linger,
    /// An interface name in a binary; at most [`DEVICE_NAME_MAX`] bytes, none to clear it.
    DeviceName,
    /// A record; a struct.
    Record(&'static Record),
    /// A type of chunk ([`super::CHUNKS`]): a byte. Only to be set.
    Chunk,
}

/// Longest interface name (`IFNAMSIZ` without the final zero).
pub const DEVICE_NAME_MAX: usize = libc::IFNAMSIZ - 1;

/// `struct linger`: two `int`, size 8.
pub mod linger {
    /// Size of the struct.
    pub const SIZE: usize = 8;
    /// Offset of the switch.
    pub const ONOFF: usize = 0;
    /// Offset of the time in seconds.
    pub const SECONDS: usize = 4;
}

/// `struct sctp_assoc_value`: an association id and a `u32`, size 8.
pub mod assoc_value {
    /// Size of the struct.
    pub const SIZE: usize = 8;
    /// Offset of the value.
    pub const VALUE: usize = 4;
}

/// A record and the struct it stands for.
#[derive(Debug)]
pub struct Record {
    /// Erlang's name of the record, its first element.
    pub tag: &'static str,
    /// Bytes to give to the kernel, set and get alike.
    pub size: usize,
    /// Fields in the order of the record.
    pub fields: &'static [Field],
}

/// A field of a record.
#[derive(Debug)]
pub struct Field {
    /// Erlang's name of it.
    pub name: &'static str,
    /// Where it is in the struct.
    pub offset: usize,
    /// How it is stored.
    pub kind: Kind,
    /// What stands in for `undefined`.
    pub default: DefaultValue,
    /// What it is in a request to get the option.
    pub get_role: GetRole,
    /// What it is in a request to set the option.
    pub set_role: SetRole,
}

/// How a field is stored in the struct, and its range in Erlang.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// 0..65535.
    U16,
    /// 0..2^32-1.
    U32,
    /// 0..2^64-1. Never set.
    U64,
    /// 0..2^32-1, big endian: payload protocol identifiers.
    Ppid,
    /// 0..2^32-1, big endian: everything else that is.
    Be32,
    /// An association id, 0..2^32-1.
    AssocId,
    /// The same, or an atom for several associations ([`crate::abi::assoc`]). Got as the number.
    AssocIds,
    /// An address in a `struct sockaddr_storage`.
    Address,
    /// The same, where the wildcard means all addresses of the association and is `undefined`.
    PathAddress,
    /// A differentiated services code point, 0..63, in the upper bits of a byte. The flags at the
    /// offset given say whether there is one; `undefined` if not.
    Dscp {
        /// Where the flags are ([`crate::abi::spp_flags`]).
        flags: usize,
    },
    /// The flow label of IPv6, 20 bits of a `u32`. The flags at the offset given say whether there is
    /// one; `undefined` if not.
    FlowLabel {
        /// Where the flags are ([`crate::abi::spp_flags`]).
        flags: usize,
    },
    /// 0..65535, big endian: ports.
    Be16,
    /// An atom for each value of an integer of `width` bytes. Others are got as the number.
    Enum {
        /// The values and their atoms.
        names: &'static [(u32, &'static str)],
        /// 2 or 4.
        width: usize,
    },
    /// A list of atoms, each a bit of an integer of `width` bytes.
    Flags {
        /// The atoms and their bits, in the order they are shown in.
        bits: &'static [(&'static str, u32)],
        /// 2 or 4.
        width: usize,
    },
    /// `all`, or a list of streams, which follow the struct; the field says how many, 0 being all.
    /// Never got.
    Streams,
    /// A boolean in one byte.
    Bool8,
    /// An atom for each value of an `int`; `undefined` for the others. Never set.
    State(&'static [(i32, &'static str)]),
    /// A struct within the struct, its offsets counted from the field. Never set.
    Record(&'static Record),
    /// A boolean the struct has no place for: checked and dropped when set, false when got.
    Absent,
    /// A list of integers, which ends the struct. Those that have an atom are got as that.
    List(&'static List),
    /// A binary of 1 to 65535 bytes that nobody is to see, and which ends the struct; as far as the
    /// struct has a size it takes none. Never got.
    Secret {
        /// Where its length is, in two bytes.
        length: usize,
    },
}

/// What stands in for an `undefined` field, where it is part of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultValue {
    /// Nothing: the request is wrong.
    Mandatory,
    /// 0, or false.
    Zero,
    /// The empty list.
    EmptyFlags,
    /// The wildcard address of the socket's family, port 0.
    AnyAddress,
    /// True.
    True,
    /// What it is at present.
    Present,
}

/// What a field is in a request to get an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GetRole {
    /// It selects what is asked for, and is given to the kernel.
    Key,
    /// It is part of the answer.
    MustBeUndefined,
}

/// What a field is in a request to set an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetRole {
    /// It is given to the kernel.
    Settable,
    /// It is none of the setter's business, and given as 0.
    MustBeUndefined,
}

impl Kind {
    /// Bytes it takes in the struct.
    pub const fn width(&self) -> usize {
        match self {
            Self::U16 | Self::Be16 | Self::Streams => 2,
            Self::U64 => 8,
            Self::U32
            | Self::Ppid
            | Self::Be32
            | Self::AssocId
            | Self::AssocIds
            | Self::FlowLabel { .. }
            | Self::State(_) => 4,
            Self::Address | Self::PathAddress => STORAGE_SIZE,
            Self::Flags { width, .. } | Self::Enum { width, .. } => *width,
            Self::Bool8 | Self::Dscp { .. } => 1,
            Self::Record(record) => record.size,
            Self::List(list) => list.most * list.width,
            Self::Absent | Self::Secret { .. } => 0,
        }
    }
}
