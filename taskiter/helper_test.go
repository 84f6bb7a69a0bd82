// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/attack"
	"github.com/landlockd/landlockd/test/testenv"
)

// roleEnv makes the test binary do something else than run the tests: some of
// what is tested changes a process for ever.
const roleEnv = "TASKITER_TEST_ROLE"

// roles are what a subprocess may be asked to do.
var roles = map[string]func(args []string) error{
	"calibrate-nested": roleCalibrateNested,
	"scan-marked":      roleScanMarked,
}

func TestMain(m *testing.M) {
	if role := os.Getenv(roleEnv); role != "" {
		f := roles[role]
		if f == nil {
			fmt.Fprintf(os.Stderr, "unknown role %q\n", role)
			os.Exit(2)
		}
		if err := f(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	if actorDir != "" {
		os.RemoveAll(actorDir)
	}
	os.Exit(code)
}

// runRole runs the test binary in a role and returns what it printed.
func runRole(t *testing.T, prefix []string, role string, args ...string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	argv := append(append(slices.Clone(prefix), self), args...)
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), roleEnv+"="+role)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", role, err, stderr.String())
	}
	return string(out)
}

// needPrivileges fails a test that needs root where it cannot run: a test that
// nobody sees skipped proves nothing.
func needPrivileges(t testing.TB) {
	t.Helper()
	err := checkCapabilities()
	if err == nil {
		return
	}
	if testing.Short() {
		t.Skipf("needs privileges: %v", err)
	}
	t.Fatalf("this test needs CAP_BPF and CAP_PERFMON (run it as root, or with -short to leave it out): %v", err)
}

