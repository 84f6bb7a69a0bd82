// SPDX-License-Identifier: Apache-2.0

// Command demo shows landlockd on sandboxes that are there for it: it starts small programs, one
// for each thing that can be seen, rules about them and a daemon, prints what to look at, and ends
// by itself, with nothing left. "make demo" runs it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long is waited for what must come, on a busy host.
const patience = time.Minute

func main() {
	if slices.Contains(names, filepath.Base(os.Args[0])) {
		if err := play(os.Args[0], strings.Join(os.Args[1:], "")); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args[0], err)
			os.Exit(1)
		}
		return
	}
	length := flag.Duration("for", time.Minute, "how long it lasts")
	landlockd := flag.String("landlockd", "bin/landlockd", "the program that is shown")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	defer stop()
	if err := demo(ctx, *landlockd, *length); err != nil && ctx.Err() == nil {
		fmt.Fprintf(os.Stderr, "demo: %v\n", err)
		os.Exit(1)
	}
}

// rules are about the programs: each is to be in a sandbox that is worth something.
const rules = `assets:
  - {name: secrets, paths: [/etc/shadow], access: [read]}
defaults: {grace: 0s}
rules:
  - {name: good, match: {comm: [demo-good]}, expect: {restricts: [fs.write_file], out_of_reach: [secrets]}}
  - {name: partial, match: {comm: [demo-partial]}}
  - {name: idle, match: {comm: [demo-idle]}, expect: {restricts: [fs.write_file]}}
  - {name: forgotten, match: {comm: [demo-forgotten]}, severity: critical}
`

// stage is what a demo has made, and takes away.
type stage struct {
	dir, slice string
	running    []*running
	stdin      []io.Closer
}

// running is a process; ended is closed when it has ended.
type running struct {
	*exec.Cmd
	ended chan struct{}
}

func demo(ctx context.Context, landlockd string, length time.Duration) (err error) {
	if os.Geteuid() != 0 {
		return errors.New("it starts landlockd, and needs root: make demo asks sudo for it")
	}
	if landlockd, err = filepath.Abs(landlockd); err != nil {
		return err
	}
	s := &stage{}
	defer func() { err = errors.Join(err, s.clear()) }()
	if err := s.set(); err != nil {
		return err
	}
	for _, name := range names {
		if err := s.start(filepath.Join(s.dir, name)); err != nil {
			return err
		}
	}
	address, err := free(ctx)
	if err != nil {
		return err
	}
	socket, config := filepath.Join(s.dir, "socket"), filepath.Join(s.dir, "rules.yml")
	daemon := exec.Command(landlockd, "serve", "--web.listen-address="+address, "--api.socket="+socket,
		"--config.file="+config, "--log.level=error")
	serving, err := s.run(daemon)
	if err != nil {
		return err
	}
	if err := ready(ctx, serving, "http://"+address+"/-/ready"); err != nil {
		return err
	}
	fmt.Print(programs)
	of := " --api.socket=" + socket
	byRules := of + " --config.file=" + config
	for _, line := range []string{"services --workload=demo-*" + byRules, "tree --workload=demo-*" + of} {
		fmt.Printf("\n# landlockd %s\n", line)
		cmd := exec.CommandContext(ctx, landlockd, strings.Fields(line)...)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("landlockd %s: %w", line, err)
		}
	}
	fmt.Printf(more, landlockd, byRules, address, length)
	select {
	case <-ctx.Done():
		fmt.Println()
	case <-time.After(length):
	}
	return nil
}

const programs = `These programs run now, and what a thread of theirs restricts it did by itself:

  demo-good       reads and executes what is in /usr, and may do nothing else;
                  tries to read /etc/shadow, again and again
  demo-nested     is in one domain, and its child in one more
  demo-partial    has threads that it forgot
  demo-idle       has a sandbox that grants everything, everywhere
  demo-forgotten  has none, though there is a rule about it
`

