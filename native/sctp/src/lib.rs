//! SCTP sockets as the library knows them, and the Linux kernel's, which are behind them.
//!
//! This crate knows nothing of Erlang. Everything whose layout or value the kernel dictates is here;
//! what the library's user may see of it is typed.
//!
//! - [`types`]: the vocabulary (families, association ids, what goes with a message)
//! - [`socket`]: a non-blocking SCTP socket and its calls, an enum over backends
//! - [`readiness`]: when a socket is worth a call
//! - [`ahead`], [`reassembly`]: messages received together, and made whole
//! - [`ending`]: associations that end before their socket is closed
//! - [`notification`]: the events a socket delivers between its messages
//! - [`option`]: the table of socket options, as data
//! - [`look`]: the state of associations and of their paths
//! - [`feature`]: what kernels and network namespaces may allow or not, as data
//! - [`kernel`]: the backend that is the kernel; and the epoll set, and how a thread is scheduled
//! - [`abi`], [`address`], [`bytes`]: layouts, and reading and writing them

pub mod abi;
pub mod address;
pub mod ahead;
pub mod bytes;
pub mod ending;
pub mod feature;
pub mod kernel;
pub mod look;
pub mod notification;
pub mod option;
pub mod readiness;
pub mod reassembly;
pub mod socket;
#[cfg(feature = "stub")]
pub mod stub;
pub mod types;

#[cfg(test)]
mod testing;

pub use ahead::Ahead;
pub use kernel::batch::MOST as BATCH;
pub use kernel::epoll::{Epoll, Events, Waker};
pub use kernel::erased::Erased;
pub use notification::Notification;
pub use readiness::{Event, Interest, Source, Token};
pub use socket::Socket;
pub use types::{
    Ancillary, AssocId, Bindx, Family, Half, RcvInfo, Received, SndInfo, SndRcvInfo, Style, To,
};
