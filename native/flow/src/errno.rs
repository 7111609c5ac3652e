//! Names of error numbers as Erlang's atoms have them.

/// The lower-case name of `errno`, say `econnrefused`; `None` for what Linux does not define.
///
/// Two names of one number give the one Erlang uses: `eagain` (not `ewouldblock`), `edeadlk`,
/// `enotsup` (not `eopnotsupp`).
pub const fn name(errno: i32) -> Option<&'static str> {
    Some(match errno {
        libc::EPERM => "eperm",
        libc::ENOENT => "enoent",
        libc::ESRCH => "esrch",
        libc::EINTR => "eintr",
        libc::EIO => "eio",
        libc::ENXIO => "enxio",
        libc::E2BIG => "e2big",
        libc::ENOEXEC => "enoexec",
        libc::EBADF => "ebadf",
        libc::ECHILD => "echild",
        libc::EAGAIN => "eagain",
        libc::ENOMEM => "enomem",
        libc::EACCES => "eacces",
        libc::EFAULT => "efault",
        libc::ENOTBLK => "enotblk",
        libc::EBUSY => "ebusy",
        libc::EEXIST => "eexist",
        libc::EXDEV => "exdev",
        libc::ENODEV => "enodev",
        libc::ENOTDIR => "enotdir",
        libc::EISDIR => "eisdir",
        libc::EINVAL => "einval",
        libc::ENFILE => "enfile",
        libc::EMFILE => "emfile",
        libc::ENOTTY => "enotty",
        libc::ETXTBSY => "etxtbsy",
        libc::EFBIG => "efbig",
        libc::ENOSPC => "enospc",
        libc::ESPIPE => "espipe",
        libc::EROFS => "erofs",
        libc::EMLINK => "emlink",
        libc::EPIPE => "epipe",
        libc::EDOM => "edom",
        libc::ERANGE => "erange",
        libc::EDEADLK => "edeadlk",
        libc::ENAMETOOLONG => "enametoolong",
        libc::ENOLCK => "enolck",
        libc::ENOSYS => "enosys",
        libc::ENOTEMPTY => "enotempty",
        libc::ELOOP => "eloop",
        libc::ENOMSG => "enomsg",
        libc::EIDRM => "eidrm",
        libc::ECHRNG => "echrng",
        libc::EL2NSYNC => "el2nsync",
        libc::EL3HLT => "el3hlt",
        libc::EL3RST => "el3rst",
        libc::ELNRNG => "elnrng",
        libc::EUNATCH => "eunatch",
        libc::ENOCSI => "enocsi",
        libc::EL2HLT => "el2hlt",
        libc::EBADE => "ebade",
        libc::EBADR => "ebadr",
        libc::EXFULL => "exfull",
        libc::ENOANO => "enoano",
        libc::EBADRQC => "ebadrqc",
        libc::EBADSLT => "ebadslt",
        libc::EBFONT => "ebfont",
        libc::ENOSTR => "enostr",
        libc::ENODATA => "enodata",
        libc::ETIME => "etime",
        libc::ENOSR => "enosr",
        libc::ENONET => "enonet",
        libc::ENOPKG => "enopkg",
        libc::EREMOTE => "eremote",
        libc::ENOLINK => "enolink",
        libc::EADV => "eadv",
        libc::ESRMNT => "esrmnt",
        libc::ECOMM => "ecomm",
        libc::EPROTO => "eproto",
        libc::EMULTIHOP => "emultihop",
        libc::EDOTDOT => "edotdot",
        libc::EBADMSG => "ebadmsg",
        libc::EOVERFLOW => "eoverflow",
        libc::ENOTUNIQ => "enotuniq",
        libc::EBADFD => "ebadfd",
        libc::EREMCHG => "eremchg",
        libc::ELIBACC => "elibacc",
        libc::ELIBBAD => "elibbad",
        libc::ELIBSCN => "elibscn",
        libc::ELIBMAX => "elibmax",
        libc::ELIBEXEC => "elibexec",
        libc::EILSEQ => "eilseq",
        libc::ERESTART => "erestart",
        libc::ESTRPIPE => "estrpipe",
        libc::EUSERS => "eusers",
        libc::ENOTSOCK => "enotsock",
        libc::EDESTADDRREQ => "edestaddrreq",
        libc::EMSGSIZE => "emsgsize",
        libc::EPROTOTYPE => "eprototype",
        libc::ENOPROTOOPT => "enoprotoopt",
        libc::EPROTONOSUPPORT => "eprotonosupport",
        libc::ESOCKTNOSUPPORT => "esocktnosupport",
        libc::ENOTSUP => "enotsup",
        libc::EPFNOSUPPORT => "epfnosupport",
        libc::EAFNOSUPPORT => "eafnosupport",
        libc::EADDRINUSE => "eaddrinuse",
        libc::EADDRNOTAVAIL => "eaddrnotavail",
        libc::ENETDOWN => "enetdown",
        libc::ENETUNREACH => "enetunreach",
        libc::ENETRESET => "enetreset",
        libc::ECONNABORTED => "econnaborted",
        libc::ECONNRESET => "econnreset",
        libc::ENOBUFS => "enobufs",
        libc::EISCONN => "eisconn",
        libc::ENOTCONN => "enotconn",
        libc::ESHUTDOWN => "eshutdown",
        libc::ETOOMANYREFS => "etoomanyrefs",
        libc::ETIMEDOUT => "etimedout",
        libc::ECONNREFUSED => "econnrefused",
        libc::EHOSTDOWN => "ehostdown",
        libc::EHOSTUNREACH => "ehostunreach",
        libc::EALREADY => "ealready",
        libc::EINPROGRESS => "einprogress",
        libc::ESTALE => "estale",
        libc::EUCLEAN => "euclean",
        libc::ENOTNAM => "enotnam",
        libc::ENAVAIL => "enavail",
        libc::EISNAM => "eisnam",
        libc::EREMOTEIO => "eremoteio",
        libc::EDQUOT => "edquot",
        libc::ENOMEDIUM => "enomedium",
        libc::EMEDIUMTYPE => "emediumtype",
        libc::ECANCELED => "ecanceled",
        libc::ENOKEY => "enokey",
        libc::EKEYEXPIRED => "ekeyexpired",
        libc::EKEYREVOKED => "ekeyrevoked",
        libc::EKEYREJECTED => "ekeyrejected",
        libc::EOWNERDEAD => "eownerdead",
        libc::ENOTRECOVERABLE => "enotrecoverable",
        libc::ERFKILL => "erfkill",
        libc::EHWPOISON => "ehwpoison",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_linux_has_a_name_of_its_own() {
        // 41 and 58 would be EWOULDBLOCK and EDEADLOCK, which are other numbers' second names.
        let named: Vec<_> = (i32::MIN..=0).rev().take(10).chain(1..200).filter_map(name).collect();
        assert_eq!(named.len(), 131);
        let mut distinct = named.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), named.len());
        assert_eq!((name(0), name(41), name(58), name(134)), (None, None, None, None));
        assert!((1..=133).filter(|n| ![41, 58].contains(n)).all(|n| name(n).is_some()));
    }

    #[test]
    fn names_are_those_erlang_has() {
        assert_eq!(name(libc::EWOULDBLOCK), Some("eagain"));
        assert_eq!(name(libc::EOPNOTSUPP), Some("enotsup"));
        assert_eq!(name(libc::ECONNREFUSED), Some("econnrefused"));
        assert_eq!(name(libc::EPIPE), Some("epipe"));
        assert_eq!(name(libc::ESOCKTNOSUPPORT), Some("esocktnosupport"));
    }
}
