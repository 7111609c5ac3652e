//! References to sockets as Erlang and this library share them: resources of the VM.
//!
//! As rustler's `ResourceArc`, which looks its resource type up in a hash map at each use. Here it is
//! a pointer, as a NIF that sends a hundred bytes has not much more to do.
#![allow(unsafe_code)] // the VM's calls for resources

use std::ffi::{CStr, c_void};
use std::mem::MaybeUninit;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{NonNull, null, null_mut};
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, Ordering};

use rustler::sys::{
    ErlNifEnv, ErlNifMonitor, ErlNifPid, ErlNifResourceDown, ErlNifResourceDtor,
    ErlNifResourceFlags, ErlNifResourceType, ErlNifResourceTypeInit, enif_alloc_resource,
    enif_demonitor_process, enif_get_resource, enif_keep_resource, enif_make_resource,
    enif_monitor_process, enif_open_resource_type_x, enif_release_resource,
};
use rustler::{Decoder, Encoder, Env, Error, LocalPid, Monitor, NifResult, Term};

use crate::socket::{Inner, SocketRef};

const NAME: &CStr = c"gen_sctp_nif socket";

/// The resource type, after a reload that of the new library.
static TYPE: AtomicPtr<ErlNifResourceType> = AtomicPtr::new(null_mut());

/// Makes the resource type. For the load callback only; false if the VM refuses.
pub(crate) fn register(env: Env) -> bool {
    let init = ErlNifResourceTypeInit {
        dtor: destroy as *const ErlNifResourceDtor,
        stop: null(),
        down: down as *const ErlNifResourceDown,
    };
    let flags = ErlNifResourceFlags::ERL_NIF_RT_CREATE;
    let mut tried = MaybeUninit::uninit();
    // SAFETY: `env` is that of the load callback, `NAME` ends in zero, `init` has functions of the
    // types that the VM calls, and `tried` is valid for writes.
    let made = unsafe {
        enif_open_resource_type_x(env.as_c_arg(), NAME.as_ptr(), &init, flags, tried.as_mut_ptr())
    };
    TYPE.store(made.cast_mut(), Ordering::Release);
    !made.is_null()
}

unsafe extern "C" fn destroy(_env: *mut ErlNifEnv, resource: *mut c_void) {
    // SAFETY: the VM calls this once for each resource, after its last use; `Handle::new` has
    // written the socket.
    let socket = unsafe { resource.cast::<SocketRef>().read() };
    // A panic must not get into the VM, and nobody is there to be told.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(socket)));
}

unsafe extern "C" fn down(
    _env: *mut ErlNifEnv,
    resource: *mut c_void,
    _pid: *const ErlNifPid,
    monitor: *const ErlNifMonitor,
) {
    // SAFETY: during the callback the VM keeps the resource, in which `Handle::new` has written the
    // socket.
    let socket = unsafe { &*resource.cast::<SocketRef>() };
    // SAFETY: `monitor` is valid for reads during the callback.
    let monitor = Monitor::from_c_arg(unsafe { *monitor });
    // As above.
    let _ = catch_unwind(AssertUnwindSafe(|| socket.down(&monitor)));
}

/// The socket that a term refers to; `None` for any other term, or a socket of a library that has
/// been replaced.
fn socket<'a>(term: Term<'a>) -> Option<&'a SocketRef> {
    let (env, wanted) = (term.get_env(), TYPE.load(Ordering::Acquire));
    let mut resource = MaybeUninit::uninit();
    // SAFETY: `wanted` is a resource type of this library, as no NIF is called before it is loaded;
    // `term` belongs to `env`; `resource` is valid for writes.
    let found = unsafe {
        enif_get_resource(env.as_c_arg(), term.as_c_arg(), wanted, resource.as_mut_ptr()) != 0
    };
    // SAFETY: where the term is such a resource the call has written its address.
    let resource = found.then(|| unsafe { resource.assume_init() })?;
    // SAFETY: a resource of our type has a socket in it. It lives as long as a term refers to it,
    // and `term` does for `'a`.
    Some(unsafe { &*resource.cast::<SocketRef>() })
}

/// One reference to a socket, counted by the VM.
pub(crate) struct Handle(NonNull<SocketRef>);

