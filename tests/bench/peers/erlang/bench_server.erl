%% The system `erlang-gen-server`: the same workloads by actors as they are written in practice, gen_servers: `cast` to
%% tell, `call` to ask (with a monitor and a deadline), `stop` to end. Started by `bench_main`.
%%
%% A payload that is measured is a fresh copy, because larger binaries would otherwise be shared, not sent.
-module(bench_server).
-behaviour(gen_server).
-export([run/2]).
-export([init/1, handle_call/3, handle_cast/2, handle_continue/2, handle_info/2]).

run("send", #{bytes := Bytes, n := N}) ->
    Echo = start(echo),
    Payload = bench_main:payload(Bytes),
    [{"send", bench_main:per_one(N, fun(Count) -> bench_main:at_once([fun() -> send(Echo, Payload, Count) end]) end), "ns"}];
run("fan-in", #{bytes := Bytes, n := N, width := Senders}) ->
    Echo = start(echo),
    Payload = bench_main:payload(Bytes),
    Fan = fun(Count) ->
        bench_main:at_once(lists:duplicate(Senders, fun() -> send(Echo, Payload, Count div Senders) end))
    end,
    [{"fan-in", bench_main:per_one(N, Fan), "ns"}];
run("call", #{bytes := Bytes, n := N}) ->
    Echo = start(echo),
    Payload = bench_main:payload(Bytes),
    [{"call", bench_main:per_one(N, fun(Count) -> calls(Echo, Payload, Count) end), "ns"}];
run("pairs", #{bytes := Bytes, n := N, width := Pairs}) ->
    Payload = bench_main:payload(Bytes),
    Echoes = [start(echo) || _ <- lists:seq(1, Pairs)],
    Ping = fun(Count) -> bench_main:at_once([fun() -> calls(Echo, Payload, Count div Pairs) end || Echo <- Echoes]) end,
    [{"pairs", bench_main:per_one(N, Ping), "ns"}];
run("ring", #{bytes := Bytes, n := N, width := Actors}) ->
    Payload = bench_main:payload(Bytes),
    First = start({ring, none, self()}),
    Last = lists:foldl(fun(_, Next) -> start({ring, Next, self()}) end, First, lists:seq(2, Actors)),
    gen_server:cast(First, {next, Last}),
    Around = fun(Hops) -> gen_server:cast(First, {token, Hops, Payload}), receive done -> ok end end,
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
%% `timer-arm` would be that of `erlang`: a gen_server has no timers of its own.
run("timer-late", #{n := N, width := Pairs}) ->
    [begin Echo = start(echo), spawn(fun() -> calls(Echo, bench_main:payload(32), infinity) end) end
        || _ <- lists:seq(1, Pairs)],
    bench_main:quantiles("timer-late", late(N, 100));
run("fairness", #{bytes := Bytes, n := Millis, workers := Workers}) ->
    Echo = start(echo),
    Payload = bench_main:payload(Bytes),
    Call = fun() -> gen_server:call(Echo, Payload) end,
    Alone = bench_main:counted(Millis, Call),
    [gen_server:cast(start(echo), endless) || _ <- lists:seq(1, Workers)],
    [{"fairness", 100 * bench_main:counted(Millis, Call) / Alone, "percent"}];
run("tcp-echo", _) ->
    bench_main:serve(fun(Socket) -> start({connection, Socket}) end).

start(State) ->
    {ok, Pid} = gen_server:start(?MODULE, State, []),
    Pid.

%% The state says what an actor is.
init(State) -> {ok, State, {continue, start}}.

handle_continue(start, {node, Parent, Number, 1}) ->
    gen_server:cast(Parent, {sum, Number}),
    {stop, normal, done};
handle_continue(start, {node, Parent, Number, Leaves}) ->
    Share = Leaves div 10,
    [start({node, self(), Number + Child * Share, Share}) || Child <- lists:seq(0, 9)],
    {noreply, {sums, Parent, 10, 0}};
handle_continue(start, {sleeper, _, _, _} = State) ->
    {noreply, {State, sleep()}};
handle_continue(start, State) ->
    {noreply, State}.

handle_call({last, Payload}, _, State) -> {stop, normal, Payload, State};
handle_call(Payload, _, State) -> {reply, Payload, State}.

handle_cast({data, _}, State) -> {noreply, State};
handle_cast({next, Next}, {ring, _, Main}) -> {noreply, {ring, Next, Main}};
handle_cast({token, 0, _}, {ring, _, Main} = State) ->
    Main ! done,
    {noreply, State};
handle_cast({token, Hops, Payload}, {ring, Next, _} = State) ->
    gen_server:cast(Next, {token, Hops - 1, Payload}),
    {noreply, State};
handle_cast({sum, Sum}, {sums, Parent, 1, Sums}) ->
    gen_server:cast(Parent, {sum, Sum + Sums}),
    {stop, normal, done};
handle_cast({sum, Sum}, {sums, Parent, Left, Sums}) -> {noreply, {sums, Parent, Left - 1, Sum + Sums}};
handle_cast(endless, _) -> endless(0).

handle_info(awake, {{sleeper, Driver, Left, Late}, Start}) ->
    case [erlang:monotonic_time(nanosecond) - Start - 10_000_000 | Late] of
        All when Left =:= 1 -> Driver ! {late, All}, {stop, normal, done};
        All -> {noreply, {{sleeper, Driver, Left - 1, All}, sleep()}}
    end;
handle_info({tcp, Socket, Data}, State) ->
    gen_tcp:send(Socket, Data),
    {noreply, State};
handle_info({tcp_passive, Socket}, State) ->
    inet:setopts(Socket, [{active, 100}]),
    {noreply, State};
handle_info({tcp_closed, _}, _) -> {stop, normal, done};
handle_info({tcp_error, _, _}, _) -> {stop, normal, done}.

sleep() ->
    Start = erlang:monotonic_time(nanosecond),
    erlang:send_after(10, self(), awake),
    Start.

endless(Turns) -> endless(Turns + 1).

calls(_, _, 0) -> ok;
calls(To, Payload, infinity) ->
    gen_server:call(To, Payload),
    calls(To, Payload, infinity);
calls(To, Payload, Left) ->
    gen_server:call(To, Payload),
    calls(To, Payload, Left - 1).

send(To, Payload, Count) -> send(To, Payload, Count, bench_main:batch(byte_size(Payload))).

send(To, _, 0, _) -> gen_server:call(To, <<>>);
send(To, Payload, Left, Batch) ->
    gen_server:cast(To, {data, binary:copy(Payload)}),
    Left rem Batch =:= 0 andalso gen_server:call(To, <<>>),
    send(To, Payload, Left - 1, Batch).

lives(0) -> ok;
lives(Left) ->
    gen_server:call(start(echo), {last, <<>>}),
    lives(Left - 1).

%% Until each leaf has told its number and all servers are gone.
tree(Leaves) ->
    Before = erlang:system_info(process_count),
    start({node, self(), 0, Leaves}),
    Sum = Leaves * (Leaves - 1) div 2,
    receive {'$gen_cast', {sum, Sum}} -> ok end,
    bench_main:gone(Before).

%% Actors that stay, each after its first message.
crowd(Actors) ->
    Echoes = [start(echo) || _ <- lists:seq(1, Actors)],
    lists:foreach(fun(Echo) -> gen_server:call(Echo, <<>>) end, Echoes).

%% Overshoots of N timers by so many sleepers at once.
late(N, Sleepers) ->
    [start({sleeper, self(), max(N div Sleepers, 1), []}) || _ <- lists:seq(1, Sleepers)],
    lists:append([receive {late, Late} -> Late end || _ <- lists:seq(1, Sleepers)]).
