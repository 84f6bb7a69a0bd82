// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/landlockd/landlockd/test/systemd/timing"
)

// Where the monitoring is configured, by Debian's packages.
const (
	prometheusDir    = "/etc/prometheus/"
	prometheusFile   = prometheusDir + "prometheus.yml"
	alertmanagerFile = prometheusDir + "alertmanager.yml"
	alertmanagerArgs = "/etc/default/prometheus-alertmanager"
	nodeArgs         = "/etc/default/prometheus-node-exporter"
)

// setUpTime is for servers that start side by side, on an emulated machine.
const setUpTime = 2 * time.Minute

// The files of ours that Prometheus loads, as rendered.
var ruleFiles = []string{"/payload/rules.yml", "/payload/alerts.yml"}

// watched are three services, each with a sandbox and a rule of its own.
var watched = []struct{ service, rule, severity string }{
	{"web", "front", "warning"},
	{"store", "records", "critical"},
	{"queue", "jobs", "info"},
}

// watchedRules returns the rules about them.
func watchedRules() string {
	var b strings.Builder
	fmt.Fprintf(&b, "defaults: {grace: %s}\nrules:\n", timing.Grace)
	for _, w := range watched {
		fmt.Fprintf(&b, "  - {name: %s, match: {unit: [%s.service]}, severity: %s}\n", w.rule, w.service, w.severity)
	}
	return b.String()
}

// checkMonitoring sets a host up as docs/install.md and docs/fleet.md say: services
// in sandboxes, landlockd from its package, and Debian's Prometheus and Alertmanager
// with our files. All of it keeps running.
func (h *host) checkMonitoring(t *T) {
	h.inbox.listen(t)
	startWatched(t)
	must(t, "dpkg", "--install", "/payload/landlockd.deb")
	write(t, configFile, watchedRules())
	must(t, "landlockd", "check-config")
	must(t, "systemctl", "reload", "landlockd.service")
	h.packageServes(t)

	for _, file := range ruleFiles {
		t.Must(os.MkdirAll(prometheusDir+"landlockd", 0o755))
		b, err := os.ReadFile(file)
		t.Must(err)
		write(t, strings.Replace(file, "/payload/", prometheusDir+"landlockd/", 1), string(b))
	}
	configurePrometheus(t, timing.Scrape, "guest:10644")
	configureAlertmanager(t)
	// Nothing else that node_exporter has is looked at here, and all of it takes time.
	write(t, nodeArgs, `ARGS="--collector.disable-defaults --collector.textfile"`+"\n")
	must(t, "systemctl", "start", "prometheus-node-exporter.service", "prometheus-alertmanager.service", "prometheus.service")

	within(t, setUpTime, "every target is scraped and every rule is evaluated", func() error {
		up, err := query("up")
		if err != nil {
			return err
		}
		want := page{
			`up{cluster="home",instance="guest:10644",job="landlockd"}`: 1,
			`up{cluster="home",instance="guest:9100",job="node"}`:       1,
			`up{instance="localhost:9090",job="prometheus"}`:            1,
		}
		if d := up.Diff(want); d != "" {
			return fmt.Errorf("%s%s", d, journal("prometheus.service"))
		}
		return evaluated(ruleFiles...)
	})
}

// configurePrometheus writes the configuration of docs/fleet.md. What landlockd
// itself is scraped at, each time when so long has passed, may be nothing. The job stays: Prometheus (2.42) has no end
// of the series of a job that goes, for five minutes.
func configurePrometheus(t *T, every time.Duration, landlockd ...string) {
	write(t, prometheusFile, fmt.Sprintf(`
global:
  scrape_interval: %[1]s
  evaluation_interval: %[1]s
rule_files: [landlockd/rules.yml, landlockd/alerts.yml]
alerting:
  alertmanagers:
    - static_configs:
        - targets: [localhost:9093]
scrape_configs:
  - job_name: prometheus
    static_configs:
      - targets: [localhost:9090]
  - job_name: node
    static_configs:
      - targets: [guest:9100]
        labels: {cluster: home}
  - job_name: landlockd
    scrape_interval: %[3]s
    static_configs:
      - targets: [%[2]s]
        labels: {cluster: home}
`, timing.Scrape, strings.Join(landlockd, ", "), every))
	must(t, "promtool", "check", "config", prometheusFile)
}

// configureAlertmanager takes our file and replaces what it has for a receiver, as
// its users do.
func configureAlertmanager(t *T) {
	b, err := os.ReadFile("/payload/alertmanager.yml")
	t.Must(err)
	var c struct {
		Inhibit   []map[string]any `yaml:"inhibit_rules"`
		Receivers []map[string]any
		Route     map[string]any
	}
	strict := yaml.NewDecoder(bytes.NewReader(b))
	strict.KnownFields(true)
	t.Must(strict.Decode(&c))
	if len(c.Inhibit) == 0 || len(c.Receivers) != 1 {
		t.Fatalf("alertmanager.yml: %+v", c)
	}
	c.Receivers[0]["webhook_configs"] = []map[string]any{{"url": "http://" + inboxAddress + "/", "send_resolved": true}}
	c.Route["group_wait"] = timing.GroupWait.String()
	c.Route["group_interval"] = timing.GroupInterval.String()
	if b, err = yaml.Marshal(c); err != nil {
		t.Fatalf("%v", err)
	}
	write(t, alertmanagerFile, string(b))
	said := must(t, "amtool", "check-config", alertmanagerFile)
	if want := fmt.Sprintf(" - %d inhibit rules", len(c.Inhibit)); !slices.Contains(strings.Split(said, "\n"), want) {
		t.Errorf("amtool does not say %q: %s", want, said)
	}
	// A host without a network has no address that others could reach it at.
	write(t, alertmanagerArgs, `ARGS="--cluster.listen-address="`+"\n")
}