// SAFETY: it gives nothing but shared references to a `SocketRef`, which is `Send` and `Sync`; the VM
// counts references from any thread.
unsafe impl Send for Handle where SocketRef: Send + Sync {}
// SAFETY: as above.
unsafe impl Sync for Handle where SocketRef: Send + Sync {}

impl Handle {
    pub(crate) fn new(inner: Arc<Inner>) -> Handle {
        const {
            // What the VM allocates is aligned for pointers and 64-bit integers.
            assert!(align_of::<SocketRef>() <= align_of::<u64>());
        }
        let wanted = TYPE.load(Ordering::Acquire);
        // SAFETY: `wanted` is a resource type, as above. The VM ends where there is no memory.
        let resource = unsafe { enif_alloc_resource(wanted, size_of::<SocketRef>()) };
        let resource = resource.cast::<SocketRef>();
        // SAFETY: new memory, large enough and aligned, which nobody else knows.
        unsafe { resource.write(SocketRef(inner)) };
        // SAFETY: not null.
        Handle(unsafe { NonNull::new_unchecked(resource) })
    }

    /// One more reference to a socket.
    pub(crate) fn of(socket: &SocketRef) -> Handle {
        let resource = NonNull::from(socket);
        // SAFETY: only `Handle::new` makes a `SocketRef`, in a resource, and who lends it here has a
        // reference to that, a term or a `Handle`.
        unsafe { enif_keep_resource(resource.as_ptr().cast_const().cast()) };
        Handle(resource)
    }

    fn as_c_arg(&self) -> *const c_void {
        self.0.as_ptr().cast_const().cast()
    }

    /// Has the VM tell the socket of a process' end; `None` if the process is gone.
    pub(crate) fn monitor(&self, env: Env, pid: &LocalPid) -> Option<Monitor> {
        let mut monitor = MaybeUninit::uninit();
        // SAFETY: `env` is the calling thread's, the resource has a callback, and `monitor` is valid
        // for writes.
        let result = unsafe {
            let (pid, monitor) = (pid.as_c_arg(), monitor.as_mut_ptr());
            enif_monitor_process(env.as_c_arg(), self.as_c_arg(), pid, monitor)
        };
        // SAFETY: where it is monitored the call has written the monitor.
        (result == 0).then(|| Monitor::from_c_arg(unsafe { monitor.assume_init() }))
    }

    pub(crate) fn demonitor(&self, env: Env, monitor: &Monitor) {
        // SAFETY: `env` is the calling thread's, and `monitor` one that this resource has had. It
        // may have come true by now, which is no error.
        unsafe { enif_demonitor_process(env.as_c_arg(), self.as_c_arg(), monitor.as_c_arg()) };
    }
}

impl Deref for Handle {
    type Target = SocketRef;

    fn deref(&self) -> &SocketRef {
        // SAFETY: the reference that this is keeps the resource.
        unsafe { self.0.as_ref() }
    }
}

impl Clone for Handle {
    fn clone(&self) -> Handle {
        Handle::of(self)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: gives up the one reference that this is.
        unsafe { enif_release_resource(self.as_c_arg()) };
    }
}

impl Encoder for SocketRef {
    fn encode<'a>(&self, env: Env<'a>) -> Term<'a> {
        let resource = NonNull::from(self).as_ptr().cast_const().cast();
        // SAFETY: it is in a resource (see `Handle::of`), which lives, and the term has a reference
        // of its own.
        let term = unsafe { enif_make_resource(env.as_c_arg(), resource) };
        // SAFETY: the term has just been made in `env`.
        unsafe { Term::new(env, term) }
    }
}

impl Encoder for Handle {
    fn encode<'a>(&self, env: Env<'a>) -> Term<'a> {
        SocketRef::encode(self, env)
    }
}

impl Decoder<'_> for Handle {
    fn decode(term: Term) -> NifResult<Handle> {
        socket(term).map(Handle::of).ok_or(Error::BadArg)
    }
}

impl<'a> Decoder<'a> for &'a SocketRef {
    fn decode(term: Term<'a>) -> NifResult<&'a SocketRef> {
        socket(term).ok_or(Error::BadArg)
    }
}
