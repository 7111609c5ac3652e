//! The sockets that are open or linger, by their tokens.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use sctp::Token;

use crate::socket::state::Socket;

/// Tokens are counted up, so they are as good a hash as any.
#[derive(Default)]
struct TokenHasher(u64);

impl Hasher for TokenHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _bytes: &[u8]) {
        unreachable!("tokens are u64");
    }

    fn write_u64(&mut self, token: u64) {
        // hashbrown takes the top bits, too.
        self.0 = token.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

type Sockets = HashMap<Token, Weak<Socket>, BuildHasherDefault<TokenHasher>>;

/// Parts, so that the I/O threads and those who open and close seldom meet.
const PARTS: usize = 16;

static TABLE: [Mutex<Sockets>; PARTS] =
    [const { Mutex::new(HashMap::with_hasher(BuildHasherDefault::new())) }; PARTS];

fn part(token: Token) -> &'static Mutex<Sockets> {
    #[expect(clippy::cast_possible_truncation, reason = "only the rest of the division counts")]
    &TABLE[token.0 as usize % PARTS]
}

pub(crate) fn insert(token: Token, socket: &Arc<Socket>) {
    part(token).lock().insert(token, Arc::downgrade(socket));
}

pub(crate) fn remove(token: Token) {
    part(token).lock().remove(&token);
}

/// The socket with this token, if it is still there.
pub(crate) fn get(token: Token) -> Option<Arc<Socket>> {
    part(token).lock().get(&token).and_then(Weak::upgrade)
}

/// All sockets that are still there.
pub(crate) fn all() -> Vec<Arc<Socket>> {
    let of_part = |part: &Mutex<Sockets>| -> Vec<_> {
        part.lock().values().filter_map(Weak::upgrade).collect()
    };
    TABLE.iter().flat_map(of_part).collect()
}
