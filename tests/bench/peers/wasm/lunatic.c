// `platform.h` on the raw host functions of lunatic 0.13. A message carries a tag; a reply has that of its request, which
// lets `send_receive_skip_search` send and wait in one call.
#include "platform.h"

IMPORT("lunatic::message", "create_data") void create_data(i64 tag, u64 capacity);
IMPORT("lunatic::message", "write_data") u32 write_data(const void *data, u32 length);
IMPORT("lunatic::message", "read_data") u32 read_data(void *data, u32 capacity);
IMPORT("lunatic::message", "get_tag") i64 get_tag(void);
IMPORT("lunatic::message", "send") u32 message_send(u64 process);
IMPORT("lunatic::message", "send_receive_skip_search") u32 send_receive(u64 process, i64 tag, u64 timeout);
IMPORT("lunatic::message", "receive") u32 message_receive(const i64 *tags, u32 count, u64 timeout);
IMPORT("lunatic::message", "push_tcp_stream") u64 push_tcp_stream(u64 stream);
IMPORT("lunatic::message", "take_tcp_stream") u64 take_tcp_stream(u64 index);
IMPORT("lunatic::process", "spawn")
u32 spawn(i64 link, i64 config, i64 module, const char *name, u32 length, const void *arguments, u32 size, u64 *id);
IMPORT("lunatic::process", "process_id") u64 process_id(void);
IMPORT("lunatic::process", "sleep_ms") void process_sleep(u64 ms);
IMPORT("lunatic::timer", "send_after") u64 send_after(u64 process, u64 ms);
IMPORT("lunatic::networking", "tcp_bind")
u32 tcp_bind(u32 type, const u8 *address, u32 port, u32 flow, u32 scope, u64 *id);
IMPORT("lunatic::networking", "tcp_local_addr") u32 tcp_local_addr(u64 listener, u64 *id);
IMPORT("lunatic::networking", "resolve_next")
u32 resolve_next(u64 iterator, u32 *type, u8 *address, unsigned short *port, u32 *flow, u32 *scope);
IMPORT("lunatic::networking", "tcp_accept") u32 tcp_accept(u64 listener, u64 *stream, u64 *peer);
IMPORT("lunatic::networking", "tcp_read") u32 tcp_read(u64 stream, void *data, u32 capacity, u64 *length);
IMPORT("lunatic::networking", "tcp_write_vectored") u32 tcp_write(u64 stream, const void *parts, u32 count, u64 *length);
IMPORT("wasi_snapshot_preview1", "args_get") u32 args_get(char **words, char *text);
IMPORT("wasi_snapshot_preview1", "clock_time_get") u32 clock_time_get(u32 clock, u64 precision, u64 *time);
IMPORT("wasi_snapshot_preview1", "fd_write") u32 fd_write(u32 file, const void *parts, u32 count, u32 *length);
IMPORT("wasi_snapshot_preview1", "proc_exit") void proc_exit(u32 code);

#define FOREVER (~0ull)
#define MONOTONIC 1

typedef struct {
    const void *start;
    u32 length;
} Part;

static i64 tag = 1;
static i64 received;

Actor self(void) { return process_id(); }

static Actor start_at(const char *name, u32 length) {
    u64 id = 0;
    return spawn(0, -1, -1, name, length, 0, 0, &id) ? 0 : id;
}

Actor start(void) { return start_at("actor", 5); }

static void tagged(i64 tag, const Message *message, u32 length) {
    create_data(tag, length);
    write_data(message, length);
}

void send(Actor to, const Message *message, u32 length) {
    tagged(0, message, length);
    message_send(to);
}

u32 receive(Message *message) {
    message_receive(0, 0, FOREVER);
    received = get_tag();
    return read_data(message, sizeof *message);
}

void call(Actor to, Message *message, u32 length) {
    tagged(++tag, message, length);
    send_receive(to, tag, FOREVER);
    read_data(message, sizeof *message);
}

void reply(Actor to, const Message *message, u32 length) {
    tagged(received, message, length);
    message_send(to);
}

u64 now(void) {
    u64 time;
    clock_time_get(MONOTONIC, 1, &time);
    return time;
}

void sleep_ms(u64 ms) { process_sleep(ms); }

void arm(void) {
    create_data(0, 0);
    send_after(process_id(), 3600000);
}

void say(const char *text, u32 length) {
    Part parts[2] = {{text, length}, {"\n", 1}};
    u32 written;
    fd_write(1, parts, 2, &written);
}

void quit(void) { proc_exit(0); }

static u8 buffer[16384];

// One connection.
EXPORT("connection") void connection(void) {
    message_receive(0, 0, FOREVER);
    u64 stream = take_tcp_stream(0), length;
    while (!tcp_read(stream, buffer, sizeof buffer, &length) && length) {
        for (u64 sent = 0, more; sent < length; sent += more) {
            Part rest = {buffer + sent, length - sent};
            if (tcp_write(stream, &rest, 1, &more)) return;
        }
    }
}

void serve(void) {
    static const u8 local[4] = {127, 0, 0, 1};
    static u8 address[16];
    u64 listener, iterator, stream, peer;
    u32 type, flow, scope;
    unsigned short port;
    if (tcp_bind(4, local, 0, 0, 0, &listener) || tcp_local_addr(listener, &iterator)) return;
    resolve_next(iterator, &type, address, &port, &flow, &scope);
    char text[] = "PORT      ";
    u32 end = 5;
    for (u32 scale = 10000; scale; scale /= 10)
        if (port >= scale) text[end++] = '0' + port / scale % 10;
    say(text, end);
    for (;;) {
        if (tcp_accept(listener, &stream, &peer)) continue;
        Actor owner = start_at("connection", 10);
        create_data(0, 0);
        push_tcp_stream(stream);
        message_send(owner);
    }
}

EXPORT("actor") void start_actor(void) { actor(); }

static u64 parse(const char *digits) {
    u64 value = 0;
    while (*digits) value = value * 10 + (*digits++ - '0');
    return value;
}

EXPORT("_start") void begin(void) {
    static char *words[8], text[1024];
    args_get(words, text);
    drive(words[1], parse(words[2]), parse(words[3]), parse(words[4]), parse(words[5]));
}
