/* One end of an association that is not Erlang's: a one-to-one socket, by lksctp's functions and
 * headers. Built by scripts/build-faults, driven by gen_sctp_test_foreign.
 *
 * Lines on standard input are done in their order, each answered by `done' and what it gives, or by
 * `failed' and the error's name:
 *
 *     open ADDRESS PORT          0 is any; gives the port
 *     set OPTION NUMBER...       set() says what each takes; `set auth_key NUMBER TEXT'
 *     get OPTION [NUMBER]
 *     event TYPE 0|1             a name or number of lksctp's SCTP_*_EVENT
 *     listen
 *     connect ADDRESS PORT
 *     bindx add|remove ADDRESS
 *     peer_primary ADDRESS
 *     send STREAM PPID ordered|unordered SIZE [CONTEXT [POLICY VALUE [KEY]]]
 *     pause | resume             whether what comes is read
 *     sync                       once all that has come is told
 *     shutdown                   once all is sent
 *     abort
 *     quit
 *
 * What comes is told in lines, in host order, as lksctp gives it:
 *
 *     accepted PORT
 *     data STREAM SSN PPID ordered|unordered CONTEXT SIZE CRC32
 *     eof                        the other end has shut the association down
 *     error ERRNO                its name
 *     event TYPE FIELD...        see notified()
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define LARGEST (1 << 20)
#define WORDS 16

union address { struct sockaddr any; struct sockaddr_in v4; struct sockaddr_in6 v6; };

static int sock = -1, listener = -1;
static bool reading, paused;
static unsigned char bytes[LARGEST];

/* Messages of which only a part has come, by order and stream: with interleaving there are several,
 * and only the first part has the ppid. */
static struct { size_t size; uint32_t crc, ppid; } parts[2][65536];

static const char *name_of_errno(void) { return strerrorname_np(errno); }

static uint32_t number(const char *word) { return word ? strtoul(word, NULL, 0) : 0; }

