//! For the tests of the modules beside it: one chunk as bytes, and back.

use super::{Builder, Chunk, Chunks, Header, Malformed, Packet};

const HEADER: Header = Header { source: 1, destination: 2, tag: 3 };

/// The chunk with its padding.
pub(super) fn build(chunk: &Chunk<'_>) -> Vec<u8> {
    let mut builder = Builder::new(HEADER, 100_000);
    builder.push(chunk).expect("it fits");
    let packet = builder.finish();
    Packet::parse(&packet).expect("it is well formed");
    packet[Header::SIZE..].to_vec()
}

/// The only chunk there is.
pub(super) fn parse(bytes: &[u8]) -> Result<Chunk<'_>, Malformed> {
    let mut chunks = Chunks::new(bytes);
    let chunk = chunks.next().expect("a chunk");
    assert_eq!(chunks.next(), None);
    chunk
}
