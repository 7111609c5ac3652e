//! Options of streams that the kernel takes where nothing comes of them.

use sctp::abi::assoc;
use sctp::abi::sstat_state::ESTABLISHED;
use sctp::bytes::{put_u32, u32_at};
use sctp::option::{
    OptionSpec, RECONFIG_SUPPORTED, SCHEDULERS_BY_VALUE, STREAM_SCHEDULER, assoc_value,
};
use sctp::{AssocId, Socket, Style};

use crate::terms::error::Error;

/// Sets what an association's two ends may ask of each other. `ENOPROTOOPT`, which requests would get,
/// if they have not agreed on that.
pub(crate) fn enable_reset(
    kernel: &Socket,
    style: Style,
    option: &OptionSpec,
    bytes: &[u8],
) -> Result<(), Error> {
    let wants = u32_at(bytes, assoc_value::VALUE) != Some(0);
    let whose = match (style, u32_at(bytes, 0).unwrap_or_default()) {
        // It has one at most, whatever its id.
        (Style::OneToOne, _) => kernel.assocs()?.first().copied(),
        (_, id) => (id > assoc::ALL).then(|| AssocId::from_u32(id)),
    };
    // Before it is up it has yet to hear what its peer knows of.
    let is_up = |id: &AssocId| kernel.status(*id).is_ok_and(|now| now.state >= ESTABLISHED);
    if wants
        && let Some(id) = whose.filter(is_up)
        && ask(kernel, &RECONFIG_SUPPORTED, id.to_u32())? == 0
    {
        return Err(Error::Posix(libc::ENOPROTOOPT));
    }
    Ok(kernel.set_option(option, bytes)?)
}

/// Sets a stream's value. The kernel is asked first, as it knows what is wrong; what it has accepted
/// without effect is refused.
pub(crate) fn set_value(
    kernel: &Socket,
    style: Style,
    option: &OptionSpec,
    bytes: &[u8],
) -> Result<(), Error> {
    kernel.set_option(option, bytes)?;
    let heeds = |id| match ask(kernel, &STREAM_SCHEDULER, id) {
        Ok(scheduler) => SCHEDULERS_BY_VALUE.contains(&scheduler),
        Err(_) => false,
    };
    let heeded = match (style, u32_at(bytes, 0).unwrap_or_default()) {
        // It has one at most, whatever its id.
        (Style::OneToOne, _) => kernel.assocs()?.iter().any(|id| heeds(id.to_u32())),
        // Those of them that do.
        (_, assoc::CURRENT) => true,
        (_, id) => heeds(id),
    };
    if heeded { Ok(()) } else { Err(Error::INVALID) }
}

/// The value of a `struct sctp_assoc_value`.
fn ask(kernel: &Socket, option: &OptionSpec, id: u32) -> Result<u32, Error> {
    let mut bytes = [0; assoc_value::SIZE];
    put_u32(&mut bytes, 0, id);
    kernel.get_option(option, &mut bytes)?;
    Ok(u32_at(&bytes, assoc_value::VALUE).unwrap_or_default())
}
