//! A packet in one line.

use std::fmt::Write;

use super::{Chunk, Packet, be32, data_flag, kind};

pub(crate) fn name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        kind::DATA => "DATA",
        kind::INIT => "INIT",
        kind::INIT_ACK => "INIT-ACK",
        kind::SACK => "SACK",
        kind::HEARTBEAT => "HEARTBEAT",
        kind::HEARTBEAT_ACK => "HEARTBEAT-ACK",
        kind::ABORT => "ABORT",
        kind::SHUTDOWN => "SHUTDOWN",
        kind::SHUTDOWN_ACK => "SHUTDOWN-ACK",
        kind::ERROR => "ERROR",
        kind::COOKIE_ECHO => "COOKIE-ECHO",
        kind::COOKIE_ACK => "COOKIE-ACK",
        kind::SHUTDOWN_COMPLETE => "SHUTDOWN-COMPLETE",
        kind::FORWARD_TSN => "FORWARD-TSN",
        _ => return None,
    })
}

/// As far as it can be read.
pub(crate) fn describe(bytes: &[u8]) -> String {
    match Packet::parse(bytes) {
        Ok(packet) => packet.to_string(),
        Err(reason) => format!("({} bytes: {reason})", bytes.len()),
    }
}

impl std::fmt::Display for Packet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}>{} {:08x}", self.source, self.destination, self.tag)?;
        for chunk in &self.chunks {
            write!(f, " [{chunk}]")?;
        }
        Ok(())
    }
}

impl std::fmt::Display for Chunk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match name(self.kind) {
            Some(name) => f.write_str(name)?,
            None => write!(f, "chunk-{}", self.kind)?,
        }
        if let Some(data) = self.data() {
            write!(f, " {} s{}", data.tsn, data.stream)?;
            if data.flags & data_flag::UNORDERED == 0 {
                write!(f, ":{}", data.ssn)?;
            }
            write!(f, " p{} {}B ", data.ppid, data.bytes.len())?;
            for (bit, letter) in [
                (data_flag::BEGIN, 'b'),
                (data_flag::END, 'e'),
                (data_flag::UNORDERED, 'u'),
                (data_flag::IMMEDIATE, 'i'),
            ] {
                if data.flags & bit != 0 {
                    f.write_char(letter)?;
                }
            }
            return Ok(());
        }
        if self.flags != 0 {
            write!(f, " flags={:x}", self.flags)?;
        }
        if let Some(init) = self.init() {
            return write!(
                f,
                " tag={:08x} rwnd={} out={} in={} tsn={} +{}B",
                init.tag,
                init.window,
                init.outbound,
                init.inbound,
                init.tsn,
                self.value.len() - 16
            );
        }
        if let Some(sack) = self.sack() {
            write!(f, " {} rwnd={}", sack.cumulative, sack.window)?;
            for (first, last) in sack.gaps {
                write!(f, " {first}-{last}")?;
            }
            for tsn in sack.duplicates {
                write!(f, " dup={tsn}")?;
            }
            return Ok(());
        }
        match self.kind {
            kind::ABORT | kind::ERROR => match self.tlvs(0) {
                Ok(causes) => causes.iter().try_for_each(|cause| {
                    write!(f, " cause={}({}B)", cause.kind, cause.value.len())
                }),
                Err(reason) => write!(f, " ({reason})"),
            },
            kind::SHUTDOWN | kind::FORWARD_TSN if self.value.len() >= 4 => {
                write!(f, " {} +{}B", be32(&self.value, 0), self.value.len() - 4)
            }
            _ if self.value.is_empty() => Ok(()),
            _ => write!(f, " {}B", self.value.len()),
        }
    }
}
