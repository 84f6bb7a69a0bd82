// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/test/testenv"
)

// A scrape of process-exporter beside 100 000 processes takes minutes, and it makes one before it
// serves.
const (
	startTime  = 5 * time.Minute
	scrapeTime = 15 * time.Minute
)

// server is a program that answers scrapes, with the processes that it started.
type server struct {
	url    string
	pids   []int
	client *http.Client
	stop   func()
}

// leash runs a program that ends when standard input does, however this process ends: who changes
// its user is no longer killed with its parent.
const leash = `exec 3<&0; "$@" </dev/null & read -r none <&3; kill $!; wait $!`

// client gets text that is not compressed, over one connection, as floors are read by one thread.
func client() *http.Client {
	return &http.Client{Timeout: scrapeTime, Transport: &http.Transport{DisableCompression: true}}
}

// serve starts a program, whose last argument is to be where it listens, and waits until it
// answers.
func serve(b *testing.B, program string, args ...string) *server {
	b.Helper()
	addr := testenv.FreeAddress(b)
	args[len(args)-1] += addr
	s := &server{url: "http://" + addr + "/metrics", client: client()}
	c := exec.Command("/bin/sh", append([]string{"-c", leash, "leash", program}, args...)...)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a terminal interrupts the leash's holder
	said := new(testenv.Output)
	c.Stdout, c.Stderr = said, said
	hold, err := c.StdinPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	stopped := false
	s.stop = func() {
		if stopped {
			return
		}
		stopped = true
		s.client.CloseIdleConnections()
		hold.Close()
		_ = c.Wait() // some programs end by the signal
	}
	b.Cleanup(s.stop)
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		resp, err := s.client.Get("http://" + addr + "/")
		if err == nil {
			resp.Body.Close()
			break
		}
		if time.Since(began) > startTime {
			b.Fatalf("%s does not serve: %v\n%s", program, err, said)
		}
	}
	s.pids = family(b, c.Process.Pid)[1:]
	return s
}

// family returns a process and those that it, and so on, started.
func family(b *testing.B, pid int) []int {
	b.Helper()
	all := []int{pid}
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		b.Fatal(err)
	}
	for _, t := range tasks {
		children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, t.Name()))
		if err != nil {
			continue // it ended
		}
		for child := range strings.FieldsSeq(string(children)) {
			n, err := strconv.Atoi(child)
			if err != nil {
				b.Fatal(err)
			}
			all = append(all, family(b, n)...)
		}
	}
	return all
}

// answer is what one scrape returned.
type answer struct{ bytes, series int }

// scrape makes one.
func (s *server) scrape() (answer, error) {
	page, err := s.page()
	return answer{len(page), bytes.Count(page, []byte("\n")) - bytes.Count(page, []byte("\n#")) - 1}, err
}

func (s *server) page() ([]byte, error) {
	resp, err := s.client.Get(s.url)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", s.url, resp.Status)
	}
	return page, err
}

// cpu is the processor time that it has taken, user and system, of all its processes.
func (s *server) cpu() (time.Duration, error) {
	sum := time.Duration(0)
	for _, pid := range s.pids {
		// Of a process, as clock_getcpuclockid(3) makes it: in ns, not in ticks.
		t, err := clock(int32(^pid)<<3 | 2)
		if err != nil {
			return 0, fmt.Errorf("the processor time of process %d: %w", pid, err)
		}
		sum += t
	}
	return sum, nil
}

func clock(id int32) (time.Duration, error) {
	var t unix.Timespec
	err := unix.ClockGettime(id, &t)
	return time.Duration(t.Nano()), err
}

// residentMemory is that of a process, in MB.
func residentMemory(pid int) (float64, error) {
	path := fmt.Sprintf("/proc/%d/status", pid)
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if w := strings.Fields(line); len(w) == 3 && w[0] == "VmRSS:" {
			kB, err := strconv.Atoi(w[1])
			return float64(kB) * 1024 / 1e6, err
		}
	}
	return 0, fmt.Errorf("%s has no VmRSS", path)
}
