//! Objects that Erlang and this library share: resources of the VM.
//!
//! As rustler's `ResourceArc`, which looks its resource type up in a hash map at each use. Here it is
//! a pointer, as a NIF that sends a hundred bytes has not much more to do.
#![allow(unsafe_code)] // the VM's calls for resources

use std::ffi::{CStr, c_void};
use std::mem::MaybeUninit;
use std::ops::Deref;
use std::ptr::{NonNull, null, null_mut};
use std::sync::atomic::{AtomicPtr, Ordering};

use rustler::sys::{
    ErlNifEnv, ErlNifMonitor, ErlNifPid, ErlNifResourceDown, ErlNifResourceDtor,
    ErlNifResourceFlags, ErlNifResourceType, ErlNifResourceTypeInit, enif_alloc_resource,
    enif_demonitor_process, enif_get_resource, enif_keep_resource, enif_make_resource,
    enif_monitor_process, enif_open_resource_type_x, enif_release_resource,
};
use rustler::{Decoder, Encoder, Env, Error, LocalPid, Monitor, NifResult, Term};

use crate::panics;

/// What can be an object. Dropping it, when the last reference to the object is collected, may be on
/// any thread of the VM.
pub trait Kind: Send + Sync + Sized + 'static {
    /// The name of the resource type.
    const NAME: &'static CStr;

    /// The place of the resource type: one static of its own.
    fn slot() -> &'static Slot;

    /// A process that the object has monitored is gone.
    fn down(&self, monitor: &Monitor);
}

/// The resource type of a kind, after a reload that of the new library.
pub struct Slot(AtomicPtr<ErlNifResourceType>);

impl Slot {
    /// Empty until [`register`].
    #[expect(clippy::new_without_default, reason = "for statics")]
    pub const fn new() -> Slot {
        Slot(AtomicPtr::new(null_mut()))
    }

    fn get(&self) -> *mut ErlNifResourceType {
        self.0.load(Ordering::Acquire)
    }
}

/// Makes the resource type. For the load callback only; false if the VM refuses.
pub fn register<K: Kind>(env: Env) -> bool {
    let init = ErlNifResourceTypeInit {
        dtor: destroy::<K> as *const ErlNifResourceDtor,
        stop: null(),
        down: down::<K> as *const ErlNifResourceDown,
    };
    let flags = ErlNifResourceFlags::ERL_NIF_RT_CREATE;
    let mut tried = MaybeUninit::uninit();
    // SAFETY: `env` is that of the load callback, `NAME` ends in zero, `init` has functions of the
    // types that the VM calls, and `tried` is valid for writes.
    let made = unsafe {
        let name = K::NAME.as_ptr();
        enif_open_resource_type_x(env.as_c_arg(), name, &init, flags, tried.as_mut_ptr())
    };
    K::slot().0.store(made.cast_mut(), Ordering::Release);
    !made.is_null()
}

unsafe extern "C" fn destroy<K: Kind>(_env: *mut ErlNifEnv, resource: *mut c_void) {
    // SAFETY: the VM calls this once for each resource, after its last use; `Handle::new` has
    // written the object.
    let object = unsafe { resource.cast::<K>().read() };
    // A panic must not get into the VM.
    panics::guarded(|| drop(object));
}

unsafe extern "C" fn down<K: Kind>(
    _env: *mut ErlNifEnv,
    resource: *mut c_void,
    _pid: *const ErlNifPid,
    monitor: *const ErlNifMonitor,
) {
    // SAFETY: during the callback the VM keeps the resource, in which `Handle::new` has written the
    // object.
    let object = unsafe { &*resource.cast::<K>() };
    // SAFETY: `monitor` is valid for reads during the callback.
    let monitor = Monitor::from_c_arg(unsafe { *monitor });
    // As above.
    panics::guarded(|| object.down(&monitor));
}

/// An object in its place: memory of the VM. Only [`Handle::new`] makes one.
#[repr(transparent)]
pub struct Object<K>(K);

impl<K> Deref for Object<K> {
    type Target = K;

    fn deref(&self) -> &K {
        &self.0
    }
}

/// One reference to an object, counted by the VM.
pub struct Handle<K: Kind>(NonNull<Object<K>>);

// SAFETY: it gives nothing but shared references to a `K`, which is `Send` and `Sync`; the VM counts
// references from any thread.
unsafe impl<K: Kind> Send for Handle<K> {}
// SAFETY: as above.
unsafe impl<K: Kind> Sync for Handle<K> {}

