// The workloads for hosts of WebAssembly actors: `lunatic` with `lunatic.c`, `rusm` with `rusm.c`. One actor program that
// does what the kind of a message says, and a driver that runs one workload and says its samples.
//
// Must hold: nothing of start-up and warm-up is in a figure.
#include "platform.h"

enum {
    DATA,    // counted, not answered
    ECHO,    // answered with the same
    LAST,    // answered; then the actor ends
    NEXT,    // [the next one of the ring]
    TOKEN,   // [hops left]; told to `from` at the end
    SENDS,   // [n, bytes, to]: sends, then done
    CALLS,   // [n, bytes, to]: calls, then done
    LIVES,   // [n]: starts actors, calls each a last time, then done
    NAPS,    // [n]: sleeps 10 ms, then done with how late each was
    NODE,    // [first number, leaves]: a tree's part; tells its sum and ends
    ENDLESS, // never returns
    DONE,
};

#define SLEEPERS 100
#define CROWD_MOST 16384
#define LATE_MOST 65536

static Message mail;
static Actor crowd_of[CROWD_MOST];
static i64 late_of[LATE_MOST];

static char line[1024];
static u32 used;

static void text(const char *words) { while (*words) line[used++] = *words++; }

static void number(u64 value) {
    char digits[24];
    int count = 0;
    do digits[count++] = '0' + value % 10; while (value /= 10);
    while (count) line[used++] = digits[--count];
}

static void say_line(void) { say(line, used); used = 0; }

static void sample(const char *name, const char *suffix, i64 tenths) {
    text(used ? ",{\"name\":\"" : "{\"samples\":[{\"name\":\"");
    text(name), text(suffix), text("\",\"value\":");
    if (tenths < 0) text("-"), tenths = -tenths;
    number(tenths / 10), text("."), number(tenths % 10), text(",\"unit\":\"");
}

static void ns(const char *name, const char *suffix, i64 tenths) { sample(name, suffix, tenths), text("ns\"}"); }

static void end_samples(void) { text("]}"), say_line(); }

static void fail(const char *why) { used = 0, text(why), say_line(), quit(); }

static int equal(const char *a, const char *b) {
    while (*a && *a == *b) a++, b++;
    return *a == *b;
}

static Actor started(void) {
    Actor actor = start();
    if (!actor) fail("no more actors can be started");
    return actor;
}

static void order(Actor to, u64 kind, u64 a, u64 b, u64 c) {
    mail.kind = kind, mail.from = self();
    mail.numbers[0] = a, mail.numbers[1] = b, mail.numbers[2] = c;
    send(to, &mail, HEAD + 24);
}

static void ask(Actor to, u64 kind, u64 bytes) {
    mail.kind = kind, mail.from = self();
    call(to, &mail, HEAD + bytes);
}

static void sends(u64 n, u64 bytes, Actor to) {
    u64 batch = bytes > 4096 ? 100 : 1000;
    for (u64 sent = 1; sent <= n; sent++) {
        mail.kind = DATA;
        send(to, &mail, HEAD + bytes);
        if (sent % batch == 0) ask(to, ECHO, 0);
    }
    ask(to, ECHO, 0);
}

static void lives(u64 n) {
    while (n--) ask(started(), LAST, 0);
}

static void naps(u64 n) {
    for (u64 nap = 0; nap < n; nap++) {
        u64 begin = now();
        sleep_ms(10);
        mail.numbers[nap] = now() - begin - 10000000;
    }
}

static void node(Actor parent, u64 first, u64 leaves) {
    u64 sum = first;
    if (leaves > 1) {
        sum = 0;
        for (u64 child = 0; child < 10; child++) order(started(), NODE, first + child * (leaves / 10), leaves / 10, 0);
        for (u64 child = 0; child < 10; child++) receive(&mail), sum += mail.numbers[0];
    }
    order(parent, DONE, sum, 0, 0);
}

void actor(void) {
    Actor next = 0;
    for (;;) {
        u32 length = receive(&mail);
        Actor from = mail.from;
        u64 a = mail.numbers[0], b = mail.numbers[1], c = mail.numbers[2];
        switch (mail.kind) {
        case DATA: break;
        case ECHO: reply(from, &mail, length); break;
        case LAST: reply(from, &mail, length); return;
        case NEXT: next = a; break;
        case TOKEN:
            if (a) mail.numbers[0] = a - 1, send(next, &mail, length);
            else order(from, DONE, 0, 0, 0);
            break;
        case SENDS: sends(a, b, c), order(from, DONE, 0, 0, 0); break;
        case CALLS:
            for (; a; a--) ask(c, ECHO, b);
            order(from, DONE, 0, 0, 0);
            break;
        case LIVES: lives(a), order(from, DONE, 0, 0, 0); break;
        case NAPS:
            naps(a);
            mail.kind = DONE;
            send(from, &mail, HEAD + 8 * a);
            break;
        case NODE: node(from, a, b); return;
        case ENDLESS:
            for (volatile u32 turns = 0;;) turns = turns + 1;
        }
    }
}

// Orders n things of as many actors, each with its target, and waits until all are done.
static void share(u64 kind, u64 n, u64 bytes, u64 actors, const Actor *workers, const Actor *targets) {
    for (u64 index = 0; index < actors; index++) order(workers[index], kind, n / actors, bytes, targets[index]);
    for (u64 index = 0; index < actors; index++) receive(&mail);
}

