//! Packets, chunks, parameters and error causes (RFC 9260, section 3).
//!
//! A [`Packet`] is a view of the bytes that came: its chunks, their parameters and causes are cut out
//! one by one when they are asked for, without allocation. The same types go into a [`Builder`], so
//! that what was parsed can be built again.
//!
//! What is here knows what chunks look like. Whether one may come now is not decided here.

mod builder;
mod cause;
mod checksum;
mod chunk;
mod data;
mod forward_tsn;
mod init;
mod list;
mod packet;
mod parameter;
mod sack;
#[cfg(test)]
mod testing;
mod tlv;

pub use builder::{Builder, Full};
pub use cause::{Cause, Causes, cause_code};
pub use chunk::{Chunk, chunk_type};
pub use data::Data;
pub use forward_tsn::{ForwardTsn, Skipped};
pub use init::Init;
pub use list::{Item, List};
pub use packet::{Chunks, Header, Packet};
pub use parameter::{Parameter, Parameters, parameter_type};
pub use sack::{Gap, Sack};
pub use tlv::{Action, Malformed, padded};
