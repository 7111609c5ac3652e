//! The system calls: the crate's only unsafe code.
//!
//! One function is one call, or one call in a loop against `EINTR`. What they take and give is safe
//! to hold and pass on; `-1` becomes the error of `errno`.
//!
//! The calls made for each message go past the C library's functions of their names. Those are
//! points where threads can be cancelled, which nobody does here, and that takes them as long as
//! the rest of what they do.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_int};
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;

use super::cmsg;
use crate::abi::{SOL_SCTP, STORAGE_SIZE, connectx3_arg, optname, peeloff_flags_arg};
use crate::bytes::{i32_at, put_i32, put_u32, put_usize};

/// The error of the last call if it gave `-1`, else what it gave.
fn check(result: c_int) -> io::Result<c_int> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// As [`check`], for calls that give a length.
fn check_len(result: isize) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

/// Repeats `call` while a signal interrupts it.
#[inline(always)]
fn retry<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

fn socklen(bytes: &[u8]) -> io::Result<libc::socklen_t> {
    bytes.len().try_into().map_err(|_| io::ErrorKind::InvalidInput.into())
}

/// Overwrites what must not stay in memory; unlike other writes, nobody leaves this one out because
/// nothing reads what it wrote.
pub(crate) fn erase(bytes: &mut [u8]) {
    // SAFETY: `bytes` is valid for writes of its length, and any byte is a `u8`.
    unsafe { libc::explicit_bzero(bytes.as_mut_ptr().cast(), bytes.len()) }
}

/// setsockopt(2). No option this crate names has a pointer in its value.
pub(crate) fn setsockopt(
    fd: BorrowedFd<'_>,
    level: i32,
    option: i32,
    value: &[u8],
) -> io::Result<()> {
    let len = socklen(value)?;
    // SAFETY: `value` is valid for reads of `len` bytes, and the kernel only reads them.
    check(unsafe { libc::setsockopt(fd.as_raw_fd(), level, option, value.as_ptr().cast(), len) })?;
    Ok(())
}

/// getsockopt(2): the length of what the kernel wrote. `value` is what the option takes, too. Some
/// options write to it and fail all the same.
pub(crate) fn getsockopt(
    fd: BorrowedFd<'_>,
    level: i32,
    option: i32,
    value: &mut [u8],
) -> io::Result<usize> {
    let mut len = socklen(value)?;
    let pointer = value.as_mut_ptr().cast();
    // SAFETY: `value` is valid for writes of `len` bytes, the most the kernel writes. Its bytes are
    // never taken for a pointer but by `SCTP_SOCKOPT_CONNECTX3`, which only reads through it.
    check(unsafe { libc::getsockopt(fd.as_raw_fd(), level, option, pointer, &mut len) })?;
    Ok(value.len().min(len as usize))
}

