// SPDX-License-Identifier: Apache-2.0
//
// The part of Alertmanager's configuration that knows which alert makes which
// other one needless. Equal severities where it matters: a warning must not
// silence what is critical.
{
  local c = $._config,

  alertmanager+:: {
    inhibit_rules+: [
      {
        source_matchers: ['alertname = LandlockDisabled'],
        target_matchers: ['alertname =~ "LandlockRuleViolated|LandlockRuleBroken|LandlockRuleNeverSettles|LandlockRuleUnknown"'],
        equal: [c.clusterLabel, 'job', 'instance', 'severity'],
      },
      {
        source_matchers: ['alertname = LandlockRuleViolatedOnManyHosts'],
        target_matchers: ['alertname =~ "LandlockRuleViolated|LandlockRuleBroken"'],
        equal: [c.clusterLabel, 'rule', 'severity'],
      },
      {
        // Facts of a host that is gone are the last ones.
        source_matchers: ['alertname = LandlockdDown'],
        target_matchers: ['alertname =~ "LandlockdScanFailing|LandlockdReloadFailed|LandlockdUnconfined|LandlockdBlind|LandlockRuleUnknown|LandlockRuleNeverSettles"'],
        equal: [c.clusterLabel, 'job', 'instance'],
      },
    ],
  },
}