const more = `
Look further, as root, in another terminal:

  %[1]s explain demo-good%[2]s
  %[1]s check%[2]s
  %[1]s top%[2]s
  curl -s http://%[3]s/metrics | grep ^landlock_

and in a browser at http://%[3]s/

It ends in %[4]s, or by Ctrl-C.
`

// set makes a directory with the rules, and with the programs, which are this one by other names.
func (s *stage) set() (err error) {
	if s.dir, err = os.MkdirTemp("", "landlockd-demo-"); err != nil {
		return err
	}
	own, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		return err
	}
	first := filepath.Join(s.dir, names[0])
	err = errors.Join(os.Chmod(s.dir, 0o755), os.WriteFile(first, own, 0o755),
		os.WriteFile(filepath.Join(s.dir, "rules.yml"), []byte(rules), 0o644))
	for _, name := range names[1:] {
		err = errors.Join(err, os.Link(first, filepath.Join(s.dir, name)))
	}
	// Where cgroups can be made, each is a service; else workloads have the programs' names.
	const root, slice = "/sys/fs/cgroup", "/landlockddemo.slice"
	var fs unix.Statfs_t
	if unix.Statfs(root, &fs) == nil && fs.Type == unix.CGROUP2_SUPER_MAGIC &&
		os.Mkdir(root+slice, 0o755) == nil {
		s.slice = root + slice
	}
	return err
}

// start starts a program, and waits until it has sandboxed itself.
func (s *stage) start(program string) error {
	cmd := exec.Command(program)
	if s.slice != "" {
		dir := filepath.Join(s.slice, filepath.Base(program)+".service")
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
		group, err := os.Open(dir)
		if err != nil {
			return err
		}
		defer group.Close()
		cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(group.Fd())}
	}
	stdin, err := cmd.StdinPipe() // it ends when this process does, however that ends
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if _, err := s.run(cmd); err != nil {
		return err
	}
	s.stdin = append(s.stdin, stdin)
	if _, err := io.ReadFull(stdout, make([]byte, len(played))); err != nil {
		return fmt.Errorf("%s did not sandbox itself: %w", filepath.Base(program), err)
	}
	return nil
}

// run starts a process in a group of its own: Ctrl-C is for this one alone.
func (s *stage) run(cmd *exec.Cmd) (*running, error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	r := &running{cmd, make(chan struct{})}
	s.running = append(s.running, r)
	go func() {
		defer close(r.ended)
		_ = cmd.Wait() // what it had to say is on standard error
	}()
	return r, nil
}

// clear ends what was started, and removes what was made.
func (s *stage) clear() error {
	for _, stdin := range s.stdin {
		stdin.Close()
	}
	for _, r := range s.running {
		_ = r.Process.Signal(unix.SIGTERM)
		select {
		case <-r.ended:
		case <-time.After(patience):
			_ = unix.Kill(-r.Process.Pid, unix.SIGKILL)
			<-r.ended
		}
	}
	err := os.RemoveAll(s.dir)
	if s.slice == "" {
		return err
	}
	for _, name := range names {
		err = errors.Join(err, removeGroup(filepath.Join(s.slice, name+".service")))
	}
	return errors.Join(err, removeGroup(s.slice))
}

// removeGroup removes a cgroup when its last process has gone.
func removeGroup(dir string) error {
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		err := unix.Rmdir(dir)
		if err == nil || errors.Is(err, unix.ENOENT) {
			return nil
		}
		if !errors.Is(err, unix.EBUSY) || time.Now().After(end) {
			return fmt.Errorf("remove %s: %w", dir, err)
		}
	}
}

// free returns an address of loopback that nobody listens on.
func free(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// ready waits until the daemon serves.
func ready(ctx context.Context, daemon *running, url string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-daemon.ended:
			return errors.New("landlockd did not start")
		case <-ctx.Done():
			return fmt.Errorf("landlockd is not ready: %w", ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}
