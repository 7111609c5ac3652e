//! The Linux kernel's SCTP sockets: ABI, calls, readiness.
//!
//! This crate knows the kernel and nothing of Erlang. Everything whose layout or value the kernel
//! dictates is here; what the library's user may see of it is typed.
//!
//! - [`types`]: the vocabulary (families, association ids, what goes with a message)
//! - [`kernel`]: a non-blocking SCTP socket and its calls, one by one or for many messages in one
//!   go; readiness, and waking the thread that waits for it; how a thread is scheduled
//! - [`notification`]: the events a socket delivers between its messages
//! - [`option`]: the table of socket options, as data
//! - [`reassembly`]: messages made whole
//! - [`abi`], [`address`], [`bytes`]: layouts, and reading and writing them

pub mod abi;
pub mod address;
pub mod bytes;
pub mod kernel;
pub mod notification;
pub mod option;
pub mod reassembly;
pub mod types;

#[cfg(test)]
mod testing;

pub use kernel::ahead::Ahead;
pub use kernel::epoll::{Epoll, Event, Events, Interest, Waker};
pub use kernel::socket::{Bindx, Received, Socket};
pub use notification::Notification;
pub use types::{AssocId, Family, RcvInfo, SndInfo, SndRcvInfo, Style};
