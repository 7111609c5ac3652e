//! `inet:setopts/2`. A list is applied from its end, as OTP does, up to the first option that is
//! refused.
//!
//! The kernel's options are set under the kernel's lock alone, as there may be many and each is a system
//! call. What lives above the kernel follows in the same order, under the state's lock.

use std::mem::{replace, take};
use std::sync::atomic::Ordering;

use flow::active::Request;
use sctp::abi::event_subscribe;
use sctp::bytes::i32_at;
use sctp::option::{Effect, OptionSpec, PRIORITY};

use crate::options::setting::Setting;
use crate::socket::mailbox::Limit;
use crate::socket::mode;
use crate::socket::state::{Open, Socket, SocketRef};
use crate::terms::error::Error;

/// What follows, above the kernel, of a setting that the kernel has taken if it is its own.
enum Step {
    Setting(Setting),
    /// Which events the user wants, of those that are always on.
    Events {
        data_io: bool,
        association: bool,
        partial_delivery: bool,
    },
    ReadBuffer(usize),
}

/// Applies a list. `EINVAL` if anything was refused.
pub(crate) fn apply(socket: &SocketRef, settings: Vec<Setting>) -> Result<(), Error> {
    let changes_mode = settings.iter().any(Setting::is_of_mode);
    let mut steps = Vec::with_capacity(settings.len());
    let mut done = true;
    for setting in settings.into_iter().rev() {
        match setting {
            Setting::Kernel(option, bytes) => match set(socket, option, bytes) {
                Ok(step) => steps.extend(step),
                Err(Error::Closed) => return Err(Error::Closed),
                Err(_) => {
                    done = false;
                    break;
                }
            },
            above => steps.push(Step::Setting(above)),
        }
    }
    let mut open = socket.lock()?;
    done &= steps.into_iter().all(|step| follow(&mut open, socket, step));
    // Messages come as the whole list says, and only the mode that remains counts.
    if changes_mode {
        mode::resume(&mut open);
    }
    if done { Ok(()) } else { Err(Error::INVALID) }
}

/// Sets an option of the kernel. Returns what follows from that.
fn set(socket: &Socket, option: &OptionSpec, mut bytes: Vec<u8>) -> Result<Option<Step>, Error> {
    let kernel = socket.kernel()?;
    if option.family.is_some_and(|only| only != socket.family) {
        return Err(Error::INVALID);
    }
    match option.effect {
        Effect::None => {
            kernel.set_option(option, &bytes)?;
            Ok(None)
        }
        // The library has its own way to what the first byte asks for (see the core's table), and
        // has to hear of the end of associations, and of messages that come no further, where its
        // owner does not want to.
        Effect::Events => {
            let data_io = take(&mut bytes[event_subscribe::DATA_IO]) != 0;
            let mut always = |event: usize| replace(&mut bytes[event], 1) != 0;
            let association = always(event_subscribe::ASSOCIATION);
            let partial_delivery = always(event_subscribe::PARTIAL_DELIVERY);
            kernel.set_option(option, &bytes)?;
            Ok(Some(Step::Events { data_io, association, partial_delivery }))
        }
        Effect::SendDefaults => {
            let done = kernel.set_option(option, &bytes);
            socket.defaults.changed();
            done?;
            Ok(None)
        }
        Effect::ReadBuffer => {
            kernel.set_option(option, &bytes)?;
            let size = i32_at(&bytes, 0).and_then(|size| usize::try_from(size).ok());
            Ok(size.map(Step::ReadBuffer))
        }
        Effect::Priority => {
            let mut priority = [0; 4];
            let kept = kernel.get_option(&PRIORITY, &mut priority);
            let done = kernel.set_option(option, &bytes);
            if kept.is_ok() {
                // Refused only for a priority that this process may not have, and then it is kept
                // by nobody.
                let _ = kernel.set_option(&PRIORITY, &priority);
            }
            done?;
            Ok(None)
        }
    }
}

/// Takes a step above the kernel; false if it was refused.
fn follow(open: &mut Open, socket: &SocketRef, step: Step) -> bool {
    let user = &mut open.state.user;
    match step {
        Step::Setting(Setting::AbortCauses(on)) => user.view.abort_causes = on,
        Step::Setting(Setting::Active(request)) => return set_mode(open, socket, request),
        Step::Setting(Setting::MailboxLimit(most)) => {
            open.state.delivery.limit = most.map(Limit::new);
        }
        Step::Setting(Setting::Batch(most)) => user.batch = most,
        Step::Setting(Setting::List(list)) => user.view.list = list,
        Step::Setting(Setting::Buffer(size)) => user.buffer = size,
        Step::Setting(Setting::NonBlockSend(on)) => {
            open.socket.non_block_send.store(on, Ordering::Relaxed);
        }
        Step::Setting(Setting::Debug(on)) => user.debug = on,
        Step::Setting(Setting::Netns(path)) => user.netns = Some(path),
        Step::Setting(Setting::Nothing | Setting::Kernel(..)) => {}
        Step::Events { data_io, association, partial_delivery } => {
            user.view.data_io = data_io;
            user.association_event = association;
            user.partial_delivery_event = partial_delivery;
        }
        // A read buffer smaller than the kernel's would only mean more reads.
        Step::ReadBuffer(size) => user.buffer = user.buffer.max(size),
    }
    true
}

fn set_mode(open: &mut Open, socket: &SocketRef, request: Request) -> bool {
    mode::set(open, socket, request).is_ok()
}
