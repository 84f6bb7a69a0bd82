// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write the table of the chart's README anew")

const chartDir = "deploy/kubernetes/chart/landlockd"

// value is one that the chart has.
type value struct {
	path    string // as in image.tag
	comment string
	initial string // as YAML, on one line
}

// values reads values.yaml: what has a comment is a value, and what has none and is an object
// holds values.
func values(t *testing.T) []value {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(read(t, filepath.Join(top(t), chartDir, "values.yaml"))), &doc); err != nil {
		t.Fatal(err)
	}
	var all []value
	var walk func(prefix string, n *yaml.Node)
	walk = func(prefix string, n *yaml.Node) {
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, v := n.Content[i], n.Content[i+1]
			comment := strings.Join(strings.Fields(strings.ReplaceAll(key.HeadComment, "#", " ")), " ")
			switch {
			case comment == "" && v.Kind == yaml.MappingNode:
				walk(prefix+key.Value+".", v)
			case comment == "":
				t.Errorf("%s%s has no comment", prefix, key.Value)
			default:
				var initial any
				if err := v.Decode(&initial); err != nil {
					t.Fatal(err)
				}
				b, err := json.Marshal(initial)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, value{prefix + key.Value, comment, string(b)})
			}
		}
	}
	walk("", doc.Content[0])
	return all
}

// TestValuesAreInTheReadme: README.md of the chart has them, with what they are at first.
func TestValuesAreInTheReadme(t *testing.T) {
	const begin, end = "<!-- From values.yaml: go test -run TestValuesAreInTheReadme -update, in test/deploy. -->\n", "<!-- End. -->\n"
	path := filepath.Join(top(t), chartDir, "README.md")
	head, rest, found := strings.Cut(read(t, path), begin)
	old, tail, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("README.md has no %q to %q", begin, end)
	}
	var b strings.Builder
	b.WriteString("| value | at first | is |\n| --- | --- | --- |\n")
	for _, v := range values(t) {
		fmt.Fprintf(&b, "| `%s` | `%s` | %s |\n", v.path, v.initial, strings.ReplaceAll(v.comment, "|", "\\|"))
	}
	switch {
	case old == b.String():
	case *update:
		write(t, path, head+begin+b.String()+end+tail)
	default:
		t.Errorf("want this (-update writes it):\n%s", b.String())
	}
}

// TestSchemaIsStrict: the schema has each value and nothing else, and every object in it says
// which members it may have, but for those that are Kubernetes' own.
func TestSchemaIsStrict(t *testing.T) {
	type schema struct {
		Ref         string `json:"$ref"`
		Type        any
		Properties  map[string]*schema
		Items       *schema
		Additional  json.RawMessage `json:"additionalProperties"`
		Definitions map[string]*schema
	}
	var root schema
	if err := json.Unmarshal([]byte(read(t, filepath.Join(top(t), chartDir, "values.schema.json"))), &root); err != nil {
		t.Fatal(err)
	}
	resolve := func(s *schema) *schema {
		if s != nil && s.Ref != "" {
			return root.Definitions[strings.TrimPrefix(s.Ref, "#/definitions/")]
		}
		return s
	}
	// By the last part of their paths; the types of Kubernetes have the rest.
	open := []string{"global", "valueFrom", "extraVolumes", "httpGet", "tcpSocket", "exec", "namespaceSelector", "podSelector", "ipBlock",
		"nodeAffinity", "podAffinity", "podAntiAffinity", "ca", "cert"}
	var check func(path string, s *schema)
	check = func(path string, s *schema) {
		if s = resolve(s); s == nil {
			t.Errorf("%s: no schema", path)
			return
		}
		if (s.Type == "object" || s.Properties != nil) && len(s.Additional) == 0 && !slices.Contains(open, path[strings.LastIndex(path, ".")+1:]) {
			t.Errorf("%s may have any member", path)
		}
		for name, p := range s.Properties {
			check(path+"."+name, p)
		}
		if s.Items != nil {
			check(path, s.Items)
		}
	}
	check("", &root)
	var known []string
	for _, v := range values(t) {
		s := &root
		for _, name := range strings.Split(v.path, ".") {
			if s = resolve(s.Properties[name]); s == nil {
				t.Errorf("the schema lacks %s", v.path)
				break
			}
		}
		known = append(known, v.path)
	}
	for name, p := range root.Properties {
		p = resolve(p)
		if slices.Contains(known, name) || name == "global" {
			continue
		}
		for member := range p.Properties {
			if !slices.Contains(known, name+"."+member) {
				t.Errorf("the schema has %s.%s, which is no value", name, member)
			}
		}
		if len(p.Properties) == 0 {
			t.Errorf("the schema has %s, which is no value", name)
		}
	}
}