/* Of zlib and Erlang. */
static uint32_t crc32(uint32_t crc, const unsigned char *data, size_t size)
{
    crc = ~crc;
    while (size--) {
        crc ^= *data++;
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

/* As in the driver; no piece of it is like another, so that a lost one shows. */
static void pattern(size_t size)
{
    if (size > sizeof bytes) {
        fprintf(stderr, "too long: %zu\n", size);
        exit(2);
    }
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint32_t)(i / 4 * 2654435761u) >> (24 - i % 4 * 8);
}

static socklen_t address(const char *text, const char *port, union address *to)
{
    memset(to, 0, sizeof *to);
    if (inet_pton(AF_INET, text, &to->v4.sin_addr) == 1) {
        to->v4.sin_family = AF_INET;
        to->v4.sin_port = htons(number(port));
        return sizeof to->v4;
    }
    if (inet_pton(AF_INET6, text, &to->v6.sin6_addr) == 1) {
        to->v6.sin6_family = AF_INET6;
        to->v6.sin6_port = htons(number(port));
        return sizeof to->v6;
    }
    fprintf(stderr, "no address: %s\n", text);
    exit(2);
}

static unsigned own_port(void)
{
    union address own;
    socklen_t size = sizeof own;
    if (getsockname(sock < 0 ? listener : sock, &own.any, &size) < 0) return 0;
    return ntohs(own.any.sa_family == AF_INET ? own.v4.sin_port : own.v6.sin6_port);
}

static const char *shown(const union address *it)
{
    static char text[INET6_ADDRSTRLEN];
    const void *in = it->any.sa_family == AF_INET ? (void *)&it->v4.sin_addr : &it->v6.sin6_addr;
    return inet_ntop(it->any.sa_family, in, text, sizeof text);
}

/*
 * What comes
 */

/* Each type of event, and what is told of it. */
static const struct { const char *name; int type; } event_types[] = {
    {"assoc_change", SCTP_ASSOC_CHANGE}, {"peer_addr_change", SCTP_PEER_ADDR_CHANGE},
    {"remote_error", SCTP_REMOTE_ERROR}, {"send_failed", SCTP_SEND_FAILED_EVENT},
    {"shutdown", SCTP_SHUTDOWN_EVENT}, {"adaptation", SCTP_ADAPTATION_INDICATION},
    {"authentication", SCTP_AUTHENTICATION_EVENT}, {"sender_dry", SCTP_SENDER_DRY_EVENT},
    {"stream_reset", SCTP_STREAM_RESET_EVENT}, {"assoc_reset", SCTP_ASSOC_RESET_EVENT},
    {"stream_change", SCTP_STREAM_CHANGE_EVENT},
};
#define TYPES (sizeof event_types / sizeof *event_types)

static int event_type(const char *name)
{
    for (size_t i = 0; i < TYPES; i++)
        if (!strcmp(event_types[i].name, name)) return event_types[i].type;
    fprintf(stderr, "no event: %s\n", name);
    exit(2);
}

static void notified(const union sctp_notification *event, size_t size)
{
    int type = event->sn_header.sn_type;
    size_t i = 0;
    while (i < TYPES && event_types[i].type != type) i++;
    printf("event %s", i < TYPES ? event_types[i].name : "unknown");
    switch (type) {
    case SCTP_ASSOC_CHANGE: { /* state, error, streams out and in, what the peer says in its ABORT */
        const struct sctp_assoc_change *it = &event->sn_assoc_change;
        printf(" %u %u %u %u", it->sac_state, it->sac_error, it->sac_outbound_streams,
               it->sac_inbound_streams);
        /* After the cause's code and length. */
        if (it->sac_state == SCTP_COMM_LOST && size > sizeof *it + 4)
            printf(" %.*s", (int)(size - sizeof *it - 4), (const char *)it->sac_info + 4);
        break;
    }
    case SCTP_PEER_ADDR_CHANGE: { /* state, address */
        union address it;
        memcpy(&it, &event->sn_paddr_change.spc_aaddr, sizeof it);
        printf(" %u %s", event->sn_paddr_change.spc_state, shown(&it));
        break;
    }
    case SCTP_REMOTE_ERROR: /* cause */
        printf(" %u", ntohs(event->sn_remote_error.sre_error));
        break;
    case SCTP_SEND_FAILED_EVENT: { /* flags, error, stream, ppid, context, size */
        const struct sctp_send_failed_event *it = (const void *)event;
        printf(" %u %u %u %u %u %zu", it->ssf_flags, it->ssf_error, it->ssfe_info.snd_sid,
               ntohl(it->ssfe_info.snd_ppid), it->ssfe_info.snd_context, size - sizeof *it);
        break;
    }
    case SCTP_ADAPTATION_INDICATION:
        printf(" %u", event->sn_adaptation_event.sai_adaptation_ind);
        break;
    case SCTP_AUTHENTICATION_EVENT: /* key, indication */
        printf(" %u %u", event->sn_authkey_event.auth_keynumber,
               event->sn_authkey_event.auth_indication);
        break;
    case SCTP_STREAM_RESET_EVENT: { /* flags, streams */
        const struct sctp_stream_reset_event *it = &event->sn_strreset_event;
        printf(" %u", it->strreset_flags);
        for (size_t n = 0; sizeof *it + 2 * (n + 1) <= size; n++)
            printf(" %u", it->strreset_stream_list[n]);
        break;
    }
    case SCTP_ASSOC_RESET_EVENT: /* flags, numbers of the next packets, `local' and `remote' */
        printf(" %u %u %u", event->sn_assocreset_event.assocreset_flags,
               event->sn_assocreset_event.assocreset_local_tsn,
               event->sn_assocreset_event.assocreset_remote_tsn);
        break;
    case SCTP_STREAM_CHANGE_EVENT: /* flags, how many more there are in and out */
        printf(" %u %u %u", event->sn_strchange_event.strchange_flags,
               event->sn_strchange_event.strchange_instrms,
               event->sn_strchange_event.strchange_outstrms);
        break;
    }
    putchar('\n');
}

/* One read; what is a message's last part tells it. */
static void receive(void)
{
    struct iovec vector = {bytes, sizeof bytes};
    struct sctp_rcvinfo info;
    socklen_t info_size = sizeof info, from_size = 0;
    unsigned kind = SCTP_RECVV_NOINFO;
    int flags = 0;
    int size = sctp_recvv(sock, &vector, 1, NULL, &from_size, &info, &info_size, &kind, &flags);
    if (size <= 0) {
        if (size < 0) printf("error %s\n", name_of_errno()); else puts("eof");
        reading = false;
        return;
    }
    if (flags & MSG_NOTIFICATION) {
        notified((const void *)bytes, size);
        return;
    }
    if (kind != SCTP_RECVV_RCVINFO) {
        puts("error no_rcvinfo");
        return;
    }
    bool unordered = info.rcv_flags & SCTP_UNORDERED;
    typeof(*parts[0]) *part = &parts[unordered][info.rcv_sid];
    if (part->size == 0) part->ppid = ntohl(info.rcv_ppid);
    part->crc = crc32(part->crc, bytes, size);
    part->size += size;
    if (!(flags & MSG_EOR)) return;
    printf("data %u %u %u %s %u %zu %u\n", info.rcv_sid, info.rcv_ssn, part->ppid,
           unordered ? "unordered" : "ordered", info.rcv_context, part->size, part->crc);
    memset(part, 0, sizeof *part);
}

static bool is_ready(int fd, int timeout)
{
    struct pollfd wait = {fd, POLLIN, 0};
    return poll(&wait, 1, timeout) > 0;
}

/*
 * Options
 */

static int put(int option, const void *value, socklen_t size)
{
    return setsockopt(sock, IPPROTO_SCTP, option, value, size);
}

/* A NUMBER; structs of an association and a NUMBER. */
static const struct { const char *name; int option; } flags[] = {
    {"nodelay", SCTP_NODELAY}, {"recvrcvinfo", SCTP_RECVRCVINFO},
    {"fragment_interleave", SCTP_FRAGMENT_INTERLEAVE}, {"adaptation", SCTP_ADAPTATION_LAYER},
}, values[] = {
    {"pr_supported", SCTP_PR_SUPPORTED}, {"reconfig_supported", SCTP_RECONFIG_SUPPORTED},
    {"auth_supported", SCTP_AUTH_SUPPORTED}, {"asconf_supported", SCTP_ASCONF_SUPPORTED},
    {"interleaving_supported", SCTP_INTERLEAVING_SUPPORTED}, {"context", SCTP_CONTEXT},
    {"enable_stream_reset", SCTP_ENABLE_STREAM_RESET}, {"stream_scheduler", SCTP_STREAM_SCHEDULER},
}, keys[] = {
    {"auth_active_key", SCTP_AUTH_ACTIVE_KEY}, {"auth_deactivate_key", SCTP_AUTH_DEACTIVATE_KEY},
    {"auth_delete_key", SCTP_AUTH_DELETE_KEY},
};
#define FIND(table, name) find(table, sizeof table / sizeof *table, name)

static int find(const void *table, size_t count, const char *name)
{
    const typeof(*flags) *row = table;
    for (size_t i = 0; i < count; i++)
        if (!strcmp(row[i].name, name)) return row[i].option;
    return -1;
}

static int set_key(const char *key_number, const char *text)
{
    size_t size = strlen(text);
    struct sctp_authkey *key = calloc(1, sizeof *key + size);
    key->sca_keynumber = number(key_number);
    key->sca_keylength = size;
    memcpy(key->sca_key, text, size);
    int result = put(SCTP_AUTH_KEY, key, sizeof *key + size);
    free(key);
    return result;
}

/* Flags as lksctp's; no stream is all. */
static int reset_streams(char **words, int count)
{
    struct { struct sctp_reset_streams head; uint16_t streams[WORDS]; } reset = {0};
    reset.head.srs_flags = number(words[0]);
    reset.head.srs_number_streams = count - 1;
    for (int i = 1; i < count; i++) reset.head.srs_stream_list[i - 1] = number(words[i]);
    return put(SCTP_RESET_STREAMS, &reset, sizeof reset.head + 2 * (count - 1));
}

static int set(const char *name, char **words, int count)
{
    uint32_t first = number(words[0]), second = count > 1 ? number(words[1]) : 0;
    int option;
    if ((option = FIND(flags, name)) >= 0)
        return put(option, &first, sizeof first);
    if ((option = FIND(values, name)) >= 0)
        return put(option, &(struct sctp_assoc_value){0, first}, sizeof(struct sctp_assoc_value));
    if ((option = FIND(keys, name)) >= 0)
        return put(option, &(struct sctp_authkeyid){0, first}, sizeof(struct sctp_authkeyid));
    if (!strcmp(name, "auth_chunk")) /* its type */
        return put(SCTP_AUTH_CHUNK, &(struct sctp_authchunk){first}, sizeof(struct sctp_authchunk));
    if (!strcmp(name, "auth_key")) /* number, key */
        return set_key(words[0], words[1]);
    if (!strcmp(name, "reset_streams")) /* flags, streams */
        return reset_streams(words, count);
    if (!strcmp(name, "reset_assoc")) /* 0 */
        return put(SCTP_RESET_ASSOC, &(sctp_assoc_t){first}, sizeof(sctp_assoc_t));
    if (!strcmp(name, "add_streams")) { /* in, out */
        struct sctp_add_streams add = {0, first, second};
        return put(SCTP_ADD_STREAMS, &add, sizeof add);
    }
    if (!strcmp(name, "udp_encaps")) { /* port */
        struct sctp_udpencaps udp = {.sue_port = htons(first)};
        return put(SCTP_REMOTE_UDP_ENCAPS_PORT, &udp, sizeof udp);
    }
    if (!strcmp(name, "rto")) { /* ms: initial, least and most */
        struct sctp_rtoinfo rto = {0, first, first, first};
        return put(SCTP_RTOINFO, &rto, sizeof rto);
    }
    if (!strcmp(name, "retransmissions")) { /* of the association and of each path */
        struct sctp_assocparams all = {.sasoc_asocmaxrxt = first};
        struct sctp_paddrparams each = {.spp_pathmaxrxt = first};
        return put(SCTP_ASSOCINFO, &all, sizeof all) < 0 ? -1
             : put(SCTP_PEER_ADDR_PARAMS, &each, sizeof each);
    }
    if (!strcmp(name, "rcvbuf") || !strcmp(name, "sndbuf")) /* bytes */
        return setsockopt(sock, SOL_SOCKET, *name == 'r' ? SO_RCVBUF : SO_SNDBUF, &first,
                          sizeof first);
    fprintf(stderr, "no option: %s\n", name);
    exit(2);
}

/* Gives the number or numbers after `done'. */
static int get(const char *name, const char *word)
{
    int option;
    socklen_t size;
    if ((option = FIND(values, name)) >= 0) {
        struct sctp_assoc_value value = {0};
        size = sizeof value;
        /* Of sctp_opt_info() it is not known. */
        if (getsockopt(sock, IPPROTO_SCTP, option, &value, &size) < 0) return -1;
        printf("done %u\n", value.assoc_value);
    } else if (!strcmp(name, "pr_status")) { /* of a policy: given up unsent and sent */
        struct sctp_prstatus status = {.sprstat_policy = number(word)};
        size = sizeof status;
        if (getsockopt(sock, IPPROTO_SCTP, SCTP_PR_ASSOC_STATUS, &status, &size) < 0) return -1;
        printf("done %llu %llu\n", (unsigned long long)status.sprstat_abandoned_unsent,
               (unsigned long long)status.sprstat_abandoned_sent);
    } else if (!strcmp(name, "udp_encaps")) {
        struct sctp_udpencaps udp = {0};
        size = sizeof udp;
        if (getsockopt(sock, IPPROTO_SCTP, SCTP_REMOTE_UDP_ENCAPS_PORT, &udp, &size) < 0) return -1;
        printf("done %u\n", ntohs(udp.sue_port));
    } else if (!strcmp(name, "unacknowledged")) { /* packets and messages, sent or not */
        struct sctp_status status = {0};
        size = sizeof status;
        if (sctp_opt_info(sock, 0, SCTP_STATUS, &status, &size)) return -1;
        printf("done %u\n", status.sstat_unackdata + status.sstat_penddata);
    } else {
        fprintf(stderr, "no option: %s\n", name);
        exit(2);
    }
    return 1;
}

/*
 * Commands
 */

/* Something more that is said of a message. */
static void say(struct msghdr *message, int type, const void *value, size_t size)
{
    struct cmsghdr *next = (void *)((char *)message->msg_control + message->msg_controllen);
    next->cmsg_len = CMSG_LEN(size);
    next->cmsg_level = IPPROTO_SCTP;
    next->cmsg_type = type;
    memcpy(CMSG_DATA(next), value, size);
    message->msg_controllen += CMSG_SPACE(size);
}

/* Not by sctp_sendv(): two or three of these are more than its buffer on the stack takes
 * (lksctp-tools, issue 68). */
static int send_message(char **words, int count)
{
    struct sctp_sndinfo info = {.snd_sid = number(words[0]), .snd_ppid = htonl(number(words[1])),
                                .snd_flags = strcmp(words[2], "unordered") ? 0 : SCTP_UNORDERED,
                                .snd_context = number(words[4])};
    struct sctp_prinfo policy = {.pr_policy = number(words[5]), .pr_value = number(words[6])};
    struct sctp_authinfo key = {.auth_keynumber = number(words[7])};
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof info) + CMSG_SPACE(sizeof policy)
                                          + CMSG_SPACE(sizeof key)] = {0};
    struct iovec vector = {bytes, number(words[3])};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control};
    say(&message, SCTP_SNDINFO, &info, sizeof info);
    if (count > 6) say(&message, SCTP_PRINFO, &policy, sizeof policy);
    if (count > 7) say(&message, SCTP_AUTHINFO, &key, sizeof key);
    pattern(vector.iov_len);
    return sendmsg(sock, &message, 0) < 0 ? -1 : 0;
}

