// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/landlockd/landlockd/test/testenv"
)

// store is where buildah and podman keep what they make in a test.
type store []string

func newStore(t *testing.T) store {
	t.Helper()
	testenv.NeedRoot(t)
	dir := t.TempDir()
	return store{"--root", filepath.Join(dir, "root"), "--runroot", filepath.Join(dir, "run"), "--storage-driver=vfs"}
}

// image builds the image from the tree and returns its ID.
func (s store) image(t *testing.T, arch string) string {
	t.Helper()
	src, err := tree()
	if err != nil {
		t.Fatal(err)
	}
	r, dir := get(t, first), t.TempDir()
	for _, name := range []string{"Dockerfile", ".dockerignore"} {
		write(t, filepath.Join(dir, name), read(t, filepath.Join(src, name)))
	}
	if err := os.CopyFS(filepath.Join(dir, "deploy/known.d"), os.DirFS(filepath.Join(src, "deploy/known.d"))); err != nil {
		t.Fatal(err)
	}
	for _, a := range []string{"amd64", "arm64"} {
		out := filepath.Join(dir, "dist/linux-"+a)
		if err := os.MkdirAll(out, 0o755); err != nil {
			t.Fatal(err)
		}
		run(t, "install", "-m", "0711", filepath.Join(r.dir, "linux-"+a, "landlockd"), out)
	}
	// What must not come in.
	write(t, filepath.Join(dir, "secret"), "secret")
	id := filepath.Join(dir, "id")
	runIn(t, dir, nil, "buildah", append(slices.Clone(s), "build", "--isolation=chroot", "--platform=linux/"+arch, "--timestamp="+epoch, "--iidfile="+id,
		"--build-arg=TARGETARCH="+arch, "--build-arg=VERSION=1.0.0", "--build-arg=REVISION=abc", "--build-arg=CREATED=2023-11-14T22:13:20Z", ".")...)
	return strings.TrimPrefix(strings.TrimSpace(read(t, id)), "sha256:")
}

// TestImage: what is in the image, for both architectures.
func TestImage(t *testing.T) {
	s := newStore(t)
	for _, arch := range []string{"amd64", "arm64"} {
		id := s.image(t, arch)
		if again := s.image(t, arch); again != id {
			t.Errorf("%s: built twice, it is %s and %s", arch, id, again)
		}
		var found []struct {
			OCIv1 struct {
				Architecture string
				Config       struct {
					User       string
					Entrypoint []string
					Cmd        []string
					Labels     map[string]string
				} `json:"config"`
			}
		}
		out := run(t, "buildah", append(slices.Clone(s), "inspect", "--type=image", id)...)
		if err := json.Unmarshal([]byte("["+out+"]"), &found); err != nil {
			t.Fatal(err)
		}
		i := found[0].OCIv1
		if i.Architecture != arch || !slices.Equal(i.Config.Entrypoint, []string{"/usr/bin/landlockd"}) || len(i.Config.Cmd) > 0 || i.Config.User != "0:0" {
			t.Errorf("%s: %+v", arch, i)
		}
		for key, want := range map[string]string{
			"version": "1.0.0", "revision": "abc", "created": "2023-11-14T22:13:20Z", "licenses": "Apache-2.0", "source": "https://github.com/landlockd/landlockd", "title": "landlockd",
		} {
			if got := i.Config.Labels["org.opencontainers.image."+key]; got != want {
				t.Errorf("%s: label %s is %q, want %q", arch, key, got, want)
			}
		}
		container := strings.TrimSpace(run(t, "buildah", append(slices.Clone(s), "from", id)...))
		root := strings.TrimSpace(run(t, "buildah", append(slices.Clone(s), "mount", container)...))
		var files []string
		if err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				info, err := d.Info()
				if err != nil {
					return err
				}
				files = append(files, fmt.Sprintf("%s %o", strings.TrimPrefix(path, root), info.Mode().Perm()))
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		want := []string{"/usr/bin/landlockd 711"}
		for _, name := range knownFiles(t) {
			want = append(want, "/usr/lib/landlockd/known.d/"+name+" 644")
		}
		if !slices.Equal(files, want) {
			t.Errorf("%s: there is %q in it", arch, files)
		}
		r := get(t, first)
		run(t, "cmp", filepath.Join(root, "usr/bin/landlockd"), filepath.Join(r.dir, "linux-"+arch, "landlockd"))
		run(t, "buildah", append(slices.Clone(s), "rm", container)...)
	}
}

