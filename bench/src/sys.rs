//! The system calls that are measured, and the few around them that no safe crate has.
//!
//! Nothing is between the loop and the kernel here: one `sendmsg` or `recvmsg` a message, on a
//! blocking socket, with the ancillary data that `gen_sctp` gives its users too.
#![allow(unsafe_code)] // system calls

use std::io;
use std::mem::{size_of, zeroed};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::AsRawFd;
use std::ptr::from_mut;

use socket2::{Domain, Protocol, Socket, Type};

use crate::spec::Spec;

/// `SCTP_GET_ASSOC_ID_LIST` of linux/sctp.h, which libc lacks.
const SCTP_GET_ASSOC_ID_LIST: libc::c_int = 29;
/// `MSG_NOTIFICATION` of linux/sctp.h.
const MSG_NOTIFICATION: libc::c_int = 0x8000;

/// Room for one `struct sctp_sndrcvinfo` and its header, with the alignment of the header.
#[repr(C, align(8))]
struct Control([u8; 64]);

const INFO: usize = size_of::<libc::sctp_sndrcvinfo>();

/// What came with a message.
pub(crate) struct Received {
    pub(crate) len: usize,
    /// The kernel's number of the association; of data only.
    pub(crate) assoc: i32,
    pub(crate) notification: bool,
    pub(crate) end_of_record: bool,
}

/// A one-to-many socket on 127.0.0.1 with the kernel buffers of its case (which the kernel
/// doubles), without Nagle's delay, telling the association with each message.
pub(crate) fn open(spec: &Spec) -> io::Result<Socket> {
    open_of_type(spec, Type::SEQPACKET)
}

/// The same for one association.
pub(crate) fn open_one_to_one(spec: &Spec) -> io::Result<Socket> {
    open_of_type(spec, Type::STREAM)
}

fn open_of_type(spec: &Spec, ty: Type) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, ty, Some(Protocol::from(libc::IPPROTO_SCTP)))?;
    socket.set_send_buffer_size(spec.buffer())?;
    socket.set_recv_buffer_size(spec.receive_buffer())?;
    set(&socket, libc::SCTP_NODELAY, &1_i32.to_ne_bytes())?;
    // The first field of struct sctp_event_subscribe is data_io.
    set(&socket, libc::SCTP_EVENTS, &[1])?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    Ok(socket)
}

