%% What the bench starts for the systems `erlang` and `erlang-gen-server`: reads the command line, runs a workload, prints
%% its samples as one line of JSON. Also what `bench_workloads` and both kinds of actors (`bench_bare`, `bench_server`)
%% need: clock, memory, lateness.
%%
%%   erlc -o DIR *.erl
%%   erl -noshell +S WORKERS:WORKERS +P 4000000 +Q 65536 -pa DIR -run bench_main main KIND WORKLOAD WORKERS BYTES N WIDTH
%%
%% Must hold: nothing of start-up and warm-up is in a figure; workloads run in a process of their own.
-module(bench_main).
-export([main/1]).
-export([elapsed/1, per_one/2, at_once/1, payload/1, batch/1, rss/0, quantiles/2, overshoots/2, counted/2, gone/1, serve/1]).

%% KIND is the module that has the actors: see `bench_workloads`.
main([Kind, Workload | Numbers]) ->
    [Workers, Bytes, N, Width] = [list_to_integer(Number) || Number <- Numbers],
    Case = #{workers => Workers, bytes => Bytes, n => N, width => Width},
    spawn(fun() ->
        try bench_workloads:run(list_to_atom(Kind), Workload, Case) of
            Samples ->
                io:format("{\"samples\":[~s]}~n", [lists:join(",", lists:map(fun json/1, Samples))]),
                halt(0)
        catch
            Class:Reason:Stack ->
                io:format(standard_error, "~p: ~p~n~p~n", [Class, Reason, Stack]),
                halt(1)
        end
    end).

json({Name, Value, Unit}) ->
    io_lib:format("{\"name\":\"~s\",\"value\":~.1f,\"unit\":\"~s\"}", [Name, float(Value), Unit]).

now_ns() -> erlang:monotonic_time(nanosecond).

%% Nanoseconds that a function takes.
elapsed(Fun) ->
    Start = now_ns(),
    Fun(),
    now_ns() - Start.

%% Nanoseconds for one of Count, by a function that does so many; a tenth of them before, to warm up.
per_one(Count, Fun) ->
    Fun(max(Count div 10, 1)),
    elapsed(fun() -> Fun(Count) end) / Count.

%% Runs each function in a process of its own and returns when all have.
at_once(Funs) ->
    Pids = [spawn_monitor(Fun) || Fun <- Funs],
    [receive {'DOWN', Monitor, process, Pid, normal} -> ok end || {Pid, Monitor} <- Pids].

payload(Bytes) -> binary:copy(<<"x">>, Bytes).

%% Messages between two echoes that a sender waits for.
batch(Bytes) when Bytes > 4096 -> 100;
batch(_) -> 1000.

%% Resident bytes of this program.
rss() ->
    {ok, File} = file:open("/proc/self/statm", [read, raw]),
    {ok, Text} = file:read(File, 256),
    ok = file:close(File),
    [_, Pages | _] = string:lexemes(Text, " "),
    list_to_integer(Pages) * 4096.

%% Samples of a list of nanoseconds.
quantiles(Name, Values) ->
    Sorted = list_to_tuple(lists:sort(Values)),
    At = fun(Share) -> element(min(trunc(size(Sorted) * Share) + 1, size(Sorted)), Sorted) end,
    [{Name ++ Suffix, At(Share), "ns"} || {Suffix, Share} <- [{"-min", 0}, {"-p50", 0.5}, {"-p99", 0.99}, {"-p99.9", 0.999}]].

%% By how many nanoseconds each of so many waits of 10 ms is too long.
overshoots(Times, Wait) ->
    [elapsed(Wait) - 10_000_000 || _ <- lists:seq(1, Times)].

%% How often a function runs in so many milliseconds; the same before for a tenth of the time, to warm up.
counted(Millis, Fun) ->
    rate(Millis div 10, Fun),
    rate(Millis, Fun).

rate(Millis, Fun) -> rate(now_ns() + Millis * 1_000_000, Fun, 0).

rate(End, Fun, Done) ->
    Fun(),
    case now_ns() < End of
        true -> rate(End, Fun, Done + 1);
        false -> Done + 1
    end.

%% Waits until there are as few processes as before.
gone(Before) ->
    case erlang:system_info(process_count) > Before of
        true -> erlang:yield(), gone(Before);
        false -> ok
    end.

%% A TCP server on a free port of 127.0.0.1, until stdin closes. Start(Socket) gives the process that gets its data.
serve(Start) ->
    Options = [binary, {ip, {127, 0, 0, 1}}, {active, false}, {nodelay, true}, {backlog, 1024}, {buffer, 16384}],
    {ok, Listener} = gen_tcp:listen(0, Options),
    {ok, Port} = inet:port(Listener),
    io:format("PORT ~b~n", [Port]),
    spawn_link(fun() -> accept(Listener, Start) end),
    eof = io:get_line(""),
    [].

accept(Listener, Start) ->
    {ok, Socket} = gen_tcp:accept(Listener),
    ok = gen_tcp:controlling_process(Socket, Start(Socket)),
    %% The data starts to flow when the owner is there: 100 reads, then `tcp_passive` asks for more. This is as fast as
    %% `true`, and still stops a client that sends without end.
    ok = inet:setopts(Socket, [{active, 100}]),
    accept(Listener, Start).
