//! `sctp_default_sndinfo`: what is said of messages whose sender does not (`SCTP_DEFAULT_SNDINFO`).
//!
//! The kernel forgets the policy of `sctp_default_prinfo` with it, but not the number, and takes that
//! for a lifetime in milliseconds from then on. So the policy is set anew.

use std::io;

use sctp::abi::{assoc, default_prinfo, sndinfo};
use sctp::bytes::{put_i32, u16_at, u32_at};
use sctp::option::{OptionSpec, PR_INFO};
use sctp::{AssocId, Style};

use crate::socket::send_defaults::SendDefaults;

/// Sets it for one association or several.
pub(crate) fn set(
    kernel: &sctp::Socket,
    style: Style,
    known: &SendDefaults,
    option: &OptionSpec,
    bytes: &mut [u8],
) -> io::Result<()> {
    let mut several = true;
    let ids = match (style, u32_at(bytes, sndinfo::ASSOC_ID).unwrap_or_default()) {
        (Style::OneToMany, assoc::CURRENT) => kernel.assoc_ids()?,
        (Style::OneToMany, assoc::ALL) => {
            std::iter::once(AssocId::FUTURE).chain(kernel.assoc_ids()?).collect()
        }
        (_, id) => {
            several = false;
            vec![AssocId::from_u32(id)]
        }
    };
    for id in ids {
        put_i32(bytes, sndinfo::ASSOC_ID, id.0);
        // Nobody takes the number for a lifetime meanwhile.
        match known.change(|| set_one(kernel, option, id, bytes)) {
            // It has ended meanwhile.
            Err(_) if several && id != AssocId::FUTURE && !kernel.has_assoc(id) => {}
            result => result?,
        }
    }
    Ok(())
}

fn set_one(
    kernel: &sctp::Socket,
    option: &OptionSpec,
    id: AssocId,
    bytes: &[u8],
) -> io::Result<()> {
    let mut given_up = [0; default_prinfo::SIZE];
    put_i32(&mut given_up, default_prinfo::ASSOC_ID, id.0);
    kernel.get_option(&PR_INFO, &mut given_up)?;
    kernel.set_option(option, bytes)?;
    match u16_at(&given_up, default_prinfo::POLICY) {
        // A lifetime of `sctp_default_send_param` has none, and stays.
        None | Some(0) => Ok(()),
        Some(_) => kernel.set_option(&PR_INFO, &given_up),
    }
}
