// Prometheus' answers as data frames, in the shapes that Grafana's data source gives them.
import { FieldType, createDataFrame } from '@grafana/data';

const POINTS = 600;
const SCRAPE = 5; // seconds; a Prometheus that scrapes less often needs more here

export function timeRange(text) {
  const [, number, unit] = /^(\d+)([smhd])$/.exec(text);
  const seconds = Number(number) * { s: 1, m: 60, h: 3600, d: 86400 }[unit];
  const to = Math.floor(Date.now() / 1000);
  return { from: to - seconds, to, seconds };
}

export async function variables(board, range, given) {
  const chosen = {};
  for (const variable of board.templating.list) {
    if (variable.type === 'datasource') {
      chosen[variable.name] = { shown: 'Prometheus', value: 'preview' };
    } else {
      chosen[variable.name] = await choice(variable, range, chosen, given[variable.name]);
    }
  }
  return chosen;
}

async function choice(variable, range, chosen, given) {
  if (given !== undefined) {
    return { shown: given, value: given };
  }
  if (variable.includeAll) {
    return { shown: 'All', value: variable.allValue };
  }
  const [, selector, label] = /^label_values\((.*), (\w+)\)$/.exec(variable.definition);
  const query = new URLSearchParams({ 'match[]': filledIn(selector, range, chosen), start: range.from, end: range.to });
  const names = await ask(`label/${label}/values?${query}`);
  return names.length ? { shown: names[0], value: names[0] } : { shown: 'None', value: '' };
}

function step(range) {
  return Math.max(SCRAPE, Math.ceil(range.seconds / POINTS));
}

function filledIn(text, range, chosen) {
  const windows = {
    __rate_interval: `${Math.max(step(range) + SCRAPE, 4 * SCRAPE)}s`,
    __range: `${range.seconds}s`,
    __interval: `${step(range)}s`,
  };
  return text.replace(/\$(\w+)/g, (whole, name) => windows[name] ?? chosen[name]?.value ?? whole);
}

async function ask(path) {
  const answer = await (await fetch(`/api/v1/${path}`)).json();
  if (answer.status !== 'success') {
    throw new Error(answer.error);
  }
  return answer.data;
}

export async function frames(panel, range, chosen) {
  const answers = await Promise.all((panel.targets ?? []).map((target) => run(target, range, chosen)));
  const several = answers.length > 1;
  return answers.flatMap(({ target, result }) =>
    target.format === 'table' ? [table(target, result, several)] : result.map((series) => seriesFrame(target, series, step(range))),
  );
}

async function run(target, range, chosen) {
  const query = filledIn(target.expr, range, chosen);
  const data = target.instant
    ? await ask(`query?${new URLSearchParams({ query, time: range.to })}`)
    : await ask(`query_range?${new URLSearchParams({ query, start: range.from, end: range.to, step: step(range) })}`);
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

function table(target, result, several) {
  const labels = [...new Set(result.flatMap(({ metric }) => Object.keys(metric)))].sort();
  if (!result.length) {
    return createDataFrame({ refId: target.refId, fields: [] });
  }
  return createDataFrame({
    refId: target.refId,
    fields: [
      { name: 'Time', type: FieldType.time, values: result.map(({ value }) => value[0] * 1000) },
      ...labels.map((label) => ({ name: label, type: FieldType.string, values: result.map(({ metric }) => metric[label] ?? '') })),
      { name: several ? `Value #${target.refId}` : 'Value', type: FieldType.number, values: result.map(({ value }) => Number(value[1])) },
    ],
  });
}
