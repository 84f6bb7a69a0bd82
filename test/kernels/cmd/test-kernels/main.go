// SPDX-License-Identifier: Apache-2.0

// Command test-kernels boots guests with many kernels under QEMU and runs the
// project's checks in them. See test/kernels/README.md.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/test/kernels/machine"
	"github.com/landlockd/landlockd/test/kernels/matrix"
	"github.com/landlockd/landlockd/test/kernels/stock"
	"github.com/landlockd/landlockd/test/programs"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ok, err := run(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "test-kernels:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

func run(ctx context.Context) (bool, error) {
	var (
		guests  = flag.String("guests", "", "run only guests whose name matches this regular expression (6.12, 7.3-arm64, 6.12-patched)")
		boots   = flag.String("boots", "", "run only boots whose name matches this regular expression (default, landlock-off)")
		checks  = flag.String("checks", "", "run these checks in every boot, separated by commas, in place of its own")
		jobs    = flag.Int("jobs", 2, "guests that run at a time")
		timeout = flag.Duration("timeout", 5*time.Minute, "time that one boot may take")
		verbose = flag.Bool("v", false, "print every fact")
		list    = flag.Bool("list", false, "list guests, boots and checks, and run nothing")
		logs    = flag.String("logs", "", "where the consoles of failed boots are kept (default: logs in the cache)")
	)
	flag.Parse()
	if *list {
		for _, g := range matrix.Matrix() {
			for _, b := range g.Boots {
				fmt.Printf("%s/%s\t%s\t%s\n", g.Name(), b.Name, strings.Join(b.Checks, ","), b.CommandLine)
			}
		}
		return true, nil
	}
	cache, err := machine.Cache("kernels")
	if err != nil {
		return false, err
	}
	module, err := machine.Module(ctx)
	if err != nil {
		return false, err
	}
	o := matrix.Options{
		Module: module, Cache: cache, Logs: *logs, Jobs: *jobs, Timeout: *timeout, Verbose: *verbose, Out: os.Stdout,
	}
	if o.Logs == "" {
		o.Logs = filepath.Join(cache, "logs")
	}
	if *checks != "" {
		o.Checks = strings.Split(*checks, ",")
	}
	for _, f := range []struct {
		text string
		to   **regexp.Regexp
	}{{*guests, &o.Guests}, {*boots, &o.Boots}} {
		if f.text == "" {
			continue
		}
		if *f.to, err = regexp.Compile("^(?:" + f.text + ")$"); err != nil {
			return false, err
		}
	}
	if err := machine.Install(ctx, os.Stdout, matrix.Tools, stock.Tools, programs.Tools); err != nil {
		return false, err
	}
	began := time.Now()
	summary, err := matrix.Run(ctx, o)
	if err != nil {
		return false, err
	}
	fmt.Printf("%s in %s (%s of processor time)\n", summary, time.Since(began).Round(time.Second), processorTime().Round(time.Second))
	return summary.OK(), nil
}

// processorTime is what the programs that were run have used: on a machine that
// others share it tells more than the time on the wall.
func processorTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_CHILDREN, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
