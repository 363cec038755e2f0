%% The system `erlang-gen-server`: actors as they are written in practice, gen_servers: `cast` to tell, `call` to ask
%% (with a monitor and a deadline), `stop` to end. Used by `bench_workloads`, which says what each function is.
-module(bench_server).
-behaviour(gen_server).
-export([echo/0, call/2, calls/3, sends/3, lives/1, ring/2, tree/1, late/2, endless/0, connection/1]).
-export([init/1, handle_call/3, handle_cast/2, handle_continue/2, handle_info/2]).

echo() -> start(echo).

call(To, Payload) -> gen_server:call(To, Payload).

ring(Actors, Payload) ->
    First = start({ring, none, self()}),
    Last = lists:foldl(fun(_, Next) -> start({ring, Next, self()}) end, First, lists:seq(2, Actors)),
    gen_server:cast(First, {next, Last}),
    fun(Hops) -> gen_server:cast(First, {token, Hops, Payload}), receive done -> ok end end.

endless() -> gen_server:cast(echo(), endless).

connection(Socket) -> start({connection, Socket}).

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

sends(To, Payload, Count) -> sends(To, Payload, Count, bench_main:batch(byte_size(Payload))).

sends(To, _, 0, _) -> gen_server:call(To, <<>>);
sends(To, Payload, Left, Batch) ->
    gen_server:cast(To, {data, binary:copy(Payload)}),
    Left rem Batch =:= 0 andalso gen_server:call(To, <<>>),
    sends(To, Payload, Left - 1, Batch).

lives(0) -> ok;
lives(Left) ->
    gen_server:call(echo(), {last, <<>>}),
    lives(Left - 1).

tree(Leaves) ->
    start({node, self(), 0, Leaves}),
    Sum = Leaves * (Leaves - 1) div 2,
    receive {'$gen_cast', {sum, Sum}} -> ok end.

%% Overshoots of N timers by so many sleepers at once.
late(N, Sleepers) ->
    [start({sleeper, self(), max(N div Sleepers, 1), []}) || _ <- lists:seq(1, Sleepers)],
    lists:append([receive {late, Late} -> Late end || _ <- lists:seq(1, Sleepers)]).
