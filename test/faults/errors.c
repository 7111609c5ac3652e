/* To be preloaded: system calls that fail now and then, that are counted, and that take long.
 *
 * SCTP_TEST_ERRORS is a list such as "sendmsg:105:5 recvmsg:4:2": every fifth sendmsg fails with
 * ENOBUFS, every second recvmsg with EINTR, and does nothing. The file that SCTP_TEST_FAILED names
 * gets a line with the name of each call that has failed so.
 *
 * With SCTP_TEST_KNOWN, a list of numbers, the kernel has no other options of SCTP than these.
 *
 * Each call that gets or sets an option of SCTP adds a byte to the file that SCTP_TEST_CALLS names,
 * each wait for events that a signal has cut short one to that of SCTP_TEST_INTERRUPTED.
 *
 * As long as there is a file of the name that SCTP_TEST_HOLD says, the thread that closes sockets
 * closes none. While there is one that SCTP_TEST_SLOW names, options of SCTP are not set, and no
 * association is begun: these calls wait. While there is one that SCTP_TEST_ACCEPTED names, who has
 * got an association from the kernel waits before it goes on. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

struct rule { const char *name; int error; unsigned every; atomic_uint count; };
static struct rule on_sendmsg, on_sendmmsg, on_recvmsg, on_recvmmsg, on_socket, on_setsockopt,
    on_epoll_wait, on_epoll_ctl;
static int calls = -1, failed = -1, interrupted = -1;

static void read_rule(const char *name, struct rule *rule)
{
    const char *list = getenv("SCTP_TEST_ERRORS");
    char start[32];
    snprintf(start, sizeof start, "%s:", name);
    rule->name = name;
    const char *found = list ? strstr(list, start) : NULL;
    if (found && (found == list || found[-1] == ' '))
        sscanf(found + strlen(start), "%d:%u", &rule->error, &rule->every);
}

static int open_notes(const char *variable)
{
    const char *file = getenv(variable);
    return file ? open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
}

static void note(int file, const void *what, size_t size)
{
    if (file >= 0 && write(file, what, size) != (ssize_t)size)
        abort();
}

__attribute__((constructor)) static void read_rules(void)
{
    calls = open_notes("SCTP_TEST_CALLS");
    failed = open_notes("SCTP_TEST_FAILED");
    interrupted = open_notes("SCTP_TEST_INTERRUPTED");
    read_rule("sendmsg", &on_sendmsg);
    read_rule("sendmmsg", &on_sendmmsg);
    read_rule("recvmsg", &on_recvmsg);
    read_rule("recvmmsg", &on_recvmmsg);
    read_rule("socket", &on_socket);
    read_rule("setsockopt", &on_setsockopt);
    read_rule("epoll_wait", &on_epoll_wait);
    read_rule("epoll_ctl", &on_epoll_ctl);
}

static int fails(struct rule *rule)
{
    if (!rule->every || (atomic_fetch_add(&rule->count, 1) + 1) % rule->every)
        return 0;
    char line[32];
    note(failed, line, snprintf(line, sizeof line, "%s\n", rule->name));
    errno = rule->error;
    return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
    return fails(&on_sendmmsg) ? -1 : REAL(sendmmsg)(fd, messages, count, flags);
}

int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout)
{
    return fails(&on_recvmmsg) ? -1 : REAL(recvmmsg)(fd, messages, count, flags, timeout);
}

int socket(int family, int type, int protocol)
{
    /* IPPROTO_SCTP: the VM's own must work. */
    return protocol == 132 && fails(&on_socket) ? -1 : REAL(socket)(family, type, protocol);
}

/* Only a socket of SCTP does not get into a set. */
int epoll_ctl(int set, int operation, int fd, struct epoll_event *event)
{
    int protocol = 0;
    socklen_t length = sizeof protocol;
    if (operation == EPOLL_CTL_ADD
        && !REAL(getsockopt)(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &length)
        && protocol == 132 && fails(&on_epoll_ctl))
        return -1;
    return REAL(epoll_ctl)(set, operation, fd, event);
}

static void count_call(int level)
{
    if (level == 132)
        note(calls, "", 1);
}

static int is_unknown(int level, int name)
{
    const char *known = getenv("SCTP_TEST_KNOWN");
    if (level != 132 || !known)
        return 0;
    for (char *next; *known; known = next) {
        long number = strtol(known, &next, 10);
        if (next == known)
            break;
        if (number == name)
            return 0;
    }
    errno = ENOPROTOOPT;
    return 1;
}

static void wait_while_there(const char *variable)
{
    const char *file = getenv(variable);
    while (file && !access(file, F_OK))
        usleep(1000);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
    count_call(level);
    if (level == 132)
        wait_while_there("SCTP_TEST_SLOW");
    return is_unknown(level, name) || (level == 132 && fails(&on_setsockopt))
        ? -1 : REAL(setsockopt)(fd, level, name, value, length);
}

int getsockopt(int fd, int level, int name, void *value, socklen_t *length)
{
    count_call(level);
    /* SCTP_SOCKOPT_CONNECTX3 */
    if (level == 132 && name == 111)
        wait_while_there("SCTP_TEST_SLOW");
    return is_unknown(level, name) ? -1 : REAL(getsockopt)(fd, level, name, value, length);
}

int accept4(int fd, struct sockaddr *restrict from, socklen_t *restrict length, int flags)
{
    int accepted = REAL(accept4)(fd, from, length, flags);
    if (accepted >= 0)
        wait_while_there("SCTP_TEST_ACCEPTED");
    return accepted;
}

int close(int fd)
{
    char thread[16];
    if (!pthread_getname_np(pthread_self(), thread, sizeof thread)
        && !strcmp(thread, "gen_sctp_nif_cl"))
        wait_while_there("SCTP_TEST_HOLD");
    return REAL(close)(fd);
}

/* What the library does not call by name. */
long syscall(long number, ...)
{
    struct rule none = { 0 };
    struct rule *rule = number == SYS_sendmsg ? &on_sendmsg
        : number == SYS_recvmsg ? &on_recvmsg
        : number == SYS_epoll_pwait ? &on_epoll_wait : &none;
    if (fails(rule))
        return -1;
    va_list list;
    long arg[6];
    va_start(list, number);
    for (int i = 0; i < 6; i++)
        arg[i] = va_arg(list, long);
    va_end(list);
    long result = REAL(syscall)(number, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
    if (number == SYS_epoll_pwait && result < 0 && errno == EINTR) {
        note(interrupted, "", 1);
        errno = EINTR;
    }
    return result;
}
