// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// object is a decoded manifest.
type object interface{ metav1.Object }

// kinds are those that we ship, by API version and kind.
var kinds = map[string]func() object{
	"v1 Namespace":                            func() object { return &corev1.Namespace{} },
	"v1 ServiceAccount":                       func() object { return &corev1.ServiceAccount{} },
	"v1 ConfigMap":                            func() object { return &corev1.ConfigMap{} },
	"apps/v1 DaemonSet":                       func() object { return &appsv1.DaemonSet{} },
	"networking.k8s.io/v1 NetworkPolicy":      func() object { return &networkingv1.NetworkPolicy{} },
	"v1 Service":                              func() object { return &corev1.Service{} },
	"monitoring.coreos.com/v1 PodMonitor":     func() object { return &monitoringv1.PodMonitor{} },
	"monitoring.coreos.com/v1 ServiceMonitor": func() object { return &monitoringv1.ServiceMonitor{} },
	"monitoring.coreos.com/v1 PrometheusRule": func() object { return &monitoringv1.PrometheusRule{} },
}

// decode decodes manifests strictly: unknown and repeated fields, and fields of
// another type, are errors.
func decode(text string) ([]object, error) {
	var all []object
	for _, doc := range strings.Split("\n"+text, "\n---\n") {
		var head metav1.TypeMeta
		if err := yaml.Unmarshal([]byte(doc), &head); err != nil {
			return nil, err
		}
		if head.Kind == "" {
			continue // a comment
		}
		kind := head.APIVersion + " " + head.Kind
		if kinds[kind] == nil {
			return nil, fmt.Errorf("%s is nothing that we ship", kind)
		}
		o := kinds[kind]()
		text, err := yaml.YAMLToJSONStrict([]byte(doc))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", kind, err)
		}
		// The API server's own decoder: names of fields are not those of another case.
		strict, err := kjson.UnmarshalStrict(text, o)
		if err = errors.Join(append(strict, err)...); err != nil {
			return nil, fmt.Errorf("%s: %w", kind, err)
		}
		all = append(all, o)
	}
	return all, nil
}