// TestRun runs the image on this host's PID namespace as each manifest says: with its
// arguments, capabilities and mounts. That is podman and runc in the place of the
// kubelet and its runtime; network namespaces are the host's, as no image for a
// network is here.
func TestRun(t *testing.T) {
	s := newStore(t)
	removeParents(t)
	id := s.image(t, runtime.GOARCH)
	seccomp := containerdProfile(t)
	// On nodes it is there.
	if err := os.Mkdir("/var/log/containers", 0o755); err == nil {
		defer os.Remove("/var/log/containers")
	}
	witness := exec.Command("sleep", "infinity")
	if err := witness.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = witness.Process.Kill(); _ = witness.Wait() }()
	for _, name := range []string{"base", "overlays/audit"} {
		t.Run(filepath.Base(name), func(t *testing.T) {
			ds := find[*appsv1.DaemonSet](t, kustomize(t, name))
			address := testenv.FreeAddress(t)
			args := podmanArgs(t, s, ds, seccomp, id, address)
			cmd := exec.Command("podman", args...)
			var said bytes.Buffer
			cmd.Stdout, cmd.Stderr = &said, &said
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() { done <- cmd.Wait() }()
			defer func() {
				// It passes the signal on, and landlockd ends well.
				_ = cmd.Process.Signal(syscall.SIGTERM)
				select {
				case err := <-done:
					if err != nil {
						t.Errorf("it ended with %v\n%s", err, said.String())
					}
				case <-time.After(20 * time.Second):
					_ = cmd.Process.Kill()
					t.Errorf("it did not end\n%s", said.String())
				}
			}()
			var page map[string]string
			eventually(t, "the container serves", func() error {
				select {
				case err := <-done:
					done <- err
					t.Fatalf("podman %s: %v\n%s", strings.Join(args, " "), err, said.String())
				default:
				}
				out, err := try(t.Context(), "curl", "--silent", "--show-error", "--fail", "--max-time", "10", "http://"+address+"/metrics")
				page = parse(out)
				return err
			})
			mustBe(t, page, map[string]string{
				"landlockd_scan_success":                       "1",
				`landlockd_confined{mechanism="capabilities"}`: "1",
				`landlockd_confined{mechanism="dumpable"}`:     "1",
				`landlockd_confined{mechanism="groups"}`:       "1",
				`landlockd_confined{mechanism="inherited"}`:    "1",
				`landlockd_confined{mechanism="keyring"}`:      "1",
				`landlockd_confined{mechanism="landlock"}`:     "1",
				`landlockd_confined{mechanism="no_new_privs"}`: "1",
				`landlockd_confined{mechanism="seccomp"}`:      "1",
				`landlockd_confined{mechanism="user"}`:         "1",
			})
			if n := page[`landlock_processes{state="sandboxed"}`]; n == "" || n == "0" {
				t.Errorf("%q processes are sandboxed, though it is itself", n)
			}
			found := false
			for series := range page {
				found = found || strings.HasPrefix(series, "landlockd_source_info{") && strings.Contains(series, `pidns="init"`)
			}
			if !found {
				t.Error("it does not see the host's PID namespace")
			}
			if n := page[`landlock_workload_processes{state="unsandboxed",workload="sleep"}`]; n == "" || n == "0" {
				t.Errorf("of this test, which is outside the container, it sees %q processes", n)
			}
		})
	}
}

// podmanArgs translates what a pod's specification says.
func podmanArgs(t *testing.T, s store, ds *appsv1.DaemonSet, seccomp, image, address string) []string {
	t.Helper()
	pod := ds.Spec.Template.Spec
	c := pod.Containers[0]
	// Cgroups v1 and v2 beside each other, as some hosts have them, are for runc alone.
	args := append(slices.Clone(s), "--runtime=runc", "--cgroup-manager=cgroupfs", "run", "--rm", "--network=host", "--security-opt=seccomp="+seccomp,
		// What podman would raise them to is not for everybody to give.
		"--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024")
	if !pod.HostPID {
		t.Error("no hostPID")
	}
	args = append(args, "--pid=host", fmt.Sprintf("--user=%d:%d", *pod.SecurityContext.RunAsUser, *pod.SecurityContext.RunAsGroup))
	for _, drop := range c.SecurityContext.Capabilities.Drop {
		args = append(args, "--cap-drop="+string(drop))
	}
	for _, add := range c.SecurityContext.Capabilities.Add {
		args = append(args, "--cap-add="+string(add))
	}
	if *c.SecurityContext.ReadOnlyRootFilesystem {
		args = append(args, "--read-only")
	}
	if !*c.SecurityContext.AllowPrivilegeEscalation {
		args = append(args, "--security-opt=no-new-privileges")
	}
	for _, m := range c.VolumeMounts {
		for _, v := range pod.Volumes {
			if v.Name == m.Name && v.HostPath != nil {
				mode := "rw"
				if m.ReadOnly {
					mode = "ro"
				}
				args = append(args, "--volume="+v.HostPath.Path+":"+m.MountPath+":"+mode)
			}
		}
	}
	args = append(args, image)
	for _, a := range c.Args {
		if a == "--web.listen-address=:10644" {
			a = "--web.listen-address=" + address
		}
		args = append(args, a)
	}
	return args
}

// containerdProfile is the seccomp profile of Debian's runtimes with what containerd
// has had in its own since 1.6.8: who has CAP_BPF may call bpf(2).
func containerdProfile(t *testing.T) string {
	t.Helper()
	var profile map[string]any
	if err := json.Unmarshal([]byte(read(t, "/usr/share/containers/seccomp.json")), &profile); err != nil {
		t.Fatal(err)
	}
	calls, ok := profile["syscalls"].([]any)
	if !ok {
		t.Fatal("the profile has no system calls")
	}
	profile["syscalls"] = append([]any{map[string]any{
		"names": []string{"bpf"}, "action": "SCMP_ACT_ALLOW", "args": []any{}, "includes": map[string]any{"caps": []string{"CAP_BPF"}}, "excludes": map[string]any{},
	}}, calls...)
	b, err := json.Marshal(profile)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "seccomp.json")
	write(t, path, string(b))
	return path
}

// removeParents removes, after the test, what podman leaves of its cgroups.
func removeParents(t *testing.T) {
	t.Helper()
	find := func() []string {
		var all []string
		for _, pattern := range []string{"/sys/fs/cgroup/libpod_parent", "/sys/fs/cgroup/*/libpod_parent"} {
			found, err := filepath.Glob(pattern)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, found...)
		}
		return all
	}
	before := find()
	t.Cleanup(func() {
		for _, dir := range find() {
			if !slices.Contains(before, dir) {
				removeCgroup(t, dir)
			}
		}
	})
}

// knownFiles are the names of the files of known programs.
func knownFiles(t *testing.T) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(top(t), "deploy/known.d"))
	if err != nil || len(entries) == 0 {
		t.Fatalf("%d files of known programs: %v", len(entries), err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