// openSource opens a source on the running kernel. It reads all rules in one scan,
// unless opts.RuleTime is set.
func openSource(t testing.TB, opts Options) *Source {
	t.Helper()
	needPrivileges(t)
	if opts.RuleTime == 0 {
		opts.RuleTime = time.Minute
	}
	s, err := Open(opts)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func mustScan(t testing.TB, s *Source) *scan.Snapshot {
	t.Helper()
	snap, err := s.Scan(context.Background())
	if err != nil {
		t.Fatalf("Scan: %v", err)
	}
	return snap
}

// mustFind returns a process that lives and so must be in the snapshot.
func mustFind(t testing.TB, snap *scan.Snapshot, pid int32) *scan.Process {
	t.Helper()
	p := snap.Find(pid)
	if p == nil {
		t.Fatalf("process %d is not in the snapshot of %d processes", pid, len(snap.Processes))
	}
	return p
}

// scanSettled scans until a process has a state. A process that just began may
// still change; one that waits does not.
func scanSettled(t testing.TB, s *Source, pid int32) (*scan.Snapshot, *scan.Process) {
	t.Helper()
	for range 20 {
		snap := mustScan(t, s)
		if p := mustFind(t, snap, pid); p.State != scan.Unknown {
			return snap, p
		}
	}
	t.Fatalf("process %d is unknown in 20 scans", pid)
	return nil, nil
}

// actorSource is a program that is cheap to run many times over. It does what
// its arguments say, prints what it made, then "ready", and ends with its
// standard input.
const actorSource = `
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NR_CREATE_RULESET 444
#define NR_RESTRICT_SELF 446
#define LOG_NEW_EXEC_ON 2

static void die(const char *what)
{
	perror(what);
	_exit(3);
}

static void restrict_self(unsigned layers, unsigned seed)
{
	if (layers && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		die("no_new_privs");
	for (unsigned i = 0; i < layers; i++) {
		/* any but execute, so that an exec still works */
		uint64_t fs = 1ULL << (1 + (seed * 7 + i * 3) % 12);
		int fd = syscall(NR_CREATE_RULESET, &fs, sizeof(fs), 0);

		if (fd < 0)
			die("landlock_create_ruleset");
		if (syscall(NR_RESTRICT_SELF, fd, 0))
			die("landlock_restrict_self");
		close(fd);
	}
}

/* Runs a program in domains that keep it from nothing that it wants to do. */
static void run(unsigned layers, char **argv)
{
	uint64_t make_block = 1ULL << 11;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		die("no_new_privs");
	for (unsigned i = 0; i < layers; i++) {
		int fd = syscall(NR_CREATE_RULESET, &make_block, sizeof(make_block), 0);

		if (syscall(NR_RESTRICT_SELF, fd, 0))
			die("landlock_restrict_self");
		close(fd);
	}
	execv(argv[0], argv);
	die(argv[0]);
}

static void until_eof(void)
{
	char c;

	while (read(0, &c, 1) > 0)
		;
}

static void ready(void)
{
	static const char text[] = "ready\n";

	if (write(1, text, sizeof(text) - 1) < 0)
		_exit(3);
}

static void tell(const char *what, long id)
{
	char line[64];
	int n = snprintf(line, sizeof(line), "%s %ld\n", what, id);

	if (write(1, line, n) < 0)
		_exit(3);
}

static void wait_forever(void)
{
	for (;;)
		pause();
}

/* N processes, the i-th with 1 + i % max layers; max 0: none sandboxed. */
static void many(unsigned n, unsigned max)
{
	pid_t *pids = calloc(n, sizeof(*pids));
	int p[2];
	char c;

	if (!pids || pipe(p))
		die("pipe");
	for (unsigned i = 0; i < n; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			die("fork");
		if (pids[i] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
			if (max)
				restrict_self(1 + i % max, i);
			if (write(p[1], "", 1) != 1)
				_exit(3);
			close(p[0]);
			close(p[1]);
			close(0);
			close(1);
			wait_forever();
		}
	}
	close(p[1]);
	for (unsigned i = 0; i < n; i++)
		if (read(p[0], &c, 1) != 1)
			die("child");
	for (unsigned i = 0; i < n; i++)
		tell("pid", pids[i]);
	ready();
	until_eof();
	for (unsigned i = 0; i < n; i++)
		kill(pids[i], SIGKILL);
	while (wait(NULL) > 0)
		;
}

static unsigned thread_layers;

static void *one_thread(void *arg)
{
	restrict_self(thread_layers, 1);
	tell("tid", syscall(SYS_gettid));
	if (arg)
		pthread_join(*(pthread_t *)arg, NULL);
	ready();
	until_eof();
	_exit(0);
}

/* One thread beside the main one, alone in a domain. */
static void thread_only(unsigned layers)
{
	pthread_t th;

	thread_layers = layers;
	if (pthread_create(&th, NULL, one_thread, NULL))
		die("pthread_create");
	wait_forever();
}

/* The main thread exits; the other goes on. */
static void zombie_leader(unsigned layers)
{
	static pthread_t main_thread;
	pthread_t th;

	main_thread = pthread_self();
	thread_layers = layers;
	if (pthread_create(&th, NULL, one_thread, &main_thread))
		die("pthread_create");
	pthread_exit(NULL);
}

static void pid_namespace(void)
{
	pid_t pid;

	if (unshare(CLONE_NEWPID))
		die("unshare");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		restrict_self(2, 5);
		wait_forever();
	}
	tell("pid", pid);
	ready();
	until_eof();
	kill(pid, SIGKILL);
	wait(NULL);
}

/* Executes what it is told, by lines of input, each in the same process. */
static void execs(void)
{
	static char line[8192];
	size_t n = 0;

	tell("pid", getpid());
	ready();
	while (read(0, line + n, 1) == 1 && n < sizeof(line) - 1) {
		if (line[n] != '\n') {
			n++;
			continue;
		}
		line[n] = 0;
		execl(line, "actor", "execs", NULL);
		die(line);
	}
}

static void *nothing(void *arg)
{
	return arg;
}

/* For every byte of input, one thread that does nothing, and is gone then. */
static void threads(void)
{
	pthread_t th;
	char c;

	tell("pid", getpid());
	ready();
	while (read(0, &c, 1) == 1) {
		if (pthread_create(&th, NULL, nothing, NULL))
			die("pthread_create");
		pthread_join(th, NULL);
		ready();
	}
}

#define NR_ADD_RULE 445
#define READ_FILE (1ULL << 2)
#define READ_DIR (1ULL << 3)

static void read_through_ring(const char *path);

/*
 * Does one thing after the other: changes its root directory, mounts, and
 * restricts itself to reading files below what was opened before. Then it does
 * what the lines of its input say.
 */
static void rooted(char **op)
{
	static struct { uint64_t allowed; int32_t fd; } __attribute__((packed)) beneath = { READ_FILE, -1 };
	uint64_t handled[3] = { READ_FILE | READ_DIR };
	unsigned flags = 0;
	pid_t child = 0;

	for (; *op; op++) {
		if (!strcmp(*op, "descend")) {
			for (int n = atoi(*++op); n; n--)
				if ((mkdir("d", 0755) && errno != EEXIST) || chdir("d"))
					die("descend");
			close(open("f", O_CREAT | O_WRONLY, 0644));
			if (chroot(".") || chdir("/"))
				die("chroot");
		} else if (!strcmp(*op, "cd")) {
			if (chdir(*++op))
				die(*op);
		} else if (!strcmp(*op, "cage")) { /* the working directory stays */
			if (chroot(*++op))
				die(*op);
		} else if (!strcmp(*op, "pivot")) {
			if (chdir(*++op) || syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) || chdir("/"))
				die("pivot_root");
		} else if (!strcmp(*op, "unshare-fs")) {
			if (unshare(CLONE_FS))
				die("unshare");
		} else if (!strcmp(*op, "unshare-user")) {
			if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
				die("unshare");
		} else if (!strcmp(*op, "ring")) {
			read_through_ring(NULL);
		} else if (!strcmp(*op, "ring-read")) {
			read_through_ring(*++op);
		} else if (!strcmp(*op, "thread")) {
			pthread_t th;

			if (pthread_create(&th, NULL, (void *(*)(void *))rooted, op + 1) || pthread_join(th, NULL))
				die("thread");
		} else if (!strcmp(*op, "uid")) {
			if (syscall(SYS_setresuid, atoi(op[1]), atoi(op[1]), atoi(op[1])))
				die("setresuid");
			op++;
		} else if (!strcmp(*op, "seccomp")) {
			struct sock_filter allow = { BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW };
			struct sock_fprog filter = { 1, &allow };

			if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0))
				die("seccomp");
		} else if (!strcmp(*op, "chroot")) {
			if (chroot(*++op) || chdir("/"))
				die(*op);
		} else if (!strcmp(*op, "namespace")) {
			if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
				die("mount namespace");
		} else if (!strcmp(*op, "bind")) {
			const char *from = *++op;

			if (mount(from, *++op, NULL, MS_BIND, NULL))
				die(*op);
		} else if (!strcmp(*op, "open")) {
			beneath.fd = open(*++op, O_PATH);
			if (beneath.fd < 0)
				die(*op);
		} else if (!strcmp(*op, "restrict")) {
			int fd = syscall(NR_CREATE_RULESET, handled, handled[2] ? sizeof(handled) : 8, 0);

			if (fd < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
			    (beneath.fd >= 0 && syscall(NR_ADD_RULE, fd, 1, &beneath, 0)) || syscall(NR_RESTRICT_SELF, fd, flags))
				die("restrict");
		} else if (!strcmp(*op, "scoped")) {
			handled[2] = 1;
		} else if (!strcmp(*op, "logged")) {
			flags = LOG_NEW_EXEC_ON;
		} else if (!strcmp(*op, "try")) {
			int fd = open(*++op, O_RDONLY);

			tell("tid", fd < 0 ? errno : 0);
		} else if (!strcmp(*op, "fork")) {
			child = fork();
			if (child < 0)
				die("fork");
			if (child)
				break;
			prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
			tell("pid", getpid());
		}
	}
	if (child) { /* the child says when it is ready */
		wait(NULL);
		_exit(0);
	}
	ready();
	for (;;) {
		static char line[4096];
		char *words[16] = { 0 };
		ssize_t n = read(0, line, sizeof(line) - 1);

		if (n <= 0)
			_exit(0);
		line[n] = 0;
		words[0] = strtok(line, " \n");
		for (int i = 1; i < 15 && words[i - 1]; i++)
			words[i] = strtok(NULL, " \n");
		rooted(words);
	}
}

/*
 * Makes an io_uring whose requests a thread of the kernel's takes, or opens a file
 * by it and says what came of that.
 */
static void read_through_ring(const char *path)
{
	static struct io_uring_params p = { .flags = IORING_SETUP_SQPOLL, .sq_thread_idle = 1000 };
	static char *sq, *cq;
	static struct io_uring_sqe *sqes;
	static int ring;
	unsigned tail;

	if (!path) {
		ring = syscall(SYS_io_uring_setup, 8, &p);
		if (ring < 0)
			die("io_uring_setup");
		sq = mmap(0, p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
		cq = mmap(0, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_CQ_RING);
		sqes = mmap(0, p.sq_entries * sizeof(*sqes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);
		if (sq == MAP_FAILED || cq == MAP_FAILED || sqes == MAP_FAILED)
			die("mmap");
		return;
	}
	tail = *(unsigned *)(sq + p.sq_off.tail);
	memset(&sqes[tail % 8], 0, sizeof(*sqes));
	sqes[tail % 8].opcode = IORING_OP_OPENAT;
	sqes[tail % 8].fd = AT_FDCWD;
	sqes[tail % 8].addr = (uint64_t)path;
	((unsigned *)(sq + p.sq_off.array))[tail % 8] = tail % 8;
	__atomic_store_n((unsigned *)(sq + p.sq_off.tail), tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_SQ_WAKEUP, NULL, 0) < 0)
		die("io_uring_enter");
	tail = *(unsigned *)(cq + p.cq_off.head);
	int res = ((struct io_uring_cqe *)(cq + p.cq_off.cqes))[tail % p.cq_entries].res;
	*(unsigned *)(cq + p.cq_off.head) = tail + 1;
	tell("tid", res < 0 ? -res : 0);
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	unsigned a = argc > 2 ? atoi(argv[2]) : 0, b = argc > 3 ? atoi(argv[3]) : 0;

	if (!strcmp(verb, "many"))
		many(a, b);
	else if (!strcmp(verb, "thread-only"))
		thread_only(a);
	else if (!strcmp(verb, "zombie-leader"))
		zombie_leader(a);
	else if (!strcmp(verb, "pid-namespace"))
		pid_namespace();
	else if (!strcmp(verb, "execs"))
		execs();
	else if (!strcmp(verb, "threads"))
		threads();
	else if (!strcmp(verb, "rooted"))
		rooted(argv + 2);
	else if (!strcmp(verb, "run") && argc > 3)
		run(a, argv + 3);
	else
		return 2;
	return 0;
}
`

var actorDir string

// actorBinary compiles the actor, once for all tests.
var actorBinary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "taskiter-test-")
	if err != nil {
		return "", err
	}
	actorDir = dir
	if err := os.Chmod(dir, 0o755); err != nil { // other users run it
		return "", err
	}
	source, binary := filepath.Join(dir, "actor.c"), filepath.Join(dir, "actor")
	if err := os.WriteFile(source, []byte(actorSource), 0o600); err != nil {
		return "", err
	}
	// Static, so that a process costs little and needs no library at any path.
	out, err := exec.Command("cc", "-O1", "-static", "-pthread", "-o", binary, source).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("compile the actor (a C compiler is needed): %w\n%s", err, out)
	}
	return binary, nil
})

