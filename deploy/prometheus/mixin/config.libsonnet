// SPDX-License-Identifier: Apache-2.0
//
// All that an installation may want otherwise. Durations are Prometheus',
// shares are between 0 and 1, selectors are label matchers without braces.
local seconds = import 'duration.libsonnet';

{
  _config+:: {
    // Jobs, as anchored regular expressions: those that scrape landlockd, and
    // those that scrape a node_exporter whose textfile folder landlockd writes into.
    landlockdJob: '(.+/)?landlockd',
    textfileJob: '(.+/)?node([-_]exporter)?',

    // What knows which hosts there are: an exporter that runs on all of them.
    inventorySelector: 'job=~"%s"' % self.textfileJob,

    // What the host of a target is called, to compare both: as its label nodeLabel says, if it
    // has one; else by the node of the pod that is scraped; else by the part of the instance
    // label before the port. podNodes is an expression with the labels namespace, pod and that
    // of nodeLabel, as kube-state-metrics has them. Either may be ''.
    nodeLabel: 'node',
    podNodes: 'kube_pod_info',

    // The label that tells clusters apart (sites, environments). It need not exist.
    clusterLabel: 'cluster',

    // Sums over hosts keep a host's last facts for this long, so that one
    // scan that fails does not take it out of them. More than two scrape intervals.
    factWindow: '5m',

    // A rule is violated if it was in more than ruleShare of the scrapes of
    // ruleWindow. A window, because for: alone starts again at each scan that
    // fails and at each restart of the daemon.
    ruleWindow: '10m',
    ruleShare: 0.5,
    ruleFor: '2m',

    // Of so many hosts of each cluster, those that violate most rules, it is recorded how many
    // and since when.
    worstHosts: 50,

    // LandlockRuleBroken fires for brokenWindow after the end of what violated a rule, unless
    // LandlockRuleViolated held within brokenUnless: what that is about ends when it is mended.
    brokenWindow: '15m',
    brokenUnless: '30m',

    // Longer than the longest grace of any rule.
    settleWindow: '15m',
    // Where runs are counted: two of them that each last for nearly all of the grace.
    settleRunsWindow: '30m',
    settleFor: '10m',

    unknownWindow: '15m',
    unknownFor: '10m',

    // A rule that is violated on this share of its hosts, and on this many, is
    // one alert and not one for each host.
    manyHostsShare: 0.1,
    manyHostsMin: 3,
    manyHostsFor: '1m',

    // This alert inhibits the rules'.
    disabledWindow: '10m',
    disabledFor: '1m',

    downWindow: '10m',
    downFor: '2m',

    scanWindow: '15m',
    scanShare: 0.5,
    scanFor: '5m',

    reloadWindow: '5m',
    reloadFor: '10m',

    confinedWindow: '15m',
    confinedFor: '5m',

    // What landlockd leaves out, and what it left out blindAgo.
    blindWindow: '15m',
    blindAgo: '1d',
    blindFactor: 2,
    blindLeast: 10,
    blindFor: '10m',

    // More than twice the period of the timer that writes the file, in seconds.
    textfileMaxAge: 45 * 60,
    textfileFor: '5m',

    hostsMissingFor: '1h',

    // Coverage of a cluster's workloads, compared with what it was before.
    coverageWindow: '1h',
    coverageAgo: '1w',
    coverageDrop: 0.05,
    coverageFor: '30m',

    // Off unless asked for.
    // silent: for agent mode, where a host that is gone has no up == 0.
    enableSilent: false,
    silentWindow: '1h',
    silentFor: '10m',
    enableDenialBurst: false,
    denialWindow: '10m',
    denialsPerSecond: 1,
    denialFor: '5m',
    enableNestingNearLimit: false,
    nestingLeft: 2,
    nestingFor: '10m',
    // Over unknownWindow, as LandlockRuleUnknown. Whoever has an account can raise it.
    enableRuleMatchUnknown: false,
    matchUnknownFor: '10m',
    // Days before the first of a rule's waivers ends.
    enableWaiverLapses: false,
    waiverDays: 7,
    waiverFor: '10m',

    // LandlockRuleViolated, LandlockRuleBroken, LandlockRuleViolatedOnManyHosts and
    // LandlockDisabled take the severity of the rules that are violated.
    severities: {
      LandlockRuleNeverSettles: 'warning',
      LandlockRuleUnknown: 'warning',
      LandlockDisabled: 'warning',  // of a host that violates no rule
      LandlockdDown: 'warning',
      LandlockdScanFailing: 'warning',
      LandlockdReloadFailed: 'warning',
      LandlockdUnconfined: 'warning',
      LandlockdBlind: 'warning',  // whoever has an account can raise it
      LandlockdTextfileStale: 'warning',
      LandlockHostsWithoutLandlockd: 'info',
      LandlockCoverageDropped: 'warning',
      LandlockdSilent: 'warning',
      LandlockDenialBurst: 'info',
      LandlockNestingNearLimit: 'info',
      LandlockRuleMatchUnknown: 'info',
      LandlockRuleWaiverLapses: 'info',
    },

    runbookURLPrefix: 'https://github.com/landlockd/landlockd/blob/main/docs/runbooks/',

    // Where Grafana is, as in https://grafana.example. Alerts link their dashboards there; if
    // empty, by a path.
    grafanaURL: '',

    dashboardTags: ['landlock', 'landlockd'],
    dashboardUIDPrefix: 'landlockd-',
    dashboardRefresh: '1m',
    dashboardFrom: 'now-24h',

    // An inhibition has to be there before what it inhibits.
    assert seconds(self.manyHostsFor) < seconds(self.ruleFor) : 'manyHostsFor must be less than ruleFor',
    assert seconds(self.disabledFor) < seconds(self.ruleFor) : 'disabledFor must be less than ruleFor',
    assert seconds(self.disabledWindow) <= seconds(self.ruleWindow) : 'disabledWindow must not be more than ruleWindow',
    // Else what LandlockRuleViolated said is said again when it is mended.
    assert seconds(self.brokenWindow) + seconds(self.ruleWindow) <= seconds(self.brokenUnless) : 'brokenUnless must not be less than brokenWindow and ruleWindow together',
    assert 2 * seconds(self.settleWindow) <= seconds(self.settleRunsWindow) : 'settleRunsWindow must not be less than twice settleWindow',
    // Else the alert of a host that died resolves before the host is known as down.
    assert seconds(self.downWindow) / 2 + seconds(self.downFor) < seconds(self.ruleWindow) : 'half of downWindow and downFor together must be less than ruleWindow',

    assert self.podNodes == '' || self.nodeLabel != '' : 'podNodes needs nodeLabel',

    // Derived; not to be set.
    daemon: 'job=~"%s"' % self.landlockdJob,
    textfile: 'job=~"%s"' % self.textfileJob,
    facts: 'job=~"%s|%s"' % [self.landlockdJob, self.textfileJob],
    host: '%s, job, instance' % self.clusterLabel,
    brokenSeconds: seconds(self.brokenWindow),
    // What holds at two steps of this size has held for about ruleFor.
    ruleStep: '%ds' % std.max(1, std.floor(seconds(self.ruleFor) / 2)),
  },
}
