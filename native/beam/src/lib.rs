//! The Erlang VM, as far as rustler has no safe or no quick enough way to it.
//!
//! Everything that is unsafe about the VM is here; each module says why it exists.
//!
//! - [`message`]: messages to processes, from any thread
//! - [`kept`]: terms that outlive the call that brought them
//! - [`term`]: terms made with fewer copies
//! - [`resource`]: objects that Erlang and this library share
//! - [`entry`]: the way into a NIF that is called for each message
//! - [`panics`]: panics caught at the border and on our own threads
//! - [`log`]: what an operator is to know

pub mod entry;
mod env;
pub mod kept;
pub mod log;
pub mod message;
pub mod panics;
pub mod resource;
pub mod term;

#[doc(hidden)]
pub use rustler;
