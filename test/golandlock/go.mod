// What go-landlock makes, compared with what is read. A module of its own, so that
// landlockd's has no part of another library for sandboxes.
module github.com/landlockd/landlockd/test/golandlock

go 1.26.0

replace github.com/landlockd/landlockd => ../..

require (
	github.com/landlock-lsm/go-landlock v0.11.0
	github.com/landlockd/landlockd v0.0.0-00010101000000-000000000000
)

require (
	github.com/cilium/ebpf v0.22.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	kernel.org/pub/linux/libs/security/libcap/psx v1.2.77 // indirect
)
