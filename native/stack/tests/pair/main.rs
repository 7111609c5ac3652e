//! Two stacks and a pipe between them, or one and a stranger: what users of endpoints see, and what
//! peers cannot do.

mod bounds;
mod collision;
mod data;
mod ends;
mod handshake;
mod one_to_one;
mod options;
mod peeloff;
mod restart;
mod stranger;
mod world;
