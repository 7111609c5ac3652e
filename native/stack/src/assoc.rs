//! One association: its states, handshake, restart, shutdown and abort (RFC 9260, sections 4, 5, 8
//! and 9).
//!
//! [`state::Assoc`] holds all that is known. What happens to it is cut by section: each of these
//! modules adds its part of the methods.

mod abort;
pub(crate) mod context;
mod handshake;
mod heartbeat;
mod input;
pub(crate) mod offer;
mod output;
pub(crate) mod proposal;
mod restart;
mod retry;
mod shutdown;
pub(crate) mod state;
pub(crate) mod stateless;
mod timers;
mod user;
