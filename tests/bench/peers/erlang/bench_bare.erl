%% The system `erlang`: processes that send with `!` and wait with `receive`, no library. Used by `bench_workloads`, which
%% says what each function is.
-module(bench_bare).
-export([echo/0, call/2, calls/3, sends/3, lives/1, ring/2, tree/1, late/2, endless/0, connection/1]).

echo() -> spawn(fun echoing/0).

echoing() ->
    receive
        {call, From, Ref, Payload} -> From ! {Ref, Payload}, echoing();
        {last, From, Ref, Payload} -> From ! {Ref, Payload};
        {data, _} -> echoing()
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

sends(To, Payload, Count) -> sends(To, Payload, Count, bench_main:batch(byte_size(Payload))).

sends(To, _, 0, _) -> call(To, <<>>);
sends(To, Payload, Left, Batch) ->
    To ! {data, binary:copy(Payload)},
    Left rem Batch =:= 0 andalso call(To, <<>>),
    sends(To, Payload, Left - 1, Batch).

ring(Actors, Payload) ->
    Self = self(),
    First = spawn(fun() -> receive {next, Next} -> hop(Next, Self) end end),
    Last = lists:foldl(fun(_, Next) -> spawn(fun() -> hop(Next, Self) end) end, First, lists:seq(2, Actors)),
    First ! {next, Last},
    fun(Hops) -> First ! {token, Hops, Payload}, receive done -> ok end end.

hop(Next, Main) ->
    receive
        {token, 0, _} -> Main ! done;
        {token, Hops, Payload} -> Next ! {token, Hops - 1, Payload}
    end,
    hop(Next, Main).

tree(Leaves) ->
    Self = self(),
    spawn(fun() -> node(Self, 0, Leaves) end),
    Sum = Leaves * (Leaves - 1) div 2,
    receive {sum, Sum} -> ok end.

node(Parent, Number, 1) -> Parent ! {sum, Number};
node(Parent, Number, Leaves) ->
    Self = self(),
    Share = Leaves div 10,
    [spawn(fun() -> node(Self, Number + Child * Share, Share) end) || Child <- lists:seq(0, 9)],
    Parent ! {sum, lists:sum([receive {sum, Sum} -> Sum end || _ <- lists:seq(0, 9)])}.

lives(0) -> ok;
lives(Left) ->
    ask(last, echo(), <<>>),
    lives(Left - 1).

%% Overshoots of N waits by so many sleepers at once.
late(N, Sleepers) ->
    Self = self(),
    Wait = fun() -> receive after 10 -> ok end end,
    Sleeper = fun() -> Self ! {late, bench_main:overshoots(max(N div Sleepers, 1), Wait)} end,
    bench_main:at_once(lists:duplicate(Sleepers, Sleeper)),
    lists:append([receive {late, Late} -> Late end || _ <- lists:seq(1, Sleepers)]).

endless() -> spawn(fun() -> endless(0) end).

endless(Turns) -> endless(Turns + 1).

connection(Socket) -> spawn(fun() -> connected(Socket) end).

connected(Socket) ->
    receive
        {tcp, Socket, Data} -> gen_tcp:send(Socket, Data), connected(Socket);
        {tcp_passive, Socket} -> inet:setopts(Socket, [{active, 100}]), connected(Socket);
        {tcp_closed, Socket} -> ok;
        {tcp_error, Socket, _} -> ok
    end.
