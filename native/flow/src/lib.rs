//! What the library decides, without a VM and without a kernel.
//!
//! Each module is one decision: a pure function, or a small state with the methods that change it. The
//! tests of this crate list the cases as tables, and run wherever Rust does, under Miri as well.
//!
//! - [`active`]: the modes `{active, _}`, and what is left of a count
//! - [`budget`]: how much one pass may read
//! - [`burst`]: how many messages are worth reading at one event
//! - [`grant`]: what the bound on a mailbox allows
//! - [`interest`]: what a socket's readiness is waited for
//! - [`pace`]: whether an I/O thread interrupts those it wakes
//! - [`pending`]: what is under way, and who waits for it
//! - [`rounds`]: what is done now and then
//! - [`route`]: where a message goes
//! - [`stats`]: what `inet:getstat/2` counts
//! - [`subscriptions`]: which events are wanted, and of which associations
//! - [`errno`]: the names of error numbers
#![forbid(unsafe_code)]

pub mod active;
pub mod budget;
pub mod burst;
pub mod errno;
pub mod grant;
pub mod interest;
pub mod pace;
pub mod pending;
pub mod rounds;
pub mod route;
pub mod stats;
pub mod subscriptions;
