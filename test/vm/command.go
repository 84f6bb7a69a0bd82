// SPDX-License-Identifier: Apache-2.0

// Package vm boots guests under QEMU, has them run named checks and judges what they
// say. It is what test-kernels and test-systemd have in common: the command line, the
// machine, the report. Packages below it get kernels (kernel, by way of aptroot),
// write archives for them (cpio), and are what a guest says (protocol) and how it
// runs checks (check).
package vm

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Options are what the flags of every command that boots guests say.
type Options struct {
	// Module is the root of this Go module.
	Module string
	// Cache holds what was made from run to run; Logs gets the console of every boot
	// that failed.
	Cache, Logs string
	// Checks are run in place of each boot's own; nil means its own.
	Checks []string
	// Timeout bounds one boot.
	Timeout time.Duration
	// Verbose prints every fact and log line.
	Verbose bool
	Out     io.Writer
}

// Command is a program that boots guests. It is called test- and its name.
type Command struct {
	// Name is that of what it boots, and of its part of the cache.
	Name string
	// Timeout is how long one boot may take, unless a flag says otherwise.
	Timeout time.Duration
	// Tools are what it needs of this machine, as [Install] takes them.
	Tools []map[string]string
	// List prints what there is to run.
	List func(io.Writer)
	// Run boots guests by the report. The error is about the run itself; what failed
	// in it is in the report.
	Run func(context.Context, *Report) error
}

// Main reads the command line, runs the command and ends the program, with status 1 if
// anything failed. Flags that are a command's own are defined before.
func (c Command) Main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ok, err := c.run(ctx)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "test-%s: %v\n", c.Name, err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

func (c Command) run(ctx context.Context) (bool, error) {
	r := &Report{Options: Options{Out: os.Stdout}}
	list := flag.Bool("list", false, "list what there is to boot, and the checks, and run nothing")
	flag.Func("checks", "run these checks in every boot, separated by commas, in place of its own", func(s string) error {
		r.Checks = strings.Split(s, ",")
		return nil
	})
	flag.DurationVar(&r.Timeout, "timeout", c.Timeout, "time that one boot may take")
	flag.BoolVar(&r.Verbose, "v", false, "print every fact and log line")
	flag.StringVar(&r.Logs, "logs", "", "where the consoles of failed boots are kept (default: logs in the cache)")
	flag.Parse()
	if *list {
		c.List(os.Stdout)
		return true, nil
	}
	var err error
	if r.Module, err = Module(ctx); err != nil {
		return false, err
	}
	if r.Cache, err = Cache(c.Name); err != nil {
		return false, err
	}
	if r.Logs == "" {
		r.Logs = filepath.Join(r.Cache, "logs")
	}
	for _, dir := range []string{r.Cache, r.Logs} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return false, err
		}
	}
	if err := Install(ctx, r.Out, c.Tools...); err != nil {
		return false, err
	}
	began := time.Now()
	if err := c.Run(ctx, r); err != nil {
		return false, err
	}
	fmt.Fprintf(r.Out, "%s: %s in %s (%s of processor time)\n", c.Name, r.summary(),
		time.Since(began).Round(time.Second), processorTime().Round(time.Second))
	return r.ok(), nil
}

// processorTime is what the programs that were run have used: on a machine that
// others share it says more than the time on the wall.
func processorTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_CHILDREN, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Pattern is a flag's value that selects names: a regular expression for whole ones.
// None selects all.
type Pattern struct{ expression *regexp.Regexp }

// Set is for package flag.
func (p *Pattern) Set(text string) (err error) {
	p.expression, err = regexp.Compile("^(?:" + text + ")$")
	return err
}

func (p *Pattern) String() string {
	if p.expression == nil {
		return ""
	}
	return p.expression.String()
}

// Matches reports whether a name is selected.
func (p *Pattern) Matches(name string) bool {
	return p.expression == nil || p.expression.MatchString(name)
}
