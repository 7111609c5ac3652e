//! Receiving as the library has to: a thread waits for the socket, reads, and hands each message to
//! another thread, which is what a process is to it.
//!
//! What a round trip costs this way, with nothing of Erlang in it, is the least that a design with
//! an I/O thread can cost.

use std::io;
use std::os::fd::AsFd;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use sctp::{Epoll, Events, Interest, Token};
use socket2::Socket;

use crate::sys;

/// A message and its association.
type Message = (Vec<u8>, i32);

/// Starts the thread. It ends with the process: the socket is not closed before.
pub(crate) fn start(socket: &Socket, size: usize) -> io::Result<Receiver<Message>> {
    let socket = socket.try_clone()?;
    let epoll = Epoll::new()?;
    epoll.add(socket.as_fd(), Token(0), Interest::READ)?;
    let (sender, messages) = mpsc::channel();
    thread::spawn(move || -> io::Result<()> {
        let mut events = Events::with_capacity(64);
        let mut buf = vec![0; size];
        loop {
            epoll.wait(&mut events, None)?;
            if events.is_empty() {
                continue;
            }
            let received = sys::receive(&socket, &mut buf)?;
            let message = (buf[..received.len].to_vec(), received.assoc);
            if received.notification || sender.send(message).is_err() {
                return Ok(());
            }
        }
    });
    Ok(messages)
}
