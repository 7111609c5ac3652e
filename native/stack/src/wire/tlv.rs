//! What chunks, parameters and error causes have in common: a type, a length, a value, and padding
//! (RFC 9260, sections 3.2, 3.2.1 and 3.3.10).

/// Why bytes are not what they claim to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Shorter than the common header.
    Short,
    /// The checksum is another one.
    Checksum,
    /// The length is less than that of the header, or more than what is left of the packet or of
    /// the chunk: where the next one begins is not known.
    Length {
        /// The type of the chunk or parameter, the code of the cause; what is cut off of it is 0.
        kind: u16,
    },
    /// Too short for its type, or its contents deny each other.
    Contents {
        /// The type of the chunk or parameter, the code of the cause.
        kind: u16,
    },
}

/// What to do with a chunk or parameter of a type that is not known: its two highest bits say it
/// (RFC 9260, sections 3.2 and 3.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// 00: leave out the rest of the packet or of the parameters.
    Stop,
    /// 01: as `Stop`, and tell the peer.
    StopAndReport,
    /// 10: go on with the next.
    Skip,
    /// 11: as `Skip`, and tell the peer.
    SkipAndReport,
}

impl Action {
    pub(super) fn of_chunk(kind: u8) -> Action {
        match kind >> 6 {
            0 => Action::Stop,
            1 => Action::StopAndReport,
            2 => Action::Skip,
            _ => Action::SkipAndReport,
        }
    }

    pub(super) fn of_parameter(kind: u16) -> Action {
        Action::of_chunk(kind.to_be_bytes()[0])
    }

    /// Nothing after it is looked at.
    pub fn stops(self) -> bool {
        matches!(self, Action::Stop | Action::StopAndReport)
    }

    /// The peer is told, in an ERROR chunk or in the INIT ACK.
    pub fn reports(self) -> bool {
        matches!(self, Action::StopAndReport | Action::SkipAndReport)
    }
}

/// The length with padding: the next multiple of four.
pub const fn padded(length: usize) -> usize {
    length.next_multiple_of(4)
}

/// Bytes of a type and a length.
pub(super) const HEADER: usize = 4;
/// The most that a length can say, header included.
pub(super) const LONGEST: usize = u16::MAX as usize;

/// A chunk, a parameter or a cause.
pub(super) struct Tlv<'a> {
    /// The type and flags of a chunk; the type of a parameter, the code of a cause.
    pub(super) head: [u8; 2],
    /// What follows the length.
    pub(super) value: &'a [u8],
    /// All of it without padding.
    pub(super) all: &'a [u8],
}

/// Cuts what follows each other into its parts. Where one cannot be cut off gives its first two
/// bytes as the error, and then nothing more.
#[derive(Clone, Debug)]
pub(super) struct Walk<'a> {
    rest: &'a [u8],
}

impl<'a> Walk<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Walk<'a> {
        Walk { rest: bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    fn cut(bytes: &'a [u8]) -> Option<(Tlv<'a>, &'a [u8])> {
        let (&[a, b, high, low], _) = bytes.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes([high, low]));
        let all = bytes.get(..length)?;
        let value = all.get(HEADER..)?;
        // Padding is not looked at, and that of the last one may be missing.
        let rest = bytes.get(padded(length)..).unwrap_or_default();
        Some((Tlv { head: [a, b], value, all }, rest))
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Result<Tlv<'a>, [u8; 2]>;

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = std::mem::take(&mut self.rest);
        let first = *bytes.first()?;
        match Walk::cut(bytes) {
            Some((tlv, rest)) => {
                self.rest = rest;
                Some(Ok(tlv))
            }
            None => Some(Err([first, bytes.get(1).copied().unwrap_or(0)])),
        }
    }
}

/// Appends one whose value is made of these parts, and pads what is before it: so the padding of the
/// last one does not count for the length of what is around it (section 3.2). What is too long for a
/// length is cut.
pub(super) fn append(to: &mut Vec<u8>, head: [u8; 2], value: &[&[u8]]) {
    to.resize(padded(to.len()), 0);
    let start = to.len();
    to.extend(head);
    to.extend([0; 2]);
    for part in value {
        to.extend_from_slice(part);
    }
    close(to, start);
}

/// Writes the length of the one that begins at `start` and is the last.
pub(super) fn close(to: &mut Vec<u8>, start: usize) {
    to.truncate(start + LONGEST);
    let length = u16::try_from(to.len() - start).unwrap_or(u16::MAX);
    to[start + 2..start + HEADER].copy_from_slice(&length.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(bytes: &[u8]) -> Vec<Result<&[u8], [u8; 2]>> {
        Walk::new(bytes).map(|tlv| tlv.map(|tlv| tlv.value)).collect()
    }

    #[test]
    fn cuts_and_skips_the_padding() {
        assert_eq!(walk(&[]), []);
        assert_eq!(
            walk(&[1, 2, 0, 5, 9, 7, 7, 7, 1, 2, 0, 4]),
            [Ok(&[9][..]), Ok(&[][..])],
            "padding of any value"
        );
        assert_eq!(walk(&[1, 2, 0, 5, 9]), [Ok(&[9][..])], "padding is missing at the end");
        assert_eq!(walk(&[1, 2, 0, 5, 9, 0]), [Ok(&[9][..])]);
    }

    #[test]
    fn a_length_that_lies_is_the_last() {
        for length in 0..4 {
            assert_eq!(walk(&[1, 2, 0, length, 1, 2, 0, 4]), [Err([1, 2])], "less than the header");
        }
        assert_eq!(walk(&[1, 2, 0, 4, 3, 4, 0, 9, 0, 0, 0, 0]), [Ok(&[][..]), Err([3, 4])]);
        assert_eq!(walk(&[1, 2, 255, 255]), [Err([1, 2])]);
        assert_eq!(walk(&[1, 2, 0]), [Err([1, 2])]);
        assert_eq!(walk(&[1]), [Err([1, 0])]);
    }

    #[test]
    fn pads_between() {
        let mut bytes = Vec::new();
        append(&mut bytes, [1, 2], &[&[9], &[8]]);
        append(&mut bytes, [3, 4], &[&[7]]);
        assert_eq!(bytes, [1, 2, 0, 6, 9, 8, 0, 0, 3, 4, 0, 5, 7]);
    }

    #[test]
    fn too_long_is_cut() {
        let mut bytes = vec![0; 8];
        append(&mut bytes, [1, 2], &[&[9; 70_000]]);
        assert_eq!(bytes.len(), 8 + LONGEST);
        assert_eq!(bytes[8..13], [1, 2, 255, 255, 9]);
        append(&mut bytes, [3, 4], &[]);
        assert_eq!(walk(&bytes[8..]), [Ok(&[9; LONGEST - HEADER][..]), Ok(&[][..])]);
    }

    /// RFC 9260, sections 3.2 and 3.2.1.
    #[test]
    fn two_bits_say_what_to_do() {
        let all = [Action::Stop, Action::StopAndReport, Action::Skip, Action::SkipAndReport];
        for (bits, action) in (0_u8..).zip(all) {
            assert_eq!(Action::of_chunk(bits << 6 | 0x2a), action);
            assert_eq!(Action::of_parameter(u16::from(bits) << 14 | 0x1234), action);
            assert_eq!((action.stops(), action.reports()), (bits & 2 == 0, bits & 1 == 1));
        }
    }
}
