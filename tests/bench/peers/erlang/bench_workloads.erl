%% The workloads, the same for both kinds of actors. Used by `bench_main`, which says the kind: `bench_bare` or
%% `bench_server`. A kind has the loops that are measured, so that no call in them goes through a variable:
%%
%%   echo() -> Pid                      an actor that answers calls with their payload
%%   call(Pid, Payload), calls(Pid, Payload, Count | infinity), sends(Pid, Payload, Count)
%%   lives(Count)                       starts an actor, asks it a last time, so often
%%   ring(Actors, Payload) -> Around    Around(Hops) returns when the token is back
%%   tree(Leaves), late(N, Sleepers) -> [Ns], endless(), connection(Socket) -> Pid
%%
%% A payload that is measured is a fresh copy, because larger binaries would otherwise be shared, not sent.
-module(bench_workloads).
-export([run/3]).

run(Kind, "send", #{bytes := Bytes, n := N}) ->
    Echo = Kind:echo(),
    Payload = bench_main:payload(Bytes),
    [ns("send", N, fun(Count) -> bench_main:at_once([fun() -> Kind:sends(Echo, Payload, Count) end]) end)];
run(Kind, "fan-in", #{bytes := Bytes, n := N, width := Senders}) ->
    Echo = Kind:echo(),
    Payload = bench_main:payload(Bytes),
    Fan = fun(Count) ->
        bench_main:at_once(lists:duplicate(Senders, fun() -> Kind:sends(Echo, Payload, Count div Senders) end))
    end,
    [ns("fan-in", N, Fan)];
run(Kind, "call", #{bytes := Bytes, n := N}) ->
    Echo = Kind:echo(),
    Payload = bench_main:payload(Bytes),
    [ns("call", N, fun(Count) -> Kind:calls(Echo, Payload, Count) end)];
run(Kind, "pairs", #{bytes := Bytes, n := N, width := Pairs}) ->
    Payload = bench_main:payload(Bytes),
    Echoes = [Kind:echo() || _ <- lists:seq(1, Pairs)],
    Ping = fun(Count) ->
        bench_main:at_once([fun() -> Kind:calls(Echo, Payload, Count div Pairs) end || Echo <- Echoes])
    end,
    [ns("pairs", N, Ping)];
run(Kind, "ring", #{bytes := Bytes, n := N, width := Actors}) ->
    [ns("ring", N, Kind:ring(Actors, bench_main:payload(Bytes)))];
run(Kind, "tree", #{width := Leaves}) ->
    tree(Kind, Leaves div 10),
    Actors = (Leaves * 10 - 1) div 9,
    [{"tree", bench_main:elapsed(fun() -> tree(Kind, Leaves) end) / Actors, "ns"}];
run(Kind, "idle", #{width := Actors}) ->
    crowd(Kind, 100),
    Before = bench_main:rss(),
    Took = bench_main:elapsed(fun() -> crowd(Kind, Actors) end),
    [{"idle-spawn", Took / Actors, "ns"}, {"idle-rss", (bench_main:rss() - Before) / Actors, "bytes"}];
run(Kind, "spawn", #{n := N, width := Spawners}) ->
    Lives = fun(Count) ->
        bench_main:at_once(lists:duplicate(Spawners, fun() -> Kind:lives(Count div Spawners) end))
    end,
    [ns("spawn", N, Lives)];
run(_, "timer-arm", #{n := N}) ->
    Self = self(),
    Arm = fun(Count) -> put(timers, [erlang:send_after(3600_000, Self, late) || _ <- lists:seq(1, Count)]) end,
    [ns("timer-arm", N, Arm)];
run(Kind, "timer-late", #{n := N, width := Pairs}) ->
    Payload = bench_main:payload(32),
    [begin Echo = Kind:echo(), spawn(fun() -> Kind:calls(Echo, Payload, infinity) end) end
        || _ <- lists:seq(1, Pairs)],
    bench_main:quantiles("timer-late", Kind:late(N, 100));
run(Kind, "fairness", #{bytes := Bytes, n := Millis, workers := Workers}) ->
    Echo = Kind:echo(),
    Payload = bench_main:payload(Bytes),
    Call = fun() -> Kind:call(Echo, Payload) end,
    Alone = bench_main:counted(Millis, Call),
    [Kind:endless() || _ <- lists:seq(1, Workers)],
    [{"fairness", 100 * bench_main:counted(Millis, Call) / Alone, "percent"}];
run(Kind, "tcp-echo", _) ->
    bench_main:serve(fun Kind:connection/1).

ns(Name, N, Fun) -> {Name, bench_main:per_one(N, Fun), "ns"}.

%% Until each leaf has told its number and all are gone.
tree(Kind, Leaves) ->
    Before = erlang:system_info(process_count),
    Kind:tree(Leaves),
    bench_main:gone(Before).

%% Actors that stay, each after its first message.
crowd(Kind, Actors) ->
    Echoes = [Kind:echo() || _ <- lists:seq(1, Actors)],
    lists:foreach(fun(Echo) -> Kind:call(Echo, <<>>) end, Echoes).