// at follows a path into JSON; a number is an index, from the end if negative.
func at(v any, path string) any {
	for _, step := range strings.Split(path, "/") {
		switch c := v.(type) {
		case map[string]any:
			v = c[step]
		case []any:
			i, err := strconv.Atoi(step)
			if i < 0 {
				i += len(c)
			}
			if err != nil || i < 0 || i >= len(c) {
				return nil
			}
			v = c[i]
		default:
			return nil
		}
	}
	return v
}

// placed is what stands at a place of the one object of a kind, or of the first; nil if nothing does.
func placed(t *testing.T, all []object, kind, path string) any {
	t.Helper()
	for _, o := range all {
		if name := fmt.Sprintf("%T", o); name[strings.LastIndex(name, ".")+1:] == kind {
			b, err := json.Marshal(o)
			if err != nil {
				t.Fatal(err)
			}
			var v any
			if err := json.Unmarshal(b, &v); err != nil {
				t.Fatal(err)
			}
			return at(v, path)
		}
	}
	return nil
}

// withValues renders the chart with a file of values.
func withValues(t *testing.T, text string) []object {
	t.Helper()
	out, err := tryValues(t, text)
	if err != nil {
		t.Fatal(err)
	}
	return mustDecode(t, out)
}

func tryValues(t *testing.T, text string) (string, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "values.yaml")
	write(t, file, text)
	return tryChart(t, "--values="+file)
}

// TestEveryValue sets each value to another one, decodes what is rendered strictly, and looks for
// what must come of it where there was something else.
func TestEveryValue(t *testing.T) {
	t.Parallel()
	cases := valueCases()
	for _, v := range values(t) {
		if len(cases[v.path]) == 0 {
			t.Errorf("%s is tested nowhere", v.path)
		}
	}
	known := map[string]bool{}
	for _, v := range values(t) {
		known[v.path] = true
	}
	initial := chart(t)
	for _, path := range slices.Sorted(maps.Keys(cases)) {
		if !known[path] {
			t.Errorf("%s is no value", path)
		}
		for _, c := range cases[path] {
			t.Run(path, func(t *testing.T) {
				t.Parallel()
				var want any
				if err := json.Unmarshal([]byte(c.want), &want); err != nil {
					t.Fatal(err)
				}
				if before := placed(t, initial, c.kind, c.at); reflect.DeepEqual(before, want) {
					t.Errorf("%s has %v at %s in any case", c.kind, before, c.at)
				}
				got := placed(t, withValues(t, c.values), c.kind, c.at)
				if !reflect.DeepEqual(got, want) {
					b, _ := json.Marshal(got)
					t.Errorf("%s has at %s\n%s, want\n%s", c.kind, c.at, b, c.want)
				}
			})
		}
	}
}

