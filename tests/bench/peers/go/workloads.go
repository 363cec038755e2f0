// The workloads of the system `go`. An actor is a goroutine with a channel as its mailbox; a reply comes over a channel
// that the request carries, as is usual in Go. Used by `main.go`.
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"time"
)

// Message goes to an actor; reply is nil if none is wanted.
type Message struct {
	payload []byte
	reply   chan []byte
}

// Token goes round the ring.
type Token struct {
	hops    int
	payload []byte
}

// How many messages a mailbox holds that many may be sent to: more than a batch, so that no sender waits in the middle.
const mailbox = 1024

var workloads = map[string]func(Case) []Sample{
	"send": send, "fan-in": send, "call": call, "pairs": pairs, "ring": ring, "tree": tree, "idle": idle, "spawn": spawn,
	"timer-arm": timerArm, "timer-late": timerLate, "fairness": fairness, "tcp-echo": tcpEcho,
}

// echo starts an actor that answers until its mailbox is closed.
func echo(capacity int) chan Message {
	box := make(chan Message, capacity)
	go func() {
		for message := range box {
			if message.reply != nil {
				message.reply <- message.payload
			}
		}
	}()
	return box
}

// ask sends a fresh copy and waits for the answer.
func ask(to chan Message, payload []byte, reply chan []byte) {
	to <- Message{copyOf(payload), reply}
	<-reply
}

func copyOf(payload []byte) []byte {
	return append([]byte(nil), payload...)
}

// batch is how many messages are sent between two echoes that the sender waits for.
func batch(bytes int) int {
	if bytes > 4096 {
		return 100
	}
	return 1000
}

// send has one sender, or as `fan-in` several.
func send(c Case) []Sample {
	to, payload, name, senders := echo(mailbox), make([]byte, c.bytes), "send", 1
	if c.width > 0 {
		name, senders = "fan-in", c.width
	}
	return perOne(name, c.n, func(count int) {
		atOnce(senders, func(int) {
			reply := make(chan []byte, 1)
			for sent := 1; sent <= count/senders; sent++ {
				to <- Message{copyOf(payload), nil}
				if sent%batch(c.bytes) == 0 {
					ask(to, nil, reply)
				}
			}
			ask(to, nil, reply)
		})
	})
}

func call(c Case) []Sample {
	to, payload, reply := echo(1), make([]byte, c.bytes), make(chan []byte, 1)
	return perOne("call", c.n, func(count int) {
		for ; count > 0; count-- {
			ask(to, payload, reply)
		}
	})
}

func pairs(c Case) []Sample {
	payload := make([]byte, c.bytes)
	var echoes []chan Message
	for len(echoes) < c.width {
		echoes = append(echoes, echo(1))
	}
	return perOne("pairs", c.n, func(count int) {
		atOnce(c.width, func(index int) {
			reply := make(chan []byte, 1)
			for left := count / c.width; left > 0; left-- {
				ask(echoes[index], payload, reply)
			}
		})
	})
}

func ring(c Case) []Sample {
	done := make(chan struct{})
	first := make(chan Token, 1)
	from := first
	for actor := 1; actor <= c.width; actor++ {
		to := make(chan Token, 1)
		if actor == c.width {
			to = first
		}
		go func(from, to chan Token) {
			for token := range from {
				if token.hops == 0 {
					done <- struct{}{}
				} else {
					to <- Token{token.hops - 1, token.payload}
				}
			}
		}(from, to)
		from = to
	}
	return perOne("ring", c.n, func(hops int) {
		first <- Token{hops, make([]byte, c.bytes)}
		<-done
	})
}

// tree counts until each leaf has told its number and all goroutines are gone.
func tree(c Case) []Sample {
	run := func(leaves int) {
		before := runtime.NumGoroutine()
		sum := make(chan int, 1)
		go node(sum, 0, leaves)
		if <-sum != leaves*(leaves-1)/2 {
			fail("the sum is wrong")
		}
		for runtime.NumGoroutine() > before {
			runtime.Gosched()
		}
	}
	run(c.width / 10)
	start := time.Now()
	run(c.width)
	return []Sample{{"tree", float64(time.Since(start)) / float64((c.width*10-1)/9), "ns"}}
}

