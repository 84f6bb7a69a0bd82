// SPDX-License-Identifier: Apache-2.0
//
// Draws dashboard.json, in the form of Perses, by Perses' own components.
import { BrowserRouter } from 'react-router-dom';
import { QueryParamProvider } from 'use-query-params';
import { ReactRouter6Adapter } from 'use-query-params/adapters/react-router-6';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { ThemeProvider } from '@mui/material';
import { createRoot } from 'react-dom/client';
import { ChartsProvider, SnackbarProvider, generateChartsTheme, getTheme } from '@perses-dev/components';
import { PluginRegistry, ReactRouterProvider, ValidationProvider, dynamicImportPluginLoader } from '@perses-dev/plugin-system';
import { ViewDashboard } from '@perses-dev/dashboards';
import * as bar from '@perses-dev/bar-chart-plugin';
import * as history from '@perses-dev/status-history-chart-plugin';
import * as prometheus from '@perses-dev/prometheus-plugin';
import * as stat from '@perses-dev/stat-chart-plugin';
import * as table from '@perses-dev/table-plugin';
import * as timeSeries from '@perses-dev/timeseries-chart-plugin';

const pluginLoader = dynamicImportPluginLoader(
  [bar, history, prometheus, stat, table, timeSeries].map((plugin) => ({
    resource: plugin.getPluginModule(),
    importPlugin: async () => plugin,
  })),
);

// The dashboard has its data source.
const elsewhere = {
  getDatasource: async () => undefined,
  getGlobalDatasource: async () => undefined,
  listDatasources: async () => [],
  listGlobalDatasources: async () => [],
};

const theme = getTheme('light');
const queries = new QueryClient({ defaultOptions: { queries: { retry: 0 } } });
const dashboard = await (await fetch('dashboard.json')).json();

createRoot(document.querySelector('main')).render(
  <BrowserRouter>
    <ReactRouterProvider><QueryParamProvider adapter={ReactRouter6Adapter}>
      <QueryClientProvider client={queries}>
        <ThemeProvider theme={theme}>
          <ChartsProvider chartsTheme={generateChartsTheme(theme, {})}>
            <SnackbarProvider>
              <PluginRegistry pluginLoader={pluginLoader} defaultPluginKinds={{ TimeSeriesQuery: 'PrometheusTimeSeriesQuery' }}>
                <ValidationProvider>
                  <ViewDashboard
                    dashboardResource={dashboard} datasourceApi={elsewhere} dashboardTitleComponent={dashboard.spec.display.name}
                    isReadonly isVariableEnabled isDatasourceEnabled={false}
                  />
                </ValidationProvider>
              </PluginRegistry>
            </SnackbarProvider>
          </ChartsProvider>
        </ThemeProvider>
      </QueryClientProvider>
    </QueryParamProvider></ReactRouterProvider>
  </BrowserRouter>,
);
