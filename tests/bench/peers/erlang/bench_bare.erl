%% The system `erlang`: workloads of processes that send with `!` and wait with `receive`, no library. Started by `bench_main`.
%%
%% A payload that is measured is a fresh copy, because larger binaries would otherwise be shared, not sent.
-module(bench_bare).
-export([run/2]).

run("send", #{bytes := Bytes, n := N}) ->
    Echo = spawn(fun echo/0),
    Payload = bench_main:payload(Bytes),
    [{"send", bench_main:per_one(N, fun(Count) -> bench_main:at_once([fun() -> send(Echo, Payload, Count) end]) end), "ns"}];
run("fan-in", #{bytes := Bytes, n := N, width := Senders}) ->
    Echo = spawn(fun echo/0),
    Payload = bench_main:payload(Bytes),
    Fan = fun(Count) ->
        bench_main:at_once(lists:duplicate(Senders, fun() -> send(Echo, Payload, Count div Senders) end))
    end,
    [{"fan-in", bench_main:per_one(N, Fan), "ns"}];
run("call", #{bytes := Bytes, n := N}) ->
    Echo = spawn(fun echo/0),
    Payload = bench_main:payload(Bytes),
    [{"call", bench_main:per_one(N, fun(Count) -> calls(Echo, Payload, Count) end), "ns"}];
run("pairs", #{bytes := Bytes, n := N, width := Pairs}) ->
    Payload = bench_main:payload(Bytes),
    Echoes = [spawn(fun echo/0) || _ <- lists:seq(1, Pairs)],
    Ping = fun(Count) -> bench_main:at_once([fun() -> calls(Echo, Payload, Count div Pairs) end || Echo <- Echoes]) end,
    [{"pairs", bench_main:per_one(N, Ping), "ns"}];
run("ring", #{bytes := Bytes, n := N, width := Actors}) ->
    Self = self(),
    Payload = bench_main:payload(Bytes),
    First = spawn(fun() -> receive {next, Next} -> ring(Next, Self) end end),
    Last = lists:foldl(fun(_, Next) -> spawn(fun() -> ring(Next, Self) end) end, First, lists:seq(2, Actors)),
    First ! {next, Last},
    Around = fun(Hops) -> First ! {token, Hops, Payload}, receive done -> ok end end,
    [{"ring", bench_main:per_one(N, Around), "ns"}];
run("tree", #{width := Leaves}) ->
    tree(Leaves div 10),
    Actors = (Leaves * 10 - 1) div 9,
    [{"tree", bench_main:elapsed(fun() -> tree(Leaves) end) / Actors, "ns"}];
run("idle", #{width := Actors}) ->
    crowd(100),
    Before = bench_main:rss(),
    Took = bench_main:elapsed(fun() -> crowd(Actors) end),
    [{"idle-spawn", Took / Actors, "ns"}, {"idle-rss", (bench_main:rss() - Before) / Actors, "bytes"}];
run("spawn", #{n := N, width := Spawners}) ->
    Lives = fun(Count) -> bench_main:at_once(lists:duplicate(Spawners, fun() -> lives(Count div Spawners) end)) end,
    [{"spawn", bench_main:per_one(N, Lives), "ns"}];
run("timer-arm", #{n := N}) ->
    Self = self(),
    Arm = fun(Count) -> put(timers, [erlang:send_after(3600_000, Self, late) || _ <- lists:seq(1, Count)]) end,
    [{"timer-arm", bench_main:per_one(N, Arm), "ns"}];
run("timer-late", #{n := N, width := Pairs}) ->
    [begin Echo = spawn(fun echo/0), spawn(fun() -> calls(Echo, bench_main:payload(32), infinity) end) end
        || _ <- lists:seq(1, Pairs)],
    bench_main:quantiles("timer-late", late(N, 100));
run("fairness", #{bytes := Bytes, n := Millis, workers := Workers}) ->
    Echo = spawn(fun echo/0),
    Payload = bench_main:payload(Bytes),
    Call = fun() -> call(Echo, Payload) end,
    Alone = bench_main:counted(Millis, Call),
    [spawn(fun() -> endless(0) end) || _ <- lists:seq(1, Workers)],
    [{"fairness", 100 * bench_main:counted(Millis, Call) / Alone, "percent"}];
run("tcp-echo", _) ->
    bench_main:serve(fun(Socket) -> spawn(fun() -> connection(Socket) end) end).

echo() ->
    receive
        {call, From, Ref, Payload} -> From ! {Ref, Payload}, echo();
        {last, From, Ref, Payload} -> From ! {Ref, Payload};
        {data, _} -> echo()
    end.

call(To, Payload) -> ask(call, To, Payload).

%% A fresh reference lets the emulator skip what was in the mailbox before.
ask(Kind, To, Payload) ->
    Ref = make_ref(),
    To ! {Kind, self(), Ref, Payload},
    receive {Ref, Reply} -> Reply end.

calls(_, _, 0) -> ok;
calls(To, Payload, infinity) ->
    call(To, Payload),
    calls(To, Payload, infinity);
calls(To, Payload, Left) ->
    call(To, Payload),
    calls(To, Payload, Left - 1).

send(To, Payload, Count) -> send(To, Payload, Count, bench_main:batch(byte_size(Payload))).

send(To, _, 0, _) -> call(To, <<>>);
send(To, Payload, Left, Batch) ->
    To ! {data, binary:copy(Payload)},
    Left rem Batch =:= 0 andalso call(To, <<>>),
    send(To, Payload, Left - 1, Batch).

ring(Next, Main) ->
    receive
        {token, 0, _} -> Main ! done;
        {token, Hops, Payload} -> Next ! {token, Hops - 1, Payload}
    end,
    ring(Next, Main).

%% Until each leaf has told its number and all processes are gone.
tree(Leaves) ->
    Self = self(),
    Before = erlang:system_info(process_count),
    spawn(fun() -> node(Self, 0, Leaves) end),
    Sum = Leaves * (Leaves - 1) div 2,
    receive {sum, Sum} -> ok end,
    bench_main:gone(Before).

node(Parent, Number, 1) -> Parent ! {sum, Number};
node(Parent, Number, Leaves) ->
    Self = self(),
    Share = Leaves div 10,
    [spawn(fun() -> node(Self, Number + Child * Share, Share) end) || Child <- lists:seq(0, 9)],
    Parent ! {sum, lists:sum([receive {sum, Sum} -> Sum end || _ <- lists:seq(0, 9)])}.

lives(0) -> ok;
lives(Left) ->
    ask(last, spawn(fun echo/0), <<>>),
    lives(Left - 1).

%% Actors that stay, each after its first message.
crowd(Actors) ->
    Echoes = [spawn(fun echo/0) || _ <- lists:seq(1, Actors)],
    lists:foreach(fun(Echo) -> call(Echo, <<>>) end, Echoes).

%% Overshoots of N waits by so many sleepers at once.
late(N, Sleepers) ->
    Self = self(),
    Wait = fun() -> receive after 10 -> ok end end,
    Sleeper = fun() -> Self ! {late, bench_main:overshoots(max(N div Sleepers, 1), Wait)} end,
    bench_main:at_once(lists:duplicate(Sleepers, Sleeper)),
    lists:append([receive {late, Late} -> Late end || _ <- lists:seq(1, Sleepers)]).

endless(Turns) -> endless(Turns + 1).

connection(Socket) ->
    receive
        {tcp, Socket, Data} -> gen_tcp:send(Socket, Data), connection(Socket);
        {tcp_passive, Socket} -> inet:setopts(Socket, [{active, 100}]), connection(Socket);
        {tcp_closed, Socket} -> ok;
        {tcp_error, Socket, _} -> ok
    end.
