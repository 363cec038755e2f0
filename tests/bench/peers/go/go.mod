// The system `go` of the bench; built by it, needs nothing but Go itself.
module wasmactor/bench/peer

go 1.19