impl<K: Kind> Handle<K> {
    /// Makes an object.
    pub fn new(kind: K) -> Handle<K> {
        const {
            // What the VM allocates is aligned for pointers and 64-bit integers.
            assert!(align_of::<K>() <= align_of::<u64>());
        }
        // SAFETY: a resource type of this library, as no NIF is called before it is loaded. The VM ends
        // where there is no memory.
        let resource = unsafe { enif_alloc_resource(K::slot().get(), size_of::<K>()) };
        let resource = resource.cast::<Object<K>>();
        // SAFETY: new memory, large enough and aligned, which nobody else knows.
        unsafe { resource.write(Object(kind)) };
        // SAFETY: not null.
        Handle(unsafe { NonNull::new_unchecked(resource) })
    }

    /// One more reference to an object.
    pub fn of(object: &Object<K>) -> Handle<K> {
        let resource = NonNull::from(object);
        // SAFETY: an `Object` is in a resource, and who lends it here has a reference to that, a term
        // or a `Handle`.
        unsafe { enif_keep_resource(resource.as_ptr().cast_const().cast()) };
        Handle(resource)
    }

    fn as_c_arg(&self) -> *const c_void {
        self.0.as_ptr().cast_const().cast()
    }

    /// Has the VM tell the object of a process' end; `None` if the process is gone.
    pub fn monitor(&self, env: Env, pid: &LocalPid) -> Option<Monitor> {
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

    /// Takes a monitor back.
    pub fn demonitor(&self, env: Env, monitor: &Monitor) {
        // SAFETY: `env` is the calling thread's, and `monitor` one that this resource has had. It
        // may have come true by now, which is no error.
        unsafe { enif_demonitor_process(env.as_c_arg(), self.as_c_arg(), monitor.as_c_arg()) };
    }
}

impl<K: Kind> Deref for Handle<K> {
    type Target = Object<K>;

    fn deref(&self) -> &Object<K> {
        // SAFETY: the reference that this is keeps the resource.
        unsafe { self.0.as_ref() }
    }
}

impl<K: Kind> Clone for Handle<K> {
    fn clone(&self) -> Handle<K> {
        Handle::of(self)
    }
}

impl<K: Kind> Drop for Handle<K> {
    fn drop(&mut self) {
        // SAFETY: gives up the one reference that this is.
        unsafe { enif_release_resource(self.as_c_arg()) };
    }
}

/// The object that a term refers to; `None` for any other term, or an object of a library that has
/// been replaced.
fn object<'a, K: Kind>(term: Term<'a>) -> Option<&'a Object<K>> {
    let env = term.get_env();
    let mut resource = MaybeUninit::uninit();
    // SAFETY: a resource type of this library, as in `Handle::new`; `term` belongs to `env`; `resource`
    // is valid for writes.
    let found = unsafe {
        let (term, kind) = (term.as_c_arg(), K::slot().get());
        enif_get_resource(env.as_c_arg(), term, kind, resource.as_mut_ptr()) != 0
    };
    // SAFETY: where the term is such a resource the call has written its address.
    let resource = found.then(|| unsafe { resource.assume_init() })?;
    // SAFETY: a resource of this type has an object in it. It lives as long as a term refers to it, and
    // `term` does for `'a`.
    Some(unsafe { &*resource.cast::<Object<K>>() })
}

impl<K: Kind> Encoder for Object<K> {
    fn encode<'a>(&self, env: Env<'a>) -> Term<'a> {
        let resource = NonNull::from(self).as_ptr().cast_const().cast();
        // SAFETY: an `Object` is in a resource, which lives, and the term has a reference of its own.
        let term = unsafe { enif_make_resource(env.as_c_arg(), resource) };
        // SAFETY: the term has just been made in `env`.
        unsafe { Term::new(env, term) }
    }
}

impl<K: Kind> Encoder for Handle<K> {
    fn encode<'a>(&self, env: Env<'a>) -> Term<'a> {
        Object::encode(self, env)
    }
}

impl<K: Kind> Decoder<'_> for Handle<K> {
    fn decode(term: Term) -> NifResult<Handle<K>> {
        object(term).map(Handle::of).ok_or(Error::BadArg)
    }
}

impl<'a, K: Kind> Decoder<'a> for &'a Object<K> {
    fn decode(term: Term<'a>) -> NifResult<&'a Object<K>> {
        object(term).ok_or(Error::BadArg)
    }
}