// actor is a running actor.
type actor struct {
	t    testing.TB
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	pid  int32
	pids []int32 // lines "pid N"
	tid  int32   // line "tid N"
}

func actorPath(t testing.TB) string {
	t.Helper()
	path, err := actorBinary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// startActor starts an actor and waits until it is ready. It ends with the test.
func startActor(t testing.TB, args ...string) *actor {
	t.Helper()
	return startActorAt(t, actorPath(t), args...)
}

func startActorAt(t testing.TB, path string, args ...string) *actor {
	t.Helper()
	return startCommand(t, exec.Command(path, args...))
}

// startActorIn starts an actor in a directory.
func startActorIn(t testing.TB, dir string, args ...string) *actor {
	t.Helper()
	cmd := exec.Command(actorPath(t), args...)
	cmd.Dir = dir
	return startCommand(t, cmd)
}

// startActorAs starts an actor as another user.
func startActorAs(t testing.TB, uid uint32, args ...string) *actor {
	t.Helper()
	return startAs(t, uid, actorPath(t), args...)
}

// startCrowd starts what makes many of something, as another user.
func startCrowd(t testing.TB, uid uint32, args ...string) *actor {
	t.Helper()
	program, err := attack.Crowd(testenv.PublicDir(t))
	if err != nil {
		t.Fatal(err)
	}
	return startAs(t, uid, program, args...)
}

func startAs(t testing.TB, uid uint32, path string, args ...string) *actor {
	t.Helper()
	cmd := exec.Command(path, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	return startCommand(t, cmd)
}

func startCommand(t testing.TB, cmd *exec.Cmd) *actor {
	t.Helper()
	a := &actor{t: t, cmd: cmd}
	a.cmd.Stderr = os.Stderr
	in, err := a.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := a.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := a.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	a.in, a.out, a.pid = in, bufio.NewReader(out), int32(a.cmd.Process.Pid)
	t.Cleanup(a.stop)
	a.awaitReady()
	return a
}

func (a *actor) awaitReady() {
	a.t.Helper()
	a.pids = a.pids[:0]
	for {
		line, err := a.out.ReadString('\n')
		if err != nil {
			a.t.Fatalf("actor %q ended before it was ready: %v", a.cmd.Args, err)
		}
		what, number, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, _ := strconv.Atoi(number)
		switch what {
		case "ready":
			return
		case "pid":
			a.pids = append(a.pids, int32(n))
		case "tid":
			a.tid = int32(n)
		default:
			a.t.Fatalf("actor %q printed %q", a.cmd.Args, line)
		}
	}
}

func (a *actor) send(text string) {
	a.t.Helper()
	if _, err := io.WriteString(a.in, text); err != nil {
		a.t.Fatalf("actor %q: %v", a.cmd.Args, err)
	}
}

func (a *actor) stop() {
	if a.in == nil {
		return
	}
	a.in.Close()
	a.in = nil
	a.cmd.Wait()
	// What it started ends a little later, and counts until then.
	for _, pid := range a.pids {
		awaitProcessGone(a.t, pid)
	}
}

// awaitProcessGone waits until a process, which nobody may have waited for, is gone.
func awaitProcessGone(t testing.TB, pid int32) {
	t.Helper()
	for unix.Kill(int(pid), 0) == nil {
		unix.Nanosleep(&unix.Timespec{Nsec: 1e6}, nil)
	}
}

// awaitThreadGone waits until a thread of this process is gone.
func awaitThreadGone(t testing.TB, tid int32) {
	t.Helper()
	for unix.Tgkill(os.Getpid(), int(tid), 0) == nil {
		unix.Nanosleep(&unix.Timespec{Nsec: 1e6}, nil)
	}
}
