//! The Linux kernel's SCTP sockets: ABI, calls, readiness.
//!
//! This crate knows the kernel and nothing of Erlang. Everything whose layout or value the kernel
//! dictates is here; what the library's user may see of it is typed.
//!
//! - [`types`]: the vocabulary (families, association ids, what goes with a message)
//! - [`socket`]: a non-blocking SCTP socket and its calls
//! - [`batch`], [`ahead`]: many messages sent, and received, in one go
//! - [`notification`]: the events a socket delivers between its messages
//! - [`option`]: the table of socket options, as data
//! - [`active`], [`reassembly`]: how messages reach the owner, and whole
//! - [`pending`]: what is under way, and who waits for it
//! - [`epoll`]: readiness, and waking the thread that waits for it
//! - [`errno`]: names of error numbers
//! - [`thread`]: how a thread is scheduled
//! - [`abi`], [`address`], [`bytes`], [`cmsg`]: layouts, and reading and writing them
//!
//! Unsafe code lives in the private module `sys` only.

pub mod abi;
pub mod active;
pub mod address;
pub mod ahead;
pub mod batch;
pub mod bytes;
mod closing;
pub mod cmsg;
pub mod epoll;
pub mod errno;
pub mod notification;
pub mod option;
pub mod pending;
pub mod reassembly;
pub mod socket;
mod sys;
pub mod thread;
pub mod types;

#[cfg(test)]
mod testing;

pub use ahead::Ahead;
pub use epoll::{Epoll, Event, Events, Interest, Waker};
pub use notification::Notification;
pub use socket::{Bindx, Received, Socket};
pub use types::{AssocId, Family, RcvInfo, SndInfo, SndRcvInfo, Style};
