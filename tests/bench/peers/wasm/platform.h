// What `actors.c` needs of a host, made by `lunatic.c` and `rusm.c`. No library: guests are what a host costs, not what a
// language's runtime adds.
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;
typedef u64 Actor;

#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
#define EXPORT(name) __attribute__((export_name(name)))

// A message: what it is for, who sent it, and its content.
typedef struct {
    u64 kind;
    Actor from;
    union {
        u8 bytes[65536];
        u64 numbers[8192];
    };
} Message;
#define HEAD 16

Actor self(void);
// Starts an actor that runs `actor`. 0: it is not possible.
Actor start(void);
void send(Actor to, const Message *message, u32 length);
// Waits for the next message and gives its length.
u32 receive(Message *message);
// Sends, and waits for the reply, which takes the place of what was sent.
void call(Actor to, Message *message, u32 length);
// Answers the message that was received last.
void reply(Actor to, const Message *message, u32 length);
u64 now(void);
void sleep_ms(u64 ms);
// Sets a timer of an hour that would send to oneself.
void arm(void);
// A line for the bench; the end of the program comes after the last one.
void say(const char *text, u32 length);
void quit(void);
// Serves TCP for ever, if the host can.
void serve(void);

// Made by `actors.c`: an actor's life, and the workload that the first one runs.
void actor(void);
void drive(const char *workload, u64 workers, u64 bytes, u64 n, u64 width);
