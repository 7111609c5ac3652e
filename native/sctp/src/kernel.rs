//! The backend that is the Linux kernel: descriptors, system calls, epoll.
//!
//! Unsafe code lives in the private module `sys` only.

mod accept;
pub mod batch;
mod closing;
pub mod cmsg;
pub mod epoll;
pub mod erased;
pub mod features;
mod look;
pub mod many;
mod send_to;
pub mod socket;
mod sys;
mod sysctl;
pub mod thread;
