// SPDX-License-Identifier: Apache-2.0

// Command kernel-source unpacks Debian's newest source of a kernel, or builds its newest
// sparse, for test/kernels/series.sh. It installs what building kernels takes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"github.com/landlockd/landlockd/test/vm"
	"github.com/landlockd/landlockd/test/vm/kernel"
)

// cross are the compilers for other architectures that Debian has packages of.
var cross = map[string]string{"aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu"}

func main() {
	sparse := flag.Bool("sparse", false, "build sparse, and print its path")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: kernel-source SERIES DIR, prints the version that it unpacked\n       kernel-source -sparse")
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	out, err := run(ctx, *sparse, flag.Args())
	if err != nil {
		fmt.Fprintf(os.Stderr, "kernel-source: %v\n", err)
		os.Exit(1)
	}
	fmt.Println(out)
}

func run(ctx context.Context, sparse bool, args []string) (string, error) {
	if len(args) != 2 && !sparse {
		return "", errors.New("a series and a directory are needed")
	}
	cache, err := vm.Cache("kernels")
	if err != nil {
		return "", err
	}
	if err := vm.Install(ctx, os.Stderr, kernel.StockTools, kernel.PatchedTools, cross); err != nil {
		return "", err
	}
	archive, err := kernel.Open(ctx, cache, os.Stderr)
	if err != nil {
		return "", err
	}
	if sparse {
		return archive.Sparse(ctx, os.Stderr)
	}
	return archive.Source(ctx, args[0], args[1], os.Stderr)
}
