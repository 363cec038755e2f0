// What the bench starts for the system `go`: reads the command line, runs a workload, prints its samples as one line of
// JSON. Also what the workloads need: warm-up, memory, quantiles.
//
//	PROGRAM WORKLOAD WORKERS BYTES N [WIDTH]
//
// Must hold: nothing of start-up and warm-up is in a figure.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Case has the numbers of the command line.
type Case struct{ workers, bytes, n, width int }

// Sample is what a run found.
type Sample struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
}

func main() {
	if len(os.Args) < 5 {
		fail("usage: WORKLOAD WORKERS BYTES N [WIDTH]")
	}
	var numbers [4]int
	for index, word := range os.Args[2:] {
		number, err := strconv.Atoi(word)
		if err != nil || index >= len(numbers) {
			fail("not a number, or too many: " + word)
		}
		numbers[index] = number
	}
	c := Case{workers: numbers[0], bytes: numbers[1], n: numbers[2], width: numbers[3]}
	workload, known := workloads[os.Args[1]]
	if !known {
		fail("no workload " + os.Args[1])
	}
	runtime.GOMAXPROCS(c.workers)
	line, err := json.Marshal(map[string][]Sample{"samples": workload(c)})
	if err != nil {
		fail(err.Error())
	}
	fmt.Println(string(line))
}

func fail(message string) {
	fmt.Fprintln(os.Stderr, message)
	os.Exit(1)
}

func check(err error) {
	if err != nil {
		fail(err.Error())
	}
}

// perOne gives nanoseconds for one of n, by a function that does so many; a tenth of them before, to warm up.
func perOne(name string, n int, run func(int)) []Sample {
	run(atLeastOne(n / 10))
	start := time.Now()
	run(n)
	return []Sample{{name, float64(time.Since(start)) / float64(n), "ns"}}
}

func atLeastOne(n int) int {
	if n < 1 {
		return 1
	}
	return n
}

// atOnce runs so many goroutines and returns when all have ended.
func atOnce(count int, run func(int)) {
	var group sync.WaitGroup
	group.Add(count)
	for index := 0; index < count; index++ {
		go func(index int) {
			run(index)
			group.Done()
		}(index)
	}
	group.Wait()
}

// rss gives the resident bytes of this program.
func rss() float64 {
	text, err := os.ReadFile("/proc/self/statm")
	check(err)
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	check(err)
	return float64(pages * os.Getpagesize())
}

// quantiles gives samples of a list of nanoseconds.
func quantiles(name string, late []time.Duration) []Sample {
	sort.Slice(late, func(a, b int) bool { return late[a] < late[b] })
	at := func(suffix string, share float64) Sample {
		index := int(float64(len(late)) * share)
		if index >= len(late) {
			index = len(late) - 1
		}
		return Sample{name + suffix, float64(late[index]), "ns"}
	}
	return []Sample{at("-min", 0), at("-p50", 0.5), at("-p99", 0.99), at("-p99.9", 0.999)}
}

// counted tells how often a function runs in so many milliseconds; a tenth of the time before, to warm up.
func counted(millis int, run func()) float64 {
	count := func(window time.Duration) (done float64) {
		for end := time.Now().Add(window); time.Now().Before(end); done++ {
			run()
		}
		return done
	}
	window := time.Duration(millis) * time.Millisecond
	count(window / 10)
	return count(window)
}