func node(parent chan int, number, leaves int) {
	if leaves == 1 {
		parent <- number
		return
	}
	sums, sum := make(chan int, 10), 0
	for child := 0; child < 10; child++ {
		go node(sums, number+child*leaves/10, leaves/10)
	}
	for child := 0; child < 10; child++ {
		sum += <-sums
	}
	parent <- sum
}

func idle(c Case) []Sample {
	first := crowd(100)
	before, start := rss(), time.Now()
	actors := crowd(c.width)
	took, used := float64(time.Since(start)), rss()-before
	runtime.KeepAlive(first)
	runtime.KeepAlive(actors)
	return []Sample{{"idle-spawn", took / float64(c.width), "ns"}, {"idle-rss", used / float64(c.width), "bytes"}}
}

// crowd starts actors that stay, each after its first message.
func crowd(count int) []chan Message {
	actors, reply := make([]chan Message, count), make(chan []byte, 1)
	for index := range actors {
		actors[index] = echo(1)
	}
	for _, actor := range actors {
		ask(actor, nil, reply)
	}
	return actors
}

func spawn(c Case) []Sample {
	return perOne("spawn", c.n, func(count int) {
		atOnce(c.width, func(int) {
			reply := make(chan []byte, 1)
			for left := count / c.width; left > 0; left-- {
				actor := echo(1)
				ask(actor, nil, reply)
				close(actor)
			}
		})
	})
}

// timerArm arms timers that would send to a mailbox.
func timerArm(c Case) []Sample {
	box := make(chan int, 1)
	timers := make([]*time.Timer, 0, c.n)
	return perOne("timer-arm", c.n, func(count int) {
		timers = timers[:0]
		for id := 0; id < count; id++ {
			id := id
			timers = append(timers, time.AfterFunc(time.Hour, func() { box <- id }))
		}
	})
}

// timerLate has 100 goroutines wait 10 ms again and again, n times in all, and tells how much too long each wait was.
func timerLate(c Case) []Sample {
	for pair := 0; pair < c.width; pair++ {
		go func() {
			to, payload, reply := echo(1), make([]byte, 32), make(chan []byte, 1)
			for {
				ask(to, payload, reply)
			}
		}()
	}
	const sleepers = 100
	times := atLeastOne(c.n / sleepers)
	found := make([]time.Duration, times*sleepers)
	atOnce(sleepers, func(index int) {
		for run := 0; run < times; run++ {
			start := time.Now()
			time.Sleep(10 * time.Millisecond)
			found[index*times+run] = time.Since(start) - 10*time.Millisecond
		}
	})
	return quantiles("timer-late", found)
}

// fairness compares how many calls are done without and with goroutines in endless loops, as many as there are workers.
func fairness(c Case) []Sample {
	to, payload, reply := echo(1), make([]byte, c.bytes), make(chan []byte, 1)
	again := func() { ask(to, payload, reply) }
	alone := counted(c.n, again)
	for worker := 0; worker < c.workers; worker++ {
		go func() {
			for {
			}
		}()
	}
	return []Sample{{"fairness", 100 * counted(c.n, again) / alone, "percent"}}
}

// tcpEcho serves on a free port until stdin is closed.
func tcpEcho(Case) []Sample {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	fmt.Printf("PORT %d\n", listener.Addr().(*net.TCPAddr).Port)
	go func() {
		for {
			connection, err := listener.Accept()
			check(err)
			go serve(connection)
		}
	}()
	_, err = io.Copy(io.Discard, bufio.NewReader(os.Stdin))
	check(err)
	return []Sample{}
}

func serve(connection net.Conn) {
	defer connection.Close()
	buffer := make([]byte, 16*1024)
	for {
		read, err := connection.Read(buffer)
		if err != nil {
			return
		}
		if _, err := connection.Write(buffer[:read]); err != nil {
			return
		}
	}
}
