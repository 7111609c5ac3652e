//! The default send parameters that `send/4` merges, without a system call for each message.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use parking_lot::Mutex;
use sctp::types::{AssocId, SndInfo};

/// Entries kept. Associations come and go; the kernel is simply asked again.
const CACHED: usize = 4096;

/// What `sctp_default_send_param` says, for each association.
///
/// Nearly all programs never set it, and the kernel's own default is all zero: then nothing is
/// looked up at all.
#[derive(Debug, Default)]
pub(crate) struct SendDefaults(OnceLock<Box<Mutex<Cached>>>);

type Cached = BTreeMap<AssocId, SndInfo>;

impl SendDefaults {
    /// For a peeled-off socket, whose association keeps the parameters it had.
    pub(crate) fn inherited(parent: &SendDefaults) -> SendDefaults {
        let defaults = SendDefaults::default();
        if parent.are_set() {
            defaults.cached();
        }
        defaults
    }

    /// Has anybody ever set them?
    #[inline]
    pub(crate) fn are_set(&self) -> bool {
        self.0.get().is_some()
    }

    /// From here on they are set.
    fn cached(&self) -> &Mutex<Cached> {
        self.0.get_or_init(Box::default)
    }

    /// The parameters of `assoc`; what the kernel does not know has none.
    pub(crate) fn look_up(&self, socket: &sctp::Socket, assoc: AssocId) -> SndInfo {
        // Held over the question to the kernel, so that an answer from before a change cannot be
        // kept after it.
        let mut cached = self.cached().lock();
        if let Some(info) = cached.get(&assoc) {
            return *info;
        }
        let Ok(info) = socket.default_send_info(assoc) else { return SndInfo::default() };
        if cached.len() >= CACHED {
            cached.clear();
        }
        cached.insert(assoc, info);
        info
    }

    /// Sets them, for one association or all. Until that is done nobody looks them up.
    pub(crate) fn change<T>(&self, set: impl FnOnce() -> T) -> T {
        let mut cached = self.cached().lock();
        let done = set();
        cached.clear();
        done
    }
}
