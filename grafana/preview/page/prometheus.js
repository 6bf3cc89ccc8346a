// Queries Prometheus and returns data frames like Grafana's data source.
import { FieldType, createDataFrame } from '@grafana/data';

const POINTS = 600;

export async function timeRange(text) {
  const length = seconds(text);
  const to = Math.floor(Date.now() / 1000);
  return { from: to - length, to, seconds: length, scrape: await scrapeInterval() };
}

// The scrape interval of the exporters' job in seconds; Grafana has it in the settings of the data source.
async function scrapeInterval() {
  const [job] = await request(`label/job/values?${new URLSearchParams({ 'match[]': 'openvpn_up{daemon!=""}' })}`);
  const { activeTargets } = await request('targets?state=active');
  const target = activeTargets.find(({ labels }) => labels.job === job);
  if (!target) {
    throw new Error('This Prometheus scrapes no exporter.');
  }
  return seconds(target.scrapeInterval);
}

const UNITS = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86400 };

function seconds(duration) {
  return [...duration.matchAll(/(\d+)(ms|[smhd])/g)].reduce((sum, [, number, unit]) => sum + number * UNITS[unit], 0);
}

export async function variables(dashboard, range, preset) {
  const values = {};
  for (const variable of dashboard.templating.list) {
    if (variable.type === 'datasource') {
      values[variable.name] = { text: 'Prometheus', value: 'preview' };
    } else {
      values[variable.name] = await variableValue(variable, range, values, preset[variable.name]);
    }
  }
  return values;
}

async function variableValue(variable, range, values, preset) {
  if (preset !== undefined) {
    return { text: preset, value: preset };
  }
  if (variable.includeAll) {
    return { text: 'All', value: variable.allValue };
  }
  if (variable.hide) {
    return { text: '', value: '' }; // for links, which a picture has not
  }
  const [, selector, label] = /^label_values\((.*), (\w+)\)$/.exec(variable.definition);
  const query = new URLSearchParams({ 'match[]': interpolate(selector, range, values), start: range.from, end: range.to });
  const names = await request(`label/${label}/values?${query}`);
  return names.length ? { text: names[0], value: names[0] } : { text: 'None', value: '' };
}

// The seconds between two points, as Grafana calculates them for a panel.
function step(range, panel) {
  return Math.max(range.scrape, seconds(panel.interval ?? '0s'), Math.ceil(range.seconds / (panel.maxDataPoints ?? POINTS)));
}

function interpolate(text, range, values, panel = {}) {
  const windows = {
    __rate_interval: `${Math.max(step(range, panel) + range.scrape, 4 * range.scrape)}s`,
    __range: `${range.seconds}s`,
    __interval: `${step(range, panel)}s`,
    __interval_ms: 1000 * step(range, panel),
  };
  return text.replace(/\$(\w+)/g, (whole, name) => windows[name] ?? values[name]?.value ?? whole);
}

async function request(path) {
  const reply = await (await fetch(`/api/v1/${path}`)).json();
  if (reply.status !== 'success') {
    throw new Error(reply.error);
  }
  return reply.data;
}

export async function queryFrames(panel, range, values) {
  const results = await Promise.all((panel.targets ?? []).map((target) => runQuery(target, panel, range, values)));
  const multiple = results.length > 1;
  return results.flatMap(({ target, result }) =>
    target.format === 'table'
      ? [table(target, result, multiple)]
      : result.map((series) => seriesFrame(target, series, step(range, panel))),
  );
}

async function runQuery(target, panel, range, values) {
  const query = interpolate(target.expr, range, values, panel);
  const data = target.instant
    ? await request(`query?${new URLSearchParams({ query, time: range.to })}`)
    : await request(`query_range?${new URLSearchParams({ query, start: range.from, end: range.to, step: step(range, panel) })}`);
  return { target, result: data.result };
}

function seriesFrame(target, { metric, values, value }, interval) {
  const points = values ?? [value];
  const name = target.legendFormat?.replace(/\{\{(\w+)\}\}/g, (_, label) => metric[label] ?? '') || undefined;
  return createDataFrame({
    refId: target.refId,
    name,
    fields: [
      { name: 'Time', type: FieldType.time, values: points.map(([time]) => time * 1000), config: { interval: target.instant ? undefined : 1000 * interval } },
      { name: 'Value', type: FieldType.number, labels: metric, values: points.map(([, text]) => Number(text)), config: { displayNameFromDS: name } },
    ],
  });
}

function table(target, result, multiple) {
  const labels = [...new Set(result.flatMap(({ metric }) => Object.keys(metric)))].sort();
  if (!result.length) {
    return createDataFrame({ refId: target.refId, fields: [] });
  }
  return createDataFrame({
    refId: target.refId,
    fields: [
      { name: 'Time', type: FieldType.time, values: result.map(({ value }) => value[0] * 1000) },
      ...labels.map((label) => ({ name: label, type: FieldType.string, values: result.map(({ metric }) => metric[label] ?? '') })),
      { name: multiple ? `Value #${target.refId}` : 'Value', type: FieldType.number, values: result.map(({ value }) => Number(value[1])) },
    ],
  });
}