// `one_target`: of all.
static void shared(const char *name, u64 kind, u64 n, u64 bytes, u64 actors, int one_target) {
    static Actor workers[1024], targets[1024];
    if (actors > 1024) fail("too wide");
    for (u64 index = 0; index < actors; index++) {
        workers[index] = started();
        targets[index] = index && one_target ? targets[0] : started();
    }
    share(kind, n / 10, bytes, actors, workers, targets);
    u64 begin = now();
    share(kind, n, bytes, actors, workers, targets);
    ns(name, "", (now() - begin) * 10 / n);
}

static void around(Actor first, u64 hops, u64 bytes) {
    mail.kind = TOKEN, mail.from = self(), mail.numbers[0] = hops;
    send(first, &mail, HEAD + bytes);
    receive(&mail);
}

static void ring(u64 n, u64 bytes, u64 width) {
    Actor first = started(), last = first;
    for (u64 index = 1; index < width; index++) {
        Actor next = started();
        order(last, NEXT, next, 0, 0);
        last = next;
    }
    order(last, NEXT, first, 0, 0);
    around(first, n / 10, bytes);
    u64 begin = now();
    around(first, n, bytes);
    ns("ring", "", (now() - begin) * 10 / n);
}

static u64 tree(u64 leaves) {
    u64 begin = now();
    order(started(), NODE, 0, leaves, 0);
    receive(&mail);
    if (mail.numbers[0] != leaves * (leaves - 1) / 2) fail("the sum is wrong");
    return now() - begin;
}

static void crowd(u64 actors) {
    for (u64 index = 0; index < actors; index++) crowd_of[index] = started();
    for (u64 index = 0; index < actors; index++) ask(crowd_of[index], ECHO, 0);
}

static void look_at_memory(void) { text("RSS"), say_line(), sleep_ms(100); }

static void idle(u64 width) {
    if (width > CROWD_MOST) fail("too wide");
    crowd(100);
    look_at_memory();
    u64 begin = now();
    crowd(width);
    u64 took = now() - begin;
    look_at_memory();
    ns("idle-spawn", "", took * 10 / width);
}

static void sort(i64 *values, u64 count) { // shell sort
    for (u64 gap = count / 2; gap; gap /= 2)
        for (u64 index = gap; index < count; index++) {
            i64 value = values[index];
            u64 place = index;
            for (; place >= gap && values[place - gap] > value; place -= gap) values[place] = values[place - gap];
            values[place] = value;
        }
}

static void late(u64 n, u64 pairs) {
    u64 each = n / SLEEPERS ? n / SLEEPERS : 1, all = each * SLEEPERS;
    if (all > LATE_MOST) fail("too many sleeps");
    for (u64 pair = 0; pair < pairs; pair++) {
        Actor to = started();
        order(started(), CALLS, ~0ull, 32, to);
    }
    for (u64 sleeper = 0; sleeper < SLEEPERS; sleeper++) order(started(), NAPS, each, 0, 0);
    for (u64 sleeper = 0; sleeper < SLEEPERS; sleeper++) {
        receive(&mail);
        for (u64 nap = 0; nap < each; nap++) late_of[sleeper * each + nap] = mail.numbers[nap];
    }
    sort(late_of, all);
    ns("timer-late", "-min", late_of[0] * 10);
    ns("timer-late", "-p50", late_of[all / 2] * 10);
    ns("timer-late", "-p99", late_of[all * 99 / 100] * 10);
    ns("timer-late", "-p99.9", late_of[all * 999 / 1000] * 10);
}

static u64 counted(Actor to, u64 ms, u64 bytes) {
    u64 done = 0;
    for (u64 end = now() + ms * 1000000; now() < end; done++) ask(to, ECHO, bytes);
    return done;
}

static void fairness(u64 ms, u64 bytes, u64 workers) {
    Actor to = started();
    counted(to, ms / 10, bytes);
    u64 alone = counted(to, ms, bytes);
    for (u64 worker = 0; worker < workers; worker++) order(started(), ENDLESS, 0, 0, 0);
    counted(to, ms / 10, bytes);
    sample("fairness", "", counted(to, ms, bytes) * 1000 / alone), text("percent\"}");
}

static void arm_all(u64 n) {
    for (u64 timer = 0; timer < n / 10; timer++) arm();
    u64 begin = now();
    for (u64 timer = 0; timer < n; timer++) arm();
    ns("timer-arm", "", (now() - begin) * 10 / n);
}

void drive(const char *workload, u64 workers, u64 bytes, u64 n, u64 width) {
    if (equal(workload, "send")) shared(workload, SENDS, n, bytes, 1, 1);
    else if (equal(workload, "fan-in")) shared(workload, SENDS, n, bytes, width, 1);
    else if (equal(workload, "call")) shared(workload, CALLS, n, bytes, 1, 1);
    else if (equal(workload, "pairs")) shared(workload, CALLS, n, bytes, width, 0);
    else if (equal(workload, "spawn")) shared(workload, LIVES, n, bytes, width, 1);
    else if (equal(workload, "ring")) ring(n, bytes, width);
    else if (equal(workload, "tree")) tree(width / 10), ns("tree", "", tree(width) * 10 / ((width * 10 - 1) / 9));
    else if (equal(workload, "idle")) idle(width);
    else if (equal(workload, "timer-arm")) arm_all(n);
    else if (equal(workload, "timer-late")) late(n, width);
    else if (equal(workload, "fairness")) fairness(n, bytes, workers);
    else if (equal(workload, "tcp-echo")) serve();
    else fail("no such workload");
    end_samples();
    quit();
}