// TestWrongValues: what is misspelt or of another kind is refused, and not left out.
func TestWrongValues(t *testing.T) {
	t.Parallel()
	for i, text := range []string{
		"nosuch: 1", "image: {tags: x}", "image: {digest: abc}", "image: {pullPolicy: always}", "imagePullSecrets: [regcred]", "source: guess",
		"port: \"10644\"", "port: 0", "port: 70000", "extraArgs: [serve]", "extraArgs: --log.level=debug", "env: [{name: A, val: b}]", "env: {A: b}",
		"extraVolumes: [{name: a}]", "extraVolumes: [{emptyDir: {}}]", "extraVolumeMounts: [{name: a, mountPath: b}]", "extraVolumeMounts: [{name: a, mountpath: /b}]",
		"webConfig: {existingSecret: Upper}", "webConfig: {scheme: HTTPS}", "webConfig: {key: a/b}", "readinessProbe: {httpget: {}}", "livenessProbe: {}",
		"networkPolicy: {from: []}", "networkPolicy: {from: [{podselector: {}}]}", "service: {type: NodePort}", "podMonitor: {interval: 30}", "podMonitor: {interval: 1 minute}",
		"podMonitor: {relabelings: [{source_labels: [a]}]}", "podMonitor: {basicAuth: {username: admin}}", "podMonitor: {tlsConfig: {insecure: true}}",
		"podMonitor: {labels: {release: 1}}", "serviceMonitor: {enabled: \"true\"}", "prometheusRule: {groups: []}", "dashboards: {label: x}", "namespace: x",
		"serviceAccount: {automount: true}", "seccompProfile: {type: runtimeDefault}", "seLinuxOptions: {typ: a}", "nodeSelector: [a]", "affinity: {nodeaffinity: {}}",
		"tolerations: [{operator: exists}]", "updateStrategy: {type: Recreate}", "resources: {limit: {cpu: 1}}", "podLabels: {a: true}", "podAnnotations: {a: 1}",
		"commonLabels: [a]", "annotations: a", "nameOverride: A", "fullnameOverride: a_b", "rules: {rules: []}", "denials: {audit: 1}", "assets: {path: true}",
		"priorityClassName: 1",
	} {
		t.Run(strconv.Itoa(i), func(t *testing.T) { // values in a name would be flags of helm
			t.Parallel()
			if _, err := tryValues(t, text); err == nil || !strings.Contains(err.Error(), "don't meet the specifications of the schema") {
				t.Errorf("%s: accepted, or refused for another reason: %v", text, err)
			}
		})
	}
	// Either would be right alone.
	if _, err := tryValues(t, "serviceMonitor: {enabled: true}"); err == nil || !strings.Contains(err.Error(), "count twice") {
		t.Errorf("two monitors are accepted: %v", err)
	}
}

// TestRulesAndDashboards: what the chart has of them is what Prometheus and Grafana are given elsewhere.
func TestRulesAndDashboards(t *testing.T) {
	t.Parallel()
	all := withValues(t, "prometheusRule: {enabled: true, optionalAlerts: true}\ndashboards: {enabled: true}")
	var want []any
	for _, name := range []string{"rules", "alerts", "alerts-optional"} {
		var file struct{ Groups []any }
		if err := yaml.Unmarshal([]byte(read(t, filepath.Join(top(t), "deploy/prometheus/rendered", name+".yml"))), &file); err != nil {
			t.Fatal(err)
		}
		want = append(want, file.Groups...)
	}
	if got := placed(t, all, "PrometheusRule", "spec/groups"); len(want) < 5 || !reflect.DeepEqual(got, want) {
		t.Errorf("%d groups differ from\n%v", len(want), got)
	}
	found := map[string]string{}
	for _, o := range all {
		if data, ok := placed(t, []object{o}, "ConfigMap", "data").(map[string]any); ok {
			for name, text := range data {
				found[name] = fmt.Sprint(text)
			}
		}
	}
	files, err := filepath.Glob(filepath.Join(top(t), "deploy/grafana/dashboards/*.json"))
	if err != nil || len(files) < 4 || len(files) != len(found) {
		t.Fatalf("%d dashboards, %d in ConfigMaps, %v", len(files), len(found), err)
	}
	for _, file := range files {
		if found[filepath.Base(file)] != read(t, file) {
			t.Errorf("%s differs", filepath.Base(file))
		}
	}
	// A chart that is packed has what its links are to.
	dir := t.TempDir()
	program, err := helm()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tryIn(t.Context(), dir, []string{"HOME=" + dir}, program, "package", filepath.Join(top(t), chartDir)); err != nil {
		t.Fatal(err)
	}
	packed, err := filepath.Glob(dir + "/landlockd-*.tgz")
	if err != nil || len(packed) != 1 {
		t.Fatal(packed, err)
	}
	if err := os.Mkdir(filepath.Join(dir, "out"), 0o755); err != nil {
		t.Fatal(err)
	}
	run(t, "tar", "-xzf", packed[0], "-C", filepath.Join(dir, "out"))
	run(t, "cmp", filepath.Join(dir, "out/landlockd/files/rules/rules.yml"), filepath.Join(top(t), "deploy/prometheus/rendered/rules.yml"))
}
