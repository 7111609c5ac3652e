//! One direction of a one-to-one socket ends, or both.

use sctp::Half;

use crate::socket::settle::settle;
use crate::socket::state::Socket;
use crate::terms::error::Error;

impl Socket {
    /// Ends one direction or both.
    pub(crate) fn shutdown(&self, half: Half) -> Result<(), Error> {
        self.kernel()?.shutdown(half)?;
        if half != Half::Write {
            let mut open = self.lock()?;
            open.state.end.come();
            settle(&mut open);
        }
        Ok(())
    }
}
