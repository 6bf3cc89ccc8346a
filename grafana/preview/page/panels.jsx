// One component per type of panel; each wraps a component of Grafana, except for the state timeline.
import { VizOrientation, applyNullInsertThreshold, dateTime, getFieldDisplayValues, renderTextPanelMarkdown } from '@grafana/data';
import { BarGauge, BigValue, TimeSeries, VizRepeater, useTheme2 } from '@grafana/ui';
import { TableNG } from '@grafana/ui/unstable';
import { Timeline } from './timeline.jsx';

function toTimeRange({ from, to }) {
  const both = { from: dateTime(from * 1000), to: dateTime(to * 1000) };
  return { ...both, raw: both };
}

function NoData({ panel }) {
  const theme = useTheme2();
  const text = panel.fieldConfig.defaults.noValue;
  return <div style={{ height: '100%', display: 'grid', placeItems: 'center', color: theme.colors.text.secondary }}>{text}</div>;
}

function displayValues({ panel, frames, theme }) {
  return getFieldDisplayValues({
    fieldConfig: panel.fieldConfig,
    reduceOptions: panel.options.reduceOptions,
    replaceVariables: (text) => text,
    theme,
    data: frames,
    sparkline: panel.options.graphMode === 'area',
    timeZone: 'browser',
  });
}

function Stat(props) {
  const theme = useTheme2();
  const { panel, width, height } = props;
  const values = displayValues({ ...props, theme });
  values.filter(({ sparkline }) => sparkline).forEach((value) => Object.assign(value.sparkline, { timeRange: toTimeRange(props.range) }));
  return (
    <VizRepeater
      getValues={() => values} source={values} renderCounter={0} width={width} height={height} autoGrid itemSpacing={3}
      orientation={VizOrientation.Auto}
      renderValue={({ value, width: w, height: h, count }) => (
        <BigValue
          value={value.display} count={count} width={w} height={h} theme={theme}
          sparkline={value.sparkline} colorMode={panel.options.colorMode} graphMode={panel.options.graphMode}
          textMode={panel.options.textMode} justifyMode="auto" wideLayout={panel.options.wideLayout} text={panel.options.text}
        />
      )}
    />
  );
}

function BarGaugePanel(props) {
  const theme = useTheme2();
  const { panel, width, height, frames } = props;
  if (!frames.length) {
    return <NoData panel={panel} />;
  }
  const values = displayValues({ ...props, theme });
  const maximum = Math.max(...values.map((value) => value.display.numeric));
  return (
    <VizRepeater
      getValues={() => values} source={values} renderCounter={0} width={width} height={height} itemSpacing={10}
      orientation={VizOrientation.Horizontal} minVizHeight={16} maxVizHeight={panel.options.maxVizHeight}
      renderValue={({ value, width: w, height: h }) => (
        <BarGauge
          value={{ ...value.display, title: value.display.title }} field={{ ...value.field, min: 0, max: value.field.max ?? maximum }}
          display={value.view?.getFieldDisplayProcessor?.(value.colIndex)}
          width={w} height={h} theme={theme} orientation={VizOrientation.Horizontal} displayMode={panel.options.displayMode} text={panel.options.text}
          valueDisplayMode={panel.options.valueMode} namePlacement={panel.options.namePlacement} showUnfilled
          alignmentFactors={{ title: longest(values, (v) => v.display.title), text: longest(values, (v) => v.display.text + (v.display.suffix ?? '')) }}
        />
      )}
    />
  );
}

function longest(values, text) {
  return values.map(text).reduce((current, other) => (other.length > current.length ? other : current), '');
}

function TimeSeriesPanel({ panel, frames, range, width, height }) {
  if (!frames.length) {
    return <NoData panel={panel} />;
  }
  return (
    <TimeSeries
      frames={frames.map((frame) => applyNullInsertThreshold({ frame }))} timeRange={toTimeRange(range)} timeZone="browser" width={width} height={height}
      legend={panel.options.legend} options={panel.options}
    />
  );
}

function StateTimeline({ panel, frames, range, width, height }) {
  if (!frames.length) {
    return <NoData panel={panel} />;
  }
  return <Timeline frames={frames} range={range} width={width} height={height} />;
}

function TablePanel({ panel, frames, range, width, height }) {
  const theme = useTheme2();
  const [frame] = frames;
  if (!frame?.fields.length || !frame.length) {
    return <NoData panel={panel} />;
  }
  return (
    <TableNG
      data={frame} width={width} height={height} theme={theme} timeRange={toTimeRange(range)} cellHeight={panel.options.cellHeight}
      sortBy={panel.options.sortBy} fieldConfig={panel.fieldConfig} structureRev={1}
      getActions={() => []} replaceVariables={(text) => text} disableKeyboardEvents
    />
  );
}

function Text({ panel }) {
  return <div className="markdown-html" dangerouslySetInnerHTML={{ __html: renderTextPanelMarkdown(panel.options.content) }} />;
}

export const PANEL_TYPES = {
  bargauge: BarGaugePanel,
  stat: Stat,
  'state-timeline': StateTimeline,
  table: TablePanel,
  text: Text,
  timeseries: TimeSeriesPanel,
};
