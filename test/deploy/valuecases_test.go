// SPDX-License-Identifier: Apache-2.0

package deploy

// valueCase is what comes of a value: in the object of a kind, at a place, as JSON.
type valueCase struct{ values, kind, at, want string }

const (
	pod       = "spec/template/spec/"
	container = pod + "containers/0/"
	endpoint  = "spec/podMetricsEndpoints/0/"
	service   = "podMonitor: {enabled: false}\nserviceMonitor: {enabled: true"
)

// valueCases are by value. A list's last member is that of the value.
func valueCases() map[string][]valueCase {
	return map[string][]valueCase{
		"image.repository":        {{"image: {repository: registry.example/l}", "DaemonSet", container + "image", `"registry.example/l:v0.1.0"`}},
		"image.tag":               {{"image: {tag: v9}", "DaemonSet", container + "image", `"ghcr.io/landlockd/landlockd:v9"`}},
		"image.digest":            {{"image: {tag: v9, digest: \"sha256:0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a\"}", "DaemonSet", container + "image", `"ghcr.io/landlockd/landlockd@sha256:0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a"`}},
		"image.pullPolicy":        {{"image: {pullPolicy: Always}", "DaemonSet", container + "imagePullPolicy", `"Always"`}},
		"imagePullSecrets":        {{"imagePullSecrets: [{name: regcred}]", "DaemonSet", pod + "imagePullSecrets", `[{"name": "regcred"}]`}},
		"nameOverride":            {{"nameOverride: sandboxes", "DaemonSet", "metadata/name", `"landlockd-sandboxes"`}},
		"fullnameOverride":        {{"fullnameOverride: sandboxes", "DaemonSet", "metadata/name", `"sandboxes"`}, {"fullnameOverride: sandboxes", "PodMonitor", "metadata/name", `"sandboxes"`}},
		"commonLabels":            {{"commonLabels: {team: sec}", "NetworkPolicy", "metadata/labels/team", `"sec"`}, {"commonLabels: {team: sec}", "DaemonSet", "spec/template/metadata/labels/team", `"sec"`}},
		"podLabels":               {{"podLabels: {team: sec}", "DaemonSet", "spec/template/metadata/labels/team", `"sec"`}},
		"podAnnotations":          {{"podAnnotations: {a: b}", "DaemonSet", "spec/template/metadata/annotations", `{"a": "b"}`}},
		"annotations":             {{"annotations: {a: b}", "DaemonSet", "metadata/annotations", `{"a": "b"}`}},
		"source":                  {{"source: procattr", "DaemonSet", container + "args/-1", `"--source=procattr"`}, {"source: both", "DaemonSet", container + "securityContext/capabilities/add/-1", `"SYS_PTRACE"`}},
		"denials.audit":           {{"denials: {audit: true}", "DaemonSet", pod + "hostNetwork", `true`}, {"denials: {audit: true}", "DaemonSet", container + "securityContext/capabilities/add/-1", `"AUDIT_READ"`}},
		"assets.paths":            {{"assets: {paths: true}", "DaemonSet", container + "args/-1", `"--path.rootfs=/host/root"`}},
		"rules":                   {{"rules: \"rules: []\\n\"", "ConfigMap", "data", `{"landlockd.yml": "rules: []\n"}`}},
		"extraArgs":               {{"extraArgs: [--log.level=debug]", "DaemonSet", container + "args/-1", `"--log.level=debug"`}},
		"env":                     {{"env: [{name: GOGC, value: \"50\"}, {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]", "DaemonSet", container + "env", `[{"name": "GOGC", "value": "50"}, {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}]`}},
		"extraVolumes":            {{"extraVolumes: [{name: x, emptyDir: {medium: Memory}}]", "DaemonSet", pod + "volumes/-1", `{"name": "x", "emptyDir": {"medium": "Memory"}}`}},
		"extraVolumeMounts":       {{"extraVolumeMounts: [{name: x, mountPath: /x, readOnly: true}]", "DaemonSet", container + "volumeMounts/-1", `{"name": "x", "mountPath": "/x", "readOnly": true}`}},
		"port":                    {{"port: 9999", "DaemonSet", container + "ports/0/containerPort", `9999`}, {"port: 9999", "DaemonSet", container + "args/2", `"--web.listen-address=:9999"`}, {"port: 9999\ndenials: {audit: true}", "DaemonSet", container + "ports/0/hostPort", `9999`}, {"port: 9999\nservice: {enabled: true}", "Service", "spec/ports/0/port", `9999`}},
		"webConfig.key":           {{"webConfig: {existingSecret: s, key: w.yaml}", "DaemonSet", container + "args/3", `"--web.config.file=/etc/landlockd-web/w.yaml"`}},
		"webConfig.scheme":        {{"webConfig: {existingSecret: s, scheme: http}", "PodMonitor", endpoint + "scheme", `"http"`}, {"webConfig: {existingSecret: s, authenticates: false, scheme: http}", "DaemonSet", container + "readinessProbe/httpGet/scheme", `"HTTP"`}},
		"webConfig.authenticates": {{"webConfig: {existingSecret: s}", "DaemonSet", container + "readinessProbe", `{"tcpSocket": {"port": "metrics"}}`}, {"webConfig: {existingSecret: s, authenticates: false}", "DaemonSet", container + "readinessProbe", `{"httpGet": {"path": "/-/ready", "port": "metrics", "scheme": "HTTPS"}}`}},
		"webConfig.existingSecret": {{"webConfig: {existingSecret: s}", "DaemonSet", pod + "volumes/-1", `{"name": "web", "secret": {"secretName": "s"}}`}, {"webConfig: {existingSecret: s}", "DaemonSet", container + "volumeMounts/-1", `{"name": "web", "mountPath": "/etc/landlockd-web", "readOnly": true}`},
			{"webConfig: {existingSecret: s}", "PodMonitor", endpoint + "scheme", `"https"`}},
		"readinessProbe":               {{"readinessProbe: {tcpSocket: {port: 1}, periodSeconds: 60}", "DaemonSet", container + "readinessProbe", `{"tcpSocket": {"port": 1}, "periodSeconds": 60}`}},
		"networkPolicy.enabled":        {{"networkPolicy: {enabled: false}", "NetworkPolicy", "metadata/name", `null`}},
		"networkPolicy.from":           {{"networkPolicy: {from: [{ipBlock: {cidr: 10.0.0.0/8}}]}", "NetworkPolicy", "spec/ingress/0/from", `[{"ipBlock": {"cidr": "10.0.0.0/8"}}]`}},
		"service.enabled":              {{"service: {enabled: true}", "Service", "spec/clusterIP", `"None"`}},
		"service.annotations":          {{"service: {enabled: true, annotations: {a: b}}", "Service", "metadata/annotations", `{"a": "b"}`}},
		"podMonitor.enabled":           {{"podMonitor: {enabled: false}", "PodMonitor", "metadata/name", `null`}},
		"podMonitor.interval":          {{"podMonitor: {interval: 2m}", "PodMonitor", endpoint + "interval", `"2m"`}},
		"podMonitor.scrapeTimeout":     {{"podMonitor: {scrapeTimeout: 5s}", "PodMonitor", endpoint + "scrapeTimeout", `"5s"`}},
		"podMonitor.labels":            {{"podMonitor: {labels: {release: kps}}", "PodMonitor", "metadata/labels/release", `"kps"`}},
		"podMonitor.tlsConfig":         {{"podMonitor: {tlsConfig: {insecureSkipVerify: true}}", "PodMonitor", endpoint + "tlsConfig/insecureSkipVerify", `true`}},
		"podMonitor.basicAuth":         {{"podMonitor: {basicAuth: {username: {name: s, key: u}, password: {name: s, key: p}}}", "PodMonitor", endpoint + "basicAuth", `{"username": {"name": "s", "key": "u"}, "password": {"name": "s", "key": "p"}}`}},
		"podMonitor.relabelings":       {{"podMonitor: {relabelings: [{targetLabel: cluster, replacement: eu}]}", "PodMonitor", endpoint + "relabelings/-1", `{"targetLabel": "cluster", "replacement": "eu"}`}},
		"podMonitor.metricRelabelings": {{"podMonitor: {metricRelabelings: [{action: drop, sourceLabels: [__name__], regex: go_.*}]}", "PodMonitor", endpoint + "metricRelabelings/-1", `{"action": "drop", "sourceLabels": ["__name__"], "regex": "go_.*"}`}},

		"serviceMonitor.enabled":           {{service + "}", "ServiceMonitor", "spec/endpoints/0/relabelings/0", `{"sourceLabels": ["__meta_kubernetes_pod_node_name"], "targetLabel": "instance"}`}, {service + "}", "Service", "spec/ports/0/name", `"metrics"`}},
		"serviceMonitor.interval":          {{service + ", interval: 2m}", "ServiceMonitor", "spec/endpoints/0/interval", `"2m"`}},
		"serviceMonitor.scrapeTimeout":     {{service + ", scrapeTimeout: 5s}", "ServiceMonitor", "spec/endpoints/0/scrapeTimeout", `"5s"`}},
		"serviceMonitor.labels":            {{service + ", labels: {release: kps}}", "ServiceMonitor", "metadata/labels/release", `"kps"`}},
		"serviceMonitor.tlsConfig":         {{service + ", tlsConfig: {serverName: a}}", "ServiceMonitor", "spec/endpoints/0/tlsConfig/serverName", `"a"`}},
		"serviceMonitor.basicAuth":         {{service + ", basicAuth: {password: {name: s, key: p}}}", "ServiceMonitor", "spec/endpoints/0/basicAuth/password", `{"name": "s", "key": "p"}`}},
		"serviceMonitor.relabelings":       {{service + ", relabelings: [{action: labeldrop, regex: service}]}", "ServiceMonitor", "spec/endpoints/0/relabelings/-1", `{"action": "labeldrop", "regex": "service"}`}},
		"serviceMonitor.metricRelabelings": {{service + ", metricRelabelings: [{action: labeldrop, regex: a}]}", "ServiceMonitor", "spec/endpoints/0/metricRelabelings/-1", `{"action": "labeldrop", "regex": "a"}`}},

		"prometheusRule.enabled":        {{"prometheusRule: {enabled: true}", "PrometheusRule", "spec/groups/-1/name", `"landlockd"`}},
		"prometheusRule.labels":         {{"prometheusRule: {enabled: true, labels: {release: kps}}", "PrometheusRule", "metadata/labels/release", `"kps"`}},
		"prometheusRule.optionalAlerts": {{"prometheusRule: {enabled: true, optionalAlerts: true}", "PrometheusRule", "spec/groups/-1/name", `"landlockd-optional"`}},
		"dashboards.enabled":            {{"dashboards: {enabled: true}", "ConfigMap", "metadata/labels/grafana_dashboard", `"1"`}, {"dashboards: {enabled: true}", "ConfigMap", "metadata/name", `"landlockd-fleet"`}},
		"dashboards.namespace":          {{"dashboards: {enabled: true, namespace: monitoring}", "ConfigMap", "metadata/namespace", `"monitoring"`}},
		"dashboards.labels":             {{"dashboards: {enabled: true, labels: {a: b}}", "ConfigMap", "metadata/labels/a", `"b"`}},
		"dashboards.annotations":        {{"dashboards: {enabled: true, annotations: {grafana_folder: L}}", "ConfigMap", "metadata/annotations", `{"grafana_folder": "L"}`}},
		"namespace.create":              {{"namespace: {create: true}", "Namespace", "metadata/name", `"landlockd"`}},
		"serviceAccount.create":         {{"serviceAccount: {create: false}", "ServiceAccount", "metadata/name", `null`}},
		"serviceAccount.name":           {{"serviceAccount: {name: x}", "DaemonSet", pod + "serviceAccountName", `"x"`}, {"serviceAccount: {name: x}", "ServiceAccount", "metadata/name", `"x"`}},
		"serviceAccount.annotations":    {{"serviceAccount: {annotations: {a: b}}", "ServiceAccount", "metadata/annotations", `{"a": "b"}`}},
		"seccompProfile":                {{"seccompProfile: {type: Localhost, localhostProfile: bpf.json}", "DaemonSet", pod + "securityContext/seccompProfile", `{"type": "Localhost", "localhostProfile": "bpf.json"}`}},
		"seLinuxOptions":                {{"seLinuxOptions: {type: spc_t}", "DaemonSet", pod + "securityContext/seLinuxOptions", `{"type": "spc_t"}`}},
		"priorityClassName":             {{"priorityClassName: system-node-critical", "DaemonSet", pod + "priorityClassName", `"system-node-critical"`}},
		"nodeSelector":                  {{"nodeSelector: {disk: ssd}", "DaemonSet", pod + "nodeSelector", `{"disk": "ssd", "kubernetes.io/os": "linux"}`}},
		"affinity":                      {{"affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: type, operator: NotIn, values: [virtual-kubelet]}]}]}}}", "DaemonSet", pod + "affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms/0/matchExpressions/0", `{"key": "type", "operator": "NotIn", "values": ["virtual-kubelet"]}`}},
		"tolerations":                   {{"tolerations: [{key: a, operator: Exists, effect: NoSchedule}]", "DaemonSet", pod + "tolerations", `[{"key": "a", "operator": "Exists", "effect": "NoSchedule"}]`}},
		"updateStrategy":                {{"updateStrategy: {type: OnDelete, rollingUpdate: null}", "DaemonSet", "spec/updateStrategy", `{"type": "OnDelete"}`}, {"updateStrategy: {rollingUpdate: {maxUnavailable: 1}}", "DaemonSet", "spec/updateStrategy/rollingUpdate/maxUnavailable", `1`}},
		"resources":                     {{"resources: {limits: {memory: 256Mi, cpu: 1}}", "DaemonSet", container + "resources/limits", `{"memory": "256Mi", "cpu": "1"}`}},
	}
}
