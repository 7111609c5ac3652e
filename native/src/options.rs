//! Options: walks the core's table between terms and bytes. Options that live above the kernel are
//! here; all others are entries of the table.

pub(crate) mod apply;
pub(crate) mod defaults;
pub(crate) mod foreign;
pub(crate) mod query;
pub(crate) mod record;
pub(crate) mod setting;
pub(crate) mod streams;
pub(crate) mod subscription;
