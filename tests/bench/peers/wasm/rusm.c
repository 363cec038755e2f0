// `platform.h` on the interface `rusm:runtime/actor` of RUSM 0.7, as the component model lowers it: `world.wit` has the
// types. Every actor is an instance that runs `run`, the first one `drive`.
#include "platform.h"

#define ACTOR "rusm:runtime/actor@0.1.0"
IMPORT(ACTOR, "own-pid") u64 own_pid(void);
IMPORT(ACTOR, "spawn") void actor_spawn(const char *name, u32 length, void *result);
IMPORT(ACTOR, "send") void actor_send(u64 to, const void *data, u32 length);
IMPORT(ACTOR, "receive") void actor_receive(void *list);
IMPORT(ACTOR, "receive-timeout") void actor_receive_timeout(u64 ms, void *option);
IMPORT(ACTOR, "send-after") u64 actor_send_after(u64 to, u64 ms, const void *data, u32 length);
IMPORT("wasi:clocks/monotonic-clock@0.2.0", "now") u64 clock_now(void);

// Where the host puts what it hands over: the message that is waited for.
static void *room;
static Message spare;
static Actor host;

EXPORT("cabi_realloc") void *cabi_realloc(void *old, u32 size, u32 align, u32 wanted) {
    return wanted <= sizeof(Message) ? room : 0;
}

Actor self(void) { return own_pid(); }

Actor start(void) {
    struct {
        u8 failed;
        u64 pid;
    } result;
    room = &spare;
    actor_spawn("actor", 5, &result);
    return result.failed ? 0 : result.pid;
}

void send(Actor to, const Message *message, u32 length) { actor_send(to, message, length); }

u32 receive(Message *message) {
    struct {
        void *start;
        u32 length;
    } list;
    room = message;
    actor_receive(&list);
    return list.length;
}

void call(Actor to, Message *message, u32 length) {
    actor_send(to, message, length);
    receive(message);
}

void reply(Actor to, const Message *message, u32 length) { actor_send(to, message, length); }

u64 now(void) { return clock_now(); }

void sleep_ms(u64 ms) {
    struct {
        u32 some;
        void *start;
        u32 length;
    } option;
    room = &spare;
    actor_receive_timeout(ms, &option);
}

void arm(void) { actor_send_after(own_pid(), 3600000, "", 0); }

void say(const char *text, u32 length) { actor_send(host, text, length); }

// The host ends the program when a line is empty.
void quit(void) {
    actor_send(host, "", 0);
    for (;;) receive(&spare);
}

// Components serve HTTP, not plain TCP.
void serve(void) {}

EXPORT("run") void run(void) { actor(); }

// The first actor: the host sends it the numbers and the name of the workload.
EXPORT("drive") void begin(void) {
    static Message first;
    receive(&first);
    host = first.from;
    drive((const char *)&first.numbers[4], first.numbers[0], first.numbers[1], first.numbers[2], first.numbers[3]);
}
