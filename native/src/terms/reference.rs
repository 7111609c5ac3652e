//! Erlang's references, made again of what was kept of them.

use rustler::{Env, Term};

/// The number of a reference, as in the external term format.
///
/// The node is not kept: it may have got another name since.
#[derive(Clone, Copy)]
pub(crate) struct Number {
    bytes: [u8; Number::MOST],
    length: u8,
}

impl Number {
    /// No reference has more words (`ERTS_MAX_REF_NUMBERS` of OTP), in bytes.
    const MOST: usize = 5 * 4;

    /// That of a reference of this node.
    pub(crate) fn of(reference: Term) -> Option<Number> {
        let external = reference.to_binary();
        let (_, number) = split(&external)?;
        let mut bytes = [0; Number::MOST];
        bytes.get_mut(..number.len())?.copy_from_slice(number);
        Some(Number { bytes, length: number.len().try_into().ok()? })
    }

    /// The reference. One to a resource is what it was only as long as that lives.
    pub(crate) fn reference<'a>(&self, env: Env<'a>) -> Option<Term<'a>> {
        let number = &self.bytes[..usize::from(self.length)];
        let other = env.make_ref().to_binary();
        let (node, _) = split(&other)?;
        let words = u16::try_from(number.len() / 4).ok()?.to_be_bytes();
        let external = [&other[..2], &words, node, number].concat();
        env.binary_to_term(&external).map(|(reference, _)| reference)
    }
}

/// Node and number of a reference in the external term format (`NEWER_REFERENCE_EXT`).
fn split(external: &[u8]) -> Option<(&[u8], &[u8])> {
    const TAG: [u8; 2] = [131, 90];
    let words = external.strip_prefix(&TAG)?;
    let (words, rest) = words.split_first_chunk()?;
    let number = usize::from(u16::from_be_bytes(*words)) * 4;
    rest.split_at_checked(rest.len().checked_sub(number)?)
}
