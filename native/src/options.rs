//! Options: walks the core's table between terms and bytes. The few options that live above the kernel
//! are here; all others are entries of the table.

pub(crate) mod apply;
pub(crate) mod query;
pub(crate) mod record;
pub(crate) mod setting;