func mustDecode(t *testing.T, text string) []object {
	t.Helper()
	all, err := decode(text)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// kustomize renders what is in a directory of deploy/kubernetes.
func kustomize(t *testing.T, dir string) []object {
	t.Helper()
	k := krusty.MakeKustomizer(krusty.MakeDefaultOptions())
	rendered, err := k.Run(filesys.MakeFsOnDisk(), filepath.Join(top(t), "deploy/kubernetes", dir))
	if err != nil {
		t.Fatal(err)
	}
	text, err := rendered.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	return mustDecode(t, string(text))
}

// helm is the path of helm, which is built first if need be.
var helm = sync.OnceValues(func() (string, error) {
	out, err := tryIn(context.Background(), "", nil, "go", "tool", "-n", "helm")
	return strings.TrimSpace(out), err
})

// chart renders the chart.
func chart(t *testing.T, args ...string) []object {
	t.Helper()
	text, err := tryChart(t, args...)
	if err != nil {
		t.Fatal(err)
	}
	return mustDecode(t, text)
}

func tryChart(t *testing.T, args ...string) (string, error) {
	t.Helper()
	return tryRelease(t, "landlockd", args...)
}

func tryRelease(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	program, err := helm()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	return tryIn(t.Context(), home, []string{"HOME=" + home}, program, append([]string{"template", name, filepath.Join(top(t), "deploy/kubernetes/chart/landlockd"), "--namespace=landlockd"}, args...)...)
}

// find returns the one object of a type.
func find[T object](t *testing.T, all []object) T {
	t.Helper()
	var found []T
	for _, o := range all {
		if f, ok := o.(T); ok {
			found = append(found, f)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d objects of %T", len(found), *new(T))
	}
	return found[0]
}

func kindsOf(all []object) []string {
	var names []string
	for _, o := range all {
		names = append(names, strings.TrimPrefix(fmt.Sprintf("%T", o), "*"))
	}
	slices.Sort(names)
	return names
}

// TestStrict: what decodes the manifests refuses what the API server would.
func TestStrict(t *testing.T) {
	base := read(t, filepath.Join(top(t), "deploy/kubernetes/base/daemonset.yaml"))
	for _, c := range [][2]string{
		{"hostPID: true", "hostPid: true"}, {"readOnly: true", "readonly: true"}, {"drop: [ALL]", "drop: ALL"}, {"runAsUser: 0", "runAsUser: root"},
		{"hostPID: true", "hostPID: true\n      hostPID: false"}, {"kind: DaemonSet", "kind: Daemonset"},
	} {
		if !strings.Contains(base, c[0]) {
			t.Fatalf("%q is not there to be replaced", c[0])
		}
		if _, err := decode(strings.Replace(base, c[0], c[1], 1)); err == nil {
			t.Errorf("%q is accepted", c[1])
		}
	}
	mustDecode(t, base)
}

// TestFiles: every file that is no chart decodes by itself, and is used.
func TestFiles(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(top(t), "deploy/kubernetes/base/*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range files {
		if filepath.Base(f) != "kustomization.yaml" {
			n += len(mustDecode(t, read(t, f)))
		}
	}
	if got := len(kustomize(t, "base")); got != n || n != 5 {
		t.Errorf("%d objects in files, %d rendered", n, got)
	}
}

// TestSecuritySettings states what each way to install it is allowed, and nothing
// beyond.
func TestSecuritySettings(t *testing.T) {
	base := []corev1.Capability{"BPF", "PERFMON", "SETUID", "SETGID"}
	for name, want := range map[string]struct {
		capabilities []corev1.Capability
		hostNetwork  bool
		appArmor     bool
		hostPaths    []string
		chart        []string
	}{
		"base":              {capabilities: base},
		"overlays/procattr": {capabilities: append(slices.Clone(base), "SYS_PTRACE"), appArmor: true, chart: []string{"--set=source=procattr"}},
		"overlays/assets":   {capabilities: append(slices.Clone(base), "DAC_READ_SEARCH"), hostPaths: []string{"/"}, chart: []string{"--set=assets.paths=true"}},
		"overlays/audit":    {capabilities: append(slices.Clone(base), "AUDIT_READ"), hostNetwork: true, chart: []string{"--set=denials.audit=true"}},
	} {
		t.Run(filepath.Base(name), func(t *testing.T) {
			rendered := kustomize(t, name)
			pod := find[*appsv1.DaemonSet](t, rendered).Spec.Template.Spec
			if len(pod.Containers) != 1 || len(pod.InitContainers) > 0 {
				t.Fatalf("%d containers", len(pod.Containers))
			}
			c := pod.Containers[0]
			sc := c.SecurityContext
			if !slices.Equal(sc.Capabilities.Drop, []corev1.Capability{"ALL"}) || !slices.Equal(sc.Capabilities.Add, want.capabilities) {
				t.Errorf("capabilities %+v, want %v", sc.Capabilities, want.capabilities)
			}
			if sc.Privileged != nil || sc.AllowPrivilegeEscalation == nil || *sc.AllowPrivilegeEscalation || sc.ReadOnlyRootFilesystem == nil || !*sc.ReadOnlyRootFilesystem {
				t.Errorf("%+v", sc)
			}
			if *pod.SecurityContext.RunAsUser != 0 || pod.SecurityContext.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
				t.Errorf("%+v", pod.SecurityContext)
			}
			// It ends by itself (internal/daemon/liveness.go): whoever holds connections could have
			// a probe fail.
			if c.LivenessProbe != nil {
				t.Errorf("whoever may connect can have it killed: %+v", c.LivenessProbe)
			}
			if (sc.AppArmorProfile != nil) != want.appArmor {
				t.Errorf("AppArmor: %+v", sc.AppArmorProfile)
			}
			if !pod.HostPID || pod.HostIPC || pod.HostNetwork != want.hostNetwork {
				t.Errorf("host namespaces: PID %v, IPC %v, network %v", pod.HostPID, pod.HostIPC, pod.HostNetwork)
			}
			if pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken {
				t.Error("it has a token for the API server")
			}
			var paths []string
			for _, v := range pod.Volumes {
				if v.HostPath != nil {
					paths = append(paths, v.HostPath.Path)
				}
			}
			if !slices.Equal(paths, append([]string{"/sys", "/var/log/containers"}, want.hostPaths...)) {
				t.Errorf("of the host it has %q", paths)
			}
			for _, m := range c.VolumeMounts {
				if !m.ReadOnly {
					t.Errorf("%s can be written", m.MountPath)
				}
			}
			same(t, rendered, chart(t, append(want.chart, "--set=namespace.create=true")...))
		})
	}
}

// TestNamespace: Pod Security's level is the one that hostPID needs.
func TestNamespace(t *testing.T) {
	if level := find[*corev1.Namespace](t, kustomize(t, "base")).Labels["pod-security.kubernetes.io/enforce"]; level != "privileged" {
		t.Errorf("level %q", level)
	}
}

// same compares two renderings, but for what helm adds and says of itself.
func same(t *testing.T, a, b []object) {
	t.Helper()
	if x, y := kindsOf(a), kindsOf(b); !slices.Equal(x, y) {
		t.Fatalf("kustomize has %q, helm has %q", x, y)
	}
	for i, o := range sorted(a) {
		x, y := plain(t, o), plain(t, sorted(b)[i])
		if !bytes.Equal(x, y) {
			t.Errorf("%T by kustomize is\n%s\nand by helm\n%s", o, x, y)
		}
	}
}

func sorted(all []object) []object {
	return slices.SortedFunc(slices.Values(all), func(a, b object) int { return strings.Compare(fmt.Sprintf("%T", a), fmt.Sprintf("%T", b)) })
}

// plain is an object as JSON without the labels that only helm has.
func plain(t *testing.T, o object) []byte {
	t.Helper()
	b, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if b, err = json.MarshalIndent(strip(v), "", " "); err != nil {
		t.Fatal(err)
	}
	return b
}

func strip(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for _, label := range []string{"app.kubernetes.io/instance", "app.kubernetes.io/version", "app.kubernetes.io/managed-by", "helm.sh/chart"} {
			delete(v, label)
		}
		for k, e := range v {
			v[k] = strip(e)
		}
	case []any:
		for i, e := range v {
			v[i] = strip(e)
		}
	}
	return v
}

