//! To which association a packet belongs (RFC 9260, section 8.4): by the two SCTP ports and the
//! peer's address, or by its verification tag.

use std::collections::HashMap;
use std::net::SocketAddr;

use crate::types::AssocId;

/// The associations by what a packet says of itself. Peers choose what is in here, so the tables
/// are hashed with a secret key.
#[derive(Debug, Default)]
pub(super) struct Peers {
    /// By our SCTP port and the peer's address and SCTP port. Two of them differ in our address.
    by_address: HashMap<(u16, SocketAddr), Vec<AssocId>>,
    /// By the verification tag that we chose.
    by_tag: HashMap<u32, AssocId>,
}

impl Peers {
    pub(super) fn insert(&mut self, port: u16, peer: SocketAddr, tag: u32, id: AssocId) {
        self.by_address.entry((port, peer)).or_default().push(id);
        self.by_tag.insert(tag, id);
    }

    pub(super) fn remove(&mut self, port: u16, peer: SocketAddr, tag: u32, id: AssocId) {
        if let Some(ids) = self.by_address.get_mut(&(port, peer)) {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.by_address.remove(&(port, peer));
            }
        }
        self.forget_tag(tag, id);
    }

    /// The association has another tag now (section 5.2.4, action A).
    pub(super) fn change_tag(&mut self, old: u32, new: u32, id: AssocId) {
        self.forget_tag(old, id);
        self.by_tag.insert(new, id);
    }

    fn forget_tag(&mut self, tag: u32, id: AssocId) {
        if self.by_tag.get(&tag) == Some(&id) {
            self.by_tag.remove(&tag);
        }
    }

    pub(super) fn at(&self, port: u16, peer: SocketAddr) -> &[AssocId] {
        self.by_address.get(&(port, peer)).map_or(&[], Vec::as_slice)
    }

    pub(super) fn with_tag(&self, tag: u32) -> Option<AssocId> {
        self.by_tag.get(&tag).copied()
    }
}
