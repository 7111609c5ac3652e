//! Erlang terms, made and taken apart: nothing here knows a socket.

pub(crate) mod active;
pub(crate) mod added_event;
pub(crate) mod address;
pub(crate) mod atoms;
pub(crate) mod error;
pub(crate) mod event;
pub(crate) mod info;
pub(crate) mod message;
pub(crate) mod reference;
pub(crate) mod send_info;
pub(crate) mod value;
