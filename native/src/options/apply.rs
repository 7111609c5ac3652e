//! `inet:setopts/2`. A list is applied from its end, as OTP does, up to the first option that is
//! refused; but some come after others in any case ([`sctp::option::Place`]).
//!
//! The kernel's options are set under the kernel's lock alone, as there may be many and each is a system
//! call. What lives above the kernel follows in the same order, under the state's lock.

use std::mem::{replace, take};

use flow::active::{Active, Request};
use sctp::Style;
use sctp::abi::{EXPOSE_ENABLE, event_subscribe};
use sctp::bytes::{i32_at, u32_at};
use sctp::option::{Effect, OptionSpec, PRIORITY, asks_for_encapsulation, assoc_value};

use crate::options::defaults;
use crate::options::record::Value;
use crate::options::setting::Setting;
use crate::options::streams;
use crate::options::subscription::{self, Subscription};
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
    Subscription(Subscription),
    /// The user knows of paths that are potentially failed.
    ExposePotentiallyFailed,
    ReadBuffer(usize),
}

/// Applies a list. If anything was refused: `EINVAL`, or for an option that OTP does not have the
/// kernel's own error.
pub(crate) fn apply(socket: &SocketRef, mut settings: Vec<Setting>) -> Result<(), Error> {
    let changes_mode = settings.iter().any(Setting::is_of_mode);
    let mut steps = Vec::with_capacity(settings.len());
    let mut refused = None;
    // What is refused above the kernel ends the list for the kernel, too.
    let mut mode = socket.lock()?.state.delivery.mode();
    settings.reverse();
    settings.sort_by_key(Setting::place);
    for setting in settings {
        match setting {
            Setting::Kernel(option, value) => match set(socket, option, value) {
                Ok(step) => steps.extend(step),
                Err(Error::Closed) => return Err(Error::Closed),
                Err(error) => {
                    refused = Some(if option.added { error } else { Error::INVALID });
                    break;
                }
            },
            above => {
                if !is_possible(socket, &above, &mut mode) {
                    refused = Some(Error::INVALID);
                    break;
                }
                steps.push(Step::Setting(above));
            }
        }
    }
    let mut open = socket.lock()?;
    // Refused only where another process has changed the mode meanwhile.
    if !steps.into_iter().all(|step| follow(&mut open, socket, step)) {
        refused.get_or_insert(Error::INVALID);
    }
    // Messages come as the whole list says, and only the mode that remains counts.
    if changes_mode {
        mode::resume(&mut open);
    }
    refused.map_or(Ok(()), Err)
}

/// Is a setting of what lives above the kernel one that this socket takes? `mode` becomes what it would be.
fn is_possible(socket: &Socket, setting: &Setting, mode: &mut Active) -> bool {
    match *setting {
        Setting::Active(request) => {
            mode.after(request).map(|(after, _announced)| *mode = after).is_ok()
        }
        // One-to-many sockets have no end.
        Setting::EndOfStream(told) => !told || socket.style == Style::OneToOne,
        Setting::Refused => false,
        _ => true,
    }
}

/// Sets an option of the kernel. Returns what follows from that.
fn set(socket: &Socket, option: &OptionSpec, value: Value) -> Result<Option<Step>, Error> {
    let kernel = socket.kernel()?;
    if option.family.is_some_and(|only| only != socket.family) {
        return Err(Error::INVALID);
    }
    let mut bytes = value.complete(|present| kernel.get_option(option, present))?;
    if !(option.effective)(&bytes) {
        return Err(Error::INVALID);
    }
    match option.effect {
        // The kernel would accept it without effect; or does not know it, which it says itself.
        Effect::Encapsulation if asks_for_encapsulation(&bytes) && !kernel.encapsulates() => {
            kernel.get_option(option, &mut bytes)?;
            Err(Error::INVALID)
        }
        Effect::None | Effect::PathState(_) | Effect::Encapsulation => {
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
        Effect::Subscription => {
            let step = subscription::set(&kernel, socket.style, option, &mut bytes)?;
            Ok(step.map(Step::Subscription))
        }
        Effect::ExposePotentiallyFailed => {
            kernel.set_option(option, &bytes)?;
            let on = u32_at(&bytes, assoc_value::VALUE) == Some(EXPOSE_ENABLE);
            Ok(on.then_some(Step::ExposePotentiallyFailed))
        }
        Effect::EnableStreamReset => {
            streams::enable_reset(&kernel, socket.style, option, &bytes)?;
            Ok(None)
        }
        Effect::StreamValue => {
            streams::set_value(&kernel, socket.style, option, &bytes)?;
            Ok(None)
        }
        Effect::SendDefaults => {
            socket.defaults.change(|| kernel.set_option(option, &bytes))?;
            Ok(None)
        }
        Effect::DefaultSndInfo => {
            defaults::set(&kernel, socket.style, &socket.defaults, option, &mut bytes)?;
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
        Step::Setting(Setting::MaxMessageSize(most)) => user.max_message_size = most,
        Step::Setting(Setting::NonBlockSend(on)) => {
            open.socket.patience.set_non_block(on);
        }
        Step::Setting(Setting::EndOfStream(told)) => user.end_of_stream = Some(told),
        Step::Setting(Setting::SendTimeout(time)) => open.socket.patience.set_timeout(time),
        Step::Setting(Setting::SendTimeoutClose(on)) => open.socket.patience.set_closes(on),
        Step::Setting(Setting::RecvRcvInfo(on)) => user.view.info.rcvinfo = on,
        Step::Setting(Setting::Debug(on)) => user.debug = on,
        Step::Setting(Setting::Netns(path)) => user.netns = Some(path),
        Step::Setting(Setting::Nothing | Setting::Refused | Setting::Kernel(..)) => {}
        Step::Events { data_io, association, partial_delivery } => {
            user.view.info.data_io = data_io;
            user.subscriptions.set_all(association, partial_delivery);
        }
        Step::Subscription(subscription) => subscription.follow(&mut user.subscriptions),
        Step::ExposePotentiallyFailed => user.potentially_failed = true,
        // A read buffer smaller than the kernel's would only mean more reads.
        Step::ReadBuffer(size) => user.buffer = user.buffer.max(size),
    }
    true
}

fn set_mode(open: &mut Open, socket: &SocketRef, request: Request) -> bool {
    mode::set(open, socket, request).is_ok()
}
