//! Sockets. Data flows one way: kernel -> [`inbox`] -> [`route`] -> [`owner_mail`], [`receiver_mail`] or
//! [`backlog`] on the way in, [`send`] -> kernel on the way out.

// What a socket is.
pub(crate) mod acceptors;
pub(crate) mod backlog;
pub(crate) mod batch;
pub(crate) mod closings;
pub(crate) mod delivery;
pub(crate) mod inbox;
pub(crate) mod leftover;
pub(crate) mod lingering;
pub(crate) mod mailbox;
pub(crate) mod ownership;
pub(crate) mod patience;
pub(crate) mod send_defaults;
pub(crate) mod state;
pub(crate) mod stream_end;
pub(crate) mod table;
pub(crate) mod tuning;
pub(crate) mod user_options;
pub(crate) mod waiter;
pub(crate) mod waiters;
pub(crate) mod watched;
pub(crate) mod watchers;
pub(crate) mod writers;

// What is done with it.
pub(crate) mod accept;
pub(crate) mod child;
pub(crate) mod close;
pub(crate) mod connect;
pub(crate) mod create;
pub(crate) mod linger;
pub(crate) mod mode;
pub(crate) mod owner;
pub(crate) mod owner_mail;
pub(crate) mod ready;
pub(crate) mod receive;
pub(crate) mod receiver_mail;
pub(crate) mod resource;
pub(crate) mod route;
pub(crate) mod select;
pub(crate) mod send;
pub(crate) mod settle;
pub(crate) mod shutdown;
pub(crate) mod watch;
