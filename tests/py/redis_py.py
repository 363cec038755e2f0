#!/usr/bin/env python3
"""Drives a running examples/kv server by redis-py, over every command it has, and compares what it says.

    python3 redis_py.py [HOST:PORT]        default 127.0.0.1:7379

Needs `pip install redis`. All keys of the server are lost. Passes equally against a real redis-server, version 7. Exits 0
if all is as expected; else it prints each difference and exits 1; 2 if there is no server or no redis-py.
"""

import os
import random
import socket
import sys
import threading
import time

try:
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry
except ImportError:
    print("redis_py.py: redis-py is missing: pip install redis", file=sys.stderr)
    sys.exit(2)

DEADLINE = 30
HOST, PORT = "127.0.0.1", 7379
TESTS = []
MIB = 1 << 20


class Difference(Exception):
    pass


def test(function):
    TESTS.append(function)
    return function


def clip(value):
    text = repr(value)
    return text if len(text) < 300 else f"{text[:150]} ... {text[-100:]} ({len(text)} characters)"


def same(what, got, expected):
    if got != expected:
        raise Difference(f"{what}: expected {clip(expected)}, got {clip(got)}")


def fails(what, text, function, *args):
    """The call must end with exactly this error; redis-py takes ERR away."""
    try:
        got = function(*args)
    except redis.exceptions.ResponseError as error:
        same(what, str(error), text)
    else:
        raise Difference(f"{what}: expected the error {text!r}, got {clip(got)}")


def client(**options):
    # Without repetitions: what goes wrong once is wrong.
    options = {"protocol": 2, "retry": Retry(NoBackoff(), 0), "socket_timeout": DEADLINE, "socket_connect_timeout": DEADLINE} | options
    return redis.Redis(host=HOST, port=PORT, **options)