static int abort_association(void)
{
    struct linger now = {1, 0};
    setsockopt(sock, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    reading = false;
    return close(sock);
}

/* 0: answered by `done'; more: it has answered itself; less: the error is in errno. */
static int execute(char **words, int count)
{
    const char *command = words[0];
    union address to;
    socklen_t size;
    char port[6];
    snprintf(port, sizeof port, "%u", own_port());
    if (!strcmp(command, "open")) {
        size = address(words[1], words[2], &to);
        sock = socket(to.any.sa_family, SOCK_STREAM, IPPROTO_SCTP);
        if (sock < 0 || sctp_bindx(sock, &to.any, 1, SCTP_BINDX_ADD_ADDR) < 0) return -1;
        printf("done %u\n", own_port());
        return 1;
    }
    if (!strcmp(command, "set")) return set(words[1], words + 2, count - 2);
    if (!strcmp(command, "get")) return get(words[1], words[2]);
    if (!strcmp(command, "event")) {
        struct sctp_event event = {0, event_type(words[1]), number(words[2])};
        return put(SCTP_EVENT, &event, sizeof event);
    }
    if (!strcmp(command, "listen")) {
        listener = sock;
        return listen(listener, 1);
    }
    if (!strcmp(command, "connect")) {
        address(words[1], words[2], &to);
        if (sctp_connectx(sock, &to.any, 1, NULL) < 0) return -1;
        reading = true;
        return 0;
    }
    if (!strcmp(command, "bindx")) {
        address(words[2], port, &to);
        return sctp_bindx(sock, &to.any, 1, strcmp(words[1], "add") ? SCTP_BINDX_REM_ADDR
                                                                    : SCTP_BINDX_ADD_ADDR);
    }
    if (!strcmp(command, "peer_primary")) {
        struct sctp_setpeerprim own = {0};
        size = address(words[1], port, &to);
        memcpy(&own.sspp_addr, &to, size);
        return put(SCTP_SET_PEER_PRIMARY_ADDR, &own, sizeof own);
    }
    if (!strcmp(command, "send")) return send_message(words + 1, count - 1);
    if (!strcmp(command, "pause") || !strcmp(command, "resume")) {
        paused = !strcmp(command, "pause");
        return 0;
    }
    if (!strcmp(command, "sync")) {
        while (reading && is_ready(sock, 0)) receive();
        return 0;
    }
    if (!strcmp(command, "shutdown")) return shutdown(sock, SHUT_WR);
    if (!strcmp(command, "abort")) return abort_association();
    if (!strcmp(command, "quit")) {
        puts("done");
        exit(0);
    }
    fprintf(stderr, "no command: %s\n", command);
    exit(2);
}

static void obey(char *line)
{
    char *words[WORDS + 1] = {0}, *rest = line;
    int count = 0;
    while (count < WORDS && (words[count] = strsep(&rest, " "))) count++;
    words[count] = NULL;
    int result = execute(words, count);
    if (result < 0) printf("failed %s\n", name_of_errno());
    else if (result == 0) puts("done");
}

static void accept_one(void)
{
    union address from;
    socklen_t size = sizeof from;
    sock = accept(listener, &from.any, &size);
    close(listener);
    listener = -1;
    reading = true;
    printf("accepted %u\n",
           ntohs(from.any.sa_family == AF_INET ? from.v4.sin_port : from.v6.sin6_port));
}

int main(void)
{
    static char line[4096];
    size_t length = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    for (;;) {
        struct pollfd wait[] = {{0, POLLIN, 0}, {listener, POLLIN, 0},
                                {reading && !paused ? sock : -1, POLLIN, 0}};
        poll(wait, 3, -1);
        if (wait[1].revents) accept_one();
        if (wait[2].revents) receive();
        if (!wait[0].revents) continue;
        ssize_t more = read(0, line + length, sizeof line - length - 1);
        if (more <= 0) return 0;
        length += more;
        for (char *end; (end = memchr(line, '\n', length));) {
            *end++ = 0;
            obey(line);
            length -= end - line;
            memmove(line, end, length);
        }
    }
}
