//! Sockets as the VM calls them: a process has died, or nobody has a reference any more.

use std::ffi::CStr;
use std::sync::atomic::Ordering;

use beam::resource::{Kind, Slot};
use rustler::Monitor;

use crate::socket::create::RESOURCES;
use crate::socket::state::Shared;

impl Kind for Shared {
    const NAME: &'static CStr = c"gen_sctp_nif socket";

    fn slot() -> &'static Slot {
        static SLOT: Slot = Slot::new();
        &SLOT
    }

    fn down(&self, monitor: &Monitor) {
        self.0.down(monitor);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.0.close_garbage();
        RESOURCES.fetch_sub(1, Ordering::Relaxed);
    }
}
