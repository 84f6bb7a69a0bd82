// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/landlockd/landlockd/test/testenv"
)

func TestAlertmanagerFile(t *testing.T) {
	if out, ok := run(t, "amtool", "check-config", filepath.Join(rendered, "alertmanager.yml")); !ok {
		t.Error(out)
	}
}

// fired is an alert as Prometheus sends it, and whether another one of them
// must inhibit it.
type fired struct {
	labels    map[string]string
	inhibited bool
}

func alert(name, instance, rule, severity string, inhibited bool) fired {
	l := map[string]string{"alertname": name, "cluster": "eu", "severity": severity}
	if instance != "" {
		l["instance"], l["job"] = instance, "landlockd"
	}
	if rule != "" {
		l["rule"] = rule
	}
	return fired{l, inhibited}
}

// TestInhibition sends alerts to a real Alertmanager with our file.
func TestInhibition(t *testing.T) {
	t.Parallel()
	url := "http://" + testenv.FreeAddress(t)
	startDaemon(t, url+"/-/ready", "prometheus-alertmanager", "--config.file="+absolute(t, "alertmanager.yml"),
		"--storage.path="+t.TempDir(), "--web.listen-address="+url[len("http://"):], "--cluster.listen-address=", "--log.level=warn")
	alerts := []fired{
		// A kernel without Landlock: silent is what has the same severity on that host.
		alert("LandlockDisabled", "off", "", "warning", false),
		alert("LandlockDisabled", "off", "", "critical", false),
		alert("LandlockRuleViolated", "off", "dns", "critical", true),
		alert("LandlockRuleViolated", "off", "log", "warning", true),
		alert("LandlockRuleViolated", "off", "tea", "info", false),
		alert("LandlockRuleBroken", "off", "job", "warning", true),
		alert("LandlockRuleBroken", "on", "job", "warning", false),
		alert("LandlockRuleNeverSettles", "off", "log", "warning", true),
		alert("LandlockRuleViolated", "on", "dns", "critical", false),
		// A rule that is violated on many hosts.
		alert("LandlockRuleViolatedOnManyHosts", "", "web", "critical", false),
		alert("LandlockRuleViolated", "web1", "web", "critical", true),
		alert("LandlockRuleViolated", "web2", "web", "critical", true),
		alert("LandlockRuleBroken", "web3", "web", "critical", true),
		alert("LandlockRuleBroken", "web3", "web", "warning", false),
		alert("LandlockRuleViolated", "web1", "web", "warning", false),
		alert("LandlockRuleViolated", "web2", "other", "critical", false),
		// A host that is down.
		alert("LandlockdDown", "dead", "", "warning", false),
		alert("LandlockdScanFailing", "dead", "", "warning", true),
		alert("LandlockdUnconfined", "dead", "", "warning", true),
		alert("LandlockdBlind", "dead", "", "warning", true),
		alert("LandlockRuleUnknown", "dead", "web", "warning", true),
		alert("LandlockRuleViolated", "dead", "web", "info", false),
		alert("LandlockdScanFailing", "alive", "", "warning", false),
	}
	send(t, url, alerts)
	deadline := time.Now().Add(patience)
	for {
		wrong := compare(t, url, alerts)
		if len(wrong) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("inhibited, or not, or not there: %v", wrong)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

func send(t *testing.T, url string, alerts []fired) {
	t.Helper()
	var body []any
	for _, a := range alerts {
		body = append(body, map[string]any{"labels": a.labels})
	}
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post(url+"/api/v2/alerts", "application/json", bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", resp.Status, text)
	}
}

// received is an alert as Alertmanager sends it.
type received struct {
	Labels map[string]string
	Status struct{ State string }
}

// compare returns the alerts that are not as they must be.
func compare(t *testing.T, url string, alerts []fired) (wrong []fired) {
	t.Helper()
	resp, err := http.Get(url + "/api/v2/alerts")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var got []received
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	for _, a := range alerts {
		state := "active"
		if a.inhibited {
			state = "suppressed"
		}
		i := slices.IndexFunc(got, func(r received) bool { return maps.Equal(r.Labels, a.labels) })
		if i < 0 || got[i].Status.State != state {
			wrong = append(wrong, a)
		}
	}
	return wrong
}
