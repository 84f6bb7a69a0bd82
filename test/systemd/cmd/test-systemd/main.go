// SPDX-License-Identifier: Apache-2.0

// Command test-systemd boots Debian guests with systemd under QEMU and runs the
// project's checks in them. See test/systemd/README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/landlockd/landlockd/test/kernels/machine"
	"github.com/landlockd/landlockd/test/kernels/stock"
	"github.com/landlockd/landlockd/test/systemd/run"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ok, err := do(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "test-systemd:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

func do(ctx context.Context) (bool, error) {
	var (
		scenarios = flag.String("scenarios", "", "run only scenarios whose name matches this regular expression")
		checks    = flag.String("checks", "", "run these checks in every scenario, separated by commas, in place of its own")
		series    = flag.String("kernel", "6.12", "series of the kernel")
		daemon    = flag.String("landlockd", "", "run this program in place of one built from the tree")
		timeout   = flag.Duration("timeout", 10*time.Minute, "time that one boot may take")
		verbose   = flag.Bool("v", false, "print every fact")
		list      = flag.Bool("list", false, "list scenarios and checks, and run nothing")
		logs      = flag.String("logs", "", "where the consoles of failed boots are kept (default: logs in the cache)")
	)
	flag.Parse()
	if *list {
		for _, s := range run.Scenarios() {
			fmt.Printf("%s\t%s\n", s.Name, strings.Join(s.Checks, ","))
		}
		return true, nil
	}
	module, err := machine.Module(ctx)
	kernels, err2 := machine.Cache("kernels")
	images, err3 := machine.Cache("systemd")
	if err := errors.Join(err, err2, err3); err != nil {
		return false, err
	}
	o := run.Options{
		Module: module, Kernels: kernels, Images: images, Logs: *logs, Series: *series, Daemon: *daemon,
		Timeout: *timeout, Verbose: *verbose, Out: os.Stdout,
	}
	if o.Logs == "" {
		o.Logs = filepath.Join(images, "logs")
	}
	if *checks != "" {
		o.Checks = strings.Split(*checks, ",")
	}
	if *scenarios != "" {
		if o.Scenarios, err = regexp.Compile("^(?:" + *scenarios + ")$"); err != nil {
			return false, err
		}
	}
	if err := machine.Install(ctx, os.Stdout, run.Tools, stock.Tools); err != nil {
		return false, err
	}
	return run.Run(ctx, o)
}