fn set(socket: &Socket, name: libc::c_int, value: &[u8]) -> io::Result<()> {
    let len = libc::socklen_t::try_from(value.len()).map_err(io::Error::other)?;
    // SAFETY: the pointer and the length are those of one live slice, which is only read.
    let result = unsafe {
        libc::setsockopt(socket.as_raw_fd(), libc::IPPROTO_SCTP, name, value.as_ptr().cast(), len)
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The first association of a socket.
pub(crate) fn association(socket: &Socket) -> io::Result<i32> {
    // struct sctp_assoc_ids: their number, then the ids.
    let mut ids = [0_i32; 64];
    let mut len = libc::socklen_t::try_from(size_of_val(&ids)).map_err(io::Error::other)?;
    // SAFETY: the kernel writes at most `len` bytes, which is the size of the array, and any bytes
    // make integers.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_SCTP,
            SCTP_GET_ASSOC_ID_LIST,
            ids.as_mut_ptr().cast(),
            &raw mut len,
        )
    };
    match result {
        0 if ids[0] > 0 => Ok(ids[1]),
        0 => Err(io::ErrorKind::NotConnected.into()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Sends a message on stream 0 of an association; waits for room.
pub(crate) fn send(socket: &Socket, assoc: i32, message: &[u8]) -> io::Result<()> {
    let mut control = Control([0; 64]);
    let mut iov = iovec(message);
    let header = send_header(&mut control, &mut iov, assoc);
    // SAFETY: the header points to `iov` and `control`, which live until the call returns; the
    // message is only read.
    let sent = unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const header, libc::MSG_NOSIGNAL) };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Sends a message `count` times, at least once, with two system calls, in as few packets as the
/// kernel makes.
pub(crate) fn send_bundle(
    socket: &Socket,
    assoc: i32,
    message: &[u8],
    count: usize,
) -> io::Result<()> {
    let mut control = Control([0; 64]);
    let mut iov = iovec(message);
    let header = send_header(&mut control, &mut iov, assoc);
    let mut headers = vec![libc::mmsghdr { msg_hdr: header, msg_len: 0 }; count - 1];
    let mut left = &mut headers[..];
    while !left.is_empty() {
        let number = libc::c_uint::try_from(left.len()).map_err(io::Error::other)?;
        let flags = libc::MSG_NOSIGNAL | libc::MSG_MORE;
        // SAFETY: the pointer and the length are those of one live slice; all its headers point to
        // `iov` and `control`, which live until the call returns and are only read.
        let sent =
            unsafe { libc::sendmmsg(socket.as_raw_fd(), left.as_mut_ptr(), number, flags as _) };
        let sent = usize::try_from(sent).map_err(|_| io::Error::last_os_error())?;
        left = &mut left[sent..];
    }
    send(socket, assoc, message)
}

fn iovec(bytes: &[u8]) -> libc::iovec {
    libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() }
}

/// The header of a message for stream 0 of an association. It points to `control` and `iov`.
fn send_header(control: &mut Control, iov: &mut libc::iovec, assoc: i32) -> libc::msghdr {
    // SAFETY: all of msghdr's fields are integers and pointers, for which zero is a value.
    let mut header: libc::msghdr = unsafe { zeroed() };
    header.msg_iov = from_mut(iov);
    header.msg_iovlen = 1;
    header.msg_control = from_mut(control).cast();
    // SAFETY: only computes; INFO is small.
    header.msg_controllen = unsafe { libc::CMSG_SPACE(INFO as u32) } as usize;
    // SAFETY: the control buffer is 64 bytes, aligned as a cmsghdr, and longer than CMSG_SPACE(INFO)
    // (48), so the first header and an info behind it lie inside; zeroed bytes are a valid info.
    unsafe {
        let cmsg = libc::CMSG_FIRSTHDR(&raw const header);
        (*cmsg).cmsg_level = libc::IPPROTO_SCTP;
        (*cmsg).cmsg_type = libc::SCTP_SNDRCV;
        (*cmsg).cmsg_len = libc::CMSG_LEN(INFO as u32) as usize;
        let info = libc::CMSG_DATA(cmsg).cast::<libc::sctp_sndrcvinfo>();
        (*info).sinfo_assoc_id = assoc;
    }
    header
}

/// Waits for a message or a piece of one.
pub(crate) fn receive(socket: &Socket, buf: &mut [u8]) -> io::Result<Received> {
    let mut control = Control([0; 64]);
    // SAFETY: sockaddr_in's fields are integers, for which zero is a value.
    let mut name: libc::sockaddr_in = unsafe { zeroed() };
    let mut iov = libc::iovec { iov_base: buf.as_mut_ptr().cast(), iov_len: buf.len() };
    // SAFETY: as in `send_header`.
    let mut header: libc::msghdr = unsafe { zeroed() };
    header.msg_name = from_mut(&mut name).cast();
    header.msg_namelen = size_of::<libc::sockaddr_in>() as libc::socklen_t;
    header.msg_iov = &raw mut iov;
    header.msg_iovlen = 1;
    header.msg_control = from_mut(&mut control).cast();
    header.msg_controllen = size_of::<Control>();
    // SAFETY: the header points to `name`, `iov`, `buf` and `control` with their own lengths; they
    // live until the call returns and nothing else refers to them.
    let len = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, 0) };
    let len = usize::try_from(len).map_err(|_| io::Error::last_os_error())?;
    let mut assoc = 0;
    // SAFETY: recvmsg has set msg_controllen to what it filled, so this is null or a whole header.
    let cmsg = unsafe { libc::CMSG_FIRSTHDR(&raw const header).as_ref() };
    if let Some(cmsg) = cmsg
        && cmsg.cmsg_level == libc::IPPROTO_SCTP
        && cmsg.cmsg_type == libc::SCTP_SNDRCV
    {
        // SAFETY: the kernel puts a whole, aligned sctp_sndrcvinfo behind a header of this type,
        // and it fits the control buffer.
        assoc = unsafe { (*libc::CMSG_DATA(cmsg).cast::<libc::sctp_sndrcvinfo>()).sinfo_assoc_id };
    }
    Ok(Received {
        len,
        assoc,
        notification: header.msg_flags & MSG_NOTIFICATION != 0,
        end_of_record: header.msg_flags & libc::MSG_EOR != 0,
    })
}