class Raw:
    """A connection without a library."""

    def __init__(self):
        self.socket = socket.create_connection((HOST, PORT), DEADLINE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def expect(self, what, expected):
        got = b""
        while len(got) < len(expected):
            piece = self.socket.recv(len(expected) - len(got))
            if not piece:
                raise Difference(f"{what}: closed after {clip(got)}, expected {clip(expected)}")
            got += piece
            if not expected.startswith(got):
                break
        same(what, got, expected)

    def expect_end(self, what):
        try:
            same(what, self.socket.recv(100), b"")
        except ConnectionResetError:
            pass  # closed while more of ours was on its way


@test
def greetings(r):
    same("PING", r.ping(), True)
    same("ECHO", r.echo(b"\r\n\xff"), b"\r\n\xff")
    same("SELECT 0", r.execute_command("SELECT", 0), True)
    fails("SELECT 99", "DB index is out of range", r.execute_command, "SELECT", 99)
    fails("SELECT x", "value is not an integer or out of range", r.execute_command, "SELECT", "x")
    same("CONFIG GET save", r.config_get("save"), {"save": ""})
    same("CONFIG GET appendonly", r.config_get("appendonly"), {"appendonly": "no"})
    same("CLIENT SETNAME", r.client_setname("tester"), True)
    same("INFO", "redis_version" in r.info("server"), True)
    for _ in range(2):
        same("CLIENT ID", isinstance(r.client_id(), int), True)
    with Raw() as raw:
        raw.send(b"client getname\r\nclient setname x\r\nclient getname\r\n")
        raw.expect("CLIENT GETNAME", b"$-1\r\n+OK\r\n$1\r\nx\r\n")
    with Raw() as raw:
        raw.send(b"*2\r\n$4\r\nPING\r\n$3\r\na\0b\r\n")
        raw.expect("PING text", b"$3\r\na\0b\r\n")
        raw.send(b"ping\r\nquit\r\nping\r\n")
        raw.expect("QUIT", b"+PONG\r\n+OK\r\n")
        raw.expect_end("QUIT")


@test
def strings(r):
    same("GET of nothing", r.get("no"), None)
    same("SET", r.set("a", "1"), True)
    same("GET", r.get("a"), b"1")
    same("SET again", r.set("a", b"longer"), True)
    same("GET again", r.get("a"), b"longer")
    same("EXISTS", r.exists("a"), 1)
    same("EXISTS of three", r.exists("a", "no", "a"), 2)
    same("DEL", r.delete("a"), 1)
    same("DEL of nothing", r.delete("a"), 0)
    same("SET of an empty key", r.set("", ""), True)
    same("GET of an empty key", r.get(""), b"")


@test
def set_options(r):
    same("NX on nothing", r.set("o", 1, nx=True), True)
    same("NX on something", r.set("o", 2, nx=True), None)
    same("XX on nothing", r.set("p", 1, xx=True), None)
    same("XX on something", r.set("o", 3, xx=True), True)
    same("GET", r.set("o", 4, get=True), b"3")
    same("GET on nothing", r.set("q", 4, get=True), None)
    same("what is there", r.mget("o", "p", "q"), [b"4", None, b"4"])
    for options in (["NX", "XX"], ["EX"], ["EX", "1", "PX", "1"], ["KEEPTTL", "EX", "1"], ["what"], ["NX", "1"]):
        fails(f"SET {options}", "syntax error", r.execute_command, "SET", "a", "1", *options)
    for options in (["EX", "x"], ["PX", ""], ["EX", "1.5"], ["PXAT", "99999999999999999999"]):
        fails(f"SET {options}", "value is not an integer or out of range", r.execute_command, "SET", "a", "1", *options)
    for options in (["EX", "0"], ["PX", "-1"], ["EX", "9223372036854775807"], ["PX", "9223372036854775807"]):
        fails(f"SET {options}", "invalid expire time in 'set' command", r.execute_command, "SET", "a", "1", *options)


@test
def expiry(r):
    r.set("short", 1, px=60)
    r.set("long", 1, ex=100)
    r.set("over", 1, pxat=1)
    r.set("kept", 1, px=60)
    r.set("kept", 2, keepttl=True)
    r.set("freed", 1, px=60)
    r.set("freed", 2)
    same("over at once", r.get("over"), None)
    same("not yet over", r.mget("short", "long", "kept", "freed"), [b"1", b"1", b"2", b"2"])
    time.sleep(0.2)
    same("over", r.mget("short", "long", "kept", "freed"), [None, b"1", None, b"2"])
    same("KEYS", sorted(r.keys()), [b"freed", b"long"])
    same("NX after expiry", r.set("short", 1, nx=True), True)


@test
def counters(r):
    same("INCR of nothing", r.execute_command("INCR", "n"), 1)
    same("INCRBY", r.incr("n", -1), 0)
    fails("INCRBY x", "value is not an integer or out of range", r.incr, "n", "x")
    same("INCRBY back", r.incr("n", 1), 1)
    same("INCR", r.execute_command("INCR", "n"), 2)
    same("GET", r.get("n"), b"2")
    r.set("n", -1)
    same("INCR to 0", r.execute_command("INCR", "n"), 0)
    r.set("n", "9223372036854775806")
    same("INCR to the end", r.execute_command("INCR", "n"), 9223372036854775807)
    fails("INCR over the end", "increment or decrement would overflow", r.execute_command, "INCR", "n")
    for text in ("a", "", " 1", "1 ", "01", "+1", "1.0", "9223372036854775808"):
        r.set("n", text)
        fails(f"INCR of {text!r}", "value is not an integer or out of range", r.execute_command, "INCR", "n")


@test
def many_keys(r):
    values = {f"key:{number}": str(number) for number in range(1000)}
    same("MSET", r.mset(values), True)
    same("MGET", r.mget(list(values) + ["no"]), [text.encode() for text in values.values()] + [None])
    same("DBSIZE", r.dbsize(), 1000)
    same("EXISTS", r.exists(*values), 1000)
    same("DEL", r.delete(*list(values)[:500], "no"), 500)
    same("DBSIZE after DEL", r.dbsize(), 500)
    same("MSET of one key twice", r.execute_command("MSET", "t", "1", "t", "2"), True)
    same("the later one wins", r.get("t"), b"2")
    same("MGET of one key twice", r.mget("t", "t"), [b"2", b"2"])
    same("DEL of one key twice", r.delete("t", "t"), 1)
    same("FLUSHALL", r.flushall(), True)
    same("DBSIZE after FLUSHALL", r.dbsize(), 0)
    same("FLUSHALL ASYNC", r.flushall(asynchronous=True), True)
    fails("FLUSHALL x", "syntax error", r.execute_command, "FLUSHALL", "x")


@test
def patterns(r):
    keys = ["", "a", "b", "ab", "abc", "hello", "hallo", "hxllo", "a*c", "[x]", "a]", "\\", "-", "^", "b-d", "\0", "\xff"]
    keys = [key.encode("latin-1") for key in keys]
    r.mset({key: b"1" for key in keys})
    parts = [b"*", b"?", b"[", b"]", b"^", b"-", b"\\", b"a", b"b", b"c", b"x", b"h?llo", b"h[ae]llo", b"h[^e]llo", b"[a-c]"]
    # What each must match, worked out once by a Redis 7.0.15 server.
    for pattern, expected in {
        b"*": keys,
        b"": [b""],
        b"?": [b"a", b"b", b"\\", b"-", b"^", b"\0", b"\xff"],
        b"a*": [b"a", b"ab", b"abc", b"a*c", b"a]"],
        b"h?llo": [b"hello", b"hallo", b"hxllo"],
        b"h[ae]llo": [b"hello", b"hallo"],
        b"h[^e]llo": [b"hallo", b"hxllo"],
        b"[a-c]": [b"a", b"b"],
        b"[c-a]": [b"a", b"b"],
        b"a\\*c": [b"a*c"],
        b"\\[x\\]": [b"[x]"],
        b"*c": [b"abc", b"a*c"],
        b"nothing": [],
    }.items():
        same(f"KEYS {pattern!r}", sorted(r.keys(pattern)), sorted(expected))
    # Any pattern has an answer.
    dice = random.Random(7)
    for _ in range(200):
        r.keys(b"".join(dice.choices(parts, k=dice.randrange(8))))


@test
def binary(r):
    dice = random.Random(1)
    values = {bytes(dice.randrange(256) for _ in range(n)): dice.randbytes(dice.randrange(200)) for n in range(60)}
    values[bytes(range(256))] = bytes(range(256)) * 4
    values[b"\r\n$3\r\n"] = b"*1\r\n$4\r\nPING\r\n"
    r.mset(values)
    for key, value in values.items():
        same(f"GET {key!r}", r.get(key), value)
    same("KEYS", set(r.keys()), set(values))


@test
def large(r):
    for size in (1, 1000, 65_535, 65_536, MIB - 1, MIB, 8 * MIB):
        value = random.Random(size).randbytes(size)
        same(f"SET of {size} bytes", r.set("large", value), True)
        if r.get("large") != value:
            raise Difference(f"GET of {size} bytes: other bytes came back")
    key = b"k" * 100_000
    r.set(key, "1")
    same("a long key", r.get(key), b"1")
    # In one pipeline, which redis-py sends as a whole before it reads, and one MGET.
    pipe = r.pipeline(transaction=False)
    for number in range(3):
        pipe.set(f"large{number}", bytes([number]) * (8 * MIB)).get(f"large{number}")
    replies = pipe.execute()
    for number in range(3):
        if replies[2 * number] is not True or replies[2 * number + 1] != bytes([number]) * (8 * MIB):
            raise Difference(f"pipeline of large values: wrong reply to pair {number}")
    if r.mget(*(f"large{number}" for number in range(3))) != [bytes([n]) * (8 * MIB) for n in range(3)]:
        raise Difference("MGET of large values: other bytes came back")
    # Small values afterwards, on the same connection.
    same("SET after large ones", r.set("large", "1"), True)
    same("GET after large ones", r.get("large"), b"1")


@test
def errors(r):
    for command in ("GET", "SET", "INCR", "DEL", "EXISTS", "MGET", "MSET", "KEYS", "ECHO", "SELECT", "CONFIG", "CLIENT"):
        fails(command, f"wrong number of arguments for '{command.lower()}' command", r.execute_command, command)
    for command in (["GET", "a", "b"], ["INCR", "a", "b"], ["PING", "a", "b"], ["ECHO", "a", "b"], ["DBSIZE", "x"],
                    ["SET", "a"], ["MSET", "a"], ["MSET", "a", "b", "c"], ["KEYS", "a", "b"]):
        what = f"wrong number of arguments for '{command[0].lower()}' command"
        fails(" ".join(command), what, r.execute_command, *command)
    fails("an unknown command", "unknown command 'foo', with args beginning with: 'a' 'b c' ",
          r.execute_command, "foo", "a", "b c")
    fails("an unknown command alone", "unknown command 'FOO', with args beginning with: ", r.execute_command, "FOO")
    fails("a long unknown command", f"unknown command '{'x' * 128}', with args beginning with: '{'y' * 128}' ",
          r.execute_command, "x" * 300, "y" * 300, "z")
    fails("an unknown subcommand", "unknown subcommand 'x'. Try CONFIG HELP.", r.execute_command, "CONFIG", "x")
    fails("a subcommand without arguments", "wrong number of arguments for 'config|get' command",
          r.execute_command, "CONFIG", "GET")
    same("all is well after errors", r.ping(), True)


@test
def protocol_errors(_):
    for data, error in {
        b"*x\r\n": "invalid multibulk length",
        b"*01\r\n": "invalid multibulk length",
        b"*1\r\n+PING\r\n": "expected '$', got '+'",
        b"*1\r\n$x\r\n": "invalid bulk length",
        b"*1\r\n$-1\r\n": "invalid bulk length",
        b"*1\r\n$99999999999\r\n": "invalid bulk length",
        b"set a \"b\r\n": "unbalanced quotes in request",
        b"set a 'b'c\r\n": "unbalanced quotes in request",
        b"a" * (65 * 1024): "too big inline request",
        b"*1\r\n$" + b"1" * (65 * 1024): "too big bulk count string",
        b"*" + b"1" * (65 * 1024): "too big mbulk count string",
    }.items():
        with Raw() as raw:
            raw.send(b"PING\r\n" + data)
            raw.expect(clip(data), b"+PONG\r\n-ERR Protocol error: " + error.encode() + b"\r\n")
            raw.expect_end(clip(data))


@test
def inline(_):
    with Raw() as raw:
        raw.send(b"\r\n\r\n  \r\nset 'a b' \"x\\x41\\n\"\nGET \"a b\"\r\nget a\r\n")
        raw.expect("inline commands", b"+OK\r\n$3\r\nxA\n\r\n$-1\r\n")
        raw.send(b"*0\r\n*-1\r\nping\r\n*1\r\n$4\r\nping\r\nping\r\n")
        raw.expect("inline and multibulk mixed", b"+PONG\r\n" * 3)
        for byte in b"*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$2\r\n\r\n\r\nget b\r\n":
            raw.send(bytes([byte]))
        raw.expect("byte by byte", b"+OK\r\n$2\r\n\r\n\r\n")


@test
def half_closed(_):
    with Raw() as raw:
        raw.send(b"set h 1\r\nget h\r\n")
        raw.expect("replies", b"+OK\r\n$1\r\n1\r\n")
        raw.socket.shutdown(socket.SHUT_WR)
        raw.expect_end("after the client's end")


@test
def pipelines(r):
    pipe = r.pipeline(transaction=False)
    expected = []
    for number in range(5000):
        key = f"p{number % 37}"
        pipe.set(key, number).get(key).incr(key).mget(key, "no").exists(key, key).ping()
        expected += [True, str(number).encode(), number + 1, [str(number + 1).encode(), None], 2, True]
    same("pipeline", pipe.execute(), expected)
    pipe = r.pipeline(transaction=False)
    pipe.set("e", "x").incr("e").execute_command("foo").get("e")
    replies = pipe.execute(raise_on_error=False)
    same("good replies between errors in a pipeline", [replies[0], replies[3]], [True, b"x"])
    for reply, end in (replies[1], "value is not an integer or out of range"), (replies[2], "with args beginning with: "):
        same("errors in a pipeline", [type(reply), str(reply).endswith(end)], [redis.exceptions.ResponseError, True])
    # Commands on all keys stand in their place.
    pipe = r.pipeline(transaction=False)
    pipe.flushall().set("a", 1).dbsize().mset({"b": 1, "c": 1}).dbsize().keys("b").flushall().dbsize().get("a")
    same("commands on all keys", pipe.execute(), [True, True, 1, True, 3, [b"b"], True, 0, None])


@test
def a_slow_reader(r):
    value = b"v" * MIB
    r.set("slow", value)
    with Raw() as raw:
        raw.send(b"get slow\r\n" * 100)
        time.sleep(0.3)
        same("others are served meanwhile", r.ping(), True)
        reply = b"$%d\r\n%s\r\n" % (MIB, value)
        for number in range(100):
            raw.expect(f"reply {number}", reply)


@test
def many_connections(r):
    """50 clients at once: each has keys of its own, and all count one counter."""
    wrong = []
    rounds = 200

    def run(index):
        try:
            own = client()
            for number in range(rounds):
                key, value = f"c{index}:{number % 7}", os.urandom(20)
                same("SET", own.set(key, value), True)
                same("GET", own.get(key), value)
                own.execute_command("INCR", "count")
            own.close()
        except Exception as error:
            wrong.append(f"client {index}: {type(error).__name__}: {error}")

    threads = [threading.Thread(target=run, args=(index,)) for index in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise Difference(f"{len(wrong)} of 50 clients: {wrong[0]}")
    same("the counter", r.get("count"), str(50 * rounds).encode())


@test
def connections_come_and_go(_):
    for number in range(300):
        with Raw() as raw:
            if number % 3:
                raw.send(b"ping\r\n")
            if number % 3 == 2:
                raw.expect("PING", b"+PONG\r\n")


@test
def resp3(_):
    """What redis-py speaks if it is not told otherwise, from version 6 on."""
    with Raw() as raw:
        raw.send(b"hello 9\r\nhello x\r\nping\r\n")
        raw.expect("HELLO", b"-NOPROTO unsupported protocol version\r\n"
                   b"-ERR Protocol version is not an integer or out of range\r\n+PONG\r\n")
    three = client(protocol=3)
    same("SET", three.set("a", 1), True)
    same("GET", three.mget("a", "no"), [b"1", None])
    same("GET of nothing", three.get("no"), None)
    same("CONFIG GET", three.config_get("save"), {"save": ""})
    three.close()


def main():
    global HOST, PORT
    if len(sys.argv) > 2 or (len(sys.argv) == 2 and ":" not in sys.argv[1]):
        print(__doc__, file=sys.stderr)
        return 2
    if len(sys.argv) == 2:
        HOST, port = sys.argv[1].rsplit(":", 1)
        PORT = int(port)
    r = client()
    try:
        r.ping()
    except redis.exceptions.RedisError as error:
        print(f"redis_py.py: no server at {HOST}:{PORT}: {error}", file=sys.stderr)
        return 2
    failed = 0
    for function in TESTS:
        start = time.monotonic()
        try:
            r.flushall()
            function(r)
        except Exception as error:
            failed += 1
            kind = "" if isinstance(error, Difference) else f"{type(error).__name__}: "
            print(f"FAILED {function.__name__}: {kind}{clip(str(error)) if not kind else error}")
            r.close()
            r = client()
        else:
            print(f"ok     {function.__name__} ({time.monotonic() - start:.2f} s)")
    print(f"{len(TESTS) - failed} of {len(TESTS)} passed (redis-py {redis.__version__}, {HOST}:{PORT})")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
