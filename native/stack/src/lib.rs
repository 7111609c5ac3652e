//! SCTP (RFC 9260) in user space, encapsulated in UDP (RFC 6951).
//!
//! The crate does no input or output of its own: packets, the time and random bytes are passed in;
//! packets, deadlines and readiness come out. So the same code runs over real sockets and in a
//! simulated network, where a run can be repeated exactly.
//!
//! From bottom to top:
//!
//! - [`types`]: numbers with a meaning, and how serial numbers compare
//! - [`wire`]: packets, chunks, parameters and error causes (RFC 9260, section 3)
//! - [`params`], [`event`], [`status`], [`error`]: what users set, and what they are told (RFC 6458)
//! - [`cookie`]: the state cookie (5.1.3)
//! - `path`: a destination address: round trips, congestion window, failures, heartbeats (6.3, 7, 8)
//! - `tx`: from messages to DATA chunks, and what became of them (6, 7)
//! - `rx`: from DATA chunks to messages (6.2, 6.5 to 6.9)
//! - `forward`: what is given up (RFC 3758)
//! - `assoc`: one association: its states, handshake, restart, shutdown, abort (4, 5, 8, 9)
//! - `endpoint`, `ports`: what a socket is, and which ports are taken (RFC 6458)
//! - [`stack`]: all of them, and to which association a packet belongs (8.4)
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod assoc;
mod bytes;
pub mod cookie;
mod endpoint;
pub mod entropy;
pub mod error;
pub mod event;
mod forward;
mod limiter;
pub mod params;
mod path;
mod ports;
mod rx;
pub mod stack;
pub mod status;
mod timer;
#[cfg(test)]
mod transfer_tests;
mod tx;
pub mod types;
mod violation;
pub mod wire;
