//! The backend that is the Linux kernel: descriptors, system calls, epoll.
//!
//! Unsafe code lives in the private module `sys` only.

pub mod batch;
mod closing;
pub mod cmsg;
pub mod epoll;
pub mod many;
pub mod socket;
mod sys;
pub mod thread;