// TestSelectors: what chooses pods chooses those of the DaemonSet.
func TestSelectors(t *testing.T) {
	other, err := tryRelease(t, "other")
	if err != nil {
		t.Fatal(err)
	}
	for name, all := range map[string][]object{"base": kustomize(t, "base"), "chart": chart(t), "another release": mustDecode(t, other)} {
		ds := find[*appsv1.DaemonSet](t, all)
		labels := ds.Spec.Template.Labels
		np, pm := find[*networkingv1.NetworkPolicy](t, all), find[*monitoringv1.PodMonitor](t, all)
		for what, selector := range map[string]*metav1.LabelSelector{"DaemonSet": ds.Spec.Selector, "NetworkPolicy": &np.Spec.PodSelector, "PodMonitor": &pm.Spec.Selector} {
			s, err := metav1.LabelSelectorAsSelector(selector)
			if err != nil {
				t.Fatal(err)
			}
			if s.Empty() || !s.Matches(labelSet(labels)) {
				t.Errorf("%s: the %s's selector %v does not match %v", name, what, s, labels)
			}
		}
		if pm.Spec.JobLabel == "" || labels[pm.Spec.JobLabel] != "landlockd" {
			t.Errorf("%s: job is %q", name, labels[pm.Spec.JobLabel])
		}
		port := ds.Spec.Template.Spec.Containers[0].Ports[0]
		if *pm.Spec.PodMetricsEndpoints[0].Port != port.Name || np.Spec.Ingress[0].Ports[0].Port.StrVal != port.Name || port.ContainerPort != 10644 {
			t.Errorf("%s: ports differ", name)
		}
		if sa := find[*corev1.ServiceAccount](t, all).Name; sa != ds.Spec.Template.Spec.ServiceAccountName || sa != ds.Name {
			t.Errorf("%s: service account %s", name, sa)
		}
	}
}

