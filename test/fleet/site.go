// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"net/http"
	"time"
)

// Missing is how many hosts of each fleet have no landlockd.
const Missing = 2

// Site is a fleet as Prometheus finds it: landlockd on every host, beside something that stands for
// node_exporter, which two hosts of cluster eu have, too, that have no landlockd.
type Site struct {
	*Server
	hosts []*Host
}

// NewSite returns a site of hosts, each of which scans at most once in minInterval.
func NewSite(hosts []*Host, minInterval time.Duration) (*Site, error) {
	server, err := NewServer(hosts, minInterval)
	if err != nil {
		return nil, err
	}
	return &Site{server, hosts}, nil
}

const nodePath = "/node"

// ServeHTTP serves all that is scraped.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != nodePath {
		s.Server.ServeHTTP(w, r)
	}
}

// ScrapeConfigs is what Prometheus' configuration says of the site, which is served at an address.
func (s *Site) ScrapeConfigs(address string) []any {
	var landlockd, node []any
	add := func(to *[]any, name, cluster, path string) {
		*to = append(*to, map[string]any{
			"targets": []string{address},
			"labels":  map[string]string{"instance": name, "cluster": cluster, "__metrics_path__": path},
		})
	}
	for _, h := range s.hosts {
		add(&landlockd, h.Instance(), h.Cluster, h.Path())
		add(&node, h.Name+":9100", h.Cluster, nodePath)
	}
	for _, name := range [Missing]string{"bare1", "bare2"} {
		add(&node, name+":9100", "eu", nodePath)
	}
	return []any{
		map[string]any{"job_name": "landlockd", "static_configs": landlockd},
		map[string]any{"job_name": "node", "static_configs": node},
	}
}

// Instance is what Prometheus calls the host's landlockd.
func (h *Host) Instance() string { return h.Name + ":10644" }