/// Starts an association with the peer that has the addresses of `list`; its id. Being in progress
/// is no error.
pub(crate) fn connectx3(fd: BorrowedFd<'_>, list: &[u8]) -> io::Result<i32> {
    let length = i32::try_from(list.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let mut arg = [0; connectx3_arg::SIZE];
    put_i32(&mut arg, connectx3_arg::LENGTH, length);
    // The pointer is good until the end of this function, longer than the kernel uses it.
    put_usize(&mut arg, connectx3_arg::ADDRS, list.as_ptr().expose_provenance());
    match getsockopt(fd, SOL_SCTP, optname::SOCKOPT_CONNECTX3, &mut arg) {
        Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => Err(error),
        _ => Ok(i32_at(&arg, connectx3_arg::ASSOC_ID).unwrap_or_default()),
    }
}

/// Branches an association off into a descriptor of its own, non-blocking and closed on exec.
pub(crate) fn peeloff(fd: BorrowedFd<'_>, assoc: i32) -> io::Result<OwnedFd> {
    let mut arg = [0; peeloff_flags_arg::SIZE];
    put_i32(&mut arg, peeloff_flags_arg::ASSOC_ID, assoc);
    let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    put_u32(&mut arg, peeloff_flags_arg::FLAGS, flags.cast_unsigned());
    getsockopt(fd, SOL_SCTP, optname::SOCKOPT_PEELOFF_FLAGS, &mut arg)?;
    match i32_at(&arg, peeloff_flags_arg::SD) {
        // SAFETY: the call succeeded, so this is a descriptor it opened and nobody else has.
        Some(sd) if sd >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(sd) }),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// accept4(2): a descriptor, non-blocking and closed on exec. The peer's address is not asked for: a
/// peer that is gone has none, and that would be an error.
pub(crate) fn accept(fd: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    let nobody = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: where there is no room for an address, nor for its length, the kernel writes none.
    let call = || check(unsafe { libc::accept4(fd.as_raw_fd(), nobody.0, nobody.1, flags) });
    let accepted = retry(call)?;
    // SAFETY: the call has just made this descriptor; nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(accepted) })
}

/// poll(2), not waiting: is there something to receive or to accept?
pub(crate) fn is_readable(fd: BorrowedFd<'_>) -> io::Result<bool> {
    let mut asked = libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: `asked` is valid for reads and writes of the one element that it is.
    let ready = retry(|| check(unsafe { libc::poll(&mut asked, 1, 0) }))?;
    Ok(ready > 0 && asked.revents & libc::POLLIN != 0)
}

/// sendmsg(2), never blocking, never raising `SIGPIPE`: how many bytes were taken. `name` is a
/// `sockaddr` or nothing.
#[inline(always)]
pub(crate) fn sendmsg(
    fd: BorrowedFd<'_>,
    name: &[u8],
    payload: &[IoSlice<'_>],
    control: &[u8],
) -> io::Result<usize> {
    let mut header = message_header();
    // The kernel reads all through these pointers; they are `mut` for recvmsg(2) only.
    header.msg_name = name.as_ptr().cast_mut().cast();
    header.msg_namelen = socklen(name)?;
    header.msg_iov = payload.as_ptr().cast_mut().cast();
    header.msg_iovlen = payload.len() as _;
    header.msg_control = control.as_ptr().cast_mut().cast();
    header.msg_controllen = control.len() as _;
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    // SAFETY: all pointers of `header` are null or valid for reads of the lengths beside them
    // during the call; `IoSlice` is guaranteed to be laid out as `iovec`.
    let call = || unsafe { libc::syscall(libc::SYS_sendmsg, fd.as_raw_fd(), &header, flags) };
    retry(|| check_len(call() as isize))
}

/// sendmmsg(2) with `MSG_MORE`, of messages with a control part and a payload each: how many were
/// taken, of which there is at least one unless it fails.
pub(crate) fn sendmmsg_more(
    fd: BorrowedFd<'_>,
    controls: &[[u8; cmsg::SNDRCV_SPACE]],
    payloads: &[IoSlice<'_>],
) -> io::Result<usize> {
    let mut headers = Vec::with_capacity(payloads.len());
    for (control, payload) in controls.iter().zip(payloads) {
        let mut header = message_header();
        // As in sendmsg.
        header.msg_iov = ptr::from_ref(payload).cast_mut().cast();
        header.msg_iovlen = 1;
        header.msg_control = control.as_ptr().cast_mut().cast();
        header.msg_controllen = control.len() as _;
        headers.push(libc::mmsghdr { msg_hdr: header, msg_len: 0 });
    }
    let count = headers.len().try_into().unwrap_or(u32::MAX);
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL | libc::MSG_MORE;
    let pointer = headers.as_mut_ptr();
    // SAFETY: `headers` is valid for reads and writes of `count` elements, whose pointers are null
    // or valid for reads of the lengths beside them during the call.
    let sent =
        retry(|| check(unsafe { libc::sendmmsg(fd.as_raw_fd(), pointer, count, flags as _) }))?;
    Ok(sent.cast_unsigned() as usize)
}

/// What recvmsg(2) gives besides the message itself.
pub(crate) struct RawReceived {
    /// Bytes of the message.
    pub(crate) len: usize,
    /// `msg_flags`.
    pub(crate) flags: c_int,
    /// Where it came from, a `sockaddr_storage`; zero if the kernel did not say.
    pub(crate) from: [u8; STORAGE_SIZE],
    /// Control data, `control_len` bytes of it.
    pub(crate) control: [u8; cmsg::RECV_SPACE],
    pub(crate) control_len: usize,
}

impl RawReceived {
    pub(crate) const NOTHING: RawReceived = RawReceived {
        len: 0,
        flags: 0,
        from: [0; STORAGE_SIZE],
        control: [0; cmsg::RECV_SPACE],
        control_len: 0,
    };
}

impl RawReceived {
    /// What a message is received to: its address and control data here, the rest in `bufs`.
    fn header(&mut self, bufs: &mut [IoSliceMut<'_>]) -> libc::msghdr {
        let mut header = message_header();
        header.msg_name = self.from.as_mut_ptr().cast();
        header.msg_namelen = STORAGE_SIZE as _;
        header.msg_iov = bufs.as_mut_ptr().cast();
        header.msg_iovlen = bufs.len() as _;
        header.msg_control = self.control.as_mut_ptr().cast();
        header.msg_controllen = cmsg::RECV_SPACE as _;
        header
    }

    fn fill(&mut self, header: &libc::msghdr, len: usize) {
        self.len = len;
        self.flags = header.msg_flags;
        self.control_len = cmsg::RECV_SPACE.min(header.msg_controllen as _);
    }
}

/// recvmsg(2) into one buffer after the other, never blocking. `received` is to be new.
pub(crate) fn recvmsg(
    fd: BorrowedFd<'_>,
    bufs: &mut [IoSliceMut<'_>],
    received: &mut RawReceived,
) -> io::Result<()> {
    let (len, header) = retry(|| {
        let mut header = received.header(bufs);
        // SAFETY: all pointers of `header` are valid for writes of the lengths beside them during
        // the call, and the kernel writes no more than that; `IoSliceMut` is guaranteed to be laid
        // out as `iovec`.
        let len = unsafe {
            libc::syscall(libc::SYS_recvmsg, fd.as_raw_fd(), &mut header, libc::MSG_DONTWAIT)
        };
        Ok((check_len(len as isize)?, header))
    })?;
    received.fill(&header, len);
    Ok(())
}

/// recvmmsg(2), never blocking, of messages into a buffer each, as many as there are places in
/// `received`; how many it were, of which there is at least one unless it fails.
pub(crate) fn recvmmsg<'a>(
    fd: BorrowedFd<'_>,
    bufs: impl Iterator<Item = &'a mut [u8]>,
    received: &mut [RawReceived],
) -> io::Result<usize> {
    let mut bufs: Vec<_> = bufs.take(received.len()).map(IoSliceMut::new).collect();
    let mut headers: Vec<_> = received
        .iter_mut()
        .zip(bufs.iter_mut())
        .map(|(received, buf)| {
            // Perhaps of an earlier call. The kernel may have nothing to say.
            received.from[..2].fill(0);
            let msg_hdr = received.header(std::slice::from_mut(buf));
            libc::mmsghdr { msg_hdr, msg_len: 0 }
        })
        .collect();
    let count = headers.len().try_into().unwrap_or(u32::MAX);
    let pointer = headers.as_mut_ptr();
    let flags = libc::MSG_DONTWAIT;
    let call = || {
        // SAFETY: `headers` is valid for reads and writes of `count` elements, whose pointers are
        // valid for writes of the lengths beside them during the call; no two of them overlap.
        check(unsafe {
            libc::recvmmsg(fd.as_raw_fd(), pointer, count, flags as _, ptr::null_mut())
        })
    };
    let count = retry(call)?.cast_unsigned() as usize;
    for (received, header) in received.iter_mut().zip(&headers[..count]) {
        received.fill(&header.msg_hdr, header.msg_len as usize);
    }
    Ok(count)
}

fn message_header() -> libc::msghdr {
    // Zeroed, not built: some C libraries have padding in it that the kernel reads.
    // SAFETY: integers and pointers, for all of which zero is a value.
    unsafe { std::mem::zeroed() }
}

/// Moves the calling thread into the network namespace at `path`.
pub(crate) fn enter_netns(path: &CStr) -> io::Result<()> {
    let flags = libc::O_RDONLY | libc::O_CLOEXEC | libc::O_NONBLOCK;
    // SAFETY: `path` is a string that ends in zero.
    let fd = retry(|| check(unsafe { libc::open(path.as_ptr(), flags) }))?;
    // SAFETY: open(2) has just made this descriptor; nobody else has it.
    let namespace = unsafe { OwnedFd::from_raw_fd(fd) };
    // SAFETY: takes no pointer.
    check(unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) })?;
    Ok(())
}

/// clock_getres(2) in nanoseconds.
pub(crate) fn clock_getres(clock: libc::clockid_t) -> io::Result<u64> {
    // SAFETY: integers, for all of which zero is a value.
    let mut time: libc::timespec = unsafe { std::mem::zeroed() };
    // SAFETY: `time` is valid for writes during the call.
    check(unsafe { libc::clock_getres(clock, &mut time) })?;
    let [seconds, nanos] = [time.tv_sec, time.tv_nsec].map(|n| u64::try_from(n).unwrap_or(0));
    Ok(seconds * 1_000_000_000 + nanos)
}

/// sched_getscheduler(2) for the calling thread.
pub(crate) fn sched_getscheduler() -> io::Result<c_int> {
    // SAFETY: takes no pointer.
    check(unsafe { libc::sched_getscheduler(0) })
}

/// sched_setscheduler(2) for the calling thread, with priority 0: the only one of the policies that
/// need no privilege.
pub(crate) fn sched_setscheduler(policy: c_int) -> io::Result<()> {
    // SAFETY: integers, for all of which zero is a value.
    let param: libc::sched_param = unsafe { std::mem::zeroed() };
    // SAFETY: `param` is valid for reads during the call.
    check(unsafe { libc::sched_setscheduler(0, policy, &param) })?;
    Ok(())
}

/// epoll_create1(2), closed on exec.
pub(crate) fn epoll_create() -> io::Result<OwnedFd> {
    // SAFETY: takes no pointer.
    let fd = check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
    // SAFETY: the call has just made this descriptor; nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// epoll_ctl(2).
pub(crate) fn epoll_ctl(
    epoll: BorrowedFd<'_>,
    operation: c_int,
    fd: BorrowedFd<'_>,
    events: u32,
    token: u64,
) -> io::Result<()> {
    let mut event = libc::epoll_event { events, u64: token };
    // SAFETY: `event` is valid during the call, and the kernel keeps a copy, no pointer.
    check(unsafe { libc::epoll_ctl(epoll.as_raw_fd(), operation, fd.as_raw_fd(), &mut event) })?;
    Ok(())
}

/// epoll_wait(2): how many events were written to the start of `events`. Not repeated when a signal
/// interrupts it: the time to wait would have to be reckoned anew.
pub(crate) fn epoll_wait(
    epoll: BorrowedFd<'_>,
    events: &mut [libc::epoll_event],
    timeout_ms: i32,
) -> io::Result<usize> {
    let room = i32::try_from(events.len()).unwrap_or(i32::MAX);
    let (epoll, pointer) = (epoll.as_raw_fd(), events.as_mut_ptr());
    let signals = ptr::null::<libc::sigset_t>();
    // Not all architectures have the older epoll_wait. Without signals it is just that.
    // SAFETY: `events` is valid for writes of `room` events, the most the kernel writes.
    let count = unsafe {
        libc::syscall(libc::SYS_epoll_pwait, epoll, pointer, room, timeout_ms, signals, 0usize)
    };
    check_len(count as isize)
}

/// eventfd(2), counter 0, non-blocking and closed on exec.
pub(crate) fn eventfd() -> io::Result<OwnedFd> {
    // SAFETY: takes no pointer.
    let fd = check(unsafe { libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) })?;
    // SAFETY: the call has just made this descriptor; nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Adds 1 to an eventfd's counter.
pub(crate) fn eventfd_add(fd: BorrowedFd<'_>) -> io::Result<()> {
    let one = 1u64;
    // SAFETY: `one` is valid for reads of its 8 bytes.
    let write = || unsafe { libc::write(fd.as_raw_fd(), ptr::from_ref(&one).cast(), 8) };
    retry(|| check_len(write()))?;
    Ok(())
}

/// Takes an eventfd's counter back to 0.
pub(crate) fn eventfd_reset(fd: BorrowedFd<'_>) -> io::Result<()> {
    let mut count = 0u64;
    retry(|| {
        // SAFETY: `count` is valid for writes of its 8 bytes.
        check_len(unsafe { libc::read(fd.as_raw_fd(), ptr::from_mut(&mut count).cast(), 8) })
    })?;
    Ok(())
}