type labelSet map[string]string

func (l labelSet) Has(label string) bool              { _, ok := l[label]; return ok }
func (l labelSet) Get(label string) string            { return l[label] }
func (l labelSet) Lookup(label string) (string, bool) { v, ok := l[label]; return v, ok }

// TestChart: the chart's other values do what they say, and wrong ones are refused.
func TestChart(t *testing.T) {
	program, err := helm()
	if err != nil {
		t.Fatal(err)
	}
	run(t, program, "lint", "--strict", filepath.Join(top(t), "deploy/kubernetes/chart/landlockd"))
	if _, err := tryChart(t, "--set=nosuch=1"); err == nil {
		t.Error("an unknown value is accepted")
	}
	if _, err := tryChart(t, "--set=source=guess"); err == nil {
		t.Error("a wrong source is accepted")
	}
	all := chart(t, "--set=networkPolicy.enabled=false", "--set=podMonitor.enabled=false")
	if got := kindsOf(all); !slices.Equal(got, []string{"v1.DaemonSet", "v1.ServiceAccount"}) {
		t.Errorf("without a policy and a monitor there is %q", got)
	}
	const rules = "rules:\n  - {name: a, match: {unit: [\"x: y.service\"]}}\n"
	file := filepath.Join(t.TempDir(), "rules")
	write(t, file, rules)
	all = chart(t, "--set-file=rules="+file, "--set=image.digest=sha256:"+strings.Repeat("0a", 32), "--set=extraArgs={--log.level=debug,--no-collector.workloads}", "--set=podAnnotations.x=y",
		"--set=seLinuxOptions.type=spc_t", "--set=seccompProfile.type=Unconfined", "--set=priorityClassName=system-node-critical", "--set=imagePullSecrets[0].name=s", "--set=image.pullPolicy=Always")
	ds, cm := find[*appsv1.DaemonSet](t, all), find[*corev1.ConfigMap](t, all)
	c, pod := ds.Spec.Template.Spec.Containers[0], ds.Spec.Template.Spec
	if cm.Data["landlockd.yml"] != rules || cm.Name != "landlockd" {
		t.Errorf("ConfigMap %q", cm.Data)
	}
	if c.Image != "ghcr.io/landlockd/landlockd@sha256:"+strings.Repeat("0a", 32) {
		t.Errorf("image %s", c.Image)
	}
	if n := len(c.Args); !slices.Equal(c.Args[n-2:], []string{"--log.level=debug", "--no-collector.workloads"}) {
		t.Errorf("arguments %q", c.Args)
	}
	if ds.Spec.Template.Annotations["x"] != "y" || len(ds.Spec.Template.Annotations["checksum/rules"]) != 64 {
		t.Errorf("annotations %q", ds.Spec.Template.Annotations)
	}
	if pod.SecurityContext.SELinuxOptions.Type != "spc_t" || pod.SecurityContext.SeccompProfile.Type != "Unconfined" || pod.PriorityClassName != "system-node-critical" ||
		len(pod.ImagePullSecrets) != 1 || c.ImagePullPolicy != corev1.PullAlways {
		t.Errorf("%+v", pod)
	}
}

// TestArguments: every argument that a manifest can have is one of landlockd's.
func TestArguments(t *testing.T) {
	program := filepath.Join(get(t, first).dir, "linux-"+debArch(t), "landlockd")
	for _, all := range [][]object{kustomize(t, "base"), kustomize(t, "overlays/assets"), kustomize(t, "overlays/procattr"), kustomize(t, "overlays/audit"), chart(t, "--set=source=both")} {
		args := find[*appsv1.DaemonSet](t, all).Spec.Template.Spec.Containers[0].Args
		// --help comes after all flags are parsed.
		run(t, program, append(slices.Clone(args), "--help")...)
		if _, err := try(t.Context(), program, append(slices.Clone(args), "--no-such", "--help")...); err == nil {
			t.Error("any flag would do")
		}
	}
}
